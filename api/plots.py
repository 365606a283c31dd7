"""What a report shows of a profile alone, drawn for a page of the library."""

from collections.abc import Iterator

from profiler.profile import LoadedProfile
from profiler.report.charts import knob_charts, learning_curve, scores_by_take, tone_charts
from profiler.report.knob_sweeps import KnobSweep, bands_hz, learnt_alone
from profiler.report.measured import answers_alone

__all__ = ["plots"]

_MOST_KNOBS = 6


def plots(loaded: LoadedProfile) -> list[tuple[str, str]]:
    """Return titles and charts as SVG: training, scores, test tones, and what each knob does."""
    return list(_drawn(loaded))


def _drawn(loaded: LoadedProfile) -> Iterator[tuple[str, str]]:
    profile = loaded.profile
    of_score = scores_by_take(profile.score) if profile.score else None
    told = [str(each) for each in (of_score, learning_curve(profile.provenance.curve)) if each]
    if told:
        yield "Scores and training", "".join(told)
    yield "Test tones, with knobs at their defaults", str(tone_charts(answers_alone(loaded)))
    frequency_hz = bands_hz(profile.sample_rate)
    for knob in profile.knobs[:_MOST_KNOBS]:
        sweep = KnobSweep(knob=knob, frequency_hz=frequency_hz, measured=(), alone=learnt_alone(loaded, knob))
        yield knob.name, str(knob_charts(sweep))
