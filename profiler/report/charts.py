"""The charts of a report: measurements as figures that the page holds."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from profiler.audio import Samples
from profiler.profile import CurvePoint
from profiler.report.knob_sweeps import KnobSweep, Place
from profiler.report.measured import Answers
from profiler.report.playing import banded, levels_by_level, loudest_moment
from profiler.report.spectrogram import LOW_HZ, highest_hz, loudest_db, png_url, spectrogram
from profiler.report.svg import Axis, Line, Picture, Rule, Series, chart
from profiler.report.tone_answers import Ramp, Swept
from profiler.score import GOOD_ESR, TRANSPARENT_ESR, USABLE_ESR, Score

__all__ = ["knob_charts", "learning_curve", "look_at", "scores_by_take", "tone_charts"]

_WAVEFORM_SECONDS = 0.03
_SPECTRUM_RANGE_DB = 90.0
_LOOKS = ("n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7")
_LEAST_ESR, _LARGEST_ESR = 1e-8, 10.0
_SHOWN_HARMONICS = ((0, "2nd", "soft"), (1, "3rd", "loud"))
_BELOW, _BELOW_ENDS = "below the fundamental, dB", (-90.0, 10.0)
_LEVEL_IN = Axis(label="level in, dBFS", low=-60, high=0)


def learning_curve(curve: Sequence[CurvePoint]) -> Markup | None:
    """Return the error on watched audio against training time; None where nothing was watched."""
    points = [point for point in curve if np.isfinite(point.esr) and point.esr > 0]
    if len(points) < 2:
        return None
    x, y = np.asarray([point.seconds for point in points]), np.asarray([point.esr for point in points])
    low, high = _esr_ends(y)
    return chart(
        "Learning curve",
        Axis(label="seconds of training", low=0, high=float(x.max()) or 1),
        Axis(label="ESR on watched audio", low=low, high=high, log=True),
        [Line(name="error", look="learnt", x=x, y=y, dots=len(x) < 40)],
    )


def scores_by_take(score: Score) -> Markup | None:
    """Return the ESR of each take, worst first, beside the floor and the ends of the grades."""
    esr = np.asarray([max(row.esr, _LEAST_ESR) for row in score.takes if row.esr is not None])
    if len(esr) < 2:
        return None
    grades = (("transparent", TRANSPARENT_ESR), ("good", GOOD_ESR), ("usable", USABLE_ESR))
    rules = [Rule(name=name, y=at) for name, at in grades]
    low, high = _esr_ends(np.append(esr, [0.002, 0.05]))
    if score.floor is not None and score.floor > low:
        rules.append(Rule(name="the gear's own noise", y=score.floor))
    return chart(
        "Error of every take",
        Axis(label="takes, worst first", low=0.5, high=len(esr) + 0.5),
        Axis(label="ESR", low=low, high=high, log=True),
        [Line(name="takes", look="learnt", x=np.arange(1.0, len(esr) + 1), y=esr, dots=len(esr) <= 60)],
        rules=rules,
    )


def look_at(dry: Samples, gear: Samples, learnt: Samples, sample_rate: int) -> Markup:
    """Return spectra, the loudest moment, levels and spectrograms of a take, each sound of shape (frames,)."""
    charts: list[Markup | None] = [_spectra(gear, learnt, sample_rate), _waveforms(gear, learnt, sample_rate)]
    charts += [_levels(dry, gear, learnt, sample_rate), *_spectrograms(gear, learnt, sample_rate)]
    return Markup("").join(each for each in charts if each is not None)


def tone_charts(answers: Answers) -> Markup:
    """Return response, distortion, levels and static curve, of gear and learnt or of the learnt alone."""
    both = [("gear", answers.gear_sweeps), ("learnt", answers.learnt_sweeps)]
    charts = [_responses(both), *_distortion(both)]
    pairs = [("gear", answers.gear_ramps), ("learnt", answers.learnt_ramps)]
    charts += [_ramp_levels(pairs), _ramp_harmonics(pairs), _static_curve(pairs)]
    return Markup("").join(each for each in charts if each is not None)


def knob_charts(sweep: KnobSweep) -> Markup:
    """Return what one knob does to level and spectrum."""
    return Markup("").join(each for each in (_by_position(sweep), _measured_spectra(sweep), _alone(sweep)) if each)


def _esr_ends(esr: Series) -> tuple[float, float]:
    low, high = float(np.clip(esr.min(), _LEAST_ESR, 1)), float(np.clip(esr.max(), 1e-6, _LARGEST_ESR))
    return 10 ** float(np.floor(np.log10(low))), 10 ** float(np.ceil(np.log10(high * 1.01)))


def _spectra(gear: Samples, learnt: Samples, sample_rate: int) -> Markup:
    sounds = (("gear", gear), ("learnt", learnt), ("difference", gear - learnt))
    lines = [Line(name=name, look=name, x=x, y=y) for name, sound in sounds for x, y in (banded(sound, sample_rate),)]
    top = max((float(line.y.max()) for line in lines if len(line.y)), default=-100.0)
    top = 10 * float(np.ceil((top + 1) / 10))
    return chart(
        "Spectra",
        _hertz(30, min(20_000, sample_rate / 2)),
        Axis(label="dB", low=top - _SPECTRUM_RANGE_DB, high=top),
        lines,
    )


def _waveforms(gear: Samples, learnt: Samples, sample_rate: int) -> Markup:
    where = loudest_moment(gear, int(_WAVEFORM_SECONDS * sample_rate))
    time = np.arange(where.start, where.stop) / sample_rate
    sounds = (("gear", gear), ("learnt", learnt), ("difference", gear - learnt))
    lines = [Line(name=name, look=name, x=1000 * (time - time[0]), y=sound[where]) for name, sound in sounds]
    most = max(float(np.abs(line.y).max()) for line in lines) or 1.0
    return chart(
        f"The loudest moment, at {time[0]:.2f} s",
        Axis(label="milliseconds", low=0, high=max(1000 * float(time[-1] - time[0]), 0.1)),
        Axis(label="amplitude", low=-1.05 * most, high=1.05 * most),
        lines,
    )


def _levels(dry: Samples, gear: Samples, learnt: Samples, sample_rate: int) -> Markup | None:
    level, (of_gear, of_learnt) = levels_by_level(dry, [gear, learnt], sample_rate)
    if len(level) < 2:
        return None
    together = np.concatenate([of_gear, of_learnt])
    return chart(
        "Level out for level in, while playing",
        Axis(label="dry, dBFS", low=float(level[0]), high=float(level[-1])),
        _decibels("wet, dBFS", together),
        [
            Line(name="gear", look="gear", x=level, y=of_gear, dots=True),
            Line(name="learnt", look="learnt", x=level, y=of_learnt, dots=True),
        ],
    )


def _spectrograms(gear: Samples, learnt: Samples, sample_rate: int) -> list[Markup]:
    sounds = (("gear", gear), ("difference, in the same shades", gear - learnt))
    levels = [(name, spectrogram(sound, sample_rate)) for name, sound in sounds]
    if levels[0][1] is None:
        return []
    top = loudest_db(levels[0][1])
    seconds = Axis(label="seconds", low=0, high=len(gear) / sample_rate)
    return [
        chart(
            f"Spectrogram of the {name}",
            seconds,
            _hertz(LOW_HZ, highest_hz(sample_rate)),
            (),
            picture=Picture(url=png_url(each, top)),
        )
        for name, each in levels
        if each is not None
    ]


def _responses(both: list[tuple[str, list[Swept]]]) -> Markup | None:
    lines = [_swept_line(name, sweep, sweep.gain_db) for name, sweeps in both for sweep in sweeps]
    return _over_frequency("Response to sweeps, the fundamental alone", "gain, dB", lines)


def _distortion(both: list[tuple[str, list[Swept]]]) -> list[Markup | None]:
    lines = [_swept_line(name, sweep, sweep.distortion_db) for name, sweeps in both for sweep in sweeps]
    loud = [
        Line(name=f"{name}, {word}", look=f"{name} {look}", x=sweep.frequency_hz, y=sweep.harmonics_db[number])
        for number, word, look in _SHOWN_HARMONICS
        for name, sweeps in both
        for sweep in sweeps[-1:]
    ]
    return [
        _over_frequency("Harmonic distortion by frequency", _BELOW, lines, _BELOW_ENDS),
        _over_frequency("2nd and 3rd harmonic of the loud sweep", _BELOW, loud, _BELOW_ENDS),
    ]


def _swept_line(name: str, sweep: Swept, y: Series) -> Line:
    how = "loud" if sweep.level_db > -20 else "soft"
    return Line(name=f"{name}, {how}", look=f"{name} {how}", x=sweep.frequency_hz, y=y)


def _over_frequency(
    title: str, label: str, lines: list[Line], ends: tuple[float, float] | None = None
) -> Markup | None:
    highest = max((float(line.x.max(initial=0)) for line in lines), default=0.0)
    return _curves(title, _hertz(50, highest), label, lines, ends)


def _curves(title: str, x: Axis, label: str, lines: list[Line], ends: tuple[float, float] | None) -> Markup | None:
    """Return lines in dB over an axis, from one of `ends` to the other, or as far as they go; None for nothing."""
    values = np.concatenate([line.y for line in lines] or [np.zeros(0)])
    if not np.isfinite(values).any():
        return None
    y = Axis(label=label, low=ends[0], high=ends[1]) if ends else _decibels(label, values)
    return chart(title, x, y, lines)


def _ramp_levels(both: list[tuple[str, list[Ramp]]]) -> Markup | None:
    lines = [
        Line(name=f"{name}, {ramp.frequency_hz:.0f} Hz", look=f"{name} {look}", x=ramp.in_db, y=ramp.out_db)
        for number, look in ((1, "soft"), (2, "loud"))
        for name, ramps in both
        for ramp in ramps[number : number + 1]
    ]
    return _curves("Level response to single tones", _LEVEL_IN, "level out, dBFS", lines, None)


def _ramp_harmonics(both: list[tuple[str, list[Ramp]]]) -> Markup | None:
    lines = [
        Line(name=f"{name}, {word}", look=f"{name} {look}", x=ramp.in_db, y=ramp.harmonics_db[number])
        for number, word, look in _SHOWN_HARMONICS
        for name, ramps in both
        for ramp in ramps[1:2]
    ]
    return _curves("Harmonics of 220 Hz by level", _LEVEL_IN, _BELOW, lines, _BELOW_ENDS)


def _static_curve(both: list[tuple[str, list[Ramp]]]) -> Markup | None:
    lines = [
        Line(name=name, look=name, x=ramp.curve_in, y=ramp.curve_out) for name, ramps in both for ramp in ramps[1:2]
    ]
    if not lines:
        return None
    most = max(float(np.abs(line.y).max(initial=0)) for line in lines) or 1.0
    return chart(
        "Static curve: two loud cycles of 220 Hz",
        Axis(label="dry", low=-1, high=1),
        Axis(label="wet", low=-1.05 * most, high=1.05 * most),
        lines,
    )


def _by_position(sweep: KnobSweep) -> Markup:
    measured, alone = sweep.measured, sweep.alone
    lines = [_places("learnt, only this knob turned", "alone", alone, [place.learnt_db for place in alone])]
    if measured:
        lines += [
            _places(
                "gear", "gear", measured, [np.nan if place.gear_db is None else place.gear_db for place in measured]
            ),
            _places("learnt, same playing", "learnt", measured, [place.learnt_db for place in measured]),
        ]
    values = np.concatenate([line.y for line in lines])
    marks = tuple((place.at, place.word) for place in alone[:: max(len(alone) // 3, 1)])
    return chart(
        "Level by position",
        Axis(label=sweep.knob.name, low=-0.02, high=1.02, marks=marks),
        _decibels("louder than the dry, dB", values),
        lines,
    )


def _places(name: str, look: str, places: tuple[Place, ...], values: list[float]) -> Line:
    return Line(name=name, look=look, x=np.asarray([place.at for place in places]), y=np.asarray(values), dots=True)


def _measured_spectra(sweep: KnobSweep) -> Markup | None:
    if not sweep.measured:
        return None
    chosen = sweep.measured[:: max((len(sweep.measured) - 1) // 2, 1)][:3]
    lines = []
    for place, look in zip(chosen, ("n0", "n2", "n4"), strict=False):
        bands = place.gear_bands_db
        if bands is not None:
            lines.append(Line(name=place.word, look=look, x=sweep.frequency_hz, y=bands))
        lines.append(
            Line(
                name="learnt" if place is chosen[-1] else "",
                look=f"{look} dashed",
                x=sweep.frequency_hz,
                y=place.learnt_bands_db,
            )
        )
    return _over_frequency("Spectrum by position: gear, and learnt (dashed)", "over the dry, dB", lines)


def _alone(sweep: KnobSweep) -> Markup | None:
    looks = _LOOKS if sweep.knob.choices else _LOOKS[:5]
    lines = [
        Line(name=place.word, look=look, x=sweep.frequency_hz, y=place.learnt_bands_db)
        for place, look in zip(sweep.alone, looks, strict=False)
    ]
    return _over_frequency("Learnt, only this knob turned", "over the dry, dB", lines)


def _hertz(low: float, high: float) -> Axis:
    return Axis(label="Hz", low=low, high=max(high, low * 2), log=True)


def _decibels(label: str, values: Series) -> Axis:
    finite = values[np.isfinite(values)]
    high = 5 * float(np.ceil((finite.max(initial=-200) + 0.5) / 5))
    low = max(5 * float(np.floor((finite.min(initial=200) - 0.5) / 5)), high - 80)
    return Axis(label=label, low=low, high=max(high, low + 10))
