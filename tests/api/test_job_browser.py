"""Jobs in a real browser: cards that move with them, recordings that are sent and become a profile that is heard."""

import base64
import io
import json
import re
import secrets
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
import pytest
import soundfile
from scipy import signal

from api.client import LibraryClient, packed
from api.job import JobProgress, JobResult
from api.settings import ServiceSettings
from api.store import jobs
from api.store.jobs import Outcome
from profiler.finding import Finding
from profiler.presets import preset_path
from profiler.profile_file import load
from profiler.rendering import ProfileProcessor

PATIENCE_MS = 300_000
TS9 = "pairs/ts9_pedal"

STREAMS = """
// Keeps what the page listens to.
window.streams = [];
window.EventSource = class extends EventSource { constructor(...told) { super(...told); streams.push(this); } };
"""
FOLLOW = """
() => {  // keeps what the first card says, whenever that changes
  window.told = [];
  const note = () => {
    const card = document.querySelector(".job"), bar = card?.querySelector("progress");
    if (!card) return;
    const now = [card.querySelector(".now").lastChild.textContent.trim(), bar?.value ?? 0, bar?.ariaValueText ?? ""];
    if (String(now) !== String(told.at(-1))) told.push(now);
  };
  const watching = { subtree: true, childList: true, attributes: true };
  new MutationObserver(note).observe(document.querySelector(".jobs"), watching);
}
"""
DROP = """
([name, content]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0)), data = new DataTransfer();
  data.items.add(new File([bytes], name));
  dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}
"""


@pytest.fixture
def opened(pages: Callable[..., Any]) -> Callable[..., Any]:
    """A function that opens a page, of which is kept what it listens to."""
    return partial(pages, script=STREAMS)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, serving):
    """A server without workers: what happens to jobs, tests do."""
    with serving(ServiceSettings(data=tmp_path_factory.mktemp("jobs"), requests_a_minute=1_000_000)) as served:
        yield served


def archive(path: Path, **files: str) -> Path:
    """Write a zip that nobody can learn from."""
    with zipfile.ZipFile(path, "w") as file:
        for name, text in files.items():
            file.writestr(name, text)
    return path


def until(page: Any, script: str) -> None:
    """Wait until a script is true: the page's policy lets no string be waited for."""
    for _ in range(PATIENCE_MS // 50):
        if page.evaluate(script):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"It never came to be: {script}. {page.locator('main').text_content()}")


class Shown:
    """Five jobs of somebody, the oldest first, on the page of jobs; nobody carries them out but the test."""

    def __init__(self, served: Any, opened: Callable[..., Any], path: Path, **options: object) -> None:
        self.database = served.library.database
        name = f"p{secrets.token_hex(4)}"
        with LibraryClient(served.url) as stranger:
            self.client = LibraryClient(served.url, stranger.claim(served.invitation(name), "tests").secret)
        zipped = archive(path / "x.zip", x="x")
        self.ids = [self.client.train(zipped, {"name": f"Amp {number}"}).id for number in range(5)]
        self.page = opened(f"{served.url}/#{served.invitation(name)}", **options)
        self.page.get_by_role("link", name="Jobs").click()
        self.page.get_by_role("heading", name="Jobs").wait_for()
        self.page.evaluate("window.marker = [...document.querySelectorAll('.now')]")

    def begin(self, place: int) -> None:
        """Have a job begin."""
        with self.database.writing() as connection:
            assert jobs.claim_job(connection, self.ids[place], 1, "claim")

    def tell(self, place: int, **told: Any) -> None:
        """Have a job tell something."""
        with self.database.writing() as connection:
            assert jobs.tell_job(connection, self.ids[place], "claim", **told)

    def fail(self, place: int, error: str) -> None:
        """Have a job fail."""
        with self.database.writing() as connection:
            jobs.end_job(connection, self.ids[place], "claim", Outcome(state="failed", error=error))

    def says(self, place: int, words: str) -> None:
        """Wait until a card says something."""
        card = f"document.querySelector('#job-{self.ids[place]} .now')"
        until(self.page, f"{card}?.lastChild.textContent.trim() === '{words}'")

    def focused(self) -> str:
        """Return what has the focus."""
        return self.page.evaluate("document.activeElement.ariaLabel")

    def is_unmoved(self) -> bool:
        """Return whether the places in which screen readers hear of changes are those that were there at first."""
        return self.page.evaluate(
            "[...document.querySelectorAll('.now')].every((each, place) => each === marker[place])"
        )


@pytest.fixture
def shown(served, opened, tmp_path: Path) -> Iterator[Shown]:
    """Five jobs on their page."""
    shown = Shown(served, opened, tmp_path)
    with shown.client:
        yield shown


def test_bars_move(shown):
    """Bar, words and findings follow the job; what somebody has opened or focused stays as it is."""
    page = shown.page
    shown.begin(0)
    shown.tell(0, progress=JobProgress(step="train", done=0.25, seconds_left=100.4, note="error 0.02"))
    until(page, "document.querySelector('.job progress')?.value === 0.25")
    bar = page.get_by_role("progressbar", name="Amp 0")
    assert bar.get_attribute("aria-valuetext") == "25 %, 1 min 40 s left, error 0.02"
    shown.tell(0, progress=JobProgress(step="train", done=0.5, seconds_left=9.6))
    until(page, "document.querySelector('.job progress').value === 0.5")
    assert bar.get_attribute("aria-valuetext") == page.locator(".far").text_content() == "50 %, 10 s left"
    found = [Finding(kind="x", message=f"Take {take} clips.", severity="warning") for take in range(5)]
    shown.tell(0, findings=tuple(found))
    page.get_by_text("5 findings").click()
    page.get_by_role("button", name="Cancel Amp 0").focus()
    shown.tell(
        0, progress=JobProgress(step="evaluate", done=0.5), findings=(*found, Finding(kind="y", message="Well."))
    )
    page.get_by_text("6 findings").wait_for()
    shown.says(0, "Is compared with the gear")
    assert page.get_by_text("Take 4 clips.").is_visible()
    assert shown.focused() == "Cancel Amp 0"
    assert shown.is_unmoved()


def test_few_are_listened_to_at_a_time(shown):
    """Three; yet every card comes to say what became of its job, jobs from elsewhere come, and removed ones go."""
    page = shown.page
    until(page, "streams.filter((each) => each.readyState === EventSource.OPEN).length === 3")
    shown.begin(4)  # the last in the queue, to which nobody listens
    shown.says(4, "Begins")
    assert shown.is_unmoved()
    shown.fail(4, "It is silent.")
    page.get_by_text("It is silent.").wait_for()
    assert page.evaluate("streams.filter((each) => each.readyState !== EventSource.CLOSED).length") == 3
    for place in range(3):
        shown.client.cancel_job(shown.ids[place])
        shown.says(place, "Cancelled")
    shown.client.cancel_job(shown.ids[3])
    shown.says(3, "Cancelled")
    assert page.evaluate("streams.every((each) => each.readyState === EventSource.CLOSED)")


def test_jobs_come_and_go(shown, tmp_path: Path):
    """What is asked for elsewhere comes to the page, and what is removed there goes."""
    newer = shown.client.train(tmp_path / "x.zip", {"name": "Newer"})
    shown.page.get_by_role("link", name="Newer").wait_for()
    assert shown.page.locator(".job").first.get_attribute("data-job") == newer.id
    shown.client.cancel_job(shown.ids[0])
    shown.client.remove_job(shown.ids[0])
    until(shown.page, f"!document.getElementById('job-{shown.ids[0]}')")
    assert shown.page.locator(".job").count() == 5
    assert shown.page.evaluate("marker.filter((each) => each.isConnected).length") == 4


def test_a_failed_job_is_tried_again_by_keyboard(shown):
    """The focus goes where the button to cancel was; after the click one is at the same card."""
    shown.begin(0)
    shown.says(0, "Begins")
    shown.page.get_by_role("button", name="Cancel Amp 0").focus()
    shown.fail(0, "Take 3 is silent.")
    shown.page.get_by_text("Take 3 is silent.").wait_for()
    assert shown.focused() == "Try again Amp 0"
    assert shown.is_unmoved()
    with shown.page.expect_navigation():
        shown.page.keyboard.press("Enter")
    shown.says(0, "Waits for a worker")
    assert urlsplit(shown.page.url).fragment == f"job-{shown.ids[0]}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_jobs_can_be_read_anywhere(served, opened, contrasts, nameless, tmp_path: Path, scheme):
    """In every state, on a phone: nothing sticks out, texts stand out by 4.5 to 1, every control has a name."""
    options = {"viewport": {"width": 360, "height": 800}, "color_scheme": scheme}
    shown = Shown(served, opened, tmp_path, **options)
    page, severities = shown.page, ("note", "warning", "error")
    for place in range(3):
        shown.begin(place)
    shown.tell(0, progress=JobProgress(step="train", done=0.7, seconds_left=4000.0, note="error 0.0123"))
    shown.tell(1, findings=tuple(Finding(kind="x", message="y" * 99, severity=each) for each in severities))
    shown.fail(1, "Not so. " * 20)
    with shown.client as client:
        client.cancel_job(shown.ids[3])
    with shown.database.writing() as connection:
        result = JobResult(name="x" * 80, bytes=9_999, sha256="0" * 64)
        jobs.end_job(connection, shown.ids[2], "claim", Outcome(state="succeeded", result=result, entry_id=None))
    page.reload()
    page.get_by_text("70 %, 66 min 40 s left, error 0.0123").wait_for()
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    ratios = contrasts(page, ["p", "h1", "h2", "a", "label", "button", "summary", "li", ".far", ".now", ".problem"])
    assert {kind for kind, _ in ratios} >= {"h1", "a", "button", "p", ".far", ".now", ".problem"}
    assert [(kind, round(ratio, 2)) for kind, ratio in ratios if ratio < 4.5] == []
    assert nameless(page) == []
    assert page.locator("h1").count() == 1
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(ids) == len(set(ids))


def test_without_script(served, opened, tmp_path: Path):
    """A page that is loaded again shows how jobs are, and the buttons do what they say."""
    with served.client("other") as other:
        job_id = other.train(archive(tmp_path / "x.zip", x="x"), {"name": "Plain"}).id
    page = opened(f"{served.url}/jobs", java_script_enabled=False)
    page.get_by_label("One-time link").fill(f"{served.url}/#{served.invitation('other')}")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("Waits for a worker").wait_for()
    with served.library.database.writing() as connection:
        assert jobs.claim_job(connection, job_id, 1, "claim")
        jobs.tell_job(connection, job_id, "claim", progress=JobProgress(step="train", done=0.5))
    page.reload()
    assert page.get_by_role("progressbar", name="Plain").get_attribute("value") == "0.5"
    page.get_by_role("button", name="Cancel Plain").click()
    page.get_by_text("Cancelled").wait_for()
    page.get_by_role("button", name="Remove Plain").click()
    page.get_by_text("You have asked for nothing yet.").wait_for()


class Studio:
    """A server with a worker, somebody's token, and a link that signs their browser in."""

    def __init__(self, process: Callable[..., Any]) -> None:
        self.server = process("--workers", "1")
        self.token = self.server.token()
        with self.http() as admin:
            made = admin.post("/api/v1/accounts", json={"name": "browser", "role": "member"}).json()
        self.link = f"{self.server.url}/#{made['secret']}"

    def http(self) -> httpx.Client:
        """Return a bare client of the admin."""
        return httpx.Client(base_url=self.server.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=60)

    def jobs_page(self, opened: Callable[..., Any]) -> Any:
        """Return the page of jobs, with its scripts at work."""
        page = opened(self.link)
        page.get_by_role("link", name="Jobs").wait_for()
        page.goto(f"{self.server.url}/jobs")
        return page

    def profile(self, name: str, path: Path) -> Path:
        """Download a profile."""
        with LibraryClient(self.server.url, self.token) as client:
            client.pull(client.find(name), path)
        return path


def train(page: Any, name: str, steps: int) -> None:
    """Fill in the form and send it; what goes on is kept in `told`."""
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_text("More about").click()
    page.get_by_label("so many steps").fill(str(steps))
    page.get_by_label("Sizes").select_option("false")
    page.evaluate(FOLLOW)
    page.get_by_role("button", name="Train", exact=True).click()


def heard(page: Any, position: float, knob: str | None = None) -> tuple[np.ndarray, int, dict[str, list[str]]]:
    """Turn a knob, or play, and return the sound of the profile that comes, its rate, and what it was asked with."""
    wanted = r"/profiles/\d+/sound\?" + (".*set=" if knob else "")
    page.locator(".player").get_by_role("button", name="Play").wait_for()
    with page.expect_response(lambda reply: re.search(wanted, reply.url)) as awaited:
        if knob is None:
            page.locator(".player").get_by_role("button", name="Play").click()
        else:
            page.get_by_label(knob, exact=True).first.fill(str(position))
    samples, rate = soundfile.read(io.BytesIO(awaited.value.body()), dtype="float32")
    return samples, rate, parse_qs(urlsplit(awaited.value.url).query)


def likeness(sound: np.ndarray, wanted: np.ndarray) -> float:
    """Return how much the best 4096 frames of a sound are like some frames of another, 1 for the same."""
    size, alike = 4096, [0.0]
    energies = signal.fftconvolve(wanted**2, np.ones(size), "valid")
    for start in range(0, len(sound) - size, size):
        chunk = sound[start : start + size]
        if np.abs(chunk).max() > 0.01:
            power = np.sqrt(np.maximum(energies, 1e-9) * np.sum(chunk**2))
            alike.append(float(np.max(signal.correlate(wanted, chunk, "valid", "fft") / power)))
    return max(alike)


def check_learning(page: Any) -> None:
    """Compare what a card has said with what a training does."""
    told = page.evaluate("told")
    assert told[-1][0] == "Done", told
    learnt = [(done, text) for step, done, text in told if step == "Learns"]
    assert len({done for done, _ in learnt}) >= 3, told
    assert learnt == sorted(learnt, key=lambda each: each[0])
    assert all(re.match(rf"{int(100 * done)} %", text) for done, text in learnt if text)
    assert any("s left" in text for _, text in learnt)


def check_same(wet: np.ndarray, expected: np.ndarray) -> None:
    """Compare what was played there and here. With other threads, torch adds up recurrent effects in another order."""
    np.testing.assert_allclose(wet, expected, rtol=0, atol=1e-5)  # -100 dBFS


@pytest.mark.slow
def test_a_session_becomes_a_profile_that_is_heard(process, opened, captured: Path, tmp_path: Path):
    """What cannot be learnt fails in words; a session moves its bar, becomes a profile, and its knob is heard."""
    studio = Studio(process)
    page = studio.jobs_page(opened)
    bad = archive(tmp_path / "bad.zip", **{"session.json": "{}", "../../out.wav": "x"})
    page.evaluate(DROP, [bad.name, base64.b64encode(bad.read_bytes()).decode()])
    page.get_by_text("bad.zip is chosen.").wait_for()
    page.get_by_role("button", name="Train").click()
    page.get_by_text(re.compile("Rename it")).wait_for()
    page.get_by_label("A zip of a session's folder").set_input_files(packed(captured, tmp_path / "session.zip"))
    train(page, "Drive", 200)
    page.get_by_role("link", name="Listen to Drive").wait_for()
    check_learning(page)
    assert page.locator(".job").first.locator(".findings li").count() > 0
    page.get_by_role("link", name="Listen to Drive").click()
    page.get_by_role("heading", name="Drive", exact=True).wait_for()
    loaded = load(studio.profile("Drive", tmp_path / "drive.tonecast"))
    (knob,) = loaded.profile.knobs
    wet, rate, query = heard(page, 0.9, knob.name)
    assert query["set"] == [f"{knob.id}={float(knob.value_at(0.9)):.6g}"]
    with studio.http() as http:
        sound = http.get(f"/api/v1/tracks/{query['track'][0]}/sound").content
    dry, dry_rate = soundfile.read(io.BytesIO(sound), dtype="float32")
    value = float(query["set"][0].partition("=")[2])
    check_same(wet, ProfileProcessor(loaded, {knob.id: value}).process(dry[None], rate)[0])
    assert rate == dry_rate
    page.locator(".player").get_by_role("button", name="Play").click()
    until(page, "window.rate && heard.length > rate * 2")
    got, got_rate = np.asarray(page.evaluate("heard")), round(page.evaluate("rate"))
    assert likeness(got, signal.resample_poly(wet, got_rate, rate)) > 0.995


@pytest.mark.slow
def test_a_table_of_recordings_becomes_a_profile(process, opened, shared_data: Path, tmp_path: Path):
    """A real pedal's dry and wet with their takes.csv, learnt for some steps, is heard as a profile without knobs."""
    folder = shared_data / TS9
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}")
    studio = Studio(process)
    page = studio.jobs_page(opened)
    path = tmp_path / "ts9.zip"
    with zipfile.ZipFile(path, "w") as file:
        for each in sorted(folder.iterdir()):
            file.write(each, f"ts9/{each.name}")
    page.get_by_label("A zip of a session's folder").set_input_files(path)
    train(page, "Screamer", 200)
    page.get_by_role("link", name="Listen to Screamer").wait_for()
    check_learning(page)
    page.get_by_role("link", name="Listen to Screamer").click()
    page.get_by_role("heading", name="Screamer", exact=True).wait_for()
    wet, rate, query = heard(page, 0)
    with studio.http() as http:
        sound = http.get(f"/api/v1/tracks/{query['track'][0]}/sound").content
    dry, _ = soundfile.read(io.BytesIO(sound), dtype="float32")
    loaded = load(studio.profile("Screamer", tmp_path / "screamer.tonecast"))
    check_same(wet, ProfileProcessor(loaded).process(dry[None], rate)[0])


def finished(page: Any, kind: str, link: str) -> Path:
    """Wait until the job that the page shows is done, and return what its link downloads."""
    page.get_by_role("heading", name=kind, exact=True).wait_for()
    page.get_by_text("Done").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name=link).click()
    return Path(download.value.path())


@pytest.mark.slow
def test_a_profile_renders_and_exports_as_its_knobs_stand(process, opened, tmp_path: Path):
    """What comes of both is of the knob as it was turned; the render is what `ProfileProcessor` makes."""
    noise = np.random.default_rng(1).normal(0, 0.1, 24_000).astype(np.float32)
    soundfile.write(tmp_path / "dry.wav", noise, 48_000, subtype="FLOAT")
    studio, loaded = Studio(process), load(preset_path("fuzz"))
    page = opened(studio.link)
    page.get_by_label("Search", exact=True).fill("fuzz")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Fuzz", exact=True).click()
    _, _, query = heard(page, 0.8, "Tone")
    settings = {name: float(value) for name, value in (each.split("=") for each in query["set"])}
    page.get_by_label("A track to play through it").set_input_files(tmp_path / "dry.wav")
    page.get_by_role("button", name="Render the track").click()
    page.locator(".upload").get_by_role("link", name="Fuzz").click()
    wet, rate = soundfile.read(finished(page, "Render", "Download Fuzz.wav"), dtype="float32")
    np.testing.assert_allclose(wet, ProfileProcessor(loaded, settings).process(noise[None], rate)[0], atol=1e-6)
    page.get_by_role("link", name="The profile").click()
    heard(page, 0.8, "Tone")
    page.get_by_role("button", name="Export as .nam").click()
    assert "architecture" in json.loads(finished(page, "Export", "Download Fuzz.nam").read_text())
    with LibraryClient(studio.server.url, studio.token) as admin:
        orders = [each.order for each in admin.jobs(everybody=True).data]
    assert [order.kind for order in orders] == ["export", "render"]
    for order in orders:
        assert {name: float(order.settings[name]) for name in settings} == settings
