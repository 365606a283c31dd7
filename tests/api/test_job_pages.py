"""The pages of jobs by plain requests: what they show of each state, what their buttons do, and for whom."""

import html
import io
import re
import zipfile

import httpx
import pytest

from api.job import JobProgress, JobResult
from api.settings import ServiceSettings
from api.store import jobs
from api.store.jobs import Outcome
from profiler.finding import Finding

HERE = {"Sec-Fetch-Site": "same-origin"}
ZIP = {"Content-Type": "application/zip"}
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, serving, profile_file, taking_in):
    """A server without workers, whose members have one profile."""
    with serving(ServiceSettings(data=tmp_path_factory.mktemp("jobs"), requests_a_minute=1_000_000)) as served:
        taking_in(served.library, profile_file("mine"), who="member")
        yield served


def asked(browser: httpx.Client, **query: object) -> str:
    """Ask for a training as the page's script does, and return the job."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("session.json", "{}")
    reply = browser.post("/api/v1/jobs/train", params=query, content=packed.getvalue(), headers=HERE | ZIP)
    assert reply.status_code == 201, reply.text
    return reply.json()["id"]


def cards(page: httpx.Response) -> list[str]:
    """Return each job of a page, in words."""
    assert page.status_code == 200, page.text
    found = re.findall(r'<li class="card job".*?</div>\s*</li>', page.text, re.DOTALL)
    return [" ".join(html.unescape(re.sub("<[^>]*>", " ", each)).split()) for each in found]


def test_a_job_waits_runs_and_fails(served):
    """With its findings, its step, how far that is and the time left; in the end with the reason."""
    with served.signed_in("watcher") as browser:
        assert '<p class="none">You have asked for nothing yet.' in browser.get("/jobs").text
        job_id = asked(browser, name="Amp", budget_seconds=900)
        (card,) = cards(browser.get("/jobs"))
        assert re.fullmatch(r"Amp Training, 15 minutes, asked for on .* Amp: Waits for a worker Cancel", card)
        database = served.library.database
        progress = JobProgress(step="train", done=0.254, seconds_left=185.4, note="error 0.0123")
        findings = (Finding(kind="clipped", message="Take 2 clips.", severity="warning"),)
        with database.writing() as connection:
            assert jobs.claim_job(connection, job_id, 1, "claim")
            jobs.tell_job(connection, job_id, "claim", progress=progress, findings=findings)
        page = browser.get(f"/jobs/{job_id}")
        (card,) = cards(page)
        assert '<p class="none" hidden>' in browser.get("/jobs").text
        assert "Amp: Learns 25 %, 3 min 05 s left, error 0.0123 1 finding warning : Take 2 clips. Cancel" in card
        assert re.search(r'<progress max="1" value="0.254" aria-valuetext="25 %, 3 min 05 s left[^"]*"', page.text)
        with database.writing() as connection:
            jobs.end_job(connection, job_id, "claim", Outcome(state="failed", error="Take 2 is silent."))
        (card,) = cards(browser.get("/jobs"))
        assert card.endswith("Amp: Failed Take 2 is silent. 1 finding warning : Take 2 clips. Try again Remove")


def test_a_job_leads_to_what_it_became(served):
    """To the profile and the file; one that has ended can be removed."""
    with served.signed_in("learner") as browser:
        job_id = asked(browser, name="Amp")
        entry = browser.get("/api/v1/profiles").json()["data"][0]
        result = JobResult(name="Amp.tonecast", bytes=12_345, sha256=entry["version"]["sha256"])
        with served.library.database.writing() as connection:
            assert jobs.claim_job(connection, job_id, 1, "claim")
            outcome = Outcome(state="succeeded", entry_id=entry["id"], result=result)
            jobs.end_job(connection, job_id, "claim", outcome)
        page = browser.get("/jobs")
        assert "Amp: Done" in cards(page)[0]
        assert f'href="/profiles/{entry["id"]}">Listen to Amp' in page.text
        assert f'href="/api/v1/jobs/{job_id}/result" download>Download Amp.tonecast' in page.text
        assert browser.post(f"/jobs/{job_id}/remove", headers=HERE).status_code == 303
        assert cards(browser.get("/jobs")) == []


def test_the_buttons(served):
    """Cancel and retry lead back to the card; what cannot be done is told; other sites and other people do nothing."""
    with served.signed_in("presser") as browser, served.signed_in("neighbour") as neighbour:
        job_id = asked(browser, name="Fuzz", steps=20)
        shown = browser.get("/jobs").text
        back = html.unescape(re.search(r'name="back" value="([^"]+)"', shown)[1])
        for sent in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
            for change in ("cancel", "retry", "remove"):
                assert browser.post(f"/jobs/{job_id}/{change}", headers=sent).status_code == 403
                assert neighbour.post(f"/jobs/{job_id}/{change}", headers=HERE).status_code == 404
        assert "Training, 20 steps" in cards(browser.get("/jobs"))[0]
        assert "Waits" in cards(browser.get("/jobs"))[0]
        reply = browser.post(f"/jobs/{job_id}/cancel", data={"back": back}, headers=HERE)
        assert (reply.status_code, reply.headers["location"]) == (303, f"/jobs?page=1#job-{job_id}")
        assert cards(browser.get("/jobs"))[0].endswith("Fuzz: Cancelled Try again Remove")
        browser.post(f"/jobs/{job_id}/retry", data={"back": back}, headers=HERE)
        refused = browser.post(f"/jobs/{job_id}/retry", headers=HERE)
        assert (refused.status_code, 'role="alert"' in refused.text) == (409, True)
        assert browser.post(f"/jobs/{job_id}/burn", headers=HERE).status_code == 422
        assert neighbour.get(f"/jobs/{job_id}").status_code == 404
        assert cards(neighbour.get("/jobs")) == []
        assert browser.get("/jobs/nothing").status_code == 422


def test_who_may_see_them(served):
    """Who may not write has no link and no page; strangers sign in first."""
    with served.signed_in("looker", "reader") as reader:
        assert 'href="/jobs"' not in reader.get("/").text
        assert reader.get("/jobs").status_code == 403
    with served.signed_in("doer") as member:
        assert 'href="/jobs"' in member.get("/").text
        entry = member.get("/api/v1/profiles").json()["data"][0]["id"]
        assert member.get("/jobs", params={"version_of": entry}).status_code == 403
    stranger = httpx.get(f"{served.url}/jobs", headers={"Accept": "text/html"})
    assert (stranger.status_code, "One-time link" in stranger.text) == (401, True)


def test_words_stay_words(served):
    """HTML in what a job is called, in what was found and in why it failed is shown as text."""
    with served.signed_in("vandal") as browser:
        job_id = asked(browser, name=HOSTILE)
        with served.library.database.writing() as connection:
            assert jobs.claim_job(connection, job_id, 1, "claim")
            found = (Finding(kind="x", message=HOSTILE),)
            progress = JobProgress(step=HOSTILE, done=0.5, note=HOSTILE)
            jobs.tell_job(connection, job_id, "claim", progress=progress, findings=found)
        running = [browser.get(path).text for path in ("/jobs", f"/jobs/{job_id}")]
        with served.library.database.writing() as connection:
            jobs.end_job(connection, job_id, "claim", Outcome(state="failed", error=HOSTILE))
        for page in (*running, browser.get("/jobs").text):
            assert not re.search(r"<script>|<img|onerror=alert\(2\)>", page)
            assert page.count("{{7*7}}") >= 5


def test_many_have_pages(served):
    """The newest come first, 25 on a page."""
    with served.signed_in("busy") as browser:
        for number in range(26):
            job_id = asked(browser, name=f"job {number}")
            browser.post(f"/jobs/{job_id}/cancel", headers=HERE)
        first = browser.get("/jobs")
        assert (len(cards(first)), cards(first)[0].split(" Training")[0]) == (25, "job 25")
        older = html.unescape(re.search(r'rel="next" href="([^"]+)"', first.text)[1])
        (last,) = cards(browser.get(older))
        assert last.startswith("job 0 ")


def test_exporting(served):
    """The form on a profile's page needs no script; knobs that are none are told, and no other site asks for it."""
    with served.signed_in("exporter") as browser:
        profile = browser.get("/api/v1/profiles").json()["data"][0]
        page = browser.get(f"/profiles/{profile['id']}").text
        names = re.findall(r'name="(set:[^"]+)" value="([^"]+)"', page)
        knobs = {each["id"]: each["default"] for each in profile["version"]["facts"]["knobs"]}
        assert {name.removeprefix("set:"): float(value) for name, value in names} == knobs
        path, first = f"/profiles/{profile['id']}/export", names[0][0]
        reply = browser.post(path, data={**dict(names), first: "-1", "version": "1", "name": "x"}, headers=HERE)
        assert reply.status_code == 303, reply.text
        (job,) = browser.get("/api/v1/jobs").json()["data"]
        assert reply.headers["location"] == f"/jobs/{job['id']}"
        assert float(job["order"]["settings"][first.removeprefix("set:")]) == -1
        assert cards(browser.get(reply.headers["location"]))[0].startswith("mine Export, asked for on")
        for wrong in ({"set:<b>": "1"}, {first: "much"}, {"version": "x"}, {"size": "<b>"}, {"version": "9"}):
            refused = browser.post(path, data={"version": "1", **wrong}, headers=HERE)
            assert (refused.status_code, "<b>" in refused.text) == (404 if "9" in wrong.values() else 422, False), wrong
        assert browser.post(path, data={"version": "1"}).status_code == 403
        assert browser.get("/api/v1/jobs").json()["total"] == 1
    with served.signed_in("listener", "reader") as reader:
        assert "Export as .nam" not in reader.get(f"/profiles/{profile['id']}").text
        assert reader.post(path, data={"version": "1"}, headers=HERE).status_code == 403
