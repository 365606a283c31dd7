"""Tags that learn: timbres that set a library's sounds apart, and how likely a tag fits what nobody said it of."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from api.listening.tag_model import learn_tag, worth_asking
from api.listening.timbres import TIMBRE_WIDTH, evenly_some, timbres

WIDE = 40


def two_kinds(each: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return descriptors of sounds, of which every other one is of another kind, and which those are.

    The kinds differ in a direction in which little does, beside one that says nothing.
    """
    rng = np.random.default_rng(seed)
    other = np.arange(2 * each) % 2 == 1
    told, idle = (rng.normal(0, 1, WIDE) for _ in range(2))
    apart = np.where(other, 4.0, -4.0) + rng.normal(0, 1, 2 * each)
    sounds = (
        -30 + apart[:, None] * told + rng.normal(0, 12, (2 * each, 1)) * idle + rng.normal(0, 0.3, (2 * each, WIDE))
    )
    return sounds.astype(np.float16), other


def right(places: np.ndarray, other: np.ndarray, told: int = 12) -> float:
    """Return how many sounds a model learnt from the first ones gets right, of the rest."""
    model = learn_tag(places[:told], other[:told], np.ones(told))
    return float(np.mean((model.probabilities(places[told:]) > 0.5) == other[told:]))


def test_what_differs_little_counts_beside_what_differs_much():
    """Kinds are told apart by a direction that is a small part of all differences."""
    sounds, other = two_kinds(60)
    found = timbres(sounds)
    assert found.shape == (120, TIMBRE_WIDTH)
    assert right(found, other) > 0.95


def test_a_broken_profile_makes_no_others_alike():
    """One that lies beyond all others moves the others' timbres little, and is finite itself."""
    sounds, other = two_kinds(60)
    broken = np.vstack([sounds, np.full((1, WIDE), 60_000, np.float16)])
    found = timbres(broken)
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 30
    assert right(found[:-1], other) > 0.95


@pytest.mark.parametrize("count", [0, 1, 3, 4, 9])
def test_few_sounds_have_few_directions(count):
    """A quarter as many as there are sounds; those that are all alike have none to speak of."""
    sounds = two_kinds(5)[0][:count]
    found = timbres(sounds)
    assert found.shape == (count, TIMBRE_WIDTH)
    assert np.count_nonzero(np.abs(found).max(axis=0, initial=0) > 1e-6) == count // 4
    alike = timbres(np.repeat(sounds[:1], count, axis=0))
    assert np.isfinite(alike).all()
    assert np.abs(alike).max(initial=0) < 1e-6


def test_a_large_library_is_measured_by_some_of_it():
    """Every so many rows, at most so many; each sound has its timbre, and the same sounds the same."""
    sounds, _ = two_kinds(60)
    many = np.repeat(sounds, 100, axis=0)
    found = timbres(many)
    assert np.abs(found.reshape(120, 100, -1) - found[::100][:, None]).max() < 1e-5
    assert [len(evenly_some(np.arange(count), 4)) for count in (3, 4, 5, 8, 9, 100)] == [3, 4, 3, 4, 3, 4]


def test_few_wanted_among_many_are_likelier_where_they_are():
    """Half of what was told fits, which says little of all: far from all of it the tag is as rare as tags are."""
    places = np.array([[0, 0], [0.1, 0], [3, 0], [3, 0.1]], np.float32)
    model = learn_tag(places, np.array([True, True, False, False]), np.ones(4))
    near, opposite, far = model.probabilities(np.array([[0, 0.1], [3, 0], [40, 40]], np.float32))
    assert near > 2 * far > 2 * opposite > 0
    assert far < 0.35
    frequent = learn_tag(np.tile(places, (10, 1)), np.tile([True, True, True, False], 10), np.ones(40))
    assert frequent.probabilities(np.array([[40, 40]], np.float32))[0] > far


def test_what_is_half_sure_says_half():
    """An example that counts less pulls less there, and a tag needs what it fits and what it does not fit."""
    places = np.array([[0, 0], [0.2, 0]], np.float32)
    fits, at = np.array([True, False]), np.array([[0.2, 0]], np.float32)
    models = [replace(learn_tag(places, fits, np.array([1.0, each])), rarer=0.0) for each in (1.0, 0.1)]
    sure, unsure = (each.probabilities(at)[0] for each in models)
    assert sure < unsure
    for all_alike in (fits | True, fits & False):
        with pytest.raises(ValueError, match="what it fits and what it does not fit"):
            learn_tag(places, all_alike, np.ones(2))


def expected_f1(likely: np.ndarray, asked: np.ndarray) -> float:
    """Return twice the expected hits over what is asked and what is expected to fit."""
    return 2 * float(likely[asked].sum()) / (int(asked.sum()) + float(likely.sum()))


@pytest.mark.parametrize("seed", range(6))
def test_no_other_choice_of_what_to_ask_is_better(seed):
    """Against all subsets of ten sounds."""
    likely = np.random.default_rng(seed).beta(0.5, 1.5, 10)
    chosen = expected_f1(likely, likely >= worth_asking(likely))
    every = (np.array(each) for each in itertools.product((False, True), repeat=10) if any(each))
    assert chosen == pytest.approx(max(expected_f1(likely, each) for each in every))
