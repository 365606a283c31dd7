"""What takes long to find out is asked seldom, what takes no time always, and nobody waits for it but the first."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from api import remembered
from api.remembered import Remembered


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch):
    """The clock that is looked at."""
    clock = Clock()
    monkeypatch.setattr(remembered, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def test_what_takes_no_time_is_always_new(clock):
    """As in a small library, where whoever changes something sees it."""
    values = iter(range(3))
    known = Remembered(lambda: next(values))
    assert [known.value() for _ in range(3)] == [0, 1, 2]


def test_what_takes_long_is_asked_seldom_and_nobody_waits(clock):
    """A five-hundredth of the time at most goes into asking; until it is known anew, the old is told."""
    asked, go_on = [], threading.Event()

    def slowly() -> int:
        asked.append(1)
        if len(asked) > 1:
            assert go_on.wait(60)
        clock.seconds += 0.05
        return len(asked)

    known = Remembered(slowly)
    assert [known.value() for _ in range(50)] == [1] * 50
    clock.seconds += 24.9
    assert known.value() == 1
    assert len(asked) == 1
    clock.seconds += 0.2
    assert [known.value() for _ in range(50)] == [1] * 50
    go_on.set()
    deadline = time.monotonic() + 60
    while known.value() != 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert len(asked) == 2


def test_those_who_come_first_wait_for_one(clock):
    """Who asks, asks once for all."""
    asked = []

    def slowly() -> int:
        time.sleep(0.1)
        clock.seconds += 0.1
        asked.append(1)
        return len(asked)

    known = Remembered(slowly)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: known.value(), range(8))) == [1] * 8


def test_a_failure_is_not_remembered(clock):
    """Who asks next asks again."""
    answers = iter([0, 1])
    known = Remembered(lambda: 1 // next(answers))
    with pytest.raises(ZeroDivisionError):
        known.value()
    assert known.value() == 1
