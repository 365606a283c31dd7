"""Listening: what is heard is what the profile makes of the dry, bit by bit; strangers' recordings harm nobody."""

import io
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile

from api.settings import ServiceSettings
from api.sounds import MOST_SECONDS, OURS
from api.tracks import _MOST_TRACKS
from profiler.listening.loudness import loudness_of
from profiler.presets import preset_path
from profiler.profile_file import load
from profiler.rendering import ProfileProcessor

WAV = {"Content-Type": "audio/wav"}


def heard(reply) -> tuple[np.ndarray, int]:
    """Return samples of shape (frames,) and the rate of a sound that came."""
    assert reply.status_code in (200, 206), reply.text
    assert reply.headers["content-type"] == "audio/wav"
    return soundfile.read(io.BytesIO(reply.content), dtype="float32")


def recording(seconds: float, *, rate: int = 44_100, channels: int = 2, form: str = "WAV") -> bytes:
    """Return a file of noise."""
    noise = np.random.default_rng(5).normal(0, 0.1, (round(seconds * rate), channels))
    buffer = io.BytesIO()
    soundfile.write(buffer, noise, rate, format=form)
    return buffer.getvalue()


def preset_id(member, title: str) -> int:
    """Return the entry of a profile that ships."""
    return member.get("/api/v1/profiles", params={"name": title}).json()["data"][0]["id"]


@pytest.mark.parametrize(
    ("title", "preset", "settings"),
    [("Fuzz", "fuzz", {}), ("Fuzz", "fuzz", {"sustain": 0.9, "tone": 0.1}), ("Bus compressor", "bus-compressor", {})],
    ids=str,
)
def test_what_is_heard_is_the_profile(served, title, preset, settings):
    """Bit by bit what `ProfileProcessor` makes of the same dry, and as loud as it says."""
    loaded = load(preset_path(preset))
    named = {knob.id: settings[name] for knob in loaded.profile.knobs for name in settings if knob.id.endswith(name)}
    assert len(named) == len(settings)
    with served.http() as member:
        dry, rate = heard(member.get("/api/v1/tracks/bass/sound"))
        told = [f"{knob}={value}" for knob, value in named.items()]
        path = f"/api/v1/profiles/{preset_id(member, title)}/sound"
        reply = member.get(path, params={"track": "bass", "set": told})
        wet, wet_rate = heard(reply)
    assert rate == wet_rate
    expected = ProfileProcessor(loaded, named).process(dry[None], rate)[0]
    np.testing.assert_array_equal(wet, expected)
    assert float(reply.headers["loudness"]) == pytest.approx(loudness_of(expected, rate), abs=1e-3)
    assert float(reply.headers["peak"]) == pytest.approx(float(np.abs(expected).max()), abs=1e-6)


def test_our_tracks_sound(served):
    """Each is some seconds of playing, another than the others, and the same every time."""
    with served.http() as member:
        assert {each["id"] for each in member.get("/api/v1/tracks").json()} >= set(OURS)
        sounds = {each: heard(member.get(f"/api/v1/tracks/{each}/sound"))[0] for each in OURS}
        again = heard(member.get("/api/v1/tracks/keys/sound"))[0]
    np.testing.assert_array_equal(again, sounds["keys"])
    assert all(0.05 < np.abs(each).max() <= 1 for each in sounds.values())
    assert len({each.tobytes() for each in sounds.values()}) == len(OURS)


@pytest.mark.parametrize("form", ["WAV", "FLAC", "MP3", "OGG", "AIFF"])
def test_own_tracks(served, form):
    """A recording in any format is heard from where one says, mono, some seconds of it, and by its owner alone."""
    content = recording(MOST_SECONDS + 3, form=form)
    with served.http() as member, served.http("other") as other:
        reply = member.post("/api/v1/tracks", params={"name": form, "start": 1.5}, content=content, headers=WAV)
        assert reply.status_code == 201, reply.text
        path = f"/api/v1/tracks/{reply.json()['id']}"
        samples, rate = heard(member.get(f"{path}/sound"))
        assert (rate, len(samples)) == (44_100, MOST_SECONDS * 44_100)
        whole = soundfile.read(io.BytesIO(content), dtype="float32")[0].mean(axis=1)
        if form == "WAV":
            np.testing.assert_allclose(samples, whole[66_150 : 66_150 + len(samples)], atol=1e-7)
        assert other.get(f"{path}/sound").status_code == 404
        assert other.delete(path).status_code == 404
        assert reply.json()["id"] not in {each["id"] for each in other.get("/api/v1/tracks").json()}
        wet, _ = heard(member.get("/api/v1/profiles/1/sound", params={"track": reply.json()["id"]}))
        assert len(wet) == len(samples)
        assert member.delete(path).status_code == 204
        assert member.get(f"{path}/sound").status_code == 404


def test_few_tracks_are_kept(served):
    """Of very many the oldest goes, and nothing of it stays."""
    content = recording(0.5)
    with served.http("reader") as reader:  # who may only read may listen
        made = [
            reader.post("/api/v1/tracks", params={"name": f"take {number}"}, content=content, headers=WAV).json()["id"]
            for number in range(_MOST_TRACKS + 2)
        ]
        own = [each["id"] for each in reader.get("/api/v1/tracks").json() if each["is_own"]]
    assert own == made[2:]
    folder = served.library.settings.data / "tracks"
    assert len(list(folder.glob(f"*/{made[0]}*"))) == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"Dear diary", "cannot be played"),
        (b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\x00\x00\x00" + bytes(60), "cannot be played"),
        (recording(0.01), "nothing is left"),
        (recording(1)[:2000], "cannot be played"),
        (recording(0.1, rate=1_000), "1000 Hz"),
    ],
    ids=range(6),
)
def test_what_is_no_recording_is_refused(served, content, words):
    """In words, without the server's paths, and nothing of it is kept."""
    with served.http() as member:
        reply = member.post("/api/v1/tracks", content=content, headers=WAV)
        assert (reply.status_code, words in reply.text) == (422, True), reply.text
        assert str(served.library.settings.data) not in reply.text
        assert member.post("/api/v1/tracks", content=content, headers={"Content-Type": "text/html"}).status_code == 415
        assert not [each for each in member.get("/api/v1/tracks").json() if each["is_own"]]
    assert not list(served.library.settings.scratch.iterdir())


def test_wrong_settings_are_told(served):
    """Knobs that it lacks, places where they cannot stand, and tracks and versions that are not there."""
    with served.http() as member:
        path = f"/api/v1/profiles/{preset_id(member, 'Fuzz')}/sound"
        for told in ("shoe=1", "tone=nan", "tone=inf", "tone=x", "tone=1e9", "tone"):
            assert member.get(path, params={"set": told}).status_code == 422, told
        assert "range is" in member.get(path, params={"set": "tone=99"}).json()["detail"]
        for query in ({"track": "own-0"}, {"version": 7}):
            assert member.get(path, params=query).status_code == 404
        for track in ("../../library.db", "A", "own-../1"):
            assert member.get(path, params={"track": track}).status_code == 422
        assert member.get("/api/v1/profiles/99999/sound").status_code == 404
        reply = member.post("/api/v1/tracks", params={"original_of": "own-1"}, content=recording(1), headers=WAV)
        assert reply.status_code == 404


def test_ranges(served):
    """Any part that a browser's player asks for is that part."""
    with served.http() as member:
        path = "/api/v1/tracks/drums/sound"
        whole = member.get(path)
        for asked, part in (("0-1", slice(0, 2)), ("100-", slice(100, None)), ("-50", slice(-50, None))):
            reply = member.get(path, headers={"Range": f"bytes={asked}"})
            assert (reply.status_code, reply.content) == (206, whole.content[part])
            assert reply.headers["content-range"].endswith(f"/{len(whole.content)}")
        assert member.get(path, headers={"Range": "bytes=99999999999-"}).status_code == 416
        assert member.get(path, headers={"Range": "bytes=-"}).content == whole.content
        assert member.get(path, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304


def test_what_takes_too_long_is_stopped(serving, profile_file, tmp_path: Path):
    """A profile that plays for ever costs its sender a message; processes that were killed are started anew."""
    heavy = profile_file("heavy", oversampling=8)
    settings = ServiceSettings(data=tmp_path / "few", audition_seconds=1.0)
    with serving(settings) as served, served.http() as member:
        sent = {"Content-Type": "application/octet-stream"}
        entry = member.post("/api/v1/profiles", content=heavy.read_bytes(), headers=sent).json()
        light = member.post("/api/v1/profiles", content=profile_file().read_bytes(), headers=sent).json()["id"]
        served.library.auditions._seconds = 60.0
        assert member.get("/api/v1/tracks/lead/sound").status_code == 200
        served.library.auditions._seconds = 0.2
        reply = member.get(f"/api/v1/profiles/{entry['id']}/sound")
        assert (reply.status_code, "more time or memory" in reply.text) == (422, True), reply.text
        served.library.auditions._seconds = 60.0
        assert heard(member.get(f"/api/v1/profiles/{light}/sound"))[0].any()
        assert not list(served.library.settings.scratch.iterdir())
        (worker,) = served.library.auditions._idle
        kept = (f"/proc/{worker.child.pid}/environ", f"/proc/{worker.child.pid}/limits")
        if all(os.path.exists(each) for each in kept):
            environment, limits = (Path(each).read_text() for each in kept)
            assert "HOME=" not in environment
            assert str(2 << 30) in limits
        os.kill(worker.child.pid, signal.SIGKILL)
        assert member.get(f"/api/v1/profiles/{light}/sound", params={"track": "bass"}).status_code == 200
    assert not worker.child.is_running
