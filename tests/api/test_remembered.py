"""What takes long to find out is asked seldom, what takes no time always, and nobody waits for it but the first."""

import threading
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
    values, known = iter(range(3)), Remembered[int]()
    assert [known.value(lambda: next(values)) for _ in range(3)] == [0, 1, 2]


def test_what_takes_long_is_asked_seldom(clock):
    """A two-hundredth of the time at most goes into asking."""
    asked = []

    def slowly() -> int:
        asked.append(1)
        clock.seconds += 0.05
        return len(asked)

    known = Remembered[int]()
    assert [known.value(slowly) for _ in range(50)] == [1] * 50
    clock.seconds += 9.9
    assert known.value(slowly) == 1
    clock.seconds += 0.2
    assert known.value(slowly) == 2


def test_others_get_the_old_while_one_asks_anew(clock):
    """Nobody waits but who asks."""
    known = Remembered[str]()
    assert known.value(lambda: "old") == "old"
    begun, go_on = threading.Event(), threading.Event()

    def anew() -> str:
        begun.set()
        assert go_on.wait(60)
        return "new"

    thread = threading.Thread(target=known.value, args=(anew,))
    thread.start()
    assert begun.wait(60)
    assert known.value(lambda: "nobody asks this") == "old"
    go_on.set()
    thread.join(60)
    assert known.value(lambda: "newer") == "newer"


def test_a_failure_is_not_remembered(clock):
    """Who asks next asks again."""
    known = Remembered[int]()
    with pytest.raises(ZeroDivisionError):
        known.value(lambda: 1 // 0)
    assert known.value(lambda: 7) == 7
