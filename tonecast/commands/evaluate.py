"""`tonecast evaluate`: score a profile on a session."""

from pathlib import Path
from typing import Annotated

import typer

from tonecast.console import Screen, score_table
from tonecast.options import AsJson

__all__ = ["evaluate"]


def evaluate(
    profile: Annotated[Path, typer.Argument(help="A .tonecast file.")],
    session: Annotated[Path, typer.Option(help="The session whose takes are compared.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Score a profile on every take of a session, worst first; what training heard is marked."""
    from profiler.evaluation import evaluate as evaluate_profile
    from profiler.profile_file import load
    from profiler.session_folder import SessionFolder

    screen = Screen(as_json)
    loaded, folder = load(profile), SessionFolder.open(session)
    with screen.progress("evaluate") as tell:
        score = evaluate_profile(loaded, folder, on_progress=tell)
    screen.show(score_table(score, folder.session, rows=len(score.takes)))
    if score.esr is None:
        screen.say("Training heard all of this, so there is no honest score. Hold something out, or record more.")
    else:
        screen.say(f"ESR {score.esr:.4f}; by setting: median {score.esr_median:.4f}, worst {score.esr_worst:.4f}")
    floor = "unknown: the session has no replicate" if score.floor is None else f"{score.floor:.2g}"
    screen.say(f"The gear's own noise floor is {floor}")
    screen.result(score)
