"""A dry and its wet find the profile that made the one of the other, with its knobs: over HTTP, and really done."""

import threading
from pathlib import Path

import numpy as np
import pytest

from api.client import LibraryClient
from api.jobs.carrying import Run
from api.jobs.desk import Desk
from api.listening.listening import Listening
from api.settings import ServiceSettings
from profiler.audio import Audio
from profiler.audio_file import write_audio
from profiler.errors import LibraryError
from profiler.presets import preset_path
from profiler.profile_file import load
from profiler.programme import programme
from profiler.rendering import ProfileProcessor
from tonecast.cli import run

RATE = 48_000
AT = {"sustain": 3.7, "tone": 4.7}
BINARY = {"Content-Type": "application/octet-stream"}


@pytest.fixture(scope="module")
def pedals() -> dict[str, Path]:
    """Two profiles that ship, by name: two knobs each."""
    paths = [preset_path(name) for name in ("diode-distortion", "fuzz")]
    return {load(path).profile.name: path for path in paths}


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> tuple[Path, Path]:
    """Some seconds of playing, and what one of those profiles makes of it, later, softer and upside down."""
    folder = tmp_path_factory.mktemp("pair")
    dry = programme(3, sample_rate=RATE, frames=5 * RATE)
    wet = ProfileProcessor(load(preset_path("fuzz")), AT).process(dry[None], RATE)[0]
    late = np.concatenate([np.zeros(321, np.float32), -0.25 * wet])
    for name, samples in (("dry.wav", dry), ("wet.flac", late / np.abs(late).max() * np.float32(0.5))):
        write_audio(folder / name, Audio(samples=samples[None].astype(np.float32), sample_rate=RATE))
    return folder / "dry.wav", folder / "wet.flac"


@pytest.fixture(scope="module")
def asked(serving, pedals, tmp_path_factory):
    """A server without workers that has listened to those profiles."""
    settings = ServiceSettings(
        data=tmp_path_factory.mktemp("matched") / "library",
        requests_a_minute=1_000_000,
        unfinished_jobs=3,
        quota_bytes=64 << 20,
    )
    with serving(settings) as served:
        with served.client("other") as other:
            for path in pedals.values():
                other.push(path)
        listening = Listening(served.library)
        assert [listening.hear_next() for _ in range(3)] == [True, True, False]
        yield served


@pytest.fixture
def member(asked):
    """A member's client, whose jobs are gone at the end, and nothing with them that was kept."""
    with asked.client() as client:
        yield client
        for job in client.jobs(page_size=100).data:
            client.cancel_job(job.id) if job.state in ("queued", "running") else None
            client.remove_job(job.id)
    assert not list(Desk(asked.library).files.hashes())
    assert list(asked.library.settings.scratch.iterdir()) == []


def carried_out(served, job_id: str) -> None:
    """Do a job as a worker does."""
    Run(Desk(served.library), job_id, 1, threading.Event()).carry_out()


def test_a_pair_finds_the_profile_and_its_knobs(asked, member, pedals, pair):
    """The right one comes first, its knobs within a hundredth of their ways; others do not see what was found."""
    before = member.me().used_bytes
    job = member.match(*pair, {"name": "Solo"})
    assert (job.state, job.kind, job.title) == ("queued", "match", "Solo")
    assert {each.name for each in job.order.candidates} == set(pedals)
    assert member.me().used_bytes == before + sum(path.stat().st_size for path in pair)
    with pytest.raises(LibraryError, match="no file to download"):
        member.matches(job.id)
    carried_out(asked, job.id)
    job = member.job(job.id)
    assert (job.state, job.error) == ("succeeded", None)
    found = member.matches(job.id)
    first = found.data[0]
    assert (first.name, first.version, found.compared) == ("fuzz", 1, 2)
    assert first.profile_id == member.find("fuzz").id
    assert first.esr < 1e-4 < found.data[1].esr
    assert (first.polarity, first.lag_frames) == (-1, pytest.approx(321, abs=0.1))
    for knob in load(preset_path("fuzz")).profile.knobs:
        assert knob.position(first.settings[knob.id])[0] == pytest.approx(knob.position(AT[knob.id])[0], abs=0.01)
        assert first.give[knob.id] < 0.1
    with asked.client("other") as other, pytest.raises(LibraryError, match="No such job"):
        other.matches(job.id)


def test_a_wet_of_other_playing_fails_in_words(asked, member, pair, tmp_path):
    """The job says what is wrong, and names no folder of ours."""
    other = programme(77, sample_rate=RATE, frames=4 * RATE)
    write_audio(tmp_path / "other.wav", Audio(samples=other[None], sample_rate=RATE))
    job = member.match(tmp_path / "other.wav", pair[1])
    carried_out(asked, job.id)
    job = member.job(job.id)
    assert job.state == "failed"
    assert "does not hold what the dry plays" in job.error
    with pytest.raises(LibraryError, match="no file to download"):
        member.matches(job.id)


def test_what_is_refused(asked, member, pair, tmp_path):
    """What is no pair of recordings, more than one may, who may not: each in words, and nothing of it is kept."""
    dry, wet = (path.read_bytes() for path in pair)
    cut = b"fLaC" + bytes(2000)
    cases = [
        (dry + wet, len(dry + wet), 422, "no wet behind it"),
        (dry + wet, len(dry) + 1, 422, "The wet, from byte"),
        (b"words" + wet, 5, 422, "The body does not begin"),
        (dry + cut, len(dry), 422, "not audio that can be read"),
        (dry + wet, 0, 422, "dry_bytes"),
        (b"", 1, 422, "empty"),
    ]
    with asked.http() as http, asked.http("reader") as reader, asked.http(None) as stranger:
        for content, dry_bytes, status, words in cases:
            query = {"dry_bytes": dry_bytes}
            reply = http.post("/api/v1/jobs/match", params=query, content=content, headers=BINARY)
            assert (reply.status_code, words in reply.text) == (status, True), reply.text
            assert str(asked.library.settings.data) not in reply.text
        query = {"dry_bytes": len(dry)}
        assert reader.post("/api/v1/jobs/match", params=query, content=dry + wet, headers=BINARY).status_code == 403
        assert stranger.post("/api/v1/jobs/match", params=query, content=dry + wet, headers=BINARY).status_code == 401
        sent = {"Content-Type": "text/plain"}
        assert http.post("/api/v1/jobs/match", params=query, content=dry + wet, headers=sent).status_code == 415
    with pytest.raises(LibraryError, match="Only admins"):
        member.match(*pair, {"priority": "high"})
    with pytest.raises(LibraryError, match="not there"):
        member.match(tmp_path / "nothing.wav", pair[1])
    (tmp_path / "large.wav").write_bytes(dry + bytes(64 << 20))
    with pytest.raises(LibraryError, match="Quota used up"):
        member.match(tmp_path / "large.wav", pair[1])
    for _ in range(3):
        member.match(*pair)
    with pytest.raises(LibraryError, match="Too many jobs"):
        member.match(*pair)
    assert list(asked.library.settings.scratch.iterdir()) == []


def test_the_command_line_searches_by_a_pair(asked, member, pair, capsys, monkeypatch):
    """It shows how the job goes, then a table; half a pair, and a pair beside something else, are refused."""
    monkeypatch.setenv("TONECAST_TOKEN", asked.tokens["member"])
    command = ["search", "--dry", str(pair[0]), "--wet", str(pair[1]), "--server", asked.url]
    ended = threading.Event()

    def work() -> None:
        done: set[str] = set()
        with LibraryClient(asked.url, asked.tokens["member"]) as client:
            while not ended.wait(0.1):
                for job in client.jobs(state="queued").data:
                    if job.id not in done:
                        done.add(job.id)
                        carried_out(asked, job.id)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        assert run(command) == 0
    finally:
        ended.set()
        worker.join()
    shown = capsys.readouterr().out
    assert "fuzz" in shown
    assert "sustain 3.70" in shown
    for wrong, words in (
        (["--dry", str(pair[0])], "go together"),
        ([*command[1:], "--sound", str(pair[1])], "one recording"),
        ([*command[1:], "fuzz"], "found WORDS too"),
    ):
        assert run(["search", *wrong, "--json"]) == 1
        assert words in capsys.readouterr().err


def test_the_page_searches_by_a_recording(asked, pages, pair):
    """What is found leads to the profile, its knobs where the search says; what is no recording is told."""
    page = pages(f"{asked.url}/#{asked.invitation('looker')}")
    page.get_by_role("link", name="By sound").click()
    page.get_by_label("A recording of gear").set_input_files({"name": "x", "mimeType": "audio/wav", "buffer": b"no"})
    page.get_by_role("button", name="Search").click()
    page.get_by_text("not audio that can be read").wait_for()
    page.get_by_label("A recording of gear").set_input_files(pair[1])
    page.get_by_role("button", name="Search").focus()
    page.keyboard.press("Enter")
    page.get_by_text("2 of 2 profiles").wait_for()
    assert not page.get_by_text("not audio that can be read").is_visible()
    with asked.client("reader") as reader:
        found = reader.search_by_sound(pair[1]).data
    assert page.locator(".found h3").all_text_contents() == [each.entry.name for each in found]
    page.locator(".found a").first.click()
    knobs = {knob.id: knob for knob in found[0].entry.version.facts.knobs}
    for id_, value in found[0].settings.items():
        slider = page.locator(f"[data-knob={id_}][data-turned]")
        slider.wait_for()
        assert float(slider.input_value()) == pytest.approx(knobs[id_].position(value)[0], abs=1e-6)
        assert float(slider.get_attribute("aria-valuetext")) == pytest.approx(value, abs=1e-3)


def fitted_on_page(asked, page, pair) -> None:
    """Send a pair from the page, and have the job be done that its link leads to."""
    page.get_by_role("link", name="By sound").click()
    page.get_by_label("The dry").set_input_files(pair[0])
    page.get_by_label("The wet").set_input_files(pair[1])
    page.get_by_role("button", name="Fit the knobs").click()
    page.get_by_role("link", name="wet.flac").click()
    page.get_by_role("heading", name="Match", exact=True).wait_for()
    page.get_by_text("Waits for a worker").wait_for()
    worker = threading.Thread(target=carried_out, args=(asked, page.locator(".job").get_attribute("data-job")))
    worker.start()
    try:
        page.locator(".matches li").first.wait_for()
    finally:
        worker.join()


def test_the_page_fits_the_knobs_of_a_pair(asked, pages, pair):
    """Two files become a job, whose page shows live what it finds; its link opens the profile, at those knobs."""
    page = pages(f"{asked.url}/#{asked.invitation('fitter')}")
    fitted_on_page(asked, page, pair)
    assert page.locator(".matches h3").all_text_contents() == ["fuzz", "diode-distortion"]
    first = page.locator(".matches li").first
    assert "9.5 dB louder, upside down, 6.7 ms late" in first.text_content()
    assert first.locator("dl").text_content() == "Sustain3.701Tone4.7"
    first.get_by_role("link").click()
    page.get_by_role("heading", name="fuzz").wait_for()
    for id_, value in AT.items():
        page.locator(f"[data-knob={id_}][data-turned]").wait_for()
        assert float(page.locator(f"[data-knob={id_}]").input_value()) == pytest.approx(value / 10, abs=0.01)
        assert float(page.locator(f"[name='set:{id_}']").input_value()) == pytest.approx(value, abs=0.1)
    page.get_by_role("button", name="Back to the defaults").click()
    assert page.locator("[data-knob=tone]").input_value() == "0.5"
    assert page.locator("[name='set:tone']").input_value() == "5.0"
    page.goto(f"{asked.url}/jobs")
    page.get_by_role("link", name="See what matches wet.flac").click()
    page.locator(".matches li").first.wait_for()
    page.get_by_role("button", name="Remove wet.flac").click()
    page.get_by_text("You have asked for nothing yet.").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_read_anywhere(asked, pages, pair, contrasts, nameless, scheme):
    """On a phone nothing sticks out, texts stand out by 4.5 to 1, every control has a name; so too what was found."""
    options = {"viewport": {"width": 360, "height": 800}, "color_scheme": scheme}
    page = pages(f"{asked.url}/#{asked.invitation('looker')}", **options)
    page.get_by_role("link", name="By sound").click()
    page.get_by_label("A recording of gear").set_input_files(pair[1])
    page.get_by_role("button", name="Search").click()
    page.locator(".found a").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    ratios = contrasts(page, ["p", "h1", "h2", "h3", "a", "label", "button", ".status"])
    assert [(kind, round(ratio, 2)) for kind, ratio in ratios if ratio < 4.5] == []
    assert nameless(page) == []
    assert page.locator("h1").count() == 1


def test_what_is_gone_is_neither_compared_nor_shown(asked, member, pair):
    """The last test: it empties the library. One that is removed before its turn is left out, later it is not shown."""
    job = member.match(*pair)
    with asked.client("other") as other:
        other.remove(other.find("diode-distortion").id)
        carried_out(asked, job.id)
        assert [each.name for each in member.matches(job.id).data] == ["fuzz"]
        assert member.matches(job.id).compared == 1
        other.remove(other.find("fuzz").id)
        assert member.matches(job.id).data == ()
        with pytest.raises(LibraryError, match="listened to no profile yet"):
            member.match(*pair)
