"""Interfaces: what is played comes back to the bit, one period late, and whatever goes wrong is told."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from capture.interface import Meter, check_wiring, find_interface, list_interfaces, play_and_record
from profiler.errors import GearError
from profiler.session import Wiring

pytestmark = pytest.mark.hardware

RATE = 48_000
PERIOD_FRAMES = 1024
NOISE = np.random.default_rng(1).normal(0, 0.2, 2 * RATE).astype(np.float32)


def test_a_cable_returns_every_bit_one_period_late(jack, wired: Callable[..., Wiring]):
    """Both channels of a cable give back what was sent on each of them, and the other one is silent."""
    jack.plug_thru()
    told: list[Meter] = []
    for channel, other in ((1, 2), (2, 1)):
        wiring = wired("thru", send_channel=channel, return_channel=channel, loopback_channel=other)
        found = play_and_record(wiring, NOISE, RATE, on_meter=told.append)
        assert np.array_equal(found.wet[PERIOD_FRAMES:][: len(NOISE)], NOISE)
        assert not found.wet[:PERIOD_FRAMES].any()
        assert not found.wet[PERIOD_FRAMES + len(NOISE) :].any()
        assert found.loopback is not None
        assert not found.loopback.any()
        assert not found.before.any()
        assert len(found.before) == len(found.wet) - len(NOISE) == RATE
    assert max(each.send_db for each in told) == pytest.approx(20 * np.log10(np.abs(NOISE).max()), abs=0.01)
    assert max(each.return_db for each in told) == pytest.approx(20 * np.log10(np.abs(NOISE).max()), abs=0.01)


def test_a_quieter_send_comes_back_quieter(jack, wired: Callable[..., Wiring]):
    """The level that the wiring names is that of what is sent."""
    jack.plug_thru()
    found = play_and_record(wired("thru", send_db=-20.0), NOISE, RATE)
    assert np.allclose(found.wet[PERIOD_FRAMES:][: len(NOISE)], NOISE / 10, atol=1e-7)


def test_one_interface_plays_and_another_records(jack, wired: Callable[..., Wiring]):
    """Send and return may be two interfaces; nothing comes back over one that is not connected to the other."""
    jack.plug_thru()
    jack.plug_thru("other")
    found = play_and_record(replace(wired("thru"), input="other"), NOISE[:RATE], RATE)
    assert not found.wet.any()


def test_interfaces_are_listed_and_found_by_name(jack):
    """Every program on the server is an interface; a part of its name will do, and a wrong one is told with all."""
    jack.plug_thru()
    found = {each.name: each for each in list_interfaces()}
    assert {"system", "thru"} <= found.keys()
    assert (found["thru"].inputs, found["thru"].outputs, found["thru"].default_rate) == (2, 2, RATE)
    assert find_interface("THR") == found["thru"] == find_interface("thru, JACK Audio Connection Kit")
    with pytest.raises(GearError, match=r"'scarlett' is no interface here.*system.*thru, JACK.*2 in, 2 out, 48000 Hz"):
        find_interface("scarlett")


@pytest.mark.parametrize(
    ("changes", "rate", "told"),
    [
        ({}, 44_100, r"does not play and record at 44100 Hz.*usually runs at 48000 Hz"),
        ({"send_channel": 3}, RATE, "thru has 2 outputs, numbered from 1; asked for number 3"),
        ({"return_channel": 0}, RATE, "thru has 2 inputs, numbered from 1; asked for number 0"),
        ({"loopback_channel": 5}, RATE, "thru has 2 inputs, numbered from 1; asked for number 5"),
        ({"input": "gone"}, RATE, "'gone, JACK Audio Connection Kit' is no interface here"),
    ],
)
def test_what_an_interface_cannot_do_is_told_before_it_plays(
    jack, wired: Callable[..., Wiring], changes: dict[str, int], rate: int, told: str
):
    """Another rate, a channel too many and a name that is gone are errors that name the way out."""
    jack.plug_thru()
    with pytest.raises(GearError, match=told):
        check_wiring(replace(wired("thru"), **changes), rate)


def test_a_server_that_dies_while_it_plays_is_told_at_once(jack, wired: Callable[..., Wiring]):
    """PortAudio waits for a dead server for ever; we do not, and the next recording works on a new one."""
    jack.plug_thru()
    wiring = wired("thru")
    killer = threading.Timer(2.5, jack.kill)
    killer.start()
    begun = time.monotonic()
    with pytest.raises(GearError, match=r"thru stopped after [012]\.\d of 22\.0 s"):
        play_and_record(wiring, np.tile(NOISE, 10), RATE)
    killer.join()
    assert time.monotonic() - begun < 8
