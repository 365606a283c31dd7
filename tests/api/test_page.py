"""The page by plain requests: signing in, what other sites cannot do, searching, and words that stay words."""

import html
import io
import json
import re
import zipfile
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile

from api.http.sessions import SESSION_DAYS
from api.settings import ServiceSettings
from profiler.presets import catalogue, preset_path

HTML = {"Accept": "text/html,application/xhtml+xml"}
HERE = {"Sec-Fetch-Site": "same-origin"}
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}'


def test_a_link_signs_in_once(served):
    """The secret becomes a cookie that scripts do not see, a token among the others, and opens nothing again."""
    secret = served.invitation("once")
    with httpx.Client(base_url=served.url, headers=HTML) as browser:
        stranger = browser.get("/")
        assert (stranger.status_code, "One-time link" in stranger.text) == (401, True)
        reply = browser.post("/sign-in", data={"link": secret}, headers=HERE)
        cookie = reply.headers["set-cookie"].lower()
        for part in ("httponly", "samesite=strict", "path=/", f"max-age={SESSION_DAYS * 86_400}"):
            assert part in cookie
        assert browser.get("/").status_code == 200
        tokens = browser.get("/api/v1/tokens").json()
        assert tokens[0]["name"].startswith("browser at ")
        assert tokens[0]["expires_at"] is not None
        again = httpx.post(f"{served.url}/sign-in", data={"link": secret}, headers=HTML | HERE)
        assert (again.status_code, "unknown, used or older" in again.text) == (403, True)
        assert browser.post("/sign-out", headers=HERE).status_code == 303
        assert browser.get("/").status_code == 401
        assert not browser.cookies


def test_a_revoked_session_is_out(served):
    """From the next request on, as other tokens; and a cookie that was never a token opens nothing."""
    with served.signed_in("revoked") as browser:
        token = browser.get("/api/v1/tokens").json()[0]["id"]
        assert browser.delete(f"/api/v1/tokens/{token}", headers=HERE).status_code == 204
        assert browser.get("/api/v1/me").status_code == 401
    for cookie in ("tct_made-up", "", '"', "\x7f", "a" * 10_000):
        reply = httpx.get(f"{served.url}/", headers=HTML | {"Cookie": f"tonecast_session={cookie}"})
        assert reply.status_code == 401


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Referer": "http://127.0.0.1/"},
    ],
    ids=str,
)
def test_other_sites_change_nothing(served, profile_file, sent):
    """With the cookie that a browser would send along, nothing that changes anything is done for another site."""
    with served.signed_in("victim", "admin") as browser:
        entry = browser.get("/api/v1/profiles").json()["data"][0]["id"]
        tokens = len(browser.get("/api/v1/tokens").json())
        tries = [
            ("POST", f"/profiles/{entry}/favourite", {"data": {"favourite": "yes"}}),
            ("POST", "/sign-out", {}),
            ("PUT", f"/api/v1/favourites/{entry}", {}),
            ("POST", "/api/v1/tokens", {"json": {"name": "thief"}}),
            ("POST", "/api/v1/profiles", {"content": profile_file().read_bytes()}),
            ("DELETE", f"/api/v1/profiles/{entry}", {}),
        ]
        for method, path, body in tries:
            reply = browser.request(method, path, headers=sent, **body)
            assert (reply.status_code, "another site" in reply.text) == (403, True), (method, path)
        assert len(browser.get("/api/v1/tokens").json()) == tokens
        assert browser.get("/api/v1/profiles", params={"favourites": True}).json()["total"] == 0
    # Nor can another site sign somebody in as somebody else.
    reply = httpx.post(f"{served.url}/sign-in", data={"link": served.invitation("victim")}, headers=sent)
    assert reply.status_code == 403


def test_this_site_may(served):
    """Our own pages say so by either header; a token in a header needs no such word."""
    host = served.url.removeprefix("http://")
    with served.signed_in("honest") as browser:
        for sent in (HERE, {"Origin": f"http://{host}"}, {"Origin": f"https://{host}"}):
            assert browser.put("/api/v1/favourites/1", headers=sent).status_code == 204
    with served.http() as member:
        assert member.put("/api/v1/favourites/1", headers={"Origin": "http://evil.example"}).status_code == 204


def test_headers_of_pages(served):
    """No page runs, loads or sends a thing but this server's; none can be framed; problems are pages too."""
    with served.signed_in("headers") as browser:
        for path in ("/", "/sign-in", "/nothing", "/profiles/999999", "/?page=x"):
            reply = browser.get(path)
            assert reply.headers["content-type"] == "text/html; charset=utf-8"
            policy = reply.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            for name in ("frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "script-src 'self'"):
                assert name in policy
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert reply.headers["cache-control"] == "private, no-cache"
            assert not re.search(r"<script(?![^>]*\ssrc=\"/static/)|\son\w+=|style=\"|https?://", reply.text), path
        file = re.search(r'src="(/static/[^"]+)"', browser.get("/").text)[1]
        assert "immutable" in httpx.get(served.url + file).headers["cache-control"]
        assert httpx.get(f"{served.url}/static/0/page.js").status_code == 404


def test_pages_lead_back_here_only(served):
    """Whatever a form says, one is led to this very server."""
    with served.signed_in("back") as browser:
        for back in ("//evil.example", "/\\evil.example", "http://evil.example", "javascript:alert(1)", "/\n/evil", ""):
            reply = browser.post("/profiles/1/favourite", data={"favourite": "yes", "back": back}, headers=HERE)
            assert (reply.status_code, reply.headers["location"]) == (303, "/")
        reply = browser.post("/profiles/1/favourite", data={"favourite": "no", "back": "/?tags=a"}, headers=HERE)
        assert reply.headers["location"] == "/?tags=a"
    for path in ("//evil.example/", "/%5Cevil.example", '/"><script>alert(1)</script>'):
        page = httpx.get(served.url + path, headers=HTML)
        assert page.status_code == 401
        assert not re.search(r'href="(//|/\\)|value="(//|/\\)|<script>', page.text), path


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"&a=b" * 101, 422), (b"\xff\x00link", 403), (b"link=%00%ff", 403), (b"link=" + bytes(60_000), 403), (b"", 403)],
    ids=range(5),
)
def test_forms_that_no_page_sends(served, body, code):
    """Very many fields, bytes that are no text, and nothing: each is refused in words."""
    sent = {"Content-Type": "application/x-www-form-urlencoded"} | HTML | HERE
    reply = httpx.post(f"{served.url}/sign-in", content=body, headers=sent)
    assert (reply.status_code, 'role="alert"' in reply.text) == (code, True)


def names_on(reply: httpx.Response) -> list[str]:
    """Return the names of the profiles that a page shows."""
    assert reply.status_code == 200, reply.text
    return [html.unescape(name) for name in re.findall(r'<h2><a href="/profiles/\d+">(.*?)</a></h2>', reply.text)]


def test_searching_by_forms_and_links(served):
    """What the form sends is what the API finds, empty fields said nothing, and favourites are one's own."""
    titles = {preset.title for preset in catalogue().presets}
    with served.signed_in("seeker") as browser:
        assert set(names_on(browser.get("/"))) >= titles
        empty = "query=fuzz&gears=&kind=&licence=&tags=&knobs=&grade=&sort=best-match"
        assert names_on(browser.get(f"/?{empty}")) == ["Fuzz"]
        assert set(names_on(browser.get("/?tags=bass%2C+keys"))) == {"Tube preamp"}
        assert names_on(browser.get("/?gears=pedal&sort=name")) == ["Diode distortion", "Fuzz"]
        assert names_on(browser.get("/?knobs=sustain&licence=gpl-3.0-or-later&kind=plugin")) == ["Fuzz"]
        first = browser.get("/?page_size=5&sort=name")
        more = browser.get("/?" + html.unescape(re.search(r'rel="next" href="/\?([^"]+)"', first.text)[1]))
        assert len(names_on(first)) == 5
        assert not set(names_on(first)) & set(names_on(more))
        fuzz = browser.get("/api/v1/profiles", params={"name": "Fuzz"}).json()["data"][0]["id"]
        browser.post(f"/profiles/{fuzz}/favourite", data={"favourite": "yes"}, headers=HERE)
        assert names_on(browser.get("/?favourites=true")) == ["Fuzz"]
        browser.post(f"/profiles/{fuzz}/favourite", data={"favourite": "no"}, headers=HERE)
        assert names_on(browser.get("/?favourites=true")) == []
        for wrong in ("page=0", "page=x", "sort=<b>", "gears=shoe", "licence=none", "nonsense=1", "max_esr=nan"):
            reply = browser.get(f"/?{wrong}")
            assert (reply.status_code, "<b>" in reply.text) == (422, False), wrong


def test_strangers_look_where_they_may(serving, tmp_path: Path):
    """With --anonymous-read the page shows; it has neither favourites nor a way to change anything."""
    with serving(ServiceSettings(data=tmp_path / "open", anonymous_read=True)) as served:
        page = httpx.get(f"{served.url}/", headers=HTML)
        assert (page.status_code, "Sign in" in page.text, "favourite" in page.text) == (200, True, False)
        assert httpx.get(f"{served.url}/?favourites=true", headers=HTML).status_code == 401
        assert httpx.post(f"{served.url}/profiles/1/favourite", headers=HTML | HERE).status_code == 401


def _second() -> bytes:
    """Return a second of a recording."""
    buffer = io.BytesIO()
    soundfile.write(buffer, np.random.default_rng(1).normal(0, 0.1, 48_000), 48_000, format="WAV")
    return buffer.getvalue()


def test_words_stay_words(served, profile_file):
    """HTML in every field that takes words is shown as text, wherever it is shown."""
    told = {"name": HOSTILE, "make": HOSTILE, "model": HOSTILE, "maker": HOSTILE, "about": HOSTILE, "note": HOSTILE}
    with zipfile.ZipFile(preset_path("bus-compressor")) as archive:
        knobs = json.loads(archive.read("profile.json"))["knobs"]
    knobs = [{**each, "name": HOSTILE, "unit": HOSTILE} for each in knobs]
    path = profile_file(HOSTILE[:60], gear={"name": HOSTILE, "kind": "plugin"}, knobs=knobs)
    with served.signed_in("hostile") as browser:
        sent = {"Content-Type": "application/octet-stream"} | HERE
        content = path.read_bytes()
        entry = browser.post("/api/v1/profiles", params={**told, "tags": HOSTILE[:30]}, content=content, headers=sent)
        assert entry.status_code == 201, entry.text
        number = entry.json()["id"]
        both = f"/compare?with={number}&with=1"
        paths = [both, f"/profiles/{number}", f"/?compare={number}", f"/upload?version_of={number}"]
        paths += [
            "/?sort=newest",
            "/?query=%22%3E%3Cscript%3E",
            "/?" + str(httpx.QueryParams(tags=HOSTILE, makes=HOSTILE)),
        ]
        for path in paths:
            page = browser.get(path)
            assert page.status_code == 200
            assert not re.search(r"<script>|<img|onerror=alert\(2\)>", page.text), path
            assert "{{7*7}}" in page.text, path
        track = browser.post("/api/v1/tracks", params={"name": HOSTILE}, content=_second(), headers=sent)
        assert track.status_code == 201
        assert "<script>alert" not in browser.get(f"/profiles/{number}").text
        assert "&lt;script&gt;alert(1)" in browser.get("/?sort=newest").text
        assert browser.delete(f"/api/v1/profiles/{entry.json()['id']}", headers=HERE).status_code == 204


def test_the_account(served):
    """One makes links for other devices and revokes what is signed in; admins invite; who may do less gets no more."""
    with served.signed_in("homely") as browser:
        page = browser.post("/account/link", headers=HERE)
        assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
        link = re.search(r"<code>(http\S+#tci_\S+)</code>", page.text)[1]
        assert link.startswith(f"{served.url}/#")
        assert link not in browser.get("/account").text
        with httpx.Client(base_url=served.url, headers=HTML) as phone:
            assert phone.post("/sign-in", data={"link": link}, headers=HERE).status_code == 303
            assert phone.get("/account").status_code == 200
            other = phone.get("/api/v1/tokens").json()[0]["id"]
            assert browser.post(f"/account/tokens/{other}/revoke", headers=HERE).status_code == 303
            assert phone.get("/account").status_code == 401
        assert browser.post("/account/invite", data={"name": "mole"}, headers=HERE).status_code == 403
        narrow = browser.post("/api/v1/tokens", json={"name": "n", "scopes": ["read"]}, headers=HERE).json()["secret"]
        reply = httpx.post(f"{served.url}/account/link", headers={"Authorization": f"Bearer {narrow}"})
        assert reply.status_code == 403
        assert browser.post(f"/account/tokens/{other}/revoke").status_code == 403  # from no page at all
    with served.signed_in("host", "admin") as browser:
        made = browser.post("/account/invite", data={"name": "guest", "role": "reader"}, headers=HERE)
        link = re.search(r"<code>http\S+(#tci_\S+)</code>", made.text)[1]
        with httpx.Client(base_url=served.url, headers=HTML) as guest:
            guest.post("/sign-in", data={"link": link}, headers=HERE)
            assert guest.get("/api/v1/me").json()["role"] == "reader"
            assert guest.get("/upload").status_code == 403
        for name in ("guest", "<b>", "", "a" * 41):
            assert browser.post("/account/invite", data={"name": name}, headers=HERE).status_code in (409, 422)
    assert httpx.get(f"{served.url}/account", headers=HTML).status_code == 401
