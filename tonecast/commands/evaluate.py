"""`tonecast evaluate`: score a profile on a session, or on recordings in a table."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from profiler.profile import Size
from tonecast.console import Screen, listening_words, plain, score_table, sizes_json, sizes_words
from tonecast.options import AsJson, ComparedSession, ComparedTable, ProfileOrPreset

if TYPE_CHECKING:
    from profiler.profile import Profile
    from profiler.score import Score
    from profiler.session_folder import SessionFolder

__all__ = ["compared_with", "evaluate"]


def evaluate(
    profile: ProfileOrPreset,
    session: ComparedSession = None,
    table: ComparedTable = None,
    *,
    size: Annotated[Size | None, typer.Option(help="Only the full effect, or only the light one.")] = None,
    moves: Annotated[bool, typer.Option("--knob-moves", help="Also measure what moving knobs leave.")] = False,
    as_json: AsJson = False,
) -> None:
    """Score a profile on every take of a session or a table, worst first; what training heard is marked."""
    from profiler.effects.sizes import sized
    from profiler.evaluation import scored
    from profiler.knob_moves import knob_moves
    from profiler.presets import effect_path
    from profiler.profile_file import load

    if (session is None) == (table is None):
        raise typer.BadParameter("Give either --session or --table: what the profile is compared with.")
    screen = Screen(as_json)
    loaded = load(effect_path(profile))
    if size is not None:
        loaded = sized(loaded, size)
    with compared_with(screen, session, table, loaded.profile) as folder, screen.progress("evaluate") as tell:
        loaded, score = scored(loaded, folder, on_progress=tell)
    screen.show(score_table(score, folder.session, rows=len(score.takes)))
    _tell(screen, score)
    for line in sizes_words(loaded.profile):
        screen.say(line)
    found = {**plain(score), **sizes_json(loaded.profile)}
    if moves:
        moved = knob_moves(loaded)
        found["knob_moves"] = [plain(each) for each in moved]
        for each in moved:
            screen.say(
                f"moving {each.knob} leaves {each.silence_db:.0f} dBFS in silence, {each.tone_db:.0f} dBFS at a tone"
            )
    screen.result(found)


def _tell(screen: Screen, score: "Score") -> None:
    """Say what the takes come to."""
    if score.esr is None:
        screen.say("Training heard all of this, so there is no honest score. Hold something out, or record more.")
    else:
        screen.say(f"ESR {score.esr:.4f}; by setting: median {score.esr_median:.4f}, worst {score.esr_worst:.4f}")
        screen.say(f"{listening_words(score.listening)}: {score.grade}")
    floor = "unknown: the session has no replicate" if score.floor is None else f"{score.floor:.2g}"
    screen.say(f"The gear's own noise floor is {floor}")
    if score.aliasing:
        screen.say(f"aliasing: gear {score.aliasing.gear_db:.0f} dB, profile {score.aliasing.profile_db:.0f} dB")


@contextlib.contextmanager
def compared_with(
    screen: Screen, session: Path | None, table: Path | None, profile: "Profile"
) -> "Iterator[SessionFolder]":
    """Open the session that a profile is compared with, or take the table into one."""
    from profiler.session_folder import SessionFolder

    if table is None:
        yield SessionFolder.open(session or Path())
        return
    with _taken_in(screen, table, profile) as folder:
        yield folder


@contextlib.contextmanager
def _taken_in(screen: Screen, table: Path, profile: "Profile") -> "Iterator[SessionFolder]":
    """Take a table into a session with the profile's knobs that is gone afterwards."""
    from profiler.errors import SessionError
    from profiler.pairs import common_rate, take_in
    from profiler.pairs_table import read_pairs_table
    from profiler.session import CaptureSession
    from profiler.session_folder import SessionFolder

    pairs = read_pairs_table(table, profile.knobs)
    expected, found = ({knob.id for knob in knobs} for knobs in (profile.knobs, pairs.knobs))
    if expected != found:
        raise SessionError(f"The table's knobs are {sorted(found)}; the profile's are {sorted(expected)}.")
    with tempfile.TemporaryDirectory(prefix="tonecast-") as scratch:
        session = CaptureSession(gear=profile.gear, knobs=profile.knobs, sample_rate=common_rate(pairs))
        folder = SessionFolder.create(Path(scratch) / "session", session)
        with screen.progress("files") as tell:
            refused = take_in(folder, pairs, on_progress=tell)
        for each in refused:
            screen.say(f"line {each.line} refused: {each.reason}")
        yield folder
