"""Jobs as they are asked for and looked at, with nobody working on them: rows, files, who may what, events."""

import json
import socket
import threading
import zipfile
from pathlib import Path

import httpx
import numpy as np
import pytest

from api.client import LibraryClient
from api.job import ExportOrder, JobProgress, JobResult, NewExport, TrainOrder
from api.jobs.desk import Desk
from api.library import Received
from api.problem import Problem
from api.settings import ServiceSettings
from api.store import jobs, workers
from api.store.jobs import Outcome
from profiler.audio import Audio
from profiler.audio_file import write_audio
from profiler.errors import LibraryError
from profiler.finding import Finding
from profiler.storage import sha256_of

ZIP = {"Content-Type": "application/zip"}
ORDER = TrainOrder(steps=10)


@pytest.fixture(scope="module")
def asked_of(tmp_path_factory: pytest.TempPathFactory, serving, profile_file, taking_in):
    """A server without workers, whose members have one profile, and may have four jobs at a time."""
    settings = ServiceSettings(
        data=tmp_path_factory.mktemp("asked"), requests_a_minute=1_000_000, unfinished_jobs=4, quota_bytes=1 << 20
    )
    with serving(settings) as served:
        taking_in(served.library, profile_file("mine"), who="member")
        yield served


@pytest.fixture
def member(asked_of):
    """A member's client, who has no jobs yet; at the end all are cancelled and removed."""
    with asked_of.client() as client:
        yield client
        for job in client.jobs(page_size=100).data:
            client.cancel_job(job.id) if job.state in ("queued", "running") else None
            client.remove_job(job.id)
        assert not list(Desk(asked_of.library).files.hashes())


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A zip with something in it; what, is the worker's to look at."""
    path = tmp_path / "session.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("session.json", "{}")
    return path


@pytest.fixture
def dry(tmp_path: Path) -> Path:
    """A second of noise."""
    path = tmp_path / "dry.wav"
    samples = np.random.default_rng(0).standard_normal((1, 8000)).astype(np.float32) * 0.1
    write_audio(path, Audio(samples=samples, sample_rate=8000))
    return path


def test_jobs_are_asked_for_and_looked_at(asked_of, member, archive, dry):
    """Each kind queues with its order, is seen by its owner and admins, and by nobody else."""
    profile = member.find("mine")
    trained = member.train(archive, {"steps": 20, "hold_out": ["time=last:0.2"], "name": "Amp", "tags": ["crunch"]})
    rendered = member.render(profile.id, dry, {"set": [f"{profile.version.facts.knobs[0].id}=-1"], "form": "flac"})
    exported = member.export(NewExport(profile_id=profile.id))
    assert [each.state for each in (trained, rendered, exported)] == ["queued"] * 3
    assert (trained.title, trained.order.steps, trained.order.about.tags) == ("Amp", 20, ("crunch",))
    assert (rendered.order.sha256, rendered.order.form) == (profile.version.sha256, "flac")
    assert [each.id for each in member.jobs().data] == [exported.id, rendered.id, trained.id]
    assert [each.id for each in member.jobs(state="running").data] == []
    with asked_of.client("other") as other, asked_of.client("admin") as admin:
        assert other.jobs().total == 0
        assert admin.jobs(everybody=True).total == 3
        assert admin.job(trained.id) == member.job(trained.id) == trained
        for ask in (other.job, other.cancel_job, other.retry_job, other.remove_job, lambda id_: next(other.watch(id_))):
            with pytest.raises(LibraryError, match="No such job"):
                ask(trained.id)
        with pytest.raises(LibraryError, match="Only admins"):
            other.jobs(everybody=True)


def test_what_jobs_keep_counts_and_goes(asked_of, member, archive, dry):
    """Material counts against the quota once it is there, twice the same is one file, and goes with its last job."""
    before = member.me().used_bytes
    first, second = member.train(archive), member.train(archive)
    files = Desk(asked_of.library).files
    assert member.me().used_bytes == before + 2 * archive.stat().st_size
    assert list(files.hashes()) == [sha256_of(archive)]
    with pytest.raises(LibraryError, match="has not ended"):
        member.remove_job(first.id)
    member.cancel_job(first.id)
    member.remove_job(first.id)
    assert list(files.hashes()) == [sha256_of(archive)]
    assert member.cancel_job(second.id).state == "cancelled"
    assert member.cancel_job(second.id).state == "cancelled"
    with pytest.raises(LibraryError, match="no file"):
        member.fetch_result(member.job(second.id), dry.with_name("out"))
    member.remove_job(second.id)
    assert not list(files.hashes())
    assert member.me().used_bytes == before
    asked_of.library.sweep()
    Desk(asked_of.library).sweep()
    large = archive.with_name("large.zip")
    large.write_bytes(archive.read_bytes() + bytes(1 << 20))
    with pytest.raises(LibraryError, match="Quota used up"):
        member.train(large)


def test_what_is_refused_before_anything_is_kept(asked_of, member, archive, dry):
    """Each with its reason: what no worker could do, what is not allowed, what is no such file."""
    profile = member.find("mine")
    wrong = [
        (lambda: member.train(dry), "does not begin"),
        (lambda: member.render(profile.id, archive), "does not begin"),
        (lambda: member.train(archive, {"hold_out": ["time=first:2"]}), "time=first:2"),
        (lambda: member.train(archive, {"steps": 5, "budget_seconds": 5}), "one of them"),
        (lambda: member.train(archive, {"resource": "gpu"}), "has a GPU"),
        (lambda: member.train(archive, {"priority": "high"}), "Only admins"),
        (lambda: member.train(archive, {"version_of": 99}), "no profile 99"),
        (lambda: member.render(99, dry), "no profile 99"),
        (lambda: member.render(profile.id, dry, {"version": 9}), "versions 1 to 1"),
        (lambda: member.render(profile.id, dry, {"set": ["nonsense=1"]}), "nonsense"),
        (lambda: member.render(profile.id, dry, {"set": ["nonsense"]}), "KNOB=VALUE"),
        (lambda: member.export(NewExport(profile_id=profile.id, settings={"nonsense": 1})), "nonsense"),
    ]
    for ask, reason in wrong:
        with pytest.raises(LibraryError, match=reason):
            ask()
    with asked_of.client("other") as other, pytest.raises(LibraryError, match="somebody else"):
        other.train(archive, {"version_of": profile.id})
    with asked_of.client("reader") as reader, pytest.raises(LibraryError, match="takes the scope"):
        reader.train(archive)
    with asked_of.http() as http:
        assert (
            http.post("/api/v1/jobs/train", content=b"PK\x03\x04", headers={"Content-Type": "text/x"}).status_code
            == 415
        )
        assert http.post("/api/v1/jobs/train", content=b"", headers=ZIP).status_code == 422
        assert declared(asked_of, 10 << 30).startswith(b"HTTP/1.1 413 ")
        assert http.get("/api/v1/jobs/../../etc").status_code == 404
    with asked_of.library.database.reading() as connection:
        assert not jobs.all_files(connection)
    assert not list(asked_of.library.settings.scratch.iterdir())


def declared(asked_of, size: int) -> bytes:
    """Return what a server answers to a declared length, before a byte of the body."""
    host, port = asked_of.url.removeprefix("http://").split(":")
    head = f"POST /api/v1/jobs/train HTTP/1.1\r\nHost: x\r\nContent-Type: application/zip\r\nContent-Length: {size}\r\n"
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"{head}Authorization: Bearer {asked_of.tokens['member']}\r\n\r\n".encode())
        return connection.recv(65536)


def test_nobody_queues_without_end(member, archive):
    """Of jobs that have not ended, each account has some at most; one that is cancelled makes room."""
    asked = [member.train(archive) for _ in range(4)]
    with pytest.raises(LibraryError, match="Too many jobs"):
        member.train(archive)
    member.cancel_job(asked[0].id)
    assert member.train(archive).state == "queued"
    with pytest.raises(LibraryError, match="Too many jobs"):
        member.retry_job(asked[0].id)
    member.cancel_job(asked[1].id)
    with pytest.raises(LibraryError, match="is queued"):
        member.retry_job(asked[2].id)


def test_events_tell_every_change(asked_of, member, archive):
    """First how it is, then each change, then the end; who knows a revision is not told it again."""
    job = member.train(archive)
    database = asked_of.library.database
    with database.writing() as connection:
        assert jobs.claim_job(connection, job.id, 1, "claim")
    watched = member.watch(job.id)
    assert next(watched).state == "running"
    steps = iter(JobProgress(step="train", done=done, seconds_left=9.0) for done in (0.25, 0.5))
    for progress in steps:
        with database.writing() as connection:
            jobs.tell_job(connection, job.id, "claim", progress=progress)
        assert next(watched).progress == progress
    known = str(member.job(job.id).revision)
    with (
        asked_of.http() as http,
        http.stream("GET", f"/api/v1/jobs/{job.id}/events", headers={"Last-Event-ID": known}) as reply,
    ):
        threading.Timer(0.5, lambda: member_cancels(asked_of, job.id)).start()
        lines = [line for line in reply.iter_lines() if line.startswith(("id:", "data:"))]
    assert reply.headers["content-type"].startswith("text/event-stream")
    (data,) = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data:")]
    assert (data["state"], lines[0]) == ("cancelled", f"id: {data['revision']}")
    assert data["revision"] > int(known)
    assert [each.state for each in watched] == ["cancelled"]


def member_cancels(asked_of, job_id: str) -> None:
    """Cancel from another connection."""
    with asked_of.client() as client:
        client.cancel_job(job_id)


def test_a_claim_is_the_last_ones(library, caller_of, profile_file):
    """Of two that believe to be at one job, only the later one's words count; ended jobs are nobody's."""
    desk, caller = Desk(library), caller_of("ann")
    path = profile_file()
    material = Received(path=path, sha256=sha256_of(path), bytes=path.stat().st_size)
    job = desk.submit(ORDER, "Amp", caller, material=material)
    found = (Finding(kind="hum", message="It hums.", severity="warning"),)

    def changed(change, *told, **more):
        with library.database.writing() as connection:
            return change(connection, job.id, *told, **more)

    assert not changed(jobs.claim_job, 2, "one")
    assert changed(jobs.claim_job, 1, "one")
    assert changed(jobs.tell_job, "one", findings=found)
    assert changed(jobs.claim_job, 1, "two")
    assert not changed(jobs.tell_job, "one", progress=JobProgress(step="train", done=0.1))
    assert not changed(jobs.end_job, "one", Outcome(state="failed", error="late"))
    assert not changed(jobs.give_back, "one")
    assert [changed(jobs.count_crash, "two") for _ in range(2)] == [1, 2]
    assert changed(jobs.give_back, "two")
    assert desk.job(job.id, caller).state == "queued"
    assert changed(jobs.claim_job, 1, "three")
    result = JobResult(name="Amp.tonecast", bytes=5, sha256="0" * 64)
    assert changed(jobs.end_job, "three", Outcome(state="succeeded", result=result))
    assert not changed(jobs.claim_job, 1, "four")
    ended = desk.job(job.id, caller)
    assert (ended.state, ended.result, ended.findings, ended.progress) == ("succeeded", result, found, None)
    assert ended.started_at is not None
    assert ended.created_at <= ended.started_at <= ended.ended_at
    with pytest.raises(Problem, match="succeeded"):
        desk.retry(job.id, caller)
    desk.remove(job.id, caller)
    desk.close()


def test_rows_and_queue_come_together_again(library, caller_of):
    """A job that a kill kept from the queue is put there; one that the queue has given up is failed, not lost."""
    desk, caller = Desk(library), caller_of("ann")
    order = ExportOrder(profile_id=1, version=1, sha256="0" * 64)
    queued = desk.submit(order, "Queued", caller)
    with library.database.writing() as connection:
        kept = jobs.NewJob(id="ab" * 8, owner_id=caller.account_id, title="Kept", order=order)
        jobs.add_job(connection, kept)
    runs = [f"{each}-1" for each in (queued.id, kept.id)]
    assert desk.engine.unknown(runs) == {runs[1]}
    desk.reconcile()
    desk.reconcile()
    assert not desk.engine.unknown(runs)
    desk.engine.cancel(runs[0])
    desk.reconcile()
    assert [desk.job(each, caller).state for each in (queued.id, kept.id)] == ["failed", "queued"]
    again = desk.retry(queued.id, caller)
    assert (again.state, again.error) == ("queued", None)
    desk.reconcile()
    assert desk.engine.ended([f"{queued.id}-2", f"{queued.id}-1"]) == {f"{queued.id}-1"}
    desk.close()


def test_workers_count(library):
    """A worker is told by a number that grows; trainings on a GPU are taken while a worker has one."""
    with library.database.writing() as connection:
        for queues in ("cpu quick", "cpu quick", "cpu gpu quick"):
            workers.beat(connection, "one", queues)
        workers.beat(connection, "two", "cpu")
        assert workers.beats(connection) == {"one": 3, "two": 1}
        assert workers.queues_served(connection) == {"cpu", "gpu", "quick"}
        workers.forget_worker(connection, "one")
        assert workers.queues_served(connection) == {"cpu"}


def test_a_server_that_ends_lets_go_of_who_watches(process, archive):
    """An open stream of events ends with it and keeps it from nothing, and the job is there when it starts again."""
    server = process()
    token = server.token()
    with LibraryClient(server.url, token) as client:
        job = client.train(archive)
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.stream("GET", f"{server.url}/api/v1/jobs/{job.id}/events", headers=headers, timeout=60) as reply:
        lines = reply.iter_lines()
        while not next(lines).startswith("data:"):
            pass
        assert server.stop() == 0
        assert not any(lines)
    assert "graceful shutdown exceeded" not in server.log.read_text()
    with LibraryClient(process().url, token) as client:
        assert client.job(job.id) == job
