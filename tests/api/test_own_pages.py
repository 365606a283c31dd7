"""What people do with profiles and collections of their own on the page: by plain requests, and in a real browser."""

import html
import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from api.settings import ServiceSettings
from api.values import Changes, CollectionChanges, Description, NewCollection
from profiler.errors import LibraryError

HERE = {"Sec-Fetch-Site": "same-origin"}
HOSTILE = '"><script>alert(1)</script>{{7*7}}'
PHONE = {"width": 360, "height": 800}


@pytest.fixture(scope="module")
def asked(serving, tmp_path_factory):
    """A server with nothing in it yet."""
    settings = ServiceSettings(data=tmp_path_factory.mktemp("own") / "library", requests_a_minute=1_000_000)
    with serving(settings) as served:
        yield served


@pytest.fixture
def mine(asked, taking_in, profile_file):
    """A function that returns the entry of a new profile of somebody, with as many versions as told."""

    def made(who: str, name: str, versions: int = 1, **about: object) -> int:
        entry_id = taking_in(asked.library, profile_file(), who=who, name=name, **about).entry_id
        for number in range(2, versions + 1):
            taking_in(asked.library, profile_file(), who=who, version_of=entry_id, note=f"take {number}")
        return entry_id

    return made


def signed_in(asked, pages, name: str, **options: object) -> Any:
    """Return the library's page in a browser of somebody."""
    page = pages(f"{asked.url}/#{asked.invitation(name)}", **options)
    page.get_by_role("button", name="Sign out").wait_for()
    return page


def typed(page: Any, *texts: str) -> None:
    """Type into what has the focus, in place of what is there, and go on to the next with Tab."""
    for text in texts:
        page.keyboard.press("Control+a")
        page.keyboard.type(text)
        page.keyboard.press("Tab")


def entered(page: Any, role: str, name: str) -> None:
    """Follow a link or press a button with the keyboard."""
    page.get_by_role(role, name=name).focus()
    page.keyboard.press("Enter")


def test_editing(asked, mine):
    """What a form says is so; what cannot be is told beside what was typed, and nothing changes."""
    with asked.signed_in("editor") as browser:
        entry_id = mine("editor", "Old", tags=("a", "b"), gear="amp", licence="cc0")
        path = f"/profiles/{entry_id}/edit"
        form = html.unescape(browser.get(path).text)
        for part in ('value="Old"', 'value="a, b"', '<option value="amp" selected>', '<option value="cc0" selected>'):
            assert part in form
        told = {"name": HOSTILE, "gear": "pedal", "make": "Ibanez", "model": "TS9", "maker": "me", "licence": "cc-by"}
        told |= {"tags": " Crunch,blues ,, crunch", "about": "One.\r\nTwo."}
        reply = browser.post(path, data=told, headers=HERE)
        assert (reply.status_code, reply.headers["location"]) == (303, f"/profiles/{entry_id}")
        entry = browser.get(f"/api/v1/profiles/{entry_id}").json()
        assert (entry["name"], entry["gear"], entry["about"]) == (HOSTILE, "pedal", "One.\nTwo.")
        assert (sorted(entry["tags"]), entry["licence"]) == (["blues", "crunch"], "cc-by")
        for shown in (
            browser.get(path),
            browser.get(f"/profiles/{entry_id}"),
            browser.get(f"/profiles/{entry_id}/delete"),
        ):
            assert "<script>alert" not in shown.text
            assert "{{7*7}}" in shown.text
        for name, wrong in (
            ("name", " "),
            ("tags", "x" * 41),
            ("gear", "boat"),
            ("licence", "mine"),
            ("make", "x" * 121),
        ):
            refused = browser.post(path, data={**told, "model": "kept <b>", name: wrong}, headers=HERE)
            assert (refused.status_code, 'role="alert"' in refused.text) == (422, True), name
            assert 'value="kept &lt;b&gt;"' in refused.text
        assert browser.post(path, data={"name": "Named"}, headers=HERE).status_code == 303  # a form without the others
        assert browser.get(f"/api/v1/profiles/{entry_id}").json()["gear"] == "pedal"
        assert browser.post(path, data={**told, "gear": ""}, headers=HERE).status_code == 303
        assert browser.get(f"/api/v1/profiles/{entry_id}").json()["gear"] is None
        assert '<option value="" selected>' not in browser.get(path).text
        assert browser.get(f"/api/v1/profiles/{entry_id}").json()["model"] == "TS9"


def test_the_kind_of_gear_is_taken_back(asked, profile_file):
    """By null, over HTTP and by the client; what is not said, or null elsewhere, stays."""
    with asked.client() as client, asked.http() as http:
        entry = client.push(profile_file(), Description(gear="amp", make="Fender", tags=("clean",))).entry
        same = client.change(entry.id, Changes(name="Twin"))
        assert (same.gear, same.make, same.tags) == ("amp", "Fender", ("clean",))
        none = client.change(entry.id, Changes(gear=None))
        assert (none.name, none.gear, none.make, none.tags) == ("Twin", None, "Fender", ("clean",))
        path = f"/api/v1/profiles/{entry.id}"
        assert http.patch(path, json={"gear": "cab", "make": None, "tags": None}).json()["gear"] == "cab"
        told = http.patch(path, json={"gear": None}).json()
        assert (told["gear"], told["make"], told["tags"]) == (None, "Fender", ["clean"])
        assert client.search(gears="cab").total == 0


def test_nobody_else_edits_or_deletes(asked, mine):
    """Other people, readers and other sites change nothing, and see no links to it; admins may."""
    entry_id = mine("owner", "Hers")
    paths = [f"/profiles/{entry_id}/{each}" for each in ("edit", "delete")]
    with (
        asked.signed_in("owner") as owner,
        asked.signed_in("thief") as thief,
        asked.signed_in("guest", "reader") as guest,
    ):
        for path in paths:
            assert f'href="{path}"' in owner.get(f"/profiles/{entry_id}").text
            for who in (thief, guest):
                assert f'href="{path}"' not in who.get(f"/profiles/{entry_id}").text
                assert who.get(path).status_code == 403
                assert who.post(path, data={"name": "Mine"}, headers=HERE).status_code == 403
            for sent in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
                assert owner.post(path, data={"name": "x"}, headers=sent).status_code == 403
        assert owner.get("/profiles/999/edit").status_code == 404
        assert owner.get(f"/api/v1/profiles/{entry_id}").json()["name"] == "Hers"
    with asked.signed_in("chief", "admin") as chief:
        assert chief.post(paths[0], data={"name": "Ours"}, headers=HERE).status_code == 303
        assert chief.post(paths[1], headers=HERE).headers["location"] == "/"
        assert chief.get(f"/profiles/{entry_id}").status_code == 404


def test_editing_and_deleting_by_keys_alone(asked, pages, mine):
    """One finds the form, types what is new, saves, and after being asked deletes: no mouse, on a phone."""
    entry_id = mine("typist", "Amp", tags=("clean",), gear="amp")
    page = signed_in(asked, pages, "typist", viewport=PHONE)
    page.goto(f"{asked.url}/profiles/{entry_id}")
    entered(page, "link", "Edit")
    page.get_by_role("heading", name="Edit Amp").wait_for()
    page.get_by_label("Name").focus()
    typed(page, "Amp, driven")
    page.keyboard.press("p")  # the kind of gear: the pedal
    page.keyboard.press("Tab")
    typed(page, "Ibanez", "TS9", "", "crunch, blues")
    page.keyboard.press("Tab")
    page.keyboard.type("Recorded at night.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Amp, driven").wait_for()
    assert page.get_by_text("Ibanez TS9 (pedal)").is_visible()
    assert page.get_by_text("Recorded at night.").is_visible()
    assert page.get_by_role("list", name="Tags").locator("a").all_text_contents() == ["blues", "crunch"]
    entered(page, "link", "Delete")
    page.get_by_role("heading", name="Delete Amp, driven?").wait_for()
    assert page.get_by_text("its only version").is_visible()
    entered(page, "link", "Keep it")
    page.get_by_role("heading", name="Amp, driven").wait_for()
    entered(page, "link", "Delete")
    entered(page, "button", "Delete Amp, driven")
    page.get_by_role("heading", name="Profiles").wait_for()
    with asked.http() as member:
        assert member.get(f"/api/v1/profiles/{entry_id}").status_code == 404


def test_an_older_version_is_played_and_downloaded(asked, pages, mine, tmp_path):
    """What is chosen in the list is what is heard and comes; the page says that it is not the newest."""
    entry_id = mine("keeper", "Twice", versions=2)
    page = signed_in(asked, pages, "keeper")
    page.goto(f"{asked.url}/profiles/{entry_id}")
    assert page.get_by_text("take 2").is_visible()
    assert page.get_by_text("This is version").count() == 0
    with page.expect_response(re.compile(rf"/profiles/{entry_id}/sound\?.*version=1")) as awaited:
        page.get_by_role("region", name="Versions").get_by_role("link", name="1", exact=True).click()
    assert awaited.value.status == 200
    page.get_by_text("This is version 1").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download", exact=True).click()
    with asked.client() as member:
        first = member.versions(entry_id)[-1]
        assert first.number == 1
        member.pull(member.entry(entry_id), tmp_path / "first.tonecast", version=first)
    assert (tmp_path / "first.tonecast").read_bytes() == download.value.path().read_bytes()
    page.get_by_role("link", name="To the newest, 2").click()
    assert urlsplit(page.url).query == ""


def test_collections(asked, mine):
    """They are made, renamed, filled, emptied and deleted by forms; what cannot be is told beside what was typed."""
    with asked.signed_in("collector") as browser:
        entry_id = mine("collector", "Inside")
        reply = browser.post("/collections", data={"name": HOSTILE, "about": "One.\r\nTwo."}, headers=HERE)
        path = reply.headers["location"]
        assert re.fullmatch(r"/collections/\d+", path)
        refused = browser.post("/collections", data={"name": HOSTILE, "about": "kept <b>"}, headers=HERE)
        assert (refused.status_code, "kept &lt;b&gt;" in refused.text) == (409, True)
        assert browser.post("/collections", data={"name": " "}, headers=HERE).status_code == 422
        put = {"profile": str(entry_id), "back": path}
        assert browser.post(f"{path}/add", data=put, headers=HERE).headers["location"] == path
        shown = browser.get(path).text
        assert f'href="/profiles/{entry_id}">Inside' in shown
        for page in (shown, browser.get("/collections").text, browser.get(f"/profiles/{entry_id}").text):
            assert "<script>alert" not in page
            assert "{{7*7}}" in page
        assert browser.post(path, data={"name": "Album", "about": ""}, headers=HERE).headers["location"] == path
        assert "<h1>Album</h1>" in browser.get(path).text
        browser.post("/collections", data={"name": "Other"}, headers=HERE)
        assert browser.post(path, data={"name": "Other"}, headers=HERE).status_code == 409
        assert browser.post(f"{path}/add", data={"profile": "x"}, headers=HERE).status_code == 422
        assert browser.post(f"{path}/add", data={"profile": "999"}, headers=HERE).status_code == 404
        browser.post(f"{path}/remove", data=put, headers=HERE)
        assert "Nothing is in it" in browser.get(path).text
        assert "the profiles stay" in browser.get(f"{path}/delete").text
        assert browser.post(f"{path}/delete", headers=HERE).headers["location"] == "/collections"
        assert browser.get(path).status_code == 404


def test_collections_over_http(asked, mine):
    """One's own, those with a profile in them, and a name that is changed; nobody else changes it."""
    entry_id = mine("member", "Held")
    with asked.http() as member, asked.http("other") as other:
        shelf = member.post("/api/v1/collections", json={"name": "Mine", "about": "x"}).json()["id"]
        other.post("/api/v1/collections", json={"name": "Theirs"})
        assert {"Mine", "Theirs"} <= {each["name"] for each in member.get("/api/v1/collections").json()}
        own = {"mine": True}
        assert [each["name"] for each in member.get("/api/v1/collections", params=own).json()] == ["Mine"]
        member.put(f"/api/v1/collections/{shelf}/profiles/{entry_id}")
        held = member.get("/api/v1/collections", params={"profile": entry_id}).json()
        assert [(each["id"], each["size"]) for each in held] == [(shelf, 1)]
        changed = member.patch(f"/api/v1/collections/{shelf}", json={"name": "Ours"})
        assert (changed.json()["name"], changed.json()["about"]) == ("Ours", "x")
        assert other.patch(f"/api/v1/collections/{shelf}", json={"name": "Stolen"}).status_code == 403
        assert member.patch(f"/api/v1/collections/{shelf}", json={"owner": "x"}).status_code == 422
        with asked.signed_in("visitor") as visitor:
            shown = visitor.get(f"/collections/{shelf}").text
            assert ("Ours" in shown, "Take out" in shown, "Save" in shown) == (True, False, False)
            for path, told in (
                ("", {"name": "x"}),
                ("/add", {"profile": "1"}),
                ("/remove", {"profile": "1"}),
                ("/delete", {}),
            ):
                assert visitor.post(f"/collections/{shelf}{path}", data=told, headers=HERE).status_code == 403
                assert visitor.post(f"/collections/{shelf}{path}", data=told).status_code == 403
            into = {"collection": str(shelf)}
            assert visitor.post(f"/profiles/{entry_id}/collect", data=into, headers=HERE).status_code == 403
        assert member.get(f"/api/v1/collections/{shelf}").json()["size"] == 1
        with asked.signed_in("just-reads", "reader") as reader:
            assert reader.get(f"/collections/{shelf}").status_code == 200
            assert "A new collection" not in reader.get("/collections").text
            assert reader.post("/collections", data={"name": "x"}, headers=HERE).status_code == 403


def test_shelves_by_the_client(asked, mine):
    """A collection and a favourite, from beginning to end."""
    entry_id = mine("member", "Shelved")
    with asked.client() as client:
        shelf = client.add_collection(NewCollection(name="Box"))
        client.put_into(shelf.id, entry_id)
        assert [(each.id, each.size) for each in client.collections(mine=True, profile=entry_id)] == [(shelf.id, 1)]
        changed = client.change_collection(shelf.id, CollectionChanges(about="What is new."))
        assert (changed.name, changed.about) == ("Box", "What is new.")
        assert [each.id for each in client.search(collection=shelf.id).data] == [entry_id]
        client.take_from(shelf.id, entry_id)
        assert client.search(collection=shelf.id).total == 0
        client.remove_collection(shelf.id)
        with pytest.raises(LibraryError, match="No such collection"):
            client.take_from(shelf.id, entry_id)
        client.mark(entry_id)
        assert [each.id for each in client.search(favourites=True).data] == [entry_id]
        client.unmark(entry_id)
        assert client.search(favourites=True).total == 0


def at_collections(asked, page: Any, entry_id: int) -> None:
    """Open what a profile's page says of collections, with the keyboard."""
    page.goto(f"{asked.url}/profiles/{entry_id}")
    page.locator(".collections summary").focus()
    page.keyboard.press("Enter")


def test_a_collection_by_keys_alone(asked, pages, mine):
    """Made from a profile's page, filled from another's, renamed, emptied, deleted after being asked."""
    first, second = mine("arranger", "First"), mine("arranger", "Second")
    page = signed_in(asked, pages, "arranger", viewport=PHONE)
    at_collections(asked, page, first)
    page.get_by_label("Or a new one").focus()
    typed(page, "Album")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Take it out of Album").wait_for()
    at_collections(asked, page, second)
    entered(page, "button", "Put it in")
    page.get_by_role("button", name="Take it out of Album").wait_for()
    entered(page, "link", "Album")
    page.get_by_role("heading", name="Album").wait_for()
    assert page.locator(".card h2").all_text_contents() == ["First", "Second"]
    entered(page, "button", "Take First out")
    page.get_by_text("1 profile.").wait_for()
    page.get_by_label("Name").focus()
    typed(page, "Record", "What we played")
    entered(page, "button", "Save")
    page.get_by_role("heading", name="Record").wait_for()
    assert page.locator("p.about").text_content() == "What we played"
    entered(page, "link", "Delete the collection")
    entered(page, "button", "Delete Record")
    page.get_by_role("heading", name="Collections").wait_for()
    entered(page, "link", "Show mine alone")
    page.get_by_text("There are none of yours").wait_for()
    with asked.http() as member:
        assert member.get(f"/api/v1/profiles/{second}").status_code == 200


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_own_pages_can_be_read_anywhere(asked, pages, mine, contrasts, nameless, scheme):
    """On a phone nothing sticks out, texts stand out by 4.5 to 1, every control has a name."""
    entry_id = mine(f"{scheme}-owner", "x" * 120, versions=2, about="y" * 200, tags=("z" * 40,))
    page = signed_in(asked, pages, f"{scheme}-owner", viewport=PHONE, color_scheme=scheme)
    page.goto(f"{asked.url}/profiles/{entry_id}")
    page.locator(".collections summary").click()
    page.get_by_label("Or a new one").fill("w" * 120)
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("link", name="w" * 120).click()
    page.get_by_label("What it is for").wait_for()
    shelf = urlsplit(page.url).path
    of_profile = (f"/profiles/{entry_id}{path}" for path in ("/edit", "/delete", "?version=1"))
    for path in (*of_profile, "/collections", shelf, f"{shelf}/delete"):
        page.goto(asked.url + path)
        check_readable(page, contrasts, nameless)


def check_readable(page: Any, contrasts: Any, nameless: Any) -> None:
    """Look at a page as it is shown."""
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    ratios = contrasts(page, ["p", "h1", "h2", "a", "b", "label", "button", "li"])
    assert [(kind, round(ratio, 2)) for kind, ratio in ratios if ratio < 4.5] == []
    assert nameless(page) == []
    assert page.locator("h1").count() == 1
