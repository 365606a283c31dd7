"""`tonecast capture more`: which settings to record next, and the recording of them where knobs turn themselves."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from profiler.errors import GearError, SessionError
from profiler.session import described
from tonecast.console import Screen, text_table
from tonecast.options import AsJson

if TYPE_CHECKING:
    from capture.plan import PlannedTake
    from capture.proposals import Proposal
    from profiler.knob import KnobSettings
    from profiler.session import CaptureSession
    from profiler.session_folder import SessionFolder

__all__ = ["capture_more"]

_CANDIDATES = 160
_LEARNT_A_HELD_OUT = 4


def capture_more(
    session: Annotated[Path, typer.Argument(help="The session that the profile was learnt from.")],
    profile: Annotated[Path, typer.Argument(help="The profile, or a preset by name.")],
    *,
    count: Annotated[int, typer.Option(help="How many settings to propose.", min=1, max=100)] = 6,
    record: Annotated[
        bool, typer.Option("--record", help="Record them into the session now: for gear that turns its own knobs.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Propose settings to record next: where the profile is least sure, and where nothing was recorded nearby."""
    from capture.plan import PlannedTake, joining_plan
    from capture.plan_file import next_number
    from profiler.presets import effect_path
    from profiler.session_folder import SessionFolder

    screen = Screen(as_json)
    folder = SessionFolder.open(session)
    if record and not _turns_itself(folder.session):
        raise GearError(
            f"--record is for gear that turns its own knobs, and {folder.session.gear.name} is neither a plugin nor "
            "turned by MIDI. Record the settings yourself."
        )
    path = effect_path(profile)
    proposals, held_out = _proposed(screen, folder, path, count)
    rows = ((described(folder.session.knobs, each.settings), each.reason) for each in proposals)
    screen.show(text_table(("settings", "what it is for"), rows, title="Worth recording next"))
    if len(proposals) < count:
        screen.say(f"Only {len(proposals)} of {count}: nothing else stands apart from what is recorded.")
    plan: list[PlannedTake] = []
    if record:
        settings = [each.settings for each in proposals]
        first = next_number(session, folder.session)
        plan = _as_sent(folder.session, joining_plan(folder.session, settings, held_out, first=first))
        _record(screen, folder, plan)
        screen.say(f"{len(proposals)} takes to learn from and {len(held_out)} held out joined {session}.")
        words = ["tonecast", "train", session, "--out", f"{path.stem}-more.tonecast", "--warm-start", profile]
        screen.say("Next: " + shlex.join(map(str, words)))
    screen.result(
        {
            "session": str(session),
            "profile": str(profile),
            "proposals": [_json(each) for each in proposals],
            "recorded": [take.number for take in plan if not take.held_out],
            "held_out": [take.number for take in plan if take.held_out],
        }
    )


def _proposed(
    screen: Screen, folder: "SessionFolder", path: Path, count: int
) -> tuple[tuple["Proposal", ...], list["KnobSettings"]]:
    """Return the proposals, and settings to hold out beside them. Raises SessionError when there is nothing to say."""
    from capture.proposals import propose
    from capture.spread import evenly_placed
    from profiler.doubt import Doubt, doubts
    from profiler.training import WarmStart

    start, knobs = WarmStart.read(path), folder.session.knobs
    start.check_kinship(folder.session)
    if not knobs:
        raise SessionError(f"{folder.path} has no knobs, so there are no other settings to record.")
    learnt, apart = _recorded(folder)
    with screen.progress("doubt") as tell:
        found = doubts(start.loaded, evenly_placed(knobs, _CANDIDATES), on_progress=tell)
    proposals = propose(knobs, found, learnt=learnt, apart=apart, count=count)
    if not proposals:
        raise SessionError(f"Every setting of {folder.path} that stands apart is recorded: nothing is left to propose.")
    # Scores stay honest: what is held out fills gaps between everything recorded, and asks no profile.
    plain = [Doubt(settings=each.settings, sizes_differ=None, near_error=None) for each in found]
    taken = [*learnt, *apart, *(each.settings for each in proposals)]
    held_out = propose(knobs, plain, learnt=taken, count=max(count // _LEARNT_A_HELD_OUT, 1))
    return proposals, [each.settings for each in held_out]


def _recorded(folder: "SessionFolder") -> tuple[list["KnobSettings"], list["KnobSettings"]]:
    """Return the settings that a session learns from, those of moving takes included, and those that it holds out."""
    learnt: list[KnobSettings] = []
    apart: list[KnobSettings] = []
    for take in folder.session.takes:
        settings = [point.settings for point in folder.track_of(take).breakpoints]
        (apart if take.held_out else learnt).extend(settings)
    return learnt, apart


def _turns_itself(session: "CaptureSession") -> bool:
    """Return whether no hand is needed: of plugins, and where MIDI turns every knob."""
    from capture.midi_map import midi_map

    by_midi = midi_map(session.wiring.midi if session.wiring else None).keys()
    return session.gear.chain is not None or (bool(by_midi) and by_midi >= {knob.id for knob in session.knobs})


def _as_sent(session: "CaptureSession", plan: "list[PlannedTake]") -> "list[PlannedTake]":
    from capture.midi_map import midi_map
    from capture.midi_plan import as_sent

    return as_sent(plan, session.knobs, midi_map(session.wiring.midi if session.wiring else None))


def _record(screen: Screen, folder: "SessionFolder", plan: "list[PlannedTake]") -> None:
    from capture.plugin_rig import PluginRig
    from capture.recorder import record
    from tonecast.commands.hardware_session import record_joining

    session = folder.session
    if session.wiring is not None:
        record_joining(screen, folder, plan)
        return
    rig = PluginRig(session.gear, session.knobs, sample_rate=session.sample_rate)
    with rig, screen.progress("capture") as tell:
        record(folder, rig, plan, on_progress=tell)


def _json(proposal: "Proposal") -> dict[str, object]:
    return {
        "settings": dict(proposal.settings),
        "purpose": proposal.purpose,
        "reason": proposal.reason,
        "away": round(proposal.away, 4),
        "sizes_differ": proposal.doubt.sizes_differ,
        "near_error": proposal.doubt.near_error,
    }
