"""`tonecast train`: learn a session's gear."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonecast.commands.remote import Where, train_there
from tonecast.console import Screen, clock, score_table, sizes_json, sizes_words, stoppable
from tonecast.options import AsJson, Out, Seed, Steps, parse_length

if TYPE_CHECKING:
    from profiler.profile import Profile
    from profiler.verdict import Verdict

__all__ = ["train"]


def train(  # noqa: PLR0913 - one parameter an option
    session: Annotated[Path, typer.Argument(help="A capture session's folder.")],
    out: Out,
    *,
    budget: Annotated[str | None, typer.Option(help="Time to learn in, such as 90s or 5m. [default: 5m]")] = None,
    steps: Steps = None,
    hold_out: Annotated[
        list[str] | None, typer.Option(help="Never learn from: time=last:0.2, KNOB=VALUE or take:7. Repeatable.")
    ] = None,
    warm_start: Annotated[
        Path | None,
        typer.Option(help="A profile or preset to go on from: these takes refine it, and what it knew stays."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training that was stopped.")] = False,
    light: Annotated[
        bool, typer.Option("--light/--no-light", help="Whether to learn a light effect, given 100 s or more.")
    ] = True,
    device: Annotated[
        str, typer.Option(help="What learns: cpu, cuda, or auto for a GPU that torch can use, where there is one.")
    ] = "auto",
    seed: Seed = 0,
    server: Where = None,
    as_json: AsJson = False,
) -> None:
    """Train a profile and score it on what it never heard. Ctrl-C keeps the best so far."""
    from profiler.effects.convolution import NO_ENGINE, engine_name
    from profiler.making import make_profile
    from profiler.presets import effect_path
    from profiler.profile_file import check_suffix
    from profiler.session_folder import SessionFolder
    from profiler.split import Split, parse_hold_out
    from profiler.training import Schedule, TrainingPlan, WarmStart, device_name, training_device

    if budget is not None and steps is not None:
        raise typer.BadParameter("--budget ends training by time, --steps by count. Give one of them.")
    check_suffix(out)
    if server is not None:
        if warm_start or resume or device != "auto":
            raise typer.BadParameter("--server trains anew, on what it has: no --warm-start, --resume or --device.")
        query: dict[str, object] = {"steps": steps, "hold_out": hold_out, "seed": seed, "light": light}
        query["budget_seconds"] = None if steps else parse_length(budget or "5m")
        _train_there(Screen(as_json), server, session, out, query)
        return
    plan = TrainingPlan(
        schedule=Schedule(steps=steps) if steps else Schedule(budget_seconds=parse_length(budget or "5m")),
        split=Split(hold_outs=tuple(parse_hold_out(text) for text in hold_out or [])),
        seed=seed,
        light=light,
        warm_start=WarmStart.read(effect_path(warm_start)) if warm_start else None,
        device=training_device(device),
    )
    screen = Screen(as_json)
    folder = SessionFolder.open(session)
    if plan.device.type == "cuda":
        screen.say(f"Convolutional effects learn on {device_name(plan.device)}.")
    elif engine_name() == "torch":
        screen.say(f"{NO_ENGINE}.")
    made = make_profile(folder, plan, out, resume=resume, stages=screen.progress, stoppable=stoppable)
    if made.profile.score:
        screen.show(score_table(made.profile.score, folder.session))
    _show(screen, out, made.profile, made.verdict)


def _train_there(screen: Screen, server: str, session: Path, out: Path, query: dict[str, object]) -> None:
    from profiler.profile_file import load
    from profiler.verdict import Verdict

    job = train_there(screen, server, session, out, query)
    profile = load(out).profile
    reasons = [each.message for each in job.findings if each.kind == "verdict"]
    found = tuple(each for each in job.findings if each.kind != "verdict")
    told = Verdict(limited_by=profile.provenance.limited_by, reason=" ".join(reasons), findings=found)
    screen.say(f"It is profile {job.profile_id} of the library.")
    _show(screen, out, profile, told)


def _show(screen: Screen, out: Path, profile: "Profile", found: "Verdict") -> None:
    """Say what training came to."""
    provenance, esr, light = profile.provenance, profile.score and profile.score.esr, profile.light
    for finding in found.findings:
        screen.say(f"{finding.severity}: {finding.message}")
    seconds = round(provenance.seconds + (light.seconds if light else 0.0), 1)
    steps = f"{provenance.steps} steps" + (f", and {light.steps} of the light effect," if light else "")
    screen.say(f"{out}: {steps} in {clock(seconds)}")
    screen.say("Nothing was held out, so there is no score." if esr is None else f"ESR {esr:.4f}")
    if profile.oversampling > 1:
        screen.say(f"It is played at {profile.oversampling} times its rate: it would alias more than the gear does.")
    for line in sizes_words(profile):
        screen.say(line)
    screen.say(found.reason)
    screen.result(
        {
            "esr": esr,
            "seconds": seconds,
            "steps": provenance.steps,
            "audio_seconds": provenance.audio_seconds,
            "profile": str(out),
            "limited_by": provenance.limited_by,
            "oversampling": profile.oversampling,
            **sizes_json(profile),
            "reason": found.reason,
            "findings": found.findings,
        }
    )
