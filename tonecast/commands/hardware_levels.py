"""What `tonecast capture hardware` does before the first take: the level to send at, and whether MIDI turns knobs."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from profiler.errors import GearError
from tonecast.commands.hardware_session import turning, wiring_of
from tonecast.console import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capture.knob_turner import KnobTurner
    from profiler.knob import Knob
    from profiler.session import CaptureSession

__all__ = ["levelled"]


def levelled(
    screen: Screen, out: Path, wanted: "CaptureSession", send_db: float | None, *, attended: bool
) -> "CaptureSession":
    """Return the session with the level to send at: the one asked for, that of the session there, or one found now.

    In a new session every knob that MIDI turns is turned to and fro, and it is told when that was heard.
    """
    from capture.interface import check_wiring
    from profiler.session_folder import SessionFolder

    wiring = wiring_of(wanted)
    is_there = (out / "session.json").is_file()
    if send_db is None and is_there:
        known = SessionFolder.open(out).session.wiring
        send_db = known.send_db if known else None
    if is_there and send_db is not None:
        return replace(wanted, wiring=replace(wiring, send_db=send_db))
    check_wiring(wiring, wanted.sample_rate)
    with turning(wanted) as (turner, self_turning):
        if send_db is None:
            send_db = _found(screen, wanted, turner, self_turning, attended=attended)
        levelled_session = replace(wanted, wiring=replace(wiring, send_db=send_db))
        if self_turning:
            _check_heard(screen, levelled_session, turner, self_turning)
    return levelled_session


def _found(
    screen: Screen, wanted: "CaptureSession", turner: "KnobTurner", self_turning: frozenset[str], *, attended: bool
) -> float:
    """Find the level with the gear as loud as it gets, so that no take clips later."""
    from capture.set_up import find_level
    from profiler.knob import default_settings

    by_hand = [knob for knob in wanted.knobs if knob.id not in self_turning]
    if attended and (by_hand or not self_turning):
        _ask_for_the_loudest(screen, by_hand)
    loudest = {knob.id: knob.maximum for knob in wanted.knobs if not knob.choices}
    turner.turn({**default_settings(wanted.knobs), **loudest})
    found = find_level(
        wiring_of(wanted),
        wanted.sample_rate,
        on_level=lambda level: screen.say(f"send {level.send_db:6.1f} dBFS   return {level.return_db:6.1f} dBFS"),
    )
    return found.send_db


def _ask_for_the_loudest(screen: Screen, knobs: "Sequence[Knob]") -> None:
    """Have the knobs set so that what comes back is as loud as it will get."""
    names = " and ".join(knob.name for knob in knobs if not knob.choices)
    screen.say(f"First the levels. Turn the gear as loud as it will be{f', {names} included' if names else ''}.")
    sys.stderr.write("Press Enter; it begins quietly. ")
    sys.stderr.flush()
    if not sys.stdin.readline():
        raise GearError("Standard input ended before the levels were found. Give --send-db, or run it in a terminal.")


def _check_heard(screen: Screen, wanted: "CaptureSession", turner: "KnobTurner", self_turning: frozenset[str]) -> None:
    """Turn each knob by MIDI and tell when it is heard. Raises GearError when none of them is."""
    from capture.moving_take import hear_knobs
    from profiler.knob import default_settings

    wiring, rate, others = wiring_of(wanted), wanted.sample_rate, default_settings(wanted.knobs)
    heard_at_all = False
    for knob in (each for each in wanted.knobs if each.id in self_turning):
        heard = hear_knobs(wiring, knob, others, turner, sample_rate=rate)
        if heard is None:
            screen.say(f"Warning: {knob.name} is turned by MIDI to and fro, and nothing of it is heard.")
            continue
        heard_at_all = True
        late, stray = (1000 * each / rate for each in (heard.frames, heard.stray_frames))
        screen.say(f"{knob.name} is heard {late:.0f} ms after MIDI turns it, give or take {stray:.0f} ms.")
    if not heard_at_all and wiring.midi:
        raise GearError(
            f"Nothing that was sent to MIDI port {wiring.midi.port!r} is heard: {', '.join(wiring.midi.sent_as)}. Are "
            "the port, the channel and the numbers right, and does the gear listen to them?"
        )
