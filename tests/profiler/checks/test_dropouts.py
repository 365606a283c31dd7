"""Dropouts."""

import numpy as np
import pytest

from profiler.checks.dropouts import find_dropouts

RATE = 48_000
STILL = ["bitcrush", "clipping", "compressor", "delay", "distortion", "fuzz", "gate", "hard gate", "limiter", "reverb"]


def broken(wet, at, frames, kind):
    """Return the wet with a hole."""
    out = wet.copy()
    out[at : at + frames] = {"silence": 0, "hold": out[at - 1], "repeat": out[at - frames : at]}[kind]
    return out


def loud_moments(dry, count):
    """Return frames in the midst of loud playing, evenly through it."""
    total = np.cumsum(np.pad(dry.astype(np.float64) ** 2, 4800))
    level = total[9600:] - total[:-9600]
    step = 2 * RATE
    return [start + int(np.argmax(level[start : start + step])) for start in range(RATE, RATE + step * count, step)]


def finds(found, at, frames):
    """Tell whether a hole is among those found."""
    return any(abs(each.start - at) <= 2 and each.stop - each.start >= 0.9 * frames for each in found)


@pytest.mark.parametrize("kind", ["silence", "hold", "repeat"])
@pytest.mark.parametrize(("frames", "gear"), [(64, "ladder"), (256, "gain"), (1024, "ladder")])
def test_holes_are_found(play, playing, kind, frames, gear):
    """A lost block of any usual length, filled in any usual way, is found where it is, and nothing else."""
    wet = play(gear, playing)
    moments = loud_moments(playing, 5)
    for at in moments:
        wet = broken(wet, at, frames, kind)
    found = find_dropouts(playing, wet)
    hit = [at for at in moments if finds(found, at, frames)]
    assert len(hit) >= 3  # a hole may begin at rest, or end near the value at which the sound goes on
    assert len(found) <= 5


@pytest.mark.parametrize("gear", STILL)
def test_gear_is_no_dropout(play, stimulus, gear):
    """Gates shut, clippers stand at one value and crushers at many, all as part of their sound."""
    _, dry = stimulus
    assert find_dropouts(dry, play(gear, dry)) == []


def test_silence_with_the_dry_and_a_test_tone_are_no_dropouts():
    """A wet that rests with its dry has no hole, nor has a tone that repeats itself exactly."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    dry = np.round(np.tile(tone[:48], 1000) * 32767).astype(np.float32) / 32768
    dry[20_000:21_024] = 0
    assert find_dropouts(dry, 0.5 * dry) == []
