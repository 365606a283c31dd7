"""`tonecast capture play`: one's own playing through the gear, added to its session to go on training with."""

import shlex
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonecast.console import Screen, clock
from tonecast.options import AsJson, KnobValues, parse_length, parse_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from capture.interface import Meter
    from capture.player import Playing
    from profiler.audio import Samples
    from profiler.knob import KnobSettings
    from profiler.session_folder import SessionFolder

__all__ = ["capture_play"]

_LONGEST_SECONDS = 600.0


def capture_play(  # noqa: PLR0913 - one parameter an option
    session: Annotated[Path, typer.Argument(help="The session of gear that was captured through an interface.")],
    *,
    guitar: Annotated[
        int | None,
        typer.Option(metavar="INPUT", help="The input that the guitar is plugged into.", min=1, max=256),
    ] = None,
    dry: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Play this dry recording through the gear instead.")
    ] = None,
    values: KnobValues = None,
    time: Annotated[
        str | None, typer.Option(metavar="LENGTH", help="How long to play. [default: until Enter, 10 minutes at most]")
    ] = None,
    beside: Annotated[
        Path | None, typer.Option(metavar="PROFILE", help="Time it beside what this profile of the gear plays.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Begin at once.")] = False,
    as_json: AsJson = False,
) -> None:
    """Record your own playing and what the gear makes of it, and add both to the session.

    Plug the guitar into an input of the interface, not into the gear: Tonecast passes it on to the send, and records
    guitar and return. Switch direct monitoring off. Or bring a dry recording with --dry.
    """
    from profiler.session_folder import SessionFolder

    if (guitar is None) == (dry is None):
        raise typer.BadParameter("Say where the playing comes from: --guitar INPUT, or --dry FILE.")
    if dry is not None and time is not None:
        raise typer.BadParameter("--dry plays the whole file. --time is for playing of your own.")
    if guitar is not None and time is None and not sys.stdin.isatty():
        raise typer.BadParameter("Without a terminal nobody presses Enter: say how long to play with --time 1m.")
    seconds = parse_length(time) if time else _LONGEST_SECONDS
    if seconds > _LONGEST_SECONDS:
        raise typer.BadParameter(f"--time {time}: play {_LONGEST_SECONDS / 60:.0f} minutes at the most, and again.")
    screen, folder = Screen(as_json), SessionFolder.open(session)
    settings = _settings(folder, values)
    with folder.writing():
        playing = _played(screen, folder, settings, guitar=guitar, dry=dry, seconds=seconds, asks=not yes)
        if beside is not None:
            playing = _beside(folder, beside, playing)
        _keep(screen, folder, playing, beside)


def _settings(folder: "SessionFolder", values: list[str] | None) -> "KnobSettings":
    """Return where the knobs stand: as stated, and else as they were set last."""
    from profiler.knob import checked_settings, default_settings, find_knob

    knobs = folder.session.knobs
    last = folder.track_of(folder.session.takes[-1]).visited(knobs)[-1] if folder.session.takes else {}
    stated = {find_knob(knobs, name).id: value for name, value in parse_settings(values).items()}
    return checked_settings(knobs, {**default_settings(knobs), **last, **stated})


def _played(  # noqa: PLR0913 - where playing comes from, and how long
    screen: Screen,
    folder: "SessionFolder",
    settings: "KnobSettings",
    *,
    guitar: int | None,
    dry: Path | None,
    seconds: float,
    asks: bool,
) -> "Playing":
    from capture.interface import Live, check_wiring
    from capture.player import play_dry, play_live
    from tonecast.commands.hardware_session import turning, wiring_of
    from tonecast.live_meter import LiveMeter

    session = folder.session
    wiring, rate = wiring_of(session), session.sample_rate
    check_wiring(wiring, rate, live_channel=guitar)
    with turning(session) as (turner, self_turning):
        stands = turner.reached(settings)
        turner.turn(stands)
        _say_how(screen, folder, stands, self_turning, guitar, asks=asks)
        meter = LiveMeter(names=("guitar" if guitar else "send", "return"))
        with screen.progress("playing") as tell:
            drawn = meter.told(tell)

            def hear(told: "Meter") -> None:
                meter.hear(told)
                drawn(told.done)

            if dry is not None:
                samples = _read(dry, rate)
                return play_dry(wiring, samples, stands, sample_rate=rate, earlier=session.takes, on_meter=hear)
            live = Live(channel=guitar or 1, seconds=seconds, is_over=_enter_pressed())
            return play_live(wiring, live, stands, sample_rate=rate, earlier=session.takes, on_meter=hear)


def _say_how(
    screen: Screen,
    folder: "SessionFolder",
    settings: "KnobSettings",
    self_turning: frozenset[str],
    guitar: int | None,
    *,
    asks: bool,
) -> None:
    """Say how knobs stand and what is connected to what, and wait until it is so."""
    from capture.player import LEAD_SECONDS
    from profiler.session import described
    from tonecast.commands.hardware_session import wiring_of

    session, wiring = folder.session, wiring_of(folder.session)
    by_hand = [knob for knob in session.knobs if knob.id not in self_turning]
    if by_hand:
        screen.say(f"Set the gear to: {described(by_hand, settings)}.")
    if guitar is not None:
        screen.say(
            f"Guitar into input {guitar} of {wiring.input}; Tonecast passes it on to output {wiring.send_channel}, and "
            f"the gear returns to input {wiring.return_channel}. Direct monitoring off."
        )
        screen.say(f"{LEAD_SECONDS:.0f} s of test playing come first; then it is your turn.")
    if asks and sys.stdin.isatty():
        sys.stderr.write("Press Enter to begin. ")
        sys.stderr.flush()
        sys.stdin.readline()
        if guitar is not None:
            screen.say("Enter ends it.")


def _enter_pressed() -> "Callable[[], bool]":
    """Return what says whether somebody pressed Enter since; without a terminal nobody does."""
    pressed = threading.Event()
    if sys.stdin.isatty():

        def wait() -> None:
            if sys.stdin.readline():
                pressed.set()

        threading.Thread(target=wait, daemon=True).start()
    return pressed.is_set


def _read(dry: Path, sample_rate: int) -> "Samples":
    """Return a recording as mono at a rate. Raises AudioError for one that cannot be read."""
    from profiler.audio_file import reading
    from profiler.hearing import hear
    from profiler.recording import FileRecording

    channels = hear(dry).channels
    with reading(dry) as reader:
        recording = FileRecording(reader, sample_rate, channels)
        return recording.read(0, recording.frames)


def _beside(folder: "SessionFolder", profile: Path, playing: "Playing") -> "Playing":
    """Return the playing, as late as it is against what a profile of the session plays."""
    from capture.player import timed_beside
    from profiler.knob_track import KnobTrack
    from profiler.playing import timing_beside
    from profiler.presets import effect_path
    from profiler.recording import HeldRecording
    from profiler.training import WarmStart

    start = WarmStart.read(effect_path(profile))
    start.check_kinship(folder.session)
    timing = timing_beside(
        start.loaded,
        KnobTrack.still(playing.settings),
        playing.dry.samples[0],
        HeldRecording(playing.wet.samples[0]),
        sample_rate=folder.session.sample_rate,
    )
    return timed_beside(playing, timing)


def _keep(screen: Screen, folder: "SessionFolder", playing: "Playing", beside: Path | None) -> None:
    from capture.plan_file import next_number
    from capture.player import add_playing_takes
    from profiler.session import described

    session, before = folder.session, len(folder.session.takes)
    added = add_playing_takes(folder, playing, first=next_number(folder.path, session))
    rate = session.sample_rate
    told = [(take.held_out, folder.session.dries[take.dry].frames / rate) for take in added]
    for finding in playing.findings:
        screen.say(finding.message)
    words = ", ".join(f"{clock(seconds)} to {'score on' if held_out else 'learn from'}" for held_out, seconds in told)
    screen.say(
        f"Added to {folder.path} at {described(session.knobs, playing.settings)}: {words}. {before} takes before."
    )
    profile = str(beside or f"{session.gear.name}.tonecast")
    refined = f"{Path(profile).stem}-refined.tonecast"
    following = ["tonecast", "train", str(folder.path), "--warm-start", profile, "--out", refined]
    screen.say("Next: " + shlex.join(following))
    screen.result(
        {
            "session": str(folder.path),
            "added": [take.number for take in added],
            "settings": dict(playing.settings),
            "latency_frames": playing.trip.latency_frames,
            "audio_seconds": playing.dry.frames / rate,
            "findings": [{"kind": each.kind, "message": each.message} for each in playing.findings],
        }
    )
