"""What one pass over a file hears."""

import numpy as np
import pytest
import soundfile

from profiler.errors import AudioError, TakeRejectedError
from profiler.hearing import hear, looks_swapped
from profiler.programme import programme

RATE = 48_000
PLAYING = programme(2, sample_rate=RATE, frames=3 * RATE)


def heard(path, samples, rate=RATE):
    """Write samples and hear them."""
    soundfile.write(path / "it.wav", samples, rate, subtype="FLOAT")
    return hear(path / "it.wav")


@pytest.mark.parametrize("gain", [1.0, 0.01, 30.0])
def test_level_and_peak(tmp_path, gain):
    """They are those of the samples, the peak to the quarter of a dB that a histogram gives."""
    found = heard(tmp_path, PLAYING * gain)
    assert found.level_db == pytest.approx(10 * np.log10(np.mean((gain * PLAYING) ** 2)), abs=1e-3)
    top = np.quantile(np.abs(PLAYING), 1 - 1e-4) * gain
    assert 20 * np.log10(found.peak / top) == pytest.approx(0, abs=0.25)


@pytest.mark.parametrize(
    ("gains", "carrying"),
    [((1,), (0,)), ((1, 1), (0, 1)), ((1, 0), (0,)), ((0, 0.5, 0), (1,)), ((1, -1), (0,)), ((0.3, -1, 0.001), (0, 1))],
)
def test_channels_that_carry_the_sound(tmp_path, gains, carrying):
    """Silent sides are left out, and of sides that cancel each other one is taken."""
    found = heard(tmp_path, PLAYING[:, None] * np.asarray(gains))
    assert found.channels == carrying
    assert found.file_channels == len(gains)


def test_what_is_of_no_use_is_refused(tmp_path):
    """Silence, too little, and NaN in any channel are named."""
    with pytest.raises(TakeRejectedError, match="silent"):
        heard(tmp_path, np.zeros(RATE))
    with pytest.raises(TakeRejectedError, match=r"0\.1 s; at least 0\.5"):
        heard(tmp_path, PLAYING[: RATE // 10])
    with pytest.raises(AudioError, match="NaN or infinity at frame 700"):
        heard(tmp_path, np.where(np.arange(len(PLAYING)) == 700, np.nan, PLAYING))


def test_long_files_are_heard_across_blocks(tmp_path):
    """Clips are found where they are, in the first block, over its end at frame 2^19, and in a later one."""
    samples = np.tile(PLAYING / np.abs(PLAYING).max() * 0.5, 5)
    samples[100:110] = 1.0
    samples[2**19 - 2 : 2**19 + 2] = 1.0
    samples[600_000:600_007] = -1.0
    assert heard(tmp_path, samples).clipped == ((100, 110), (2**19 - 2, 2**19 + 2), (600_000, 600_007))


def test_a_dry_that_looks_like_a_distortions_output(tmp_path):
    """A pair is only called swapped when the dry is squared and the wet is not."""
    clean, fuzz = heard(tmp_path, PLAYING), heard(tmp_path, np.tanh(100 * PLAYING))
    assert looks_swapped(clean, fuzz) is None
    assert looks_swapped(clean, clean) is None
    assert looks_swapped(fuzz, fuzz) is None
    assert "of the dry lies near its peak" in looks_swapped(fuzz, clean)
