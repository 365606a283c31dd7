"""Checkpoints in the storage: kept for other machines, one at a time, and gone with what they are of."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from api.job import TrainOrder
from api.jobs.checkpoints import Checkpoints
from api.jobs.desk import Desk
from api.jobs.folder import STORED
from api.library import Library, opened
from api.people import Caller
from api.problem import Problem
from api.settings import ServiceSettings
from api.store import jobs
from api.store.checkpoints import checkpoint_of
from api.store.jobs import NewJob, Outcome
from profiler.errors import StorageError
from profiler.storage import sha256_of, write_bytes

CLAIM = "claim"


@pytest.fixture(params=["folder", "s3"])
def settings(request: pytest.FixtureRequest, new_settings: Callable, tmp_path: Path) -> ServiceSettings:
    """Of a library whose workers may be on several machines, with files in a folder that they share, or on S3."""
    settings = new_settings("postgresql", tmp_path / "library")
    if request.param == "s3":
        request.getfixturevalue("s3")
        return replace(settings, storage="s3://tests/library")
    return settings


@pytest.fixture
def desk(library: Library) -> Iterator[Desk]:
    """The jobs of the library."""
    with closing(Desk(library)) as desk:
        yield desk


@pytest.fixture
def ann(caller_of: Callable[..., Caller]) -> Caller:
    """Somebody."""
    return caller_of("ann")


def running(desk: Desk, who: Caller, claim: str = CLAIM) -> str:
    """Return a training that somebody works on."""
    new = NewJob(id=secrets.token_hex(8), owner_id=who.account_id, title="t", order=TrainOrder(steps=1))
    with desk.library.database.writing() as connection:
        jobs.add_job(connection, new)
        assert jobs.claim_job(connection, new.id, 1, claim)
    return new.id


def run_of(desk: Desk, job_id: str, folder: Path, claim: str = CLAIM) -> Checkpoints:
    """Return the checkpoints of a run that looks as often as it is asked to."""
    folder.mkdir(exist_ok=True)
    return Checkpoints(desk, job_id, claim, folder, {}, share=float("inf"))


def kept(desk: Desk, run: Checkpoints, folder: Path) -> str:
    """Have a new checkpoint be written and kept, and return its hash."""
    path = folder / ".profile.checkpoint"
    write_bytes(path, secrets.token_bytes(1000))
    run.keep(path)
    return sha256_of(path)


def end(desk: Desk, job_id: str, state: str) -> None:
    """End a job as its worker does."""
    with desk.library.database.writing() as connection:
        error = "no" if state == "failed" else None
        assert jobs.end_job(connection, job_id, CLAIM, Outcome(state=state, error=error))


def test_the_newest_is_kept_and_fetched(desk: Desk, ann: Caller, tmp_path: Path):
    """One that is written once is put once; the one before goes; another run has it beside what it works on."""
    job_id = running(desk, ann)
    run = run_of(desk, job_id, tmp_path / "here")
    run.keep(tmp_path / "here" / ".profile.checkpoint")
    assert list(desk.files.hashes()) == []
    kept(desk, run, tmp_path / "here")
    last = kept(desk, run, tmp_path / "here")
    assert list(desk.files.hashes()) == [last]
    desk.files.remove(last)
    run.keep(tmp_path / "here" / ".profile.checkpoint")
    assert list(desk.files.hashes()) == []
    last = kept(desk, run, tmp_path / "here")
    run_of(desk, job_id, tmp_path / "there").fetch()
    assert sha256_of(tmp_path / "there" / STORED) == last
    desk.sweep()
    assert list(desk.files.hashes()) == [last]


def test_keeping_them_takes_little_of_the_time(desk: Desk, ann: Caller, tmp_path: Path):
    """After the first, which opens the connections, as much time passes as makes keeping one a small share."""
    job_id, folder = running(desk, ann), tmp_path / "here"
    folder.mkdir()
    run = Checkpoints(desk, job_id, CLAIM, folder, {}, share=1e-6)
    kept(desk, run, folder)
    second = kept(desk, run, folder)
    assert list(desk.files.hashes()) == [second]
    kept(desk, run, folder)
    assert list(desk.files.hashes()) == [second]


def test_it_goes_with_the_job(desk: Desk, ann: Caller, tmp_path: Path):
    """When it succeeds, or is cancelled, at once; when it fails, with the job, for it may be tried again."""
    ids = {state: running(desk, ann) for state in ("succeeded", "failed")}
    runs = {state: (job_id, run_of(desk, job_id, tmp_path / state)) for state, job_id in ids.items()}
    hashes = {state: kept(desk, run, tmp_path / state) for state, (_, run) in runs.items()}
    for state, (job_id, run) in runs.items():
        end(desk, job_id, state)
        run.forget()
    assert list(desk.files.hashes()) == [hashes["failed"]]
    failed = runs["failed"][0]
    with desk.library.database.writing() as connection:
        assert jobs.queue_again(connection, failed)
        assert checkpoint_of(connection, failed) == (hashes["failed"], 1000)
    desk.cancel(failed, ann)
    assert list(desk.files.hashes()) == []
    job_id = running(desk, ann)
    kept(desk, run_of(desk, job_id, tmp_path / "failed"), tmp_path / "failed")
    end(desk, job_id, "failed")
    desk.remove(job_id, ann)
    assert list(desk.files.hashes()) == []


def test_who_lost_the_job_leaves_nothing(desk: Desk, ann: Caller, tmp_path: Path):
    """A worker that goes on after another took its job over keeps no checkpoint; what it was killed in is swept."""
    job_id = running(desk, ann)
    run = run_of(desk, job_id, tmp_path / "slow")
    with desk.library.database.writing() as connection:
        assert jobs.claim_job(connection, job_id, 1, "other")
    last = kept(desk, run_of(desk, job_id, tmp_path / "quick", "other"), tmp_path / "quick")
    kept(desk, run, tmp_path / "slow")
    run.forget()
    assert list(desk.files.hashes()) == [last]
    orphan = tmp_path / "orphan"
    orphan.write_bytes(b"x")
    desk.files.put(sha256_of(orphan), orphan)
    desk.sweep()
    assert list(desk.files.hashes()) == [last]


def test_no_checkpoint_is_no_reason_to_fail(desk: Desk, ann: Caller, tmp_path: Path, monkeypatch):
    """A storage that is away is asked again; one that has lost or damaged it is gone without."""
    job_id = running(desk, ann)
    run, folder = run_of(desk, job_id, tmp_path / "here"), tmp_path / "here"

    def away(*_: object) -> None:
        raise StorageError("away")

    with monkeypatch.context() as patched:
        patched.setattr(desk.files, "put", away)
        last = kept(desk, run, folder)
        assert list(desk.files.hashes()) == []
    run.keep(folder / ".profile.checkpoint")
    assert list(desk.files.hashes()) == [last]

    def busy(*_: object) -> None:
        raise Problem(503, "Storage away", "busy")

    with monkeypatch.context() as patched:
        patched.setattr(desk.files, "fetch", busy)
        with pytest.raises(Problem, match="busy"):  # which who carries the job out waits for
            run_of(desk, job_id, tmp_path / "there").fetch()
    desk.files.remove(last)
    run_of(desk, job_id, tmp_path / "there").fetch()
    assert not (tmp_path / "there" / STORED).exists()


def test_on_sqlite_nothing_is_kept(new_settings, tmp_path: Path, account_of):
    """All workers are in one folder there, which has the checkpoint."""
    with opened(new_settings("sqlite", tmp_path / "one")) as library, closing(Desk(library)) as desk:
        job_id = running(desk, account_of(library, "ann"))
        kept(desk, run_of(desk, job_id, tmp_path / "here"), tmp_path / "here")
        assert list(desk.files.hashes()) == []
