"""What commands that play through an interface share: the rig of a session, what turns its knobs, and the judge."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from profiler.errors import GearError, SessionError, TakeRejectedError
from profiler.session import described
from tonecast.console import Screen
from tonecast.live_meter import LiveMeter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capture.guide import Guide, GuideOptions
    from capture.hardware_rig import HardwareRig
    from capture.knob_turner import KnobTurner
    from capture.plan import PlannedTake
    from capture.recorder import PlayedTake
    from profiler.finding import Finding
    from profiler.session import CaptureSession, Wiring
    from profiler.session_folder import SessionFolder

__all__ = ["guide_options", "opened_rig", "record_joining", "record_unattended", "turning", "wiring_of"]

_TRIES = 3


def wiring_of(session: "CaptureSession") -> "Wiring":
    """Return how a session's gear hangs on its interface. Raises GearError when it does not."""
    if session.wiring is None:
        raise GearError(f"{session.gear.name} was not captured through an interface: there is nothing to go on with.")
    return session.wiring


@contextlib.contextmanager
def turning(session: "CaptureSession") -> Iterator[tuple["KnobTurner", frozenset[str]]]:
    """Yield what turns the knobs of a session, and the ids of those for which no hand is needed."""
    from capture.knob_turner import HandTurner, PartTurner
    from capture.midi_knobs import MidiKnobs

    control = wiring_of(session).midi
    if control is None:
        yield HandTurner(lambda _: None), frozenset()  # whoever leads has said what to turn
        return
    with MidiKnobs.opened(control, session.knobs) as midi:
        yield PartTurner(midi, midi.turns), midi.turns


@contextlib.contextmanager
def opened_rig(folder: "SessionFolder", meter: LiveMeter) -> Iterator[tuple["HardwareRig", frozenset[str]]]:
    """Yield the rig of a session, whose levels `meter` hears, and the ids of the knobs that turn themselves."""
    from capture.hardware_rig import HardwareRig

    session = folder.session
    with turning(session) as (turner, self_turning):
        rig = HardwareRig(
            session.gear,
            session.knobs,
            wiring_of(session),
            sample_rate=session.sample_rate,
            turner=turner,
            earlier=lambda: folder.session.takes,
            on_meter=meter.hear,
        )
        yield rig, self_turning


def guide_options(folder: "SessionFolder", self_turning: frozenset[str]) -> "GuideOptions":
    """Return what a guide through a session of hardware goes by."""
    from capture.guide import GuideOptions

    return GuideOptions(judge=lambda played: _judged(folder, played), self_turning=self_turning)


def record_unattended(screen: Screen, guide: "Guide", meter: LiveMeter) -> None:
    """Record what failed before and what is open, each at most three times until it passes.

    Raises TakeRejectedError at the end for takes that never did, GearError when the gear is gone.
    """
    failed: dict[int, str] = {}
    for number in sorted({*guide.failed, *guide.open}):
        guide.redo(number)
        step = guide.next_step()
        if step is not None:
            screen.say(f"{step.title}: {described(guide.folder.session.knobs, step.planned.settings)}")
        for _ in range(_TRIES):
            guide.redo(number)
            if not (reason := _tried(screen, guide, meter)):
                failed.pop(number, None)
                break
            failed[number] = reason
            screen.say(f"  Failed: {reason}")
    if failed:
        numbers = ", ".join(map(str, failed))
        raise TakeRejectedError(
            f"Recorded {_TRIES} times and failed each time: take {numbers}. The last reason: {failed[max(failed)]} The "
            f"others are kept. Set it right, then: tonecast capture hardware --resume {guide.folder.path}"
        )


def record_joining(screen: Screen, folder: "SessionFolder", plan: "Sequence[PlannedTake]") -> None:
    """Record takes that join a session whose knobs turn themselves, each at most three times until it passes.

    Raises TakeRejectedError at the first that never does, with those before it kept.
    """
    from capture.recorder import keep_take

    meter = LiveMeter()
    with opened_rig(folder, meter) as (rig, _), folder.writing():
        for planned in plan:
            screen.say(f"take {planned.number}: {described(folder.session.knobs, planned.settings)}")
            keep_take(folder, _passing(screen, folder, rig, planned, meter))


def _passing(
    screen: Screen, folder: "SessionFolder", rig: "HardwareRig", planned: "PlannedTake", meter: LiveMeter
) -> "PlayedTake":
    from capture.recorder import play_take

    reason = ""
    for _ in range(_TRIES):
        try:
            with screen.progress("recording") as tell:
                played = play_take(rig, planned, on_done=meter.told(tell))
        except TakeRejectedError as error:
            reason = str(error)
            continue
        played = replace(played, findings=(*played.findings, *_judged(folder, played)))
        reason = " ".join(each.message for each in played.findings if each.severity == "error")
        if not reason:
            return played
        screen.say(f"  Failed: {reason}")
    raise TakeRejectedError(f"Take {planned.number} was recorded {_TRIES} times and failed each time: {reason}")


def _tried(screen: Screen, guide: "Guide", meter: LiveMeter) -> str:
    """Record a step, and return why it failed, or nothing."""
    try:
        with screen.progress("recording") as tell:
            recorded = guide.record(on_done=meter.told(tell))
    except (TakeRejectedError, SessionError) as error:
        return str(error)
    return " ".join(finding.message for finding in recorded.findings if finding.severity == "error")


def _judged(folder: "SessionFolder", played: "PlayedTake") -> "Sequence[Finding]":
    from capture.take_judge import judge_take
    from profiler.audio import Audio

    number = played.planned.replicate_of
    first = None if number is None else folder.session.take(number)
    if first is None:
        return judge_take(played)
    wet = folder.excerpt(first, 0, played.dry.frames)[1]
    return judge_take(played, repeats=Audio(samples=wet, sample_rate=played.dry.sample_rate))
