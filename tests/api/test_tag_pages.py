"""The page of tags, by plain requests and in a real browser: answered by clicks and keys, and what that changes."""

import re

import numpy as np
import pytest

from api.heard import TagCorrection
from api.listening.tagging import LEAST_PROBABILITY
from api.settings import ServiceSettings
from api.store import sounds
from profiler.errors import LibraryError
from profiler.listening.descriptors import COUNT, DESCRIPTORS_VERSION

HERE = {"Sec-Fetch-Site": "same-origin"}
HOSTILE = '"><script>alert(1)</script>'
PHONE = {"width": 360, "height": 800}


def described(at: float, number: int) -> np.ndarray:
    """Return descriptors of one setting, at a place along a line in the space of sounds, (1, COUNT)."""
    rng = np.random.default_rng(0)
    start, along = rng.normal(-20, 5, COUNT), rng.normal(0, 1, COUNT)
    return (start + at * along + np.random.default_rng(number).normal(0, 0.3, COUNT))[None].astype(np.float16)


@pytest.fixture(scope="module")
def asked(serving, taking_in, profile_file, tmp_path_factory):
    """A server with six warm profiles of ann's, six cold ones and one of the other's, between; half have their tag."""
    settings = ServiceSettings(data=tmp_path_factory.mktemp("tags") / "library", requests_a_minute=1_000_000)
    with serving(settings) as served:
        for number in range(13):
            kind, at = ("warm", 0) if number % 2 else ("cold", 8)
            tags = (kind,) if number < 6 else ()
            name, who = (f"{kind} {number}", "ann") if number < 12 else ("foreign", "other")
            taking_in(served.library, profile_file(name), who=who, name=name, tags=tags)
            with served.library.database.writing() as connection:
                version = sounds.some_unheard(connection, DESCRIPTORS_VERSION, 100)[-1]
                sound = described(at, number)
                sounds.keep_sounds(connection, version.id, DESCRIPTORS_VERSION, [{}], sound)
        yield served


def test_proposals_are_answered(asked):
    """Without script, by forms; what was said is listed and can be taken back; the API tells it too."""
    with asked.signed_in("teller") as browser:
        shown = browser.get("/tags").text
        proposed = re.findall(r'data-proposal="(\d+) (\w+)" data-sure="([\d.]+)"', shown)
        assert {tag for _, tag, _ in proposed} == {"warm", "cold"}
        assert all(LEAST_PROBABILITY <= float(sure) <= 1 for *_, sure in proposed)
        entry_id, tag, _ = proposed[0]
        said = {"entry_id": entry_id, "tag": tag, "is_right": "no", "back": "/tags?tag=warm"}
        reply = browser.post("/tags", data=said, headers=HERE)
        assert (reply.status_code, reply.headers["location"]) == (303, "/tags?tag=warm")
        shown = browser.get("/tags").text
        assert f'data-proposal="{entry_id} {tag}"' not in shown
        assert "does not fit" in shown
        told = browser.get("/api/v1/tags/corrections").json()
        assert [(each["entry_id"], each["tag"], each["is_right"]) for each in told] == [(int(entry_id), tag, False)]
        other = 1 + int(entry_id) % 12
        assert browser.get("/api/v1/tags/corrections", params={"entry": other}).json() == []
        browser.post("/tags", data={**said, "is_right": ""}, headers=HERE)
        assert f'data-proposal="{entry_id} {tag}"' in browser.get("/tags").text
        assert browser.get("/api/v1/tags/corrections").json() == []
        assert browser.get("/api/v1/tags/corrections", params={"entri": 1}).status_code == 422
        only = browser.get("/tags", params={"tag": "Warm", "entry": entry_id})
        assert set(re.findall(r'data-proposal="(\d+) (\w+)"', only.text)) <= {(entry_id, "warm")}
        for wrong in ({"tag": "a,b"}, {"tag": ""}, {"entry_id": "x"}, {"is_right": "maybe"}, {"tag": "x" * 41}):
            assert browser.post("/tags", data={**said, **wrong}, headers=HERE).status_code == 422, wrong
        assert browser.post("/tags", data={**said, "entry_id": "999"}, headers=HERE).status_code == 404
        for elsewhere in ({}, {"Sec-Fetch-Site": "cross-site"}):
            assert browser.post("/tags", data=said, headers=elsewhere).status_code == 403
        assert browser.get("/api/v1/tags/corrections").json() == []


def test_ones_own_profile_has_the_tag(asked):
    """What its owner says of a profile is its tag at once, and no more when that is said."""
    with asked.signed_in("other") as owner:
        (entry,) = owner.get("/api/v1/profiles", params={"name": "foreign"}).json()["data"]
        for answer, tags in (("yes", ["my own"]), ("no", [])):
            said = {"entry_id": entry["id"], "tag": "My own", "is_right": answer, "back": f"/profiles/{entry['id']}"}
            assert owner.post("/tags", data=said, headers=HERE).headers["location"] == f"/profiles/{entry['id']}"
            assert owner.get(f"/api/v1/profiles/{entry['id']}").json()["tags"] == tags
        assert "Its tags are seen by everybody" in owner.get(f"/profiles/{entry['id']}").text


def test_words_stay_words_and_readers_only_read(asked):
    """HTML in a tag is text; who may not write has no such page, and sees no form."""
    with asked.signed_in("vandal") as browser:
        browser.post("/tags", data={"entry_id": "1", "tag": HOSTILE, "is_right": "yes"}, headers=HERE)
        for path in ("/tags", "/tags?entry=1", "/profiles/1"):
            page = browser.get(path).text
            assert "<script>alert" not in page
            assert "&lt;script&gt;alert" in page, path
    with asked.signed_in("looker", "reader") as reader:
        assert reader.get("/tags").status_code == 403
        assert 'href="/tags"' not in reader.get("/").text
        assert "Tag it" not in reader.get("/profiles/1").text
        assert reader.post("/tags", data={"entry_id": "1", "tag": "x"}, headers=HERE).status_code == 403
    with asked.client("reader") as reader:
        assert reader.tag_corrections() == ()
        with pytest.raises(LibraryError, match="Not allowed"):
            reader.correct_tag(TagCorrection(entry_id=1, tag="x", is_right=True))


def test_answers_by_click_and_key(asked, pages):
    """Each goes on to the next proposal, says what it changed, and changes how sure the others are."""
    page = pages(f"{asked.url}/#{asked.invitation('clicker')}")
    page.get_by_role("link", name="Tags", exact=True).click()
    first = page.locator(".proposal").first
    words, count = first.get_attribute("data-words"), page.locator(".proposal").count()
    first.get_by_role("button", name="does not fit").click()
    page.get_by_text("Proposals: ").wait_for()
    told = page.locator(".status").text_content()
    tag, name = words.split(", ")
    assert told.startswith(f"{tag} does not fit {name}. Proposals: ")
    assert page.locator(f'[data-words="{words}"]').count() == 0
    focused = "document.activeElement.closest('.proposal') === document.querySelector('.proposal')"
    assert page.evaluate(focused)
    assert page.locator(".was", has_text="before").count() == int(re.search(r"(\d+) changed", told)[1])
    before = page.locator(".proposal").first.get_attribute("data-words").split(", ")
    page.keyboard.press("y")
    page.get_by_text(f"{before[0]} fits {before[1]}. ").wait_for()
    assert page.evaluate(focused)
    assert page.locator(".proposal").count() <= count - 1
    assert page.locator(".said li").count() == 2
    page.get_by_role("button", name=f"Take back that {tag} does not fit {name}").click()
    page.get_by_text(f"Taken back: {tag} does not fit {name}. ").wait_for()
    assert page.locator(".said li").count() == 1
    with asked.http("admin") as admin:
        assert admin.get("/api/v1/profiles", params={"name": before[1]}).json()["data"][0]["tags"] == []  # ann's own


def test_words_of_ones_own(asked, pages):
    """Two profiles that one's word fits and two that it does not are enough: the page then proposes it for others."""
    page = pages(f"{asked.url}/#{asked.invitation('namer')}")
    with asked.http() as member:
        ids = {each["name"]: each["id"] for each in member.get("/api/v1/profiles").json()["data"]}
    for number, answer in ((1, "fits"), (3, "fits"), (0, "does not fit"), (2, "does not fit")):
        name = f"{'warm' if number % 2 else 'cold'} {number}"
        page.goto(f"{asked.url}/profiles/{ids[name]}")
        page.get_by_text("Tag it").click()
        page.get_by_label("A word of your own").fill("Velvet")
        page.get_by_role("button", name=f"The word {answer} {name}").click()
        page.locator(".said").get_by_text("velvet").wait_for()
    page.get_by_role("link", name="Tags that may fit it").click()
    page.get_by_role("link", name="All proposals").click()
    page.get_by_label("Only the tag").fill("velvet")
    page.get_by_role("button", name="Show").click()
    page.get_by_text(re.compile("Learnt from: velvet 4 profiles")).wait_for()
    names = [
        each.split(", ")[1]
        for each in page.evaluate("[...document.querySelectorAll('.proposal')].map((each) => each.dataset.words)")
    ]
    assert {f"warm {number}" for number in (5, 7, 9, 11)} <= set(names)
    assert not any(name.startswith("cold") for name in names)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tags_can_be_read_anywhere(asked, pages, contrasts, nameless, scheme):
    """On a phone nothing sticks out, texts stand out by 4.5 to 1, every control has a name."""
    page = pages(f"{asked.url}/#{asked.invitation('reader-of-tags')}", viewport=PHONE, color_scheme=scheme)
    page.get_by_role("link", name="Tags", exact=True).click()
    page.locator(".proposal").first.get_by_role("button", name="does not fit").click()
    page.locator(".said li").first.wait_for()
    for path in ("/tags", "/tags?entry=1", "/profiles/1"):
        page.goto(asked.url + path)
        page.evaluate("for (const each of document.querySelectorAll('.words')) each.open = true")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        ratios = contrasts(page, ["p", "h1", "h2", "a", "b", "label", "button", "li", ".small"])
        assert [(kind, round(ratio, 2)) for kind, ratio in ratios if ratio < 4.5] == []
        assert nameless(page) == []
        assert page.locator("h1").count() == 1
    page.goto(f"{asked.url}/tags")
    page.locator(".said button").first.click()
    page.get_by_text("Taken back: ").wait_for()
