"""Scores."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.score import (
    SILENCE_DB,
    Listening,
    RunningScore,
    TakeScore,
    energies,
    error_to_signal,
    grade,
    level_db,
    listening_score,
    pre_emphasised,
    summed_up,
)

NOISE = np.random.default_rng(3).normal(0, 0.1, (2, 5000)).astype(np.float32)


def row(number: int, esr: float | None, *, gain: float = 0.0, energy: float = 1.0, **more) -> TakeScore:
    """Return a row of an evaluation that training never heard."""
    values = {
        "take": number,
        "knobs": {"gain": gain},
        "seconds": 1.0,
        "seen": False,
        "settings_seen": False,
        "material_seen": False,
        "esr": esr,
        "esr_pre_emphasis": esr,
        "target_db": -20.0,
        "predicted_db": -20.0,
        "error_energy": (esr or 0.0) * energy,
        "target_energy": energy,
    }
    return TakeScore(**{**values, **more})


@given(st.floats(0, 2), st.floats(1e-3, 1e3))
def test_esr_is_the_square_of_a_gain_error(gain, level):
    """A prediction that is a factor off scores (1 - factor)^2, at any level."""
    target = NOISE * np.float32(level)
    assert error_to_signal(target, target * np.float32(gain)) == pytest.approx((1 - gain) ** 2, rel=1e-4, abs=1e-9)


def test_esr_of_known_signals():
    """Perfect is 0, silence 1, upside down 4."""
    assert error_to_signal(NOISE, NOISE) == 0
    assert error_to_signal(NOISE, np.zeros_like(NOISE)) == 1
    assert error_to_signal(NOISE, -NOISE) == pytest.approx(4)


def test_esr_is_over_all_frames_and_channels():
    """It is one ratio of sums, not a mean of ratios."""
    target, predicted = np.float32([[1, 0], [0, 3]]), np.float32([[0, 0], [0, 2]])
    assert energies(target, predicted) == (2, 10)
    assert error_to_signal(target, predicted) == pytest.approx(0.2)


def test_energies_are_summed_in_double_precision():
    """Ten million small frames beside a loud one still count."""
    target = np.full((1, 10_000_000), 1e-4, np.float32)
    target[0, 0] = 100
    assert energies(target, target)[1] == pytest.approx(10_000 + 0.1, rel=1e-7)


def test_a_silent_target_has_no_esr():
    """A division by nothing is null; just above the limit there is a figure."""
    assert error_to_signal(np.zeros_like(NOISE), NOISE) is None
    quiet = np.full((1, 100), 10 ** (SILENCE_DB / 20), np.float32)
    assert error_to_signal(quiet * np.float32(0.99), quiet) is None
    assert error_to_signal(quiet * np.float32(1.01), quiet * 0) == pytest.approx(1)
    assert error_to_signal(NOISE[:, :0], NOISE[:, :0]) is None


def test_levels_are_rms_in_dbfs():
    """A full-scale sine has -3 dBFS, a square 0, digital silence -200."""
    sine = np.sin(2 * np.pi * np.arange(4800) / 48).astype(np.float32)[None]
    assert level_db(sine) == pytest.approx(-3.0103, abs=1e-3)
    assert level_db(np.sign(sine + 1e-9)) == pytest.approx(0, abs=1e-6)
    assert level_db(sine / 10) == pytest.approx(-23.0103, abs=1e-3)
    assert level_db(np.zeros((1, 10), np.float32)) == level_db(np.zeros((1, 0), np.float32)) == -200


def test_pre_emphasis_is_the_filter_it_says():
    """An impulse becomes 1 and -0.85 in its own channel, and the input is left alone."""
    impulse = np.float32([[0, 1, 0, 0], [0, 0, 0, 2]])
    np.testing.assert_allclose(pre_emphasised(impulse), [[0, 1, -0.85, 0], [0, 0, 0, 2]])
    np.testing.assert_array_equal(impulse, [[0, 1, 0, 0], [0, 0, 0, 2]])
    np.testing.assert_allclose(pre_emphasised(impulse, 0.5)[0], [0, 1, -0.5, 0])


def test_the_whole_weighs_by_energy_and_the_settings_count_alike():
    """The headline is over all rows as one signal; median and worst are over settings."""
    rows = [row(0, 0.1, gain=0), row(1, 0.4, gain=1, energy=3.0), row(2, 0.3, gain=2), row(3, 0.1, gain=2)]
    score = summed_up(rows, 0.01)
    assert score.esr == pytest.approx((0.1 + 1.2 + 0.3 + 0.1) / 6)
    assert score.esr_median == pytest.approx(0.2)
    assert score.esr_worst == pytest.approx(0.4)
    assert score.floor == 0.01


def test_rows_come_worst_first():
    """The take to look at stands on top: sound where silence should be first of all, silence as it should be last."""
    silent = row(4, None, predicted_db=-150.0)
    score = summed_up([row(0, 0.1), row(1, None), row(2, 0.9), row(3, 0.0), silent], None)
    assert [each.take for each in score.takes] == [1, 2, 0, 3, 4]
    assert score.esr == pytest.approx(1.0 / 3)


def test_the_headline_is_over_what_training_never_heard():
    """Seen rows never count; rows at settings training knows count only when there are no others."""
    known = [row(0, 0.5, seen=True), row(1, 0.4, settings_seen=True)]
    assert summed_up(known, None).esr == pytest.approx(0.4)
    assert summed_up([*known, row(2, 0.2)], None).esr == pytest.approx(0.2)
    assert len(summed_up(known, None).takes) == 2


def test_no_headline_without_unseen_rows():
    """Figures on what training heard would flatter, so there are none."""
    for rows in ([], [row(0, 0.5, seen=True)], [row(0, None)]):
        score = summed_up(rows, None)
        assert (score.esr, score.esr_median, score.esr_worst, score.floor) == (None, None, None, None)
        assert len(score.takes) == len(rows)


def test_moving_knobs_are_one_setting():
    """Takes along knob tracks have no settings of their own and are summed together."""
    rows = [replace(row(number, esr), knobs=None) for number, esr in enumerate((0.1, 0.3))]
    assert summed_up(rows, None).esr_worst == pytest.approx(0.2)


@pytest.mark.parametrize("frames", [1, 7, 900])
def test_pieces_add_up_to_the_whole(frames):
    """Whatever the pieces, every measure is that of the whole signal, the pre-emphasis over their edges included."""
    target, predicted = NOISE[:, :900], NOISE[:, 50:950]
    running = RunningScore()
    for start in range(0, target.shape[1], frames):
        running.hear(target[:, start : start + frames], predicted[:, start : start + frames])
    emphasised = error_to_signal(pre_emphasised(target), pre_emphasised(predicted))
    assert running.frames == 900
    assert running.esr == pytest.approx(error_to_signal(target, predicted), rel=1e-12)
    assert running.esr_pre_emphasis == pytest.approx(emphasised, rel=1e-12)
    assert (running.error_energy, running.target_energy) == pytest.approx(energies(target, predicted), rel=1e-12)
    assert running.target_db == pytest.approx(level_db(target), abs=1e-9)
    assert running.predicted_db == pytest.approx(level_db(predicted), abs=1e-9)


def test_the_listening_score_is_the_published_line():
    """Pairs that Wright et al. print, to the point; up to 2.9 it is 100, and far away nothing."""
    published = {0.49: 100, 2.89: 100, 3.43: 95, 4.21: 89, 5.52: 81, 6.65: 75, 7.99: 70, 9.48: 64}
    assert {distance: round(listening_score(distance)) for distance in published} == published
    assert [listening_score(distance) for distance in (None, 0.0, 1e6)] == [None, 100, 0]


def heard(mr_stft: float, mfcc_l1: float | None, loudness: float | None) -> Listening:
    """Return listening measures."""
    score = listening_score(mfcc_l1)
    return Listening(mr_stft=mr_stft, mfcc_l1=mfcc_l1, listening_score=score, loudness_difference=loudness)


@pytest.mark.parametrize(
    ("esr", "floor", "mfcc_l1", "expected"),
    [
        (0.003, None, 2.9, "transparent"),
        (0.003, 0.0015, 2.9, "transparent"),
        (0.003, 0.0014, 2.9, "good"),
        (0.003, None, 2.91, "good"),
        (0.003, None, None, "good"),
        (0.001, 0.0, 0.1, "transparent"),
        (0.0011, 0.0, 0.1, "good"),
        (0.0031, 0.01, 0.1, "good"),
        (0.01, None, 9.0, "good"),
        (0.0101, None, 0.1, "usable"),
        (0.035, None, 0.1, "usable"),
        (0.0351, None, 0.1, "does not match"),
        (None, None, None, None),
    ],
)
def test_grades(esr: float | None, floor: float | None, mfcc_l1: float | None, expected: str | None):
    """Each word up to its edge. What the gear itself does not repeat is asked only above the inaudible."""
    assert grade(esr, floor, heard(0.1, mfcc_l1, 0.0)) == expected


def test_the_headline_hears_the_rows_by_their_length():
    """Means by seconds over the headline rows, the largest difference in loudness; each row has its own grade."""
    rows = [
        row(0, 0.002, seconds=3.0, listening=heard(0.1, 1.0, 0.2)),
        row(1, 0.002, seconds=1.0, listening=heard(0.5, 5.0, -0.3)),
        row(2, None, seconds=9.0, listening=heard(0.2, None, None)),
        row(3, 0.002, seconds=9.0, seen=True, listening=heard(9.0, 9.0, 9.0)),
    ]
    score = summed_up(rows, None)
    assert score.listening == heard(pytest.approx(0.2), 2.0, -0.3)
    assert {each.take: each.grade for each in score.takes} == {0: "transparent", 1: "good", 2: None, 3: "good"}
    assert score.grade == "transparent"


def test_rows_without_listening_have_no_mean_of_it():
    """Nothing is made up for the rows of old profiles."""
    score = summed_up([row(0, 0.002)], None)
    assert (score.listening, score.grade) == (None, "good")
