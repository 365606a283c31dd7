"""The composer."""

import itertools

import numpy as np
import pytest
from scipy import signal

from profiler.composer import compose
from profiler.errors import AudioError
from profiler.manifest import from_json, to_json
from profiler.stimulus import Stimulus

FORMS = ["quick", "short", "brief", "held-out"]
RATES = [8000, 44_100, 96_000]


def part_of(stimulus, audio, name):
    """Return the sound of a named part."""
    marker = stimulus.part(name)
    return audio.samples[0, marker.start : marker.stop]


def likeness(needle, hay):
    """Return the largest normalised correlation of a sound with any stretch of another: 1 where it is contained."""
    needle, hay = needle.astype(float), hay.astype(float)
    products = signal.correlate(hay, needle, "valid", "fft")
    total = np.cumsum(np.append(0, hay**2))
    energy = total[len(needle) :] - total[: -len(needle)]
    return float(np.max(np.abs(products) / np.sqrt(np.sum(needle**2) * energy + 1e-9)))


@pytest.mark.parametrize(
    ("form", "seconds", "slack"), [("quick", 100, 5), ("short", 48, 1), ("brief", 10, 0.1), ("held-out", 12.5, 0.1)]
)
@pytest.mark.parametrize("sample_rate", RATES)
def test_a_form_has_its_length_and_fits_full_scale(form, seconds, slack, sample_rate):
    """Every form lasts as long as it says, is finite, never beyond full scale, and its markers tile it."""
    stimulus, audio = compose(form, seed=5, sample_rate=sample_rate)
    assert audio.seconds == pytest.approx(seconds, abs=slack)
    assert (audio.channels, audio.sample_rate) == (1, sample_rate)
    assert np.isfinite(audio.samples).all()
    assert 0.3 < np.abs(audio.samples).max() <= 1
    edges = [0, *itertools.chain.from_iterable((each.start, each.stop) for each in stimulus.markers), audio.frames]
    assert edges[::2] == edges[1::2]
    assert all(marker.start < marker.stop for marker in stimulus.markers)
    assert (stimulus.form, stimulus.seed, stimulus.sample_rate) == (form, 5, sample_rate)


def test_parts_come_in_the_order_of_the_analysis():
    """Noise floor and blips first, the held-out programme last; a held-out take has no other programme."""
    names = [marker.name for marker in compose("short", seed=0, sample_rate=8000)[0].markers if marker.name != "breath"]
    assert names == ["silence", "blips", "noise", "chirps", "sweeps", "ramps", "programme", "replicate", "held-out"]
    stimulus, audio = compose("brief", seed=0, sample_rate=8000, seconds=15)
    assert [marker.name for marker in stimulus.markers] == ["silence", "blips", "programme"]
    assert audio.seconds == pytest.approx(15, abs=0.01)
    stimulus, _ = compose("held-out", seed=0, sample_rate=8000)
    assert [marker.name for marker in stimulus.markers] == ["silence", "blips", "breath", "held-out"]
    assert stimulus.part("programme") is None


def test_the_moving_form_lasts_as_long_as_asked():
    """The programme stretches; the measuring parts stay; there is nothing to hold out."""
    stimulus, audio = compose("moving", seed=0, sample_rate=8000, seconds=60)
    assert audio.seconds == pytest.approx(60, abs=3)
    assert stimulus.part("held-out") is None
    longer, _ = compose("moving", seed=0, sample_rate=8000, seconds=80)
    assert longer.part("programme").stop - stimulus.part("programme").stop == 20 * 8000
    assert longer.part("ramps") == stimulus.part("ramps")


@pytest.mark.parametrize("form", FORMS)
def test_the_same_seed_gives_the_same_audio(form):
    """Form, seed and rate are all it takes to compose every bit again."""
    stimulus, audio = compose(form, seed=11, sample_rate=8000)
    again_stimulus, again = compose(form, seed=11, sample_rate=8000)
    np.testing.assert_array_equal(audio.samples, again.samples)
    assert again_stimulus == stimulus
    assert from_json(Stimulus, to_json(stimulus), source="here") == stimulus


@pytest.mark.parametrize(("form", "part"), [("quick", "programme"), ("brief", "programme"), ("held-out", "held-out")])
def test_another_seed_gives_other_programme(form, part):
    """No second of one programme is in another's."""
    one, other = (part_of(*compose(form, seed=seed, sample_rate=8000), part) for seed in (1, 2))
    for start in range(0, 24_000, 8000):
        assert likeness(one[start : start + 8000], other) < 0.98


@pytest.mark.parametrize("seed", [0, 1, 100_000])
def test_held_out_programme_is_never_training_programme(seed):
    """No second of what is held out was played before, in this stimulus or in those of neighbouring takes."""
    held_out = part_of(*compose("short", seed=seed, sample_rate=8000), "held-out")
    for other in range(seed, seed + 4):
        learnt = part_of(*compose("short", seed=other, sample_rate=8000), "programme")
        for start in range(0, len(held_out) - 8000, 8000):
            assert likeness(held_out[start : start + 8000], learnt) < 0.98


def test_likeness_finds_what_is_there():
    """The measure above does see a passage that is played again."""
    programme = part_of(*compose("short", seed=0, sample_rate=8000), "programme")
    assert likeness(programme[12_345:20_345], programme) > 0.999


@pytest.mark.parametrize(("form", "sample_rate"), [("quick", 8000), ("short", 44_100), ("short", 96_000)])
def test_the_replicate_is_the_beginning_of_the_programme(form, sample_rate):
    """The same frames come twice, but for the fade at the end of the second time."""
    stimulus, audio = compose(form, seed=3, sample_rate=sample_rate)
    programme, again = (part_of(stimulus, audio, name) for name in ("programme", "replicate"))
    same = len(again) - sample_rate // 400
    assert len(again) >= 3 * sample_rate
    np.testing.assert_array_equal(again[:same], programme[:same])
    assert np.abs(again).max() > 0.01


@pytest.mark.parametrize("form", FORMS)
def test_parts_begin_and_end_at_rest(form):
    """No part clicks where it meets the next, and silence is silent."""
    stimulus, audio = compose(form, seed=2, sample_rate=44_100)
    for marker in stimulus.markers:
        assert audio.samples[0, marker.start] == audio.samples[0, marker.stop - 1] == 0
    for marker in stimulus.markers:
        if marker.name in ("silence", "breath"):
            assert not audio.samples[0, marker.start : marker.stop].any()


def test_what_cannot_be_composed_is_refused():
    """A rate below 8 kHz, and a length that leaves no programme, say what is possible."""
    with pytest.raises(AudioError, match="at least 8000 Hz; asked for 7999 Hz"):
        compose("short", seed=0, sample_rate=7999)
    with pytest.raises(AudioError, match="moving stimulus lasts at least 26 s; asked for 20 s"):
        compose("moving", seed=0, sample_rate=8000, seconds=20)
