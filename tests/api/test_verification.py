"""Whether a library is whole: every kind of damage is planted, on either database, and must be found."""

import json
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from api.job import JobResult, RenderOrder, TrainOrder
from api.library import Library
from api.storage import JOB_FILES, Storage
from api.store import audit, jobs
from api.store.jobs import NewJob, Outcome
from api.verification import Flaw, verify
from profiler.errors import LibraryError
from profiler.storage import sha256_of
from tonecast.cli import run

RENDERED, TRAINED = "aa" * 8, "bb" * 8


@pytest.fixture
def whole(library: Library, take_in: Callable, caller_of: Callable, profile_file: Callable, tmp_path: Path) -> Library:
    """A library with a profile of two versions, a render that is done, and a training that it came of."""
    added = take_in(library_file := profile_file("Drive"))
    take_in(profile_file("Drive, longer"), version_of=added.entry_id)
    ann, files = caller_of("ann"), Storage(library.settings.storage_url, suffix=JOB_FILES)
    profile = sha256_of(library_file)
    orders = {
        RENDERED: RenderOrder(profile_id=added.entry_id, version=1, sha256=profile),
        TRAINED: TrainOrder(steps=1),
    }
    for job_id, order in orders.items():
        content = tmp_path / job_id
        content.write_bytes(secrets.token_bytes(1000))
        kept = sha256_of(content)
        files.put(kept, content)
        came_of_it = kept if job_id == RENDERED else profile
        result = JobResult(name="result", bytes=1000, sha256=came_of_it)
        outcome = Outcome(state="succeeded", entry_id=None if job_id == RENDERED else added.entry_id, result=result)
        new = NewJob(
            id=job_id, owner_id=ann.account_id, title="t", order=order, material_sha256=kept, material_bytes=1000
        )
        with library.database.writing() as connection:
            jobs.add_job(connection, new)
            jobs.claim_job(connection, job_id, 1, "claim")
            jobs.end_job(connection, job_id, "claim", outcome)
            if job_id == TRAINED:
                audit.note(connection, ann, "job.profile", f"profile {added.entry_id}", job=job_id)
    return library


def flaws_of(library: Library, grace_seconds: float = 0) -> tuple[Flaw, ...]:
    """Return what is wrong with a library."""
    return verify(library.settings, grace_seconds=grace_seconds).flaws


def changed(library: Library, statement: str, **values: object) -> None:
    """Change rows as no Tonecast does."""
    with library.database.writing() as connection:
        assert connection.execute(text(statement), values).rowcount > 0


def file_of(library: Library, suffix: str = ".tonecast") -> Path:
    """Return one of the files in the storage."""
    return next(iter(sorted(Path(library.settings.storage_url).rglob(f"[0-9a-f]*{suffix}"))))


def test_a_library_that_is_whole(whole: Library):
    """Nothing is wrong with it, and everything was compared: two versions, and what two jobs were given, one file of
    which also came of one."""
    told = verify(whole.settings, grace_seconds=0)
    assert told.flaws == ()
    assert (told.profiles, told.jobs, told.files) == (1, 2, 4)


@pytest.mark.parametrize("suffix", [".tonecast", ".job"])
def test_damaged_files_are_found(whole: Library, suffix: str):
    """One byte that is another, an end that lacks, a file that is gone."""
    path = file_of(whole, suffix)
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    (flaw,) = flaws_of(whole)
    assert (flaw.kind, "not what was put there" in flaw.message) == ("damaged-file", True)
    path.write_bytes(content[:-1])
    (flaw,) = flaws_of(whole)
    assert (flaw.kind, f"expected {len(content)}" in flaw.message) == ("damaged-file", True)
    path.unlink()
    (flaw,) = flaws_of(whole)
    assert flaw.kind == "missing-file"
    assert ("profile 1, version" if suffix == ".tonecast" else "job ") in flaw.subject


@pytest.mark.parametrize("suffix", [".tonecast", ".job"])
def test_files_that_no_row_names_are_found_when_they_are_old(whole: Library, tmp_path: Path, suffix: str):
    """Young ones may be of an upload that goes on."""
    source = tmp_path / "source"
    source.write_bytes(b"x")
    Storage(whole.settings.storage_url, suffix=suffix).put(sha256_of(source), source)
    assert flaws_of(whole, grace_seconds=3600) == ()
    (flaw,) = flaws_of(whole)
    assert (flaw.kind, flaw.subject) == ("unnamed-file", sha256_of(source))


def test_what_was_left_half_written_is_found_when_it_is_old(whole: Library):
    """The scratch file of a writer that was killed."""
    left = file_of(whole).with_name(".abc.part-12345678.tonecast")
    left.write_bytes(b"half")
    assert flaws_of(whole, grace_seconds=3600) == ()
    (flaw,) = flaws_of(whole)
    assert (flaw.kind, flaw.subject) == ("half-written-file", left.name)


@pytest.mark.parametrize(
    ("statement", "subject", "message"),
    [
        ("UPDATE entries SET newest = 3", "profile 1", "newest version, 3, is not there"),
        ("DELETE FROM entry_words", "profile 1", "no words of it"),
        ("UPDATE jobs SET claim = 'x' WHERE kind = 'render'", f"job {RENDERED}", "there is a claim"),
        ("UPDATE jobs SET ended_at = NULL WHERE kind = 'render'", f"job {RENDERED}", "there is no time"),
        ("UPDATE jobs SET result_sha256 = NULL WHERE kind = 'render'", f"job {RENDERED}", "there is no file"),
        ("UPDATE jobs SET error = 'x' WHERE kind = 'render'", f"job {RENDERED}", "there is a reason"),
        (
            "UPDATE jobs SET checkpoint_sha256 = result_sha256, checkpoint_bytes = result_bytes WHERE kind = 'render'",
            f"job {RENDERED}",
            "there is a checkpoint",
        ),
        ("DELETE FROM audit WHERE action = 'job.profile'", f"job {TRAINED}", "became 0 profiles; expected 1"),
        (
            "INSERT INTO audit (at, account, action, subject, detail, request_id, address) "
            "SELECT at, account, action, subject, detail, request_id, address FROM audit WHERE action = 'job.profile'",
            f"job {TRAINED}",
            "became 2 profiles; expected 1",
        ),
        (
            "UPDATE jobs SET result_sha256 = 'none' WHERE kind = 'train'",
            f"job {TRAINED}",
            "has no version that came of it",
        ),
    ],
)
def test_rows_that_contradict_each_other_are_found(whole: Library, statement: str, subject: str, message: str):
    """Each is named, with why."""
    changed(whole, statement)
    (flaw,) = flaws_of(whole)
    assert (flaw.kind, flaw.subject, message in flaw.message) == ("rows", subject, True), flaw


def test_keys_that_lead_nowhere_are_found(whole: Library):
    """SQLite does not look at keys unless it is told to; PostgreSQL lets nobody make such rows."""
    if not whole.database.is_sqlite:
        with pytest.raises(IntegrityError):
            changed(whole, "UPDATE versions SET uploader_id = 99 WHERE number = 2")
        return
    with closing(sqlite3.connect(whole.settings.data / "library.db", isolation_level=None)) as careless:
        careless.execute("UPDATE versions SET uploader_id = 99 WHERE number = 2")
    (flaw,) = flaws_of(whole)
    assert "accounts that is not there" in flaw.message


def test_the_command_says_what_is_wrong(whole: Library, capsys):
    """It exits with 1 where something is."""
    words = ["verify", "--data", str(whole.settings.data), "--database", whole.settings.database_url]
    assert (run(words), capsys.readouterr().out.strip().endswith(": all is whole")) == (0, True)
    file_of(whole).unlink()
    assert run([*words, "--json"]) == 1
    (flaw,) = json.loads(capsys.readouterr().out)["flaws"]
    assert flaw["kind"] == "missing-file"


def test_tables_of_another_tonecast_are_told(whole: Library):
    """They are not guessed at."""
    changed(whole, "UPDATE alembic_version SET version_num = '0002'")
    with pytest.raises(LibraryError, match="Start the newer one"):
        verify(whole.settings)


def test_where_no_library_is(tmp_path: Path, new_settings):
    """An empty folder is none."""
    with pytest.raises(LibraryError, match="has no library"):
        verify(new_settings("sqlite", tmp_path / "empty"))
