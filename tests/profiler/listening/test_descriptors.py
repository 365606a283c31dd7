"""Descriptors hear what effects do, and neither level, nor rate, nor, in the space of sounds, much of the playing."""

import numpy as np
import pytest
import soxr
from scipy import signal

from profiler.audio import Audio
from profiler.audio_file import reading, write_audio
from profiler.errors import AudioError
from profiler.listening.descriptors import COUNT, described
from profiler.listening.recording_sound import recording_sound
from profiler.listening.sound_space import WIDTH, placed
from profiler.programme import passages

RATE = 48_000


def audio(samples, rate=RATE):
    """Return samples (frames,) as audio."""
    return Audio(samples=np.asarray(samples, np.float32)[None], sample_rate=rate)


@pytest.fixture(scope="module")
def playing():
    """A passage of each kind of playing, for two seeds: (2, kinds, frames)."""
    return np.stack([passages(seed, sample_rate=RATE, frames=2 * RATE) for seed in (1, 2)])


def dirty(dry):
    """Return playing that is clipped hard."""
    return np.clip(30 * dry, -0.5, 0.7)


def dull(dry):
    """Return playing without treble."""
    return signal.sosfilt(signal.butter(4, 900, fs=RATE, output="sos"), dry)


def test_level_and_polarity_of_the_file_do_not_count(playing):
    """A recording that was normalised sounds the same."""
    loud = described(audio(playing[0, 0]))
    assert loud.shape == (COUNT,)
    assert np.isfinite(loud).all()
    assert described(audio(0.01 * playing[0, 0])) == pytest.approx(loud, abs=0.2)


def test_the_rate_does_not_count(playing):
    """44.1 and 48 kHz sound the same."""
    other = described(audio(soxr.resample(playing[0, 0], RATE, 44_100), 44_100))
    both = placed(np.stack([described(audio(playing[0, 0])), other]))
    assert np.linalg.norm(both[0] - both[1]) < 0.1


def test_what_effects_do_is_further_than_what_playing_does(playing):
    """Clean, dirty and dull playing are told apart by the nearest mean, on playing that the means do not know."""
    effects = (lambda dry: dry, dirty, dull)
    sounds = np.array([[[described(audio(each(row))) for row in kinds] for kinds in playing] for each in effects])
    places = placed(sounds.reshape(-1, COUNT)).reshape(*sounds.shape[:3], WIDTH)
    means = places[:, 0].mean(axis=1)
    apart = np.linalg.norm(places[:, 1, :, None] - means, axis=-1)
    right = apart.argmin(axis=-1) == np.arange(len(effects))[:, None]
    assert right.mean() >= 0.85


def test_silence_and_nonsense_are_refused(playing):
    """Each is told with what to do."""
    broken = playing[0, 0].copy()
    broken[100] = np.nan
    for samples in (np.zeros(RATE), playing[0, 0][:3000], broken, np.zeros(0)):
        with pytest.raises(AudioError, match=r"above silence|NaN"):
            described(audio(samples))


def test_of_a_recording_excerpts_are_heard(playing, tmp_path):
    """Rests do not count, and a long recording is the mean of what it has; one of silence is refused."""
    rest = np.zeros(10 * RATE, np.float32)
    write_audio(tmp_path / "long.wav", audio(np.concatenate([*playing[0], rest, *playing[1]])))
    write_audio(tmp_path / "rest.wav", audio(rest))
    with reading(tmp_path / "long.wav") as reader:
        assert recording_sound(reader).shape == (COUNT,)
    with reading(tmp_path / "rest.wav") as reader, pytest.raises(AudioError, match="above silence"):
        recording_sound(reader)


def test_a_sound_that_stands_off_zero_is_no_stranger_than_others():
    """Its swing beside its level is next to nothing, and what is measured of that stays bounded: float16 holds it."""
    rng = np.random.default_rng(0)
    samples = (0.5 + 1e-7 * rng.standard_normal((1, 48_000))).astype(np.float32)
    samples[:, ::9_000] -= 0.2
    told = described(audio(samples[0]))
    assert np.abs(told).max() < 400
