"""The forecast: what adds up, what is counted once, and what it is called."""

from dataclasses import replace

import pytest

from profiler.checks.forecast import (
    advice_on,
    grade_of,
    in_words,
    lowered,
    session_limits,
    total,
    with_known_noise,
    with_limits,
)
from profiler.checks.result import Limit, TakeCheck

TAKE = TakeCheck(
    take=0, settings={}, seconds=10.0, peak_db=0.0, level_db=-20.0, dry_level_db=-20.0, clipped_share=0.0, dc=0.0
)


def test_causes_add_up_and_one_cause_counts_once():
    """Noise and another setting are two errors; noise measured twice is one, and so are straying and movement."""
    check = with_limits(TAKE, [Limit(cause="noise", esr=0.001), Limit(cause="disagreement", esr=0.002)])
    assert check.best_esr == pytest.approx(0.003)
    assert with_limits(check, [Limit(cause="noise", esr=0.0005)]).best_esr == pytest.approx(0.003)
    assert with_limits(check, [Limit(cause="noise", esr=0.004)]).best_esr == pytest.approx(0.006)
    assert total([Limit(cause="timing", esr=0.01), Limit(cause="moves by itself", esr=0.03)]) == pytest.approx(0.03)
    assert total([Limit(cause="noise", esr=0.9), Limit(cause="moves by itself", esr=0.9)]) == 1
    assert total([]) is None


def test_a_session_is_scored_as_one_signal():
    """Loud and long takes weigh more; a silent one weighs nothing."""
    loud = with_limits(TAKE, [Limit(cause="noise", esr=0.001)])
    faint = with_limits(replace(TAKE, level_db=-30.0), [Limit(cause="noise", esr=0.1)])
    silent = with_limits(replace(TAKE, level_db=-200.0), [Limit(cause="nothing recorded", esr=1.0)])
    limits = session_limits([loud, faint, silent])
    assert [limit.cause for limit in limits] == ["noise"]
    assert limits[0].esr == pytest.approx((0.001 + 0.1 * 0.1) / 1.1)


def test_noise_of_a_replicate_is_never_overstated_elsewhere():
    """Another take is given the noise's power or its share, whichever is less; one that knows its own keeps it."""
    faint = replace(TAKE, level_db=-40.0)
    assert with_known_noise(faint, floor=0.001, power=1e-5).best_esr == pytest.approx(0.001)
    assert with_known_noise(TAKE, floor=0.001, power=1e-6).best_esr == pytest.approx(0.0001)
    known = with_limits(TAKE, [Limit(cause="hum", esr=1e-6)])
    assert with_known_noise(known, floor=0.001, power=1e-5) == known


@pytest.mark.parametrize(
    ("esr", "grade"),
    [
        (None, "unknown"),
        (0.0, "transparent"),
        (0.003, "transparent"),
        (0.0031, "good"),
        (0.02, "usable"),
        (0.04, "does not match"),
    ],
)
def test_grades_are_those_of_scores(esr, grade):
    """A forecast is graded as the score it forecasts."""
    assert grade_of(esr) == grade


@pytest.mark.parametrize("cause", ["noise", "hum", "disagreement", "moves by itself", "timing"])
def test_every_cause_has_words_and_advice(cause):
    """Where it hinders; where it does not there is no advice."""
    assert in_words([Limit(cause=cause, esr=0.01)]) != in_words([])
    assert advice_on([Limit(cause=cause, esr=0.01)])
    assert advice_on([Limit(cause=cause, esr=1e-5)]) is None
    assert "clean" in in_words([Limit(cause=cause, esr=1e-8)])


@pytest.mark.parametrize(
    ("grade", "share", "expected"),
    [
        ("transparent", 0.0, "transparent"),
        ("transparent", 1e-5, "transparent"),
        ("transparent", 0.002, "good"),
        ("usable", 0.002, "does not match"),
        ("does not match", 0.5, "does not match"),
        ("unknown", 0.5, "unknown"),
    ],
)
def test_clipping_lowers_the_forecast_by_a_grade(grade, share, expected):
    """What clipped is the loudest, and no score is taken there; a trace of it is forgiven."""
    assert lowered(grade, clipped_share=share) == expected
