"""Profiles of gear behind JACK: captured, learnt and scored as the same plugin is that was captured offline."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import profiler
from capture.gear import open_gear
from capture.hardware_rig import HardwareRig
from capture.knob_turner import HandTurner
from capture.plan import PlannedTake
from capture.plugin_rig import PluginRig
from capture.recorder import keep_take, play_take
from capture.rig import Rig
from capture.take_judge import judge_take
from profiler.evaluation import evaluate
from profiler.session import CaptureSession, Gear, Wiring
from profiler.session_folder import SessionFolder
from profiler.training import Schedule, TrainingPlan, train

pytestmark = pytest.mark.hardware

RATE = 48_000
PLAN = (
    PlannedTake(number=0, form="brief", seed=5, seconds=9.0, settings={}),
    PlannedTake(number=1, form="brief", seed=6, seconds=7.5, settings={}, held_out=True),
)
STEPS = 40
GEAR = {
    "guitarix's amp": ("http://guitarix.sourceforge.net/plugins/gx_amp#GUITARIX", 1e-6),
    "a compressor": ("urn:zamaudio:ZamComp", 1e-6),
}


def captured(path: Path, rig: Rig, wiring: Wiring | None) -> SessionFolder:
    """Return the session that a rig records of the plan, every take judged."""
    folder = SessionFolder.create(path, CaptureSession(gear=rig.gear, knobs=(), sample_rate=RATE, wiring=wiring))
    for planned in PLAN:
        played = play_take(rig, planned)
        assert not [each for each in (*played.findings, *judge_take(played)) if each.severity == "error"]
        keep_take(folder, played)
    return SessionFolder.open(path)


def learnt(folder: SessionFolder, out: Path, seed: int) -> float:
    """Return the score of a profile of a session on the take that it never heard."""
    loaded = train(folder, TrainingPlan(schedule=Schedule(steps=STEPS), seed=seed), out)
    profiler.save(out, loaded)
    score = evaluate(loaded, folder, only_unseen=True).esr
    assert score is not None
    return score


@pytest.mark.usefixtures("lv2")
@pytest.mark.parametrize("name", GEAR)
def test_a_profile_through_jack_is_that_of_the_plugin(jack, wired: Callable[..., Wiring], tmp_path: Path, name: str):
    """What JACK brings back is the plugin's own output, and what is learnt of either scores alike."""
    uri, most = GEAR[name]
    jack.plug_effect(uri, "gear")
    wiring = wired("gear")
    hardware = HardwareRig(
        Gear(name=name, kind="hardware"), (), wiring, sample_rate=RATE, turner=HandTurner(lambda _: None)
    )
    through = captured(tmp_path / "through", hardware, wiring)
    with PluginRig(open_gear(f"lv2:{uri}"), (), sample_rate=RATE) as plugin:
        offline, repeated = (captured(tmp_path / each, plugin, None) for each in ("offline", "repeated"))
    for take, other, again in zip(*(each.session.takes for each in (through, offline, repeated)), strict=True):
        own = offline.wet_of(other).samples
        floor = np.sum((repeated.wet_of(again).samples - own) ** 2) / np.sum(own**2)
        wet = through.wet_of(take).samples[:, 1024:][:, : own.shape[1]]
        error = np.sum((wet[:, : own.shape[1]] - own[:, : wet.shape[1]]) ** 2) / np.sum(own**2)
        assert floor < most
        assert error < most
    scores = [learnt(through, tmp_path / "a.tonecast", 0), learnt(offline, tmp_path / "b.tonecast", 0)]
    other_seed = learnt(offline, tmp_path / "c.tonecast", 1)
    spread = abs(np.log(other_seed / scores[1]))
    assert abs(np.log(scores[0] / scores[1])) < max(spread, 0.25)
