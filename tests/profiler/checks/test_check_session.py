"""The check of whole sessions: floors, forecasts, causes, and recordings that are broken."""

import dataclasses
import math

import numpy as np
import pytest

from profiler.audio_file import read_audio
from profiler.checks import SessionCheck, check_session
from profiler.floor import noise_floor
from profiler.knob import Knob
from profiler.session_folder import SessionFolder

RATE = 48_000
DRIVE = Knob(id="drive", name="Drive", default=0.5)


def hiss(wet, below_db, *, seed):
    """Return white noise so far below a wet."""
    level = np.sqrt(np.mean(wet.astype(np.float64) ** 2)) * 10 ** (below_db / 20)
    return np.random.default_rng(seed).normal(0, level, len(wet)).astype(np.float32)


def kinds(check: SessionCheck):
    """Return the kinds of all findings above a note, the session's and the takes'."""
    takes = (finding for take in check.takes for finding in take.findings)
    return {finding.kind for finding in (*check.findings, *takes) if finding.severity != "note"}


@pytest.mark.parametrize("below_db", [-30, -40, -50])
@pytest.mark.parametrize("in_both", [True, False])
def test_the_floor_is_the_noise(record, play, playing, below_db, in_both):
    """Noise in both of two replicates comes out within 1 dB; of noise in one, half: what they have on average."""
    playing = playing[: 8 * RATE]
    wet = play("distortion", playing)
    one = wet + hiss(wet, below_db, seed=1) * in_both
    folder = record((playing, one), (playing, wet + hiss(wet, below_db, seed=2)))
    check = check_session(folder)
    expected = below_db if in_both else below_db - 10 * math.log10(2)
    assert check.floor_source == "replicate"
    assert 10 * math.log10(check.floor) == pytest.approx(expected, abs=1)
    assert 10 * math.log10(check.best_esr) == pytest.approx(expected, abs=1)
    assert check.floor == pytest.approx(noise_floor(folder), rel=1e-3)
    assert check.limits[0].cause == "noise"
    assert "noise" in check.limited_by


def test_silence_tells_the_floor_without_a_replicate(record, play, stimulus):
    """From the half second before anything plays, against the wet's level."""
    made, dry = stimulus
    wet = play("distortion", dry)
    check = check_session(record((dry, wet + hiss(wet, -45, seed=1)), stimulus=made))
    assert check.floor_source == "silence"
    assert 10 * math.log10(check.floor) == pytest.approx(-45, abs=1)
    assert check.grade == "transparent"
    assert check.makes_sense


def test_without_either_the_floor_is_unknown(record, playing):
    """It says so, and what would tell."""
    dry = playing + hiss(playing, -30, seed=0)
    check = check_session(record((dry, 0.5 * dry)))
    assert (check.floor, check.best_esr, check.grade) == (None, None, "unknown")
    assert check.makes_sense
    assert any("--replicate" in finding.message for finding in check.findings)


@pytest.mark.parametrize("gear", ["chorus", "phaser", "tremolo"])
def test_an_lfo_makes_training_senseless_or_worse(record, play, stimulus, gear):
    """Gear that moves by itself is named, and the forecast is far above what still gear would reach."""
    made, dry = stimulus
    check = check_session(record((dry, play(gear, dry)), stimulus=made))
    assert "time-variance" in kinds(check)
    assert check.limits[0].cause == "moves by itself"
    assert check.best_esr > 0.02
    assert check.advice


@pytest.mark.parametrize("gear", ["compressor", "delay", "distortion", "hard gate", "reverb", "slow levelling"])
def test_still_gear_has_nothing_wrong_with_it(record, play, stimulus, gear):
    """Clean captures of gear that profiles can learn: no warnings, and a forecast below anything training reaches."""
    made, dry = stimulus
    check = check_session(record((dry, 0.5 * play(gear, dry)), stimulus=made))
    assert kinds(check) == set()
    assert check.best_esr < 1e-6
    assert check.makes_sense


def test_replicates_of_a_free_running_lfo(record, playing):
    """Two takes of one tremolo at other phases: movement, though neither take alone is looked into."""
    playing = playing[: 8 * RATE]
    time = np.arange(len(playing)) / RATE
    wets = [playing * (0.75 + 0.25 * np.sin(2 * np.pi * 1.1 * time + turn)) for turn in (0, 2)]
    check = check_session(record(*((playing, wet) for wet in wets)))
    assert "time-variance" in kinds(check)
    assert check.limits[0].cause == "moves by itself"


def test_equal_settings_that_differ(record, play, playing):
    """A knob that was moved between two takes of the same settings is told from noise, with the difference in level."""
    playing = playing[: 8 * RATE]
    wet = play("distortion", playing)
    check = check_session(record((playing, wet, {"drive": 0.5}), (playing, 1.2 * wet, {"drive": 0.5}), knobs=(DRIVE,)))
    found = [finding for finding in check.findings if finding.kind == "disagreement"]
    assert len(found) == 1
    assert "+1.6 dB" in found[0].message
    assert check.limits[0].cause == "disagreement"


def test_a_replicate_that_is_late(record, play, playing):
    """Latency that changed between two takes is timing, in frames."""
    playing = playing[: 8 * RATE]
    wet = play("gain", playing)
    late = np.concatenate([np.zeros(3, np.float32), wet])[: len(wet)]
    check = check_session(record((playing, wet), (playing, late)))
    assert any("3.0 frames later" in finding.message for finding in check.findings)
    assert check.limits[0].cause == "timing"


def test_hum_is_the_cause(record, play, stimulus):
    """Where noise at rest is mostly hum, hum is what is blamed, and what to do about it is said."""
    made, dry = stimulus
    hum = 0.003 * np.sin(2 * np.pi * 50 * np.arange(len(dry)) / RATE)
    check = check_session(record((dry, play("distortion", dry) * 0.1 + hum), stimulus=made))
    assert check.limits[0].cause == "hum"
    assert "hum" in kinds(check)
    assert "ground" in check.advice


def test_worst_takes_come_first_and_errors_stop_training(record, playing):
    """A silent take, a clipped one and a good one; with nothing but silence training makes no sense."""
    dry = playing[: 8 * RATE]
    clipped = np.clip(20 * dry, -1, 1)
    check = check_session(
        record(
            (dry, 0.5 * dry, {"drive": 0.0}),
            (dry, clipped, {"drive": 0.5}),
            (dry, 0 * dry, {"drive": 1.0}),
            knobs=(DRIVE,),
        )
    )
    assert {check.takes[0].take, check.takes[1].take} == {1, 2}
    assert {"clipping", "silent"} <= kinds(check)
    assert not check.makes_sense
    silent = check_session(record((dry, 0 * dry), name="silent"))
    assert (silent.makes_sense, silent.best_esr) == (False, None)
    assert "silent" in silent.limited_by


@pytest.mark.parametrize("rate", [8000, 44_100, 192_000])
@pytest.mark.parametrize("seconds", [0.1, 0.6])
def test_any_rate_and_length(record, rate, seconds):
    """Very short takes and unusual rates are checked as well, and JSON can carry every figure."""
    dry = np.random.default_rng(0).normal(0, 0.1, int(seconds * rate)).astype(np.float32)
    check = check_session(record((dry, np.tanh(5 * dry)), rate=rate))
    assert len(check.takes) == 1
    assert "little" in kinds(check)
    figures = [value for value in dataclasses.asdict(check.takes[0]).values() if isinstance(value, float)]
    assert all(math.isfinite(value) for value in figures)


@pytest.mark.parametrize(("kind", "drift_ppm"), [("files", pytest.approx(20.0, rel=0.1)), ("plugin", None)])
def test_only_what_two_clocks_recorded_drifts(record, playing, kind, drift_ppm):
    """A plugin's host has one clock, so that what seems to drift there is the gear."""
    late = np.interp(np.arange(len(playing)) * (1 - 20e-6), np.arange(len(playing)), playing)
    (take,) = check_session(record((playing, late), kind=kind)).takes
    assert take.drift_ppm == drift_ppm
    assert ("drift" in {finding.kind for finding in take.findings}) == (kind == "files")
    assert ("timing" in {limit.cause for limit in take.limits}) == (kind == "files")


def test_a_session_without_takes(record):
    """Nothing was recorded: training makes no sense."""
    check = check_session(record())
    assert not check.makes_sense
    assert "no takes" in check.limited_by


@pytest.mark.parametrize("damage", ["cut", "swapped", "missing", "nan"])
def test_damaged_files_get_a_word(record, playing, damage):
    """One broken take is named, and the others are checked."""
    playing = playing[: 4 * RATE]
    folder = record(*((playing, gain * playing, {"drive": gain}) for gain in (0.2, 0.4, 0.6)), knobs=(DRIVE,))
    path = folder.path / folder.session.takes[1].file
    if damage == "missing":
        path.unlink()
    elif damage == "swapped":
        path.write_bytes((folder.path / folder.session.takes[0].file).read_bytes())
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    else:
        content = bytearray(path.read_bytes())
        content[-400:-396] = np.float32(np.nan).tobytes()
        path.write_bytes(bytes(content))
    check = check_session(SessionFolder.open(folder.path))
    assert check.takes[0].take == 1
    assert [finding.kind for finding in check.takes[0].findings] == ["damaged"]
    assert path.name in check.takes[0].findings[0].message
    assert all(take.linear_share > 0.99 for take in check.takes[1:])
    assert check.makes_sense


REACHED = {"ts9_pedal": 0.0013, "diode_clipper": 0.0056}
"""What training has reached on real sets: no forecast may lie above."""


@pytest.mark.parametrize("name", ["ts9_pedal", "diode_clipper"])
def test_the_forecast_is_below_what_training_reached(record, shared_data, name):
    """On recordings by others, without a false alarm."""
    dry, wet = (read_audio(shared_data / "pairs" / name / f"{side}.flac") for side in ("dry", "wet"))
    check = check_session(record((dry.samples[0], wet.samples[0]), rate=dry.sample_rate))
    assert (check.best_esr or 0) < REACHED[name]
    assert kinds(check) <= {"clipping"}
