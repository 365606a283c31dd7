"""Direct monitoring in the wet."""

import numpy as np
import pytest

from profiler.audio_file import read_audio
from profiler.checks.bleed import find_bleed
from profiler.checks.linear_fit import fit_linear

RATE = 48_000


def bleeding(dry, wet, *, ahead, below_db):
    """Return the wet late by `ahead` frames, with the dry at once, so far below it, and the dry's gain in dB."""
    gain = np.sqrt(np.mean(wet**2) / np.mean(dry**2)) * 10 ** (below_db / 20)
    late = np.concatenate([np.zeros(ahead), wet])[: len(wet)]
    return (late + gain * dry).astype(np.float32), 20 * np.log10(gain)


@pytest.mark.parametrize("gear", ["compressor", "gain", "gate", "reverb", "tremolo"])
@pytest.mark.parametrize("ahead", [96, 700])
def test_direct_monitoring_is_found(play, playing, gear, ahead):
    """20 dB below the gear, at the latency of a fast interface or a slow one."""
    wet, gain_db = bleeding(playing, play(gear, playing), ahead=ahead, below_db=-20)
    fit = fit_linear(playing, wet, RATE)
    found = find_bleed(fit, RATE)
    assert found is not None
    assert found.frames_ahead == pytest.approx(ahead, abs=4)
    main_db = 20 * np.log10(np.abs(fit.response).max())
    assert main_db + found.level_db == pytest.approx(gain_db, abs=3)


@pytest.mark.parametrize("gear", ["chorus", "compressor", "delay", "distortion", "fuzz", "gain", "ladder", "reverb"])
def test_gear_does_not_bleed(play, playing, gear):
    """Neither clean gear nor echoes, which come later, nor distortion."""
    assert find_bleed(fit_linear(playing, play(gear, playing), RATE), RATE) is None


@pytest.mark.parametrize("name", ["ts9_pedal", "diode_clipper"])
def test_real_recordings_do_not_bleed(shared_data, name):
    """A pedal and a circuit, recorded by others."""
    dry, wet = (read_audio(shared_data / "pairs" / name / f"{side}.flac") for side in ("dry", "wet"))
    assert find_bleed(fit_linear(dry.samples[0], wet.samples[0], dry.sample_rate), dry.sample_rate) is None
