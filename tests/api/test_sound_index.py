"""The index finds what a look at everything finds, while it grows, shrinks and is put in cells."""

import contextlib
import threading
import time

import numpy as np
import pytest

from api.listening import index as index_module
from api.listening.index import SoundIndex, Sounds
from api.turns import Turns

WIDTH = 6
MEAN = np.zeros(3, np.float16)


def some(count, first, seed):
    """Return versions that sound differently, each at five settings near one another."""
    rng = np.random.default_rng(seed)
    places = rng.normal(0, 3, (count, 1, WIDTH)) + rng.normal(0, 0.5, (count, 5, WIDTH))
    numbers = range(first, first + count)
    return [
        Sounds(id=number, entry_id=10 * number, places=each.astype(np.float32), mean=MEAN)
        for number, each in zip(numbers, places, strict=True)
    ]


def plainly(sounds, place, most):
    """Return ids, settings and distances by comparing with everything."""
    told = []
    for each in sounds:
        apart = np.square(each.places - place).sum(axis=1).astype(np.float64)
        distance = np.sqrt(-np.log(np.mean(np.exp(-1.5 * apart))) / 1.5)
        told.append((distance, each.id, int(apart.argmin())))
    return sorted(told)[:most]


@pytest.fixture
def few_cells(monkeypatch):
    """Cells from a few hundred places on."""
    monkeypatch.setattr(index_module, "_LOOSE", 500)


@pytest.mark.parametrize("celled", [False, True])
def test_it_finds_what_is_nearest(few_cells, celled):
    """In the right order, with the right setting and distance, where the nearest are near."""
    sounds = some(300, 1, 0)
    index = SoundIndex.empty(WIDTH, len(MEAN)).with_sounds(sounds)
    assert index.needs_cells
    if celled:
        index = index.in_cells().with_sounds(some(50, 1001, 1))
        sounds = [*sounds, *some(50, 1001, 1)]
    hits = 0
    for number in range(0, len(sounds), 7):
        place = sounds[number].places[2] + np.float32(0.05)
        found = index.nearest(place, 3)
        expected = plainly(sounds, place, 3)
        assert (found[0].id, found[0].setting) == expected[0][1:]
        assert found[0].distance == pytest.approx(expected[0][0], abs=1e-3)
        hits += sum(each.id in {id_ for _, id_, _ in expected} for each in found)
    assert hits >= 0.95 * 3 * len(range(0, len(sounds), 7))


def test_what_is_gone_is_not_found(few_cells):
    """Neither among loose places nor in cells; what comes again under its id is found as it is now."""
    sounds = some(200, 1, 2)
    for index in (
        SoundIndex.empty(WIDTH, len(MEAN)).with_sounds(sounds),
        SoundIndex.empty(WIDTH, len(MEAN)).with_sounds(sounds).in_cells(),
    ):
        left = index.only(frozenset(range(1, 201)) - {7})
        assert len(left) == 199
        assert 7 not in {each.id for each in left.nearest(sounds[6].places[0], 50)}
        assert 7 not in {each.id for each in left.in_cells().nearest(sounds[6].places[0], 50)}
        moved = Sounds(id=8, entry_id=80, places=np.full((1, WIDTH), 50, np.float32), mean=MEAN)
        again = left.with_sounds([moved])
        assert len(again) == 199
        assert again.nearest(moved.places[0], 1)[0].id == 8
        assert 8 not in {each.id for each in again.nearest(sounds[7].places[0], 20)}


def test_cells_save_looking():
    """Of many places few are looked at."""
    index = SoundIndex.empty(WIDTH, len(MEAN)).with_sounds(some(6_000, 1, 3)).in_cells()
    _, looked = index.counted(np.zeros(WIDTH, np.float32), 5)
    assert looked < 30_000 / 4


def test_an_empty_index_answers():
    """With nothing."""
    assert SoundIndex.empty(WIDTH, len(MEAN)).nearest(np.zeros(WIDTH, np.float32), 5) == ()
    assert len(SoundIndex.empty(WIDTH, len(MEAN)).in_cells()) == 0


def test_turns_are_taken_in_order():
    """One at a time, those first who came first; a turn that ends in an error is handed on too."""
    turns, inside, order = Turns(), [], []

    def take(number):
        with contextlib.suppress(ValueError), turns.one():
            inside.append(number)
            order.append(number)
            assert inside == [number]
            inside.remove(number)
            if number % 3 == 0:
                raise ValueError

    threads = [threading.Thread(target=take, args=(number,)) for number in range(12)]
    with turns.one():
        for count, thread in enumerate(threads, 1):
            thread.start()
            while turns.waiting < count:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == list(range(12))
    with turns.one():
        assert turns.waiting == 0
