"""The queue: first what matters most, each run to one worker, and again when that worker is gone."""

import io
import logging
import threading
import time
from pathlib import Path

import pytest

from api.jobs.engine import Engine, GivenBack, executing

WAIT_SECONDS = 120


class Workers:
    """Workers that do nothing but remember which run came to whom, and give back one of them."""

    def __init__(self, url: str, *, gives_back: str) -> None:
        self.url, self.gives_back = url, gives_back
        self.heard: list[tuple[str, str]] = []
        self.news = threading.Condition()

    def running(self, name: str):
        """Return a block in which a worker of a name runs."""

        def work(run_id: str) -> None:
            with self.news:
                self.heard.append((name, run_id))
                self.news.notify_all()
            if run_id == self.gives_back:
                raise GivenBack

        return executing(self.url, name, ["cpu"], work)

    def expect(self, *expected: tuple[str, str]) -> None:
        """Wait until runs have come, in their order."""
        with self.news:
            assert self.news.wait_for(lambda: len(self.heard) >= len(expected), WAIT_SECONDS), self.heard
            assert self.heard == list(expected)
            self.heard.clear()


def until_ended(engine: Engine, run_id: str) -> None:
    """Wait until the queue has noted that a run came to its end."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not engine.ended([run_id]):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where a queue is kept that is not there yet."""
    return f"sqlite:///{tmp_path / 'queue.db'}"


def test_runs_of_a_worker_that_is_gone_need_taking_over(url: str):
    """DBOS goes on with a worker's runs when it starts again; another worker gets them only by `take_over`."""
    engine, workers = Engine(url), Workers(url, gives_back="b-1")
    for run_id, priority in (("a-1", "low"), ("b-1", "normal"), ("c-1", "high"), ("a-1", "high")):
        engine.enqueue(run_id, "cpu", priority)  # a-1 is there already the second time, and stays as it is
    engine.enqueue("other-1", "quick", "normal")
    with workers.running("one"):
        workers.expect(("one", "c-1"), ("one", "b-1"), ("one", "a-1"))
        until_ended(engine, "a-1")  # heard of is not noted yet
    engine.enqueue("d-1", "cpu", "normal")
    with workers.running("two") as two:
        workers.expect(("two", "d-1"))
        until_ended(engine, "d-1")
        assert two.take_over({"one", "two"}) == ()
        assert two.take_over({"two"}) == ("b-1",)
        workers.expect(("two", "b-1"))
    engine.enqueue("e-1", "cpu", "normal")
    engine.cancel("e-1")
    with workers.running("two"):
        workers.expect(("two", "b-1"))
    assert engine.unknown(["b-1", "nothing-1"]) == {"nothing-1"}
    assert engine.ended(["a-1", "b-1", "c-1", "d-1", "e-1", "other-1"]) == {"a-1", "c-1", "d-1", "e-1"}
    engine.close()


def test_a_standard_error_that_is_closed_stops_nothing(url: str):
    """DBOS would write to the one that it found when it was imported."""
    stream = io.StringIO()
    logging.getLogger("dbos").addHandler(logging.StreamHandler(stream))
    stream.close()
    workers = Workers(url, gives_back="")
    engine = Engine(url)
    engine.enqueue("a-1", "cpu", "normal")
    with workers.running("one"):
        workers.expect(("one", "a-1"))
    engine.close()
