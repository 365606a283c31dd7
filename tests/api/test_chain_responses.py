"""Impulse responses that come with the recording of a chain: bad ones are refused, others last as long as the job."""

import contextlib
import hashlib
import io
import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile

from api.client_chains import chain_to_send
from api.job import ENDED, ChainOrder, ChainResponse
from api.jobs.desk import Desk
from api.jobs.folder import CHAIN
from api.jobs.playing import rendered
from api.jobs.teller import Teller
from api.jobs.worker import work
from api.settings import ServiceSettings
from api.verification import verify
from profiler.audio_file import read_audio
from profiler.errors import AudioError, LibraryError
from profiler.rendering import RenderJob, run_job

RATE = 48_000


def sound(samples: np.ndarray, rate: int = RATE, kind: str = "WAV", subtype: str = "FLOAT") -> bytes:
    """Return a file of samples of shape (frames, channels)."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def noise(frames: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Return noise that dies away."""
    made = np.random.default_rng(seed).standard_normal((frames, channels)) * np.exp(-np.arange(frames) / 300)[:, None]
    return (0.1 * made).astype(np.float32)


STEADY = (0.1 * np.random.default_rng(2).standard_normal((RATE, 1))).astype(np.float32)
DRY = sound(noise(4800, seed=9))
CAB, ROOM = sound(noise(2000)), sound(noise(3000, seed=1))


def named(content: bytes) -> str:
    """Return what a slot calls a file by."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def chain_of(*refs: str) -> str:
    """Return the text of a chain of impulse responses."""
    return json.dumps({"slots": [{"id": f"cab{number}", "kind": "ir", "ref": ref} for number, ref in enumerate(refs)]})


def ordered(
    http: httpx.Client,
    chain: str,
    responses: Sequence[bytes],
    *,
    lengths: Sequence[int] | None = None,
) -> httpx.Response:
    """Ask for a recording to be played through a chain."""
    told = {"chain": chain, "response_bytes": list(map(len, responses)) if lengths is None else list(lengths)}
    headers = {"Content-Type": "application/octet-stream"}
    return http.post("/api/v1/jobs/chain", params=told, content=DRY + b"".join(responses), headers=headers)


@pytest.fixture(scope="module")
def asked_of(tmp_path_factory: pytest.TempPathFactory, serving):
    """A server without workers."""
    settings = ServiceSettings(data=tmp_path_factory.mktemp("asked"), requests_a_minute=1_000_000)
    with serving(settings) as served:
        yield served


@pytest.fixture
def nothing_kept(asked_of) -> Iterator[None]:
    """At the end there is neither a job nor a file more than before."""

    def held() -> tuple[int, int, list[str]]:
        with asked_of.client() as client, contextlib.closing(Desk(asked_of.library)) as desk:
            return client.jobs().total, client.me().used_bytes, sorted(desk.files.hashes())

    before = held()
    yield
    assert held() == before
    assert not list(asked_of.library.settings.scratch.iterdir())


def with_rate(rate: int) -> bytes:
    """Return a WAV that says that it is of a rate."""
    content = bytearray(CAB)
    content[24:28] = rate.to_bytes(4, "little")
    return bytes(content)


def bomb() -> bytes:
    """Return a FLAC of eight channels that declares 29 s at the highest rate there is, in a few bytes."""
    content = bytearray(sound(noise(100, 8), 655_350, "FLAC", "PCM_16"))
    content[22:26] = (29 * 655_350).to_bytes(4, "big")
    return bytes(content)


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (b"root:x:0:0:root:/root:/bin/bash\n", "does not begin as a recording"),
        (b"PK\x03\x04" + bytes(100), "does not begin as a recording"),
        (b"RIFF" + bytes(100), "not audio that can be read"),
        (sound(STEADY, kind="FLAC", subtype="PCM_24")[:20_000], "breaks off or is damaged"),
        (sound(np.full((100, 1), np.nan, np.float32)), "holds NaN or infinity at frame 0"),
        (sound(noise(0)), "holds no audio"),
        (sound(np.zeros((100, 1), np.float32)), "response is silent"),
        (sound(np.zeros((3600 * 8000, 1), np.int16), 8000, "FLAC", "PCM_16"), r"at most 30 s; found 3600\.0 s"),
        (bomb(), "more than 50000000 samples"),
        (with_rate(100), "rate of 1000 to 1000000 Hz; found 100 Hz"),
        (with_rate(2_000_000_000), "found 2000000000 Hz"),
    ],
    ids=["text", "zip", "riff", "cut", "nan", "empty", "silent", "hours", "bomb", "slow", "fast"],
)
def test_what_is_no_response_is_refused(asked_of, response: bytes, reason: str):
    """In words that name the slot, whichever of them it is; another process has looked at it."""
    with asked_of.http() as http:
        reply = ordered(http, chain_of(named(CAB), named(response)), [CAB, response])
    assert reply.status_code == 422, reply.text
    detail = reply.json()["detail"]
    assert "lot cab1" in detail
    assert re.search(reason, detail), detail


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize(
    ("chain", "responses", "lengths", "status", "reason"),
    [
        (chain_of(named(CAB)), [CAB, ROOM], None, 422, "plays 1 impulse responses, and response_bytes tells of 2"),
        (chain_of(named(CAB)), [], None, 422, "plays 1 impulse responses, and response_bytes tells of 0"),
        (chain_of(named(CAB), named(CAB)), [CAB, CAB], None, 422, "plays 1 impulse responses"),
        (chain_of(named(CAB)), [ROOM], None, 422, "which no slot of the chain names"),
        (chain_of(named(CAB), named(ROOM)), [CAB, CAB], None, 422, "which came before"),
        (chain_of(named(CAB)), [CAB], [len(CAB) - 1], 422, "which no slot of the chain names"),
        (chain_of(named(CAB)), [CAB], [len(DRY) + len(CAB)], 422, "there is no recording before them"),
        (chain_of(named(CAB)), [CAB], [0], 422, "response_bytes"),
        (chain_of(named(CAB)), [CAB], [1 << 40], 422, "response_bytes"),
        (chain_of(named(CAB), named(ROOM)), [CAB], [100 << 20] * 2, 413, "209715200 bytes; at most 134217728"),
        (chain_of(*map(str, range(65))), [CAB] * 65, None, 422, "response_bytes"),
        (chain_of(named(CAB).upper()), [CAB], None, 422, "Write sha256:HASH"),
        (chain_of("cab.wav"), [CAB], None, 422, "Write sha256:HASH"),
        (chain_of("../../../etc/passwd"), [CAB], None, 422, "Write sha256:HASH"),
        (chain_of(f"{named(CAB)}/../x"), [CAB], None, 422, "Write sha256:HASH"),
    ],
)
def test_other_files_than_the_slots_name_are_refused(
    asked_of, chain: str, responses: Sequence[bytes], lengths: Sequence[int] | None, status: int, reason: str
):
    """More, fewer, others, twice the same, what is not there, and files of the machine."""
    with asked_of.http() as http:
        reply = ordered(http, chain, responses, lengths=lengths)
    assert reply.status_code == status, reply.text
    assert reason in reply.text


def test_what_comes_counts(serving, tmp_path: Path):
    """An impulse response that leaves no room is refused before it is sent; one with room is in what is used."""
    settings = ServiceSettings(data=tmp_path / "library", quota_bytes=len(DRY) + len(CAB))
    with serving(settings) as served, served.http() as http, served.client() as client:
        more = ordered(http, chain_of(named(CAB), named(ROOM)), [CAB, ROOM])
        assert (more.status_code, client.me().used_bytes) == (413, 0), more.text
        assert ordered(http, chain_of(named(CAB)), [CAB]).status_code == 201
        assert client.me().used_bytes == len(DRY) + len(CAB)


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """A chain file with two cabinets beside each other, one of them twice, and a room behind them."""
    (tmp_path / "cabs").mkdir()
    (tmp_path / "cabs" / "cab.wav").write_bytes(CAB)
    (tmp_path / "same.wav").write_bytes(CAB)
    (tmp_path / "room.flac").write_bytes(sound(noise(3000, 2, seed=1), 44_100, "FLAC", "PCM_24"))
    slots = [{"id": name, "kind": "ir", "ref": ref} for name, ref in (("near", "cabs/cab.wav"), ("far", "same.wav"))]
    branches = [{"id": f"in-{slot['id']}", "slots": [slot], "output_db": -6} for slot in slots]
    room = {"id": "room", "kind": "ir", "ref": "room.flac", "output_db": 3}
    path = tmp_path / "chain.json"
    path.write_text(json.dumps({"slots": [{"id": "both", "kind": "parallel", "branches": branches}, room]}))
    return path


def test_a_client_sends_each_response_once(chain: Path):
    """Files of the same content are one; what is not there is told with its slot."""
    sent = chain_to_send(chain)
    assert [path.name for path in sent.responses] == ["cab.wav", "room.flac"]
    assert sent.text.count(named(CAB)) == 2
    assert ".wav" not in sent.text
    (chain.parent / "room.flac").unlink()
    with pytest.raises(LibraryError, match=r"Slot room of chain\.json plays .*room\.flac, which is not there"):
        chain_to_send(chain)


def test_channels_that_do_not_fit_fail_in_words(tmp_path: Path):
    """What only shows beside the recording fails the job, and not its process."""
    response = sound(noise(100, 3))
    (tmp_path / "material").write_bytes(DRY + response)
    sha256 = hashlib.sha256(response).hexdigest()
    (tmp_path / CHAIN).write_text(chain_of(f"{sha256}.response"))
    responses = (ChainResponse(sha256=sha256, bytes=len(response)),)
    with pytest.raises(AudioError, match="3 channels and the signal 1"):
        rendered(tmp_path, ChainOrder(chain="", profiles=(), responses=responses), Teller())


@contextmanager
def working(settings: ServiceSettings) -> Iterator[None]:
    """Have a worker of this process work while the block lasts."""
    ending, ready = threading.Event(), threading.Event()
    thread = threading.Thread(target=work, args=(settings, ("cpu", "quick"), ending, lambda _: ready.set()))
    thread.start()
    try:
        assert ready.wait(60)
        yield
    finally:
        ending.set()
        thread.join()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_another_machine_has_the_responses(
    kind: str, request: pytest.FixtureRequest, new_settings, serving, chain: Path, tmp_path: Path
):
    """A worker in another folder plays them, when the job was cancelled and is tried again; they go with the job."""
    settings = new_settings("postgresql", tmp_path / "library")
    if kind == "s3":
        request.getfixturevalue("s3")
        settings = replace(settings, storage="s3://tests/library")
    else:
        settings = replace(settings, storage=(tmp_path / "shared").as_uri())
    dry, here, there = tmp_path / "dry.wav", tmp_path / "here.wav", tmp_path / "there.wav"
    dry.write_bytes(sound(noise(9600, 2, seed=5)))
    run_job(RenderJob(effect=chain, source=dry, target=here))
    with serving(settings) as served, served.client() as client, contextlib.closing(Desk(served.library)) as desk:
        job = client.play_chain(chain, dry)
        assert client.cancel_job(job.id).state == "cancelled"
        assert client.retry_job(job.id).state == "queued"
        with working(replace(settings, data=tmp_path / "other")):
            *_, ended = client.watch(job.id)
        assert ended.state in ENDED
        assert ended.error is None
        client.fetch_result(ended, there)
        np.testing.assert_array_equal(read_audio(there).samples, read_audio(here).samples)
        assert verify(settings, grace_seconds=0).flaws == ()
        client.remove_job(job.id)
        assert not list(desk.files.hashes())
        assert client.me().used_bytes == 0
    assert not list((tmp_path / "other" / "jobs").glob(f"{job.id}*"))
