"""The player: one's own playing through the gear, live or from a file, as takes that join a session.

A few seconds of test playing go first, in the same stream. They tell how late the return is and which way up, as for
all takes of the session, however little the player plays, and are left out of what is kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from capture.interface import Live, Meter, Returned, play_and_record
from capture.plan import PlannedTake
from capture.recorder import PlayedTake
from capture.round_trip import RoundTrip, measure_round_trip
from capture.take_judge import judge_take
from profiler.audio import Audio, Samples
from profiler.clipping import clipped_spans
from profiler.composer import compose
from profiler.errors import TakeRejectedError
from profiler.finding import Finding
from profiler.knob import KnobSettings
from profiler.score import SILENCE_DB, level_db
from profiler.session import Take, Wiring
from profiler.session_folder import SessionFolder
from profiler.stimulus import Stimulus
from profiler.timing import Timing

__all__ = ["LEAD_SECONDS", "Playing", "add_playing_takes", "play_dry", "play_live", "timed_beside"]

LEAD_SECONDS = 7.0
"""How long the test playing lasts before it is the player's turn."""

_SEED = 9_000_000  # apart from those of captures
_SHORTEST_SECONDS = 5.0
_HELD_OUT_SHARE = 0.2
_LEAST_HELD_OUT_SECONDS = 8.0
_MOST_APART_FRAMES = 24.0  # what filters look like, and half a millisecond that a profile may have learnt as sound


@dataclass(frozen=True, kw_only=True, eq=False)
class Playing:
    """Dry playing, its raw wet, `trip` frames late, the loopback if there is one, and what was found."""

    settings: KnobSettings
    dry: Audio
    wet: Audio
    loopback: Audio | None
    trip: RoundTrip
    findings: tuple[Finding, ...]


def play_live(
    wiring: Wiring,
    live: Live,
    settings: KnobSettings,
    *,
    sample_rate: int,
    earlier: Sequence[Take] = (),
    on_meter: Callable[[Meter], None] = lambda _: None,
) -> Playing:
    """Pass on what a player plays into an input to the gear, and record both.

    Raises GearError as `play_and_record` does, TakeRejectedError for what cannot be used, with the reason.
    """
    stimulus, lead = _lead(sample_rate)
    returned = play_and_record(wiring, lead, sample_rate, live=live, on_meter=on_meter)
    whole = lead if returned.live is None else returned.live
    _check_played(whole[len(lead) :], live.channel, sample_rate)
    return _heard(stimulus, whole, len(lead), returned, settings, sample_rate, earlier, one_clock=wiring.has_one_clock)


def play_dry(
    wiring: Wiring,
    dry: Samples,
    settings: KnobSettings,
    *,
    sample_rate: int,
    earlier: Sequence[Take] = (),
    on_meter: Callable[[Meter], None] = lambda _: None,
) -> Playing:
    """Play a recorded dry of shape (frames,) through the gear. Raises as `play_live` does."""
    stimulus, lead = _lead(sample_rate)
    _check_played(dry, None, sample_rate)
    whole = np.concatenate([lead, dry])
    returned = play_and_record(wiring, whole, sample_rate, on_meter=on_meter)
    return _heard(stimulus, whole, len(lead), returned, settings, sample_rate, earlier, one_clock=wiring.has_one_clock)


def timed_beside(playing: Playing, timing: Timing) -> Playing:
    """Return playing with the latency and polarity that it has against what a profile of the gear plays of its dry.

    Gear at other settings looks up to some frames later or earlier than it is; a profile filters as the gear does.
    Raises TakeRejectedError when that is further away from what test playing told than filters are.
    """
    measured = playing.trip.measured_frames
    if measured is not None and abs(timing.frames - measured) > _MOST_APART_FRAMES:
        raise TakeRejectedError(
            f"The return is {measured:.1f} frames late by the test playing, and {timing.frames:.1f} beside the "
            "profile. Is it a profile of this gear, and do the knobs stand as stated?"
        )
    latency = max(round(timing.frames), 0)
    return replace(playing, trip=replace(playing.trip, latency_frames=latency, polarity=timing.polarity))


def add_playing_takes(folder: SessionFolder, playing: Playing, *, first: int) -> tuple[Take, ...]:
    """Add playing to a session whose lock is held, numbered from `first` on: to learn from, and to score on.

    The last fifth is held out where that is long enough to tell something. Raises StorageError with the session whole.
    """
    frames, rate = playing.dry.frames, playing.dry.sample_rate
    apart = int(frames * _HELD_OUT_SHARE)
    parts = [(0, frames)]
    if apart >= _LEAST_HELD_OUT_SECONDS * rate:
        parts = [(0, frames - apart), (frames - apart, frames)]
    return tuple(
        _kept(folder, playing, span, number=first + number, held_out=number > 0) for number, span in enumerate(parts)
    )


def _kept(folder: SessionFolder, playing: Playing, span: tuple[int, int], *, number: int, held_out: bool) -> Take:
    start, stop = span
    late = playing.trip.latency_frames
    end = playing.wet.frames if stop == playing.dry.frames else stop + late
    loopback = playing.loopback
    take = Take(
        number=number,
        dry=folder.add_dry(_part(playing.dry, start, stop), None),
        file="",
        sha256="",
        frames=0,
        settings=playing.settings,
        latency_frames=late,
        measured_latency_frames=playing.trip.measured_frames,
        polarity=playing.trip.polarity,
        held_out=held_out,
        findings=playing.findings,
    )
    looped = None if loopback is None else _part(loopback, start, end)
    return folder.add_take(take, _part(playing.wet, start, end), loopback=looped)


def _part(audio: Audio, start: int, stop: int) -> Audio:
    return Audio(samples=audio.samples[:, start:stop], sample_rate=audio.sample_rate)


def _lead(sample_rate: int) -> tuple[Stimulus, Samples]:
    stimulus, lead = compose("brief", seed=_SEED, sample_rate=sample_rate, seconds=LEAD_SECONDS)
    return stimulus, lead.samples[0]


def _check_played(dry: Samples, channel: int | None, sample_rate: int) -> None:
    """Raise TakeRejectedError for playing that nothing can be learnt from."""
    where = "The dry file" if channel is None else f"Input {channel}"
    if len(dry) < _SHORTEST_SECONDS * sample_rate:
        raise TakeRejectedError(
            f"{where} gave {len(dry) / sample_rate:.1f} s of playing; at least {_SHORTEST_SECONDS:.0f} s are needed, "
            "and a minute is good."
        )
    if level_db(dry[None]) < SILENCE_DB:
        raise TakeRejectedError(f"{where} is silent. Is the guitar plugged in there, and its volume up?")
    if channel is not None and clipped_spans([dry[None]]):
        raise TakeRejectedError(f"{where} clips: what was played is not what was recorded. Turn its gain down.")


def _heard(  # noqa: PLR0913, PLR0917 - what was played, what came back, and what is known of it
    stimulus: Stimulus,
    dry: Samples,
    lead_frames: int,
    returned: Returned,
    settings: KnobSettings,
    sample_rate: int,
    earlier: Sequence[Take],
    *,
    one_clock: bool,
) -> Playing:
    """Return the playing without its lead. Raises TakeRejectedError when it should be played again."""
    stimulus = _with_playing(stimulus, len(dry))
    trip = measure_round_trip(
        stimulus,
        dry,
        returned.wet,
        returned.loopback,
        sample_rate=sample_rate,
        settings=settings,
        earlier=earlier,
        one_clock=one_clock,
    )
    planned = PlannedTake(number=0, form=stimulus.form, seed=stimulus.seed, settings=settings)
    played = PlayedTake(
        planned=planned,
        stimulus=stimulus,
        dry=Audio(samples=dry[None], sample_rate=sample_rate),
        wet=Audio(samples=returned.wet[None], sample_rate=sample_rate),
        latency_frames=trip.latency_frames,
        measured_latency_frames=trip.measured_frames,
        polarity=trip.polarity,
        findings=trip.findings,
    )
    findings = (*trip.findings, *judge_take(played))
    if failed := [finding.message for finding in findings if finding.severity == "error"]:
        raise TakeRejectedError(f"{' '.join(failed)} Nothing was added; play it again.")
    loopback = returned.loopback
    return Playing(
        settings=settings,
        dry=_audio(dry[lead_frames:], sample_rate),
        wet=_audio(returned.wet[lead_frames:], sample_rate),
        loopback=None if loopback is None else _audio(loopback[lead_frames:], sample_rate),
        trip=replace(trip, findings=()),
        findings=findings,
    )


def _with_playing(stimulus: Stimulus, frames: int) -> Stimulus:
    """Return the lead's stimulus with what was played after it as more of its programme."""
    markers = (replace(each, stop=frames) if each.name == "programme" else each for each in stimulus.markers)
    return replace(stimulus, markers=tuple(markers))


def _audio(samples: Samples, sample_rate: int) -> Audio:
    return Audio(samples=samples[None], sample_rate=sample_rate)
