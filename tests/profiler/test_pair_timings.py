"""How pairs run, told from all of them together, behind gear that swings both ways."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from profiler.hearing import hear
from profiler.pair_timings import HeardPair, agreed_timings
from profiler.pairs_table import PairRow
from profiler.plugins import HostedPlugin
from profiler.programme import programme
from profiler.recording import HeldRecording
from profiler.timing import measure_timing

RATE = 48_000
JCM800 = "lv2:http://guitarix.sourceforge.net/plugins/gx_jcm800pre_#_jcm800pre_"
LEVELS = (0.2, 1.0, 0.2, 1.0)


@pytest.fixture
def pairs(tmp_path: Path, two_sided):
    """Return a function that hears wets made of playing at several levels, each with a dry of its own."""

    def heard(*, changed=lambda wet, _: wet, settings=lambda _: {}, through=two_sided) -> list[HeardPair]:
        out = []
        for number, level in enumerate(LEVELS):
            dry = np.float32(level) * programme(1 + number, sample_rate=RATE, frames=6 * RATE)
            wet = changed(through(dry), number).astype(np.float32)
            row = PairRow(
                line=number, dry=tmp_path / f"{number}.wav", wet=tmp_path / f"{number}w.wav", settings=settings(number)
            )
            soundfile.write(row.dry, dry, RATE, subtype="FLOAT")
            soundfile.write(row.wet, wet, RATE, subtype="FLOAT")
            timing = measure_timing(HeldRecording(dry), HeldRecording(wet), RATE)
            out.append(HeardPair(row=row, dry=hear(row.dry), wet=hear(row.wet), timing=timing))
        return out

    return heard


def test_takes_of_one_gear_are_the_same_way_up(pairs):
    """Each for itself, they are not: what is a swing up in one is a swing down in another."""
    heard = pairs()
    assert {each.timing.polarity for each in heard} == {-1, 1}
    for some in (heard, heard[1:]):
        agreed = agreed_timings(some, RATE)
        assert len({each.polarity for each in agreed}) == 1
        assert max(abs(each.frames) for each in agreed) < 3  # half a cycle is six


def test_a_take_that_is_turned_over_and_late_is_found(pairs):
    """At its own settings exactly, at others as far as their filters allow; the others stay as they are."""
    for settings, within in ((lambda _: {}, 0.3), (lambda number: {"gain": float(number)}, 3.0)):
        plain = agreed_timings(pairs(settings=settings), RATE)
        turned = agreed_timings(
            pairs(changed=lambda wet, n: -np.concatenate([np.zeros(700), wet]) if n == 1 else wet, settings=settings),
            RATE,
        )
        moved = [new.frames - old.frames for new, old in zip(turned, plain, strict=True)]
        assert moved == pytest.approx([0, 700, 0, 0], abs=within)
        others = {each.polarity for number, each in enumerate(turned) if number != 1}
        assert others == {-turned[1].polarity}


def test_a_take_of_other_gear_keeps_its_own_timing(pairs):
    """Noise in the place of a wet is reached through no filter."""
    noise = np.random.default_rng([5, 5])
    heard = pairs(changed=lambda wet, n: noise.normal(0, 0.1, len(wet)) if n == 2 else wet)
    assert agreed_timings(heard, RATE)[2] == heard[2].timing


def test_one_take_has_nothing_beside_it(pairs):
    """Then it is as it was, and the right way up unless that is clear."""
    heard = pairs()[1:2]
    (agreed,) = agreed_timings(heard, RATE)
    assert agreed.frames == heard[0].timing.frames
    assert heard[0].timing.polarity_clearness < 2.7
    assert agreed.polarity == 1


@pytest.mark.usefixtures("lv2")
def test_a_real_preamp_at_three_gains_is_one_way_up(pairs):
    """Each for itself, two of its takes are one way up and two the other."""

    def play(dry):
        gain = next(gains)
        with HostedPlugin(JCM800, {"P6v": gain}) as preamp:
            return preamp.process(dry[None], RATE)[0]

    gains = iter((1.0, 0.5, 0.5, 0.05))
    heard = pairs(through=play, settings=lambda number: {"gain": (1.0, 0.5, 0.5, 0.05)[number]})
    assert {each.timing.polarity for each in heard} == {-1, 1}
    agreed = agreed_timings(heard, RATE)
    assert len({each.polarity for each in agreed}) == 1
    assert all(abs(each.frames - agreed[2].frames) < 3 for each in agreed)  # half a cycle is six
