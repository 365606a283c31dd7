"""Searching, on SQLite and PostgreSQL alike: the same question has the same answer."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.library import opened
from api.store import counts, shelves
from api.store.search import Search, found
from api.store.words import facet, words_of
from api.values import NewCollection


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def library(request, new_settings, quick, tmp_path_factory):
    """One library for all questions."""
    with opened(new_settings(request.param, tmp_path_factory.mktemp("searched"))) as library:
        yield quick(library)


@pytest.fixture(scope="module")
def shelf(library, taking_in, profile_file):
    """A library of six profiles, by name."""
    told = (
        ("Big Muff", {"make": "Electro-Harmonix", "gear": "pedal", "tags": ("fuzz", "bass"), "licence": "cc-by"}, 0.02),
        ("Green Fuzz", {"make": "Größenwahn", "gear": "pedal", "tags": ("fuzz",), "licence": "cc0"}, 0.001),
        (
            "Twin",
            {"make": "Fender", "gear": "amp", "about": "A fuzz before it sounds well.", "tags": ("clean",)},
            0.004,
        ),
        ("Plexi 1959", {"make": "Marshall", "gear": "amp-cab", "tags": ("crunch",), "maker": "Fuzz Brothers"}, 0.03),
        ("12AX7 stage", {"gear": "amp", "tags": ("クリーン",)}, None),
        ("Tape", {"model": "Fuzz-o-matic", "gear": "outboard"}, 0.5),
    )
    ids = {}
    for name, about, esr in told:
        score = None
        if esr is not None:
            grade = (
                "transparent"
                if esr < 0.003
                else "good"
                if esr <= 0.01
                else "usable"
                if esr <= 0.035
                else "does not match"
            )
            score = {"esr": esr, "esr_median": esr, "esr_worst": esr, "floor": None, "takes": [], "grade": grade}
        ids[name] = taking_in(library, profile_file(name, score=score), **about).entry_id
    with library.database.writing() as connection:
        counts.add_downloads(connection, {ids["Plexi 1959"]: 2, ids["Twin"]: 300})
    return ids


@pytest.fixture
def names(library, shelf):
    """A function that returns the names of what is found, in order."""

    def named(**search: object) -> list[str]:
        with library.database.reading() as connection:
            return [each.name for each in found(connection, Search(**search), asked_by=None).data]

    return named


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ({"query": "fuzz"}, ["Green Fuzz", "Tape", "Plexi 1959", "Twin", "Big Muff"]),
        ({"query": "FUZZ green"}, ["Green Fuzz"]),
        ({"query": "plex"}, ["Plexi 1959"]),
        ({"query": "pl"}, []),
        ({"query": "grossenwahn"}, ["Green Fuzz"]),
        ({"query": "12ax7"}, ["12AX7 stage"]),
        ({"query": "クリ"}, ["12AX7 stage"]),
        ({"query": "クリーン"}, ["12AX7 stage"]),
        ({"query": "electro harmonix"}, ["Big Muff"]),
        ({"query": "threshold", "gears": ("amp",)}, ["12AX7 stage", "Twin"]),
        ({"query": "!!! ---"}, []),
        ({"tags": ("fuzz",)}, ["Green Fuzz", "Big Muff"]),
        ({"tags": ("fuzz", "bass")}, ["Big Muff"]),
        ({"gears": ("amp", "amp-cab"), "sort": "name"}, ["12AX7 stage", "Plexi 1959", "Twin"]),
        ({"makes": ("fender", "MARSHALL"), "sort": "oldest"}, ["Twin", "Plexi 1959"]),
        ({"models": ("fuzz-o-matic",)}, ["Tape"]),
        ({"makers": ("Fuzz Brothers",)}, ["Plexi 1959"]),
        ({"licences": ("cc-by", "cc0"), "sort": "oldest"}, ["Big Muff", "Green Fuzz"]),
        ({"knobs": ("ratio",), "max_esr": 0.005, "sort": "score"}, ["Green Fuzz", "Twin"]),
        ({"grade": "usable", "sort": "score"}, ["Green Fuzz", "Twin", "Big Muff", "Plexi 1959"]),
        ({"grade": "transparent"}, ["Green Fuzz"]),
        ({"kinds": ("hardware",)}, []),
        ({"name": "big muff"}, ["Big Muff"]),
        ({"name": "big"}, []),
        ({"query": "fuzz", "sort": "score"}, ["Green Fuzz", "Twin", "Big Muff", "Plexi 1959", "Tape"]),
        ({"query": "fuzz", "sort": "downloads"}, ["Twin", "Plexi 1959", "Tape", "Green Fuzz", "Big Muff"]),
        ({"sort": "downloads"}, ["Twin", "Plexi 1959", "Tape", "12AX7 stage", "Green Fuzz", "Big Muff"]),
        ({"sort": "score"}, ["Green Fuzz", "Twin", "Big Muff", "Plexi 1959", "Tape", "12AX7 stage"]),
        ({"query": "fuzz", "sort": "newest", "max_esr": 0.02}, ["Twin", "Green Fuzz", "Big Muff"]),
    ],
)
def test_what_is_found_in_which_order(names, search, expected):
    """Words in the name come first, then those of the gear, then all else; filters narrow, sorts sort."""
    assert names(**search) == expected


def test_pages_are_all_of_it_once(library, shelf):
    """Pages of two together are the whole, in each order; behind the last there is nothing."""
    for sort in ("best-match", "newest", "oldest", "updated", "name", "score", "downloads"):
        for query in ("", "fuzz"):
            with library.database.reading() as connection:
                whole = found(connection, Search(query=query, sort=sort), asked_by=None)
                pages = [
                    found(connection, Search(query=query, sort=sort, page=page, page_size=2), asked_by=None)
                    for page in (1, 2, 3, 4, 5000)
                ]
            assert [each.id for page in pages for each in page.data] == [each.id for each in whole.data]
            assert pages[0].total == whole.total == len(whole.data)
            assert pages[0].total_pages == 3


def test_favourites_and_collections(library, shelf, caller_of):
    """Each sees favourites of their own; a collection is what was put into it."""
    ann, bob = caller_of("ann").account_id, caller_of("bob").account_id
    with library.database.writing() as connection:
        shelves.set_favourite(connection, ann, shelf["Twin"], favourite=True)
        box = shelves.add_collection(connection, ann, NewCollection(name="Box"))
        shelves.put_into_collection(connection, box, shelf["Tape"])
        hers = found(connection, Search(favourites_of=ann, query="fuzz"), asked_by=ann)
        assert [(each.name, each.favourite) for each in hers.data] == [("Twin", True)]
        assert found(connection, Search(favourites_of=bob), asked_by=bob).total == 0
        assert [each.name for each in found(connection, Search(collection=box), asked_by=bob).data] == ["Tape"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(max_size=60), tag=st.text(max_size=20))
def test_no_words_break_it(library, shelf, words, tag):
    """Whatever is typed, quotes, operators and all, is a question with an answer."""
    with library.database.reading() as connection:
        assert found(connection, Search(query=words, tags=(tag,), makes=(words,)), asked_by=None).total == 0
        assert found(connection, Search(query=words, sort="score"), asked_by=None).total <= 6


@pytest.mark.parametrize("words", ['" OR 1=1 --', "NEAR(a b)", "name:x*", "a' & 'b':*", "{facets}:x", "x & !y | (z"])
def test_operators_are_words(names, words):
    """What databases have for operators is text here."""
    assert names(query=words) == []


def test_beginnings_are_spelt_as_beginnings():
    """A word's spelling begins with the spelling of its beginning, in any script, and facets are no words."""
    for word in ("größe", "клин", "screamer", "クリーン"):
        (whole,), (begun,) = words_of(word), words_of(word[:3])
        assert whole.startswith(begun)
        assert whole.isascii()
        assert whole.isalnum()
    assert facet("tag", ["Größe"]) == facet("tag", ["grösse"]) != facet("make", ["grösse"])
