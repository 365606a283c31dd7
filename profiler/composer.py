"""The composer: puts test tones and programme together into a dry signal with markers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from profiler.audio import Audio
from profiler.errors import AudioError
from profiler.programme import programme
from profiler.stimulus import Form, Marker, Stimulus
from profiler.tones import BLIP_GAP_SECONDS, BLIP_POLARITIES, Wave, blips, chirps, level_ramps, stepped_noise, sweeps

__all__ = ["compose", "length_seconds"]

_LOWEST_RATE = 8000
_BREATH_SECONDS = 0.3
_FADE_SECONDS = 0.002
_SHORTEST_PROGRAMME_SECONDS = 5.0
_BLIPS_SECONDS = (len(BLIP_POLARITIES) + 0.5) * BLIP_GAP_SECONDS


@dataclass(frozen=True, kw_only=True)
class _Lengths:
    """Seconds of each part. Noise comes at three levels, sweeps at two, ramps at four pitches."""

    silence: float = 0.5
    noise: float = 0.0
    chirps: float = 0.0
    sweep: float = 0.0
    ramp: float = 0.0
    programme: float = 0.0
    replicate: float = 0.0
    held_out: float = 0.0

    @property
    def apart_from_programme(self) -> float:
        tones = _BLIPS_SECONDS + 3 * self.noise + self.chirps + 2 * self.sweep + 4 * self.ramp
        return self.silence + tones + self.replicate + self.held_out


_FORMS: dict[Form, _Lengths] = {
    "quick": _Lengths(
        silence=1.0, noise=1.0, chirps=3.0, sweep=4.0, ramp=2.0, programme=57.0, replicate=6.0, held_out=13.0
    ),
    "short": _Lengths(noise=0.4, chirps=3.0, sweep=1.5, ramp=0.8, programme=24.0, replicate=3.0, held_out=8.0),
    "brief": _Lengths(silence=0.25, programme=8.0),
    "moving": _Lengths(noise=1.0, sweep=4.0, ramp=2.0, programme=278.0),
    "held-out": _Lengths(held_out=10.0),
}
"""`quick` lasts about 100 s, `short` 48 s, `brief` 10 s, `moving` five minutes unless told otherwise, `held-out` 12 s.

`brief` measures nothing but latency and polarity, beside a take at another setting that measures everything.
"""

_PROGRAMME, _HELD_OUT = 1, 2  # seeds apart: no held-out passage is one that training hears


def compose(form: Form, *, seed: int, sample_rate: int, seconds: float | None = None) -> tuple[Stimulus, Audio]:
    """Return a stimulus and its mono audio.

    The parts come in the order in which analysis needs them: silence (noise floor), blips (latency, polarity),
    noise (small signals), chirps (does the gear move by itself), sweeps (linear and harmonic responses), ramps (static
    curves), programme, its first seconds again (replicate), and held-out programme. `seconds` stretches the programme
    so that the whole lasts about that long. Raises AudioError when that is too short, or for a rate below 8 kHz.
    """
    if sample_rate < _LOWEST_RATE:
        raise AudioError(f"A stimulus needs a sample rate of at least {_LOWEST_RATE} Hz; asked for {sample_rate} Hz.")
    lengths = _FORMS[form]
    if seconds is not None:
        lengths = replace(lengths, programme=seconds - lengths.apart_from_programme)
        if lengths.programme < _SHORTEST_PROGRAMME_SECONDS:
            shortest = lengths.apart_from_programme + _SHORTEST_PROGRAMME_SECONDS
            raise AudioError(f"A {form} stimulus lasts at least {shortest:.0f} s; asked for {seconds:g} s.")
    markers: list[Marker] = []
    pieces: list[Wave] = []
    start = 0
    for name, sound in _parts(lengths, seed, sample_rate):
        if len(sound):
            markers.append(Marker(name=name, start=start, stop=start + len(sound)))
            pieces.append(_faded(sound, sample_rate))
            start += len(sound)
    stimulus = Stimulus(form=form, seed=seed, sample_rate=sample_rate, markers=tuple(markers))
    return stimulus, Audio(samples=np.concatenate(pieces)[None].astype(np.float32), sample_rate=sample_rate)


def length_seconds(form: Form, *, seconds: float | None = None) -> float:
    """Return to a second how long a stimulus lasts, without composing it; below 48 kHz quick ones are shorter."""
    if seconds is not None:
        return seconds
    lengths = _FORMS[form]
    breaths = sum(bool(part) for part in (lengths.sweep, lengths.replicate, lengths.held_out))
    return lengths.apart_from_programme + lengths.programme + breaths * _BREATH_SECONDS


def _parts(lengths: _Lengths, seed: int, sample_rate: int) -> Iterator[tuple[str, Wave]]:
    def playing(number: int, seconds: float) -> Wave:
        sound = programme(seed + number * 1_000_003, sample_rate=sample_rate, frames=int(seconds * sample_rate))
        return sound.astype(np.float64)

    breath = np.zeros(int(_BREATH_SECONDS * sample_rate))
    learnt = playing(_PROGRAMME, lengths.programme)
    yield "silence", np.zeros(int(lengths.silence * sample_rate))
    yield "blips", blips(sample_rate)
    if lengths.noise:
        yield "noise", stepped_noise(np.random.default_rng(seed), sample_rate=sample_rate, seconds=lengths.noise)
    if lengths.chirps:
        yield "chirps", chirps(sample_rate=sample_rate, seconds=lengths.chirps)
    if lengths.sweep:
        yield "sweeps", sweeps(sample_rate=sample_rate, seconds=lengths.sweep)
        yield "ramps", level_ramps(sample_rate=sample_rate, seconds=lengths.ramp)
        yield "breath", breath
    yield "programme", learnt
    if lengths.replicate:
        yield "breath", breath
        yield "replicate", learnt[: int(lengths.replicate * sample_rate)]
    if lengths.held_out:
        yield "breath", breath
        yield "held-out", playing(_HELD_OUT, lengths.held_out)


def _faded(sound: Wave, sample_rate: int) -> Wave:
    """Return the part with edges that do not click."""
    ramp = np.arange(len(sound)) / (_FADE_SECONDS * sample_rate)
    return sound * np.minimum(1, np.minimum(ramp, ramp[::-1]))
