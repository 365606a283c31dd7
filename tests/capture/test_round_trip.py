"""The round trip of takes that are hard to time."""

import numpy as np
import pytest

from capture.round_trip import measure_round_trip
from profiler.composer import compose
from profiler.plugins import HostedPlugin

RATE = 48_000
LATE = 3000
STIMULUS, DRY = compose("brief", seed=1, sample_rate=RATE, seconds=12.0)


@pytest.fixture(scope="module")
def driven_amp(lv2):
    """What an amp without a delay of its own, driven as far as it goes, makes of the dry."""
    settings = {"PreGain": 15.0, "Drive": 0.9, "Distortion": 80.0}
    with HostedPlugin("lv2:http://guitarix.sourceforge.net/plugins/gx_amp#GUITARIX", settings=settings) as amp:
        return amp.process(DRY.samples, RATE)[0][: DRY.frames]


@pytest.mark.parametrize("noise_db", [60.0, 40.0, 20.0])
def test_a_driven_amp_is_not_moved_before_its_dry(driven_amp, noise_db):
    """Its phase has it some 40 frames late, for that is its loudest band; its blips begin where the dry's do."""
    heard = np.concatenate([np.zeros(LATE), driven_amp, np.zeros(RATE)])
    heard += np.random.default_rng(4).normal(0, np.std(driven_amp) * 10 ** (-noise_db / 20), len(heard))
    found = measure_round_trip(STIMULUS, DRY.samples[0], heard.astype(np.float32), None, sample_rate=RATE)
    assert found.measured_frames is not None
    assert 0 <= found.measured_frames - LATE <= 6
    assert -1 <= found.latency_frames - LATE <= 6
