"""Test tones."""

import numpy as np
import pytest
from scipy import signal

from profiler.tones import BLIP_POLARITIES, blip_frames, blips, chirps, level_ramps, stepped_noise, sweeps

RATES = [8000, 44_100, 48_000, 96_000]


def rms_db(sound):
    """Return the RMS level in dB."""
    return 10 * np.log10(np.mean(sound**2))


def spectrum_peak(sound, sample_rate):
    """Return the frequency that a sound has most of."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return spectrum.argmax() * sample_rate / len(sound)


@pytest.mark.parametrize("sample_rate", RATES)
def test_blips_are_single_frames_of_both_polarities(sample_rate):
    """Nothing sounds but one frame each, half a second apart, with room before and after."""
    sound = blips(sample_rate)
    frames = blip_frames(sample_rate)
    assert np.flatnonzero(sound).tolist() == frames
    np.testing.assert_allclose(sound[frames], 0.4 * np.asarray(BLIP_POLARITIES))
    assert set(np.diff(frames)) == {sample_rate // 2}
    assert frames[0] >= sample_rate // 4
    assert len(sound) == frames[-1] + sample_rate // 2


@pytest.mark.parametrize("sample_rate", RATES)
def test_noise_steps_up_through_its_levels(sample_rate):
    """Three levels, 20 dB apart, each as loud as it says, and pink: equal energy an octave."""
    sound = stepped_noise(np.random.default_rng(1), sample_rate=sample_rate, seconds=2.0)
    assert len(sound) == 6 * sample_rate
    for part, level in zip(np.split(sound, 3), (-60, -40, -20), strict=True):
        assert rms_db(part) == pytest.approx(level, abs=0.1)
        assert abs(part).max() <= 4.5 * 10 ** (level / 20) + 1e-12
        octaves = [
            rms_db(signal.sosfilt(signal.butter(4, band, "bandpass", fs=sample_rate, output="sos"), part))
            for band in ((200, 400), (800, 1600))
        ]
        assert octaves[0] == pytest.approx(octaves[1], abs=1.0)


def test_noise_comes_from_its_generator():
    """The same generator state gives the same noise, another gives another."""
    one, same, other = (stepped_noise(np.random.default_rng(seed), sample_rate=8000, seconds=0.5) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(np.corrcoef(one, other)[0, 1]) < 0.2


@pytest.mark.parametrize("sample_rate", RATES)
def test_sweeps_rise_from_20_hz_to_the_top(sample_rate):
    """Two sweeps of one shape, at -30 and -6 dB, which begin at rest, low, and end high but below half the rate."""
    sound = sweeps(sample_rate=sample_rate, seconds=3.0)
    quiet, loud = np.split(sound, 2)
    assert len(quiet) == pytest.approx(3 * sample_rate, rel=0.15)
    assert abs(quiet).max() == pytest.approx(10 ** (-30 / 20), rel=0.02)
    assert abs(loud).max() == pytest.approx(10 ** (-6 / 20), rel=0.02)
    np.testing.assert_allclose(loud, quiet * 10 ** (24 / 20))
    assert sound[0] == 0
    assert spectrum_peak(loud[: sample_rate // 4], sample_rate) < 45
    top = min(20_000, 0.45 * sample_rate)
    assert 0.8 * top < spectrum_peak(loud[-256:], sample_rate) < 1.05 * top


def test_a_sweep_is_synchronised():
    """The instant at which the sweep passes a multiple of 20 Hz has a whole number of turns behind it."""
    rate, low = 48_000, 20.0
    loud = np.split(sweeps(sample_rate=rate, seconds=4.0), 2)[1]
    turns = round(low * 4.0 / np.log(20_000 / low))
    for multiple in (2, 5, 20):
        at = turns / low * np.log(multiple) * rate
        around = loud[int(at) - 3 : int(at) + 5]
        crossing = np.interp(0, around, np.arange(int(at) - 3, int(at) + 5)) if np.all(np.diff(around) > 0) else None
        assert crossing == pytest.approx(at, abs=0.05)


@pytest.mark.parametrize("sample_rate", RATES)
def test_ramps_grow_in_decibels(sample_rate):
    """Each pitch that fits below half the rate grows from -60 to -1 dBFS in equal decibels a second."""
    pitches = [pitch for pitch in (82.41, 220, 1000, 4000) if pitch < 0.45 * sample_rate]
    sound = level_ramps(sample_rate=sample_rate, seconds=2.0)
    assert len(sound) == len(pitches) * 2 * sample_rate
    for part, pitch in zip(np.split(sound, len(pitches)), pitches, strict=True):
        assert spectrum_peak(part, sample_rate) == pytest.approx(pitch, rel=0.02)
        assert 0.8 < abs(part).max() <= 10 ** (-1 / 20)
        quarters = [abs(quarter).max() for quarter in np.split(part, 4)]
        steps = 20 * np.log10(np.divide(quarters[1:], quarters[:-1]))
        np.testing.assert_allclose(steps, 59 / 4, atol=1.0)


@pytest.mark.parametrize("sample_rate", RATES)
def test_chirps_are_equal_and_cover_the_spectrum(sample_rate):
    """One every 40 ms, each the same from rest to rest, with sound in every octave that the rate has."""
    sound = chirps(sample_rate=sample_rate, seconds=1.0)
    gap = round(0.04 * sample_rate)
    each = sound.reshape(25, gap)
    np.testing.assert_array_equal(each, np.broadcast_to(each[0], each.shape))
    assert each[0, 0] == 0
    assert not each[0, round(0.0195 * sample_rate) :].any()
    assert abs(each).max() == pytest.approx(10 ** (-12 / 20), rel=0.02)
    power = np.abs(np.fft.rfft(each[0])) ** 2
    frequencies = np.arange(len(power)) * sample_rate / gap
    octaves = [power[(frequencies >= low) & (frequencies < 2 * low)].mean() for low in (100, 200, 400, 800, 1600)]
    assert max(octaves) < 20 * min(octaves)
