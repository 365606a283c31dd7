"""A training job's own course: stopped in the middle it keeps its checkpoint, and goes on from there."""

import shutil
from pathlib import Path
from typing import Any

import pytest

import profiler
from api.client import packed
from api.job import TrainOrder
from api.jobs.folder import STORED
from api.jobs.teller import Stopped, Teller
from api.jobs.training import trained
from profiler.training import steps_kept
from profiler.training.checkpoint import checkpoint_path

ORDER = TrainOrder(steps=60, light=False)


class Listener(Teller):
    """Hears what is told, and asks to stop once training has come so far."""

    def __init__(self, *, stop_at: float = 2.0) -> None:
        super().__init__()
        self.stop_at = stop_at
        self.told: list[dict[str, Any]] = []

    def say(self, **told: Any) -> None:
        """Hear it."""
        self.told.append(told)
        if self.trained() >= self.stop_at:
            self.stopping.set()

    def steps(self) -> list[tuple[str, float]]:
        """Return the steps and how far each was."""
        return [(each["progress"]["step"], each["progress"]["done"]) for each in self.told if "progress" in each]

    def trained(self) -> float:
        """Return how far training has come."""
        return max((done for step, done in self.steps() if step == "train"), default=0.0)


@pytest.mark.slow
def test_a_training_goes_on_from_what_was_stored(captured: Path, tmp_path: Path):
    """In a folder that has nothing but what the storage had, at the very step; the further of two is taken.

    One that is torn, or of another training, is no reason to fail: training begins again.
    """
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    stopped = Listener(stop_at=0.3)
    for folder in (first, second, third):
        folder.mkdir()
        packed(captured, folder / "material")
    with pytest.raises(Stopped):
        trained(first, ORDER, "Drive", stopped)
    checkpoint = checkpoint_path(first / "Drive.tonecast")
    steps = steps_kept(checkpoint)
    assert steps >= 0.3 * ORDER.steps
    shutil.copy(checkpoint, second / STORED)
    listener = Listener(stop_at=0.6)
    with pytest.raises(Stopped):
        trained(second, ORDER, "Drive", listener)
    assert {"checkpoint": checkpoint.name, "steps": steps} in listener.told
    assert next(done for step, done in listener.steps() if step == "train" and done > 0) > steps / ORDER.steps
    further = checkpoint_path(second / "Drive.tonecast")
    assert steps_kept(further) > steps
    for stored, expected in ((checkpoint, steps_kept(further)), (further, steps_kept(further))):
        shutil.copy(stored, second / STORED)
        again = Listener(stop_at=0.0)
        with pytest.raises(Stopped):
            trained(second, ORDER, "Drive", again)
        assert {"checkpoint": further.name, "steps": expected} in again.told
    (third / STORED).write_bytes(further.read_bytes()[:-100])
    begun = Listener(stop_at=0.0)
    with pytest.raises(Stopped):
        trained(third, ORDER, "Drive", begun)
    assert {"checkpoint": checkpoint.name, "steps": 0} in begun.told


@pytest.mark.slow
def test_a_stopped_training_goes_on(captured: Path, tmp_path: Path):
    """It is stopped between two of its rounds, and next time begins after them; done, it is not done again."""
    packed(captured, tmp_path / "material")
    first, second, third = Listener(stop_at=0.3), Listener(), Listener()
    with pytest.raises(Stopped):
        trained(tmp_path, ORDER, "Drive", first)
    path = tmp_path / "Drive.tonecast"
    assert checkpoint_path(path).is_file()
    assert 0.3 <= first.trained() < 1
    assert trained(tmp_path, ORDER, "Drive", second) == {"file": path.name}
    begun = next(done for step, done in second.steps() if step == "train" and done > 0)
    assert begun > first.trained()
    assert second.steps()[-1] == ("evaluate", 1.0)
    assert second.told[-1]["findings"][-1]["kind"] == "verdict"
    assert profiler.load(path).profile.provenance.steps == 60
    assert not checkpoint_path(path).exists()
    assert trained(tmp_path, ORDER, "Drive", third) == {"file": path.name}
    assert third.told == []
