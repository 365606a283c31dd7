"""Jobs carried out by real processes that are killed, or told to end, in the middle: nothing is lost, nothing twice."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import profiler
from api.client import LibraryClient
from api.job import Job, NewExport
from api.jobs.desk import Desk
from api.problem import Problem
from api.settings import ServiceSettings
from api.shipped import add_presets
from api.store.checkpoints import checkpoint_of
from api.store.jobs import material_of
from api.store.workers import forget_worker
from api.verification import verify
from profiler.audio_file import read_audio
from profiler.errors import LibraryError
from profiler.storage import sha256_of
from profiler.training import steps_kept
from tonecast.cli import run

ROOT = Path(__file__).parents[2]
WAIT_SECONDS = 300
STEPS, MORE_STEPS = 24, 120

TRAINING = {"steps": STEPS, "light": False, "name": "Drive", "tags": ["crunch"], "licence": "cc0"}


linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc, which Linux has")


class Worker:
    """`tonecast worker` as a process of its own."""

    def __init__(self, settings: ServiceSettings, folder: Path, *options: str) -> None:
        self.log = settings.data.with_suffix(".worker.log")
        command = [sys.executable, "-m", "tonecast", "worker", "--json", "--data", str(folder), *options]
        urls = {"TONECAST_DATABASE": settings.database_url, "TONECAST_STORAGE": settings.storage_url}
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **urls}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment, text=True)

    def is_ready(self, *queues: str) -> None:
        """Wait until it takes jobs."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        told = json.loads(line)
        assert tuple(told["queues"]) == (queues or ("cpu", "quick"))
        self.id = told["worker"]

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.communicate()

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=WAIT_SECONDS)
        return self.process.returncode


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """A function that starts a worker; what runs at the end is killed."""
    started: list[Worker] = []

    def start(settings: ServiceSettings, folder: Path, *options: str) -> Worker:
        started.append(Worker(settings, folder, *options))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.kill()


def until(client: LibraryClient, job_id: str, is_so: Callable[[Job], bool]) -> Job:
    """Watch a job until something is so, and return it."""
    deadline = time.monotonic() + WAIT_SECONDS
    for job in client.watch(job_id):
        if is_so(job):
            return job
        assert time.monotonic() < deadline, job
    raise AssertionError(client.job(job_id))


def learns(job: Job) -> bool:
    """Return whether a job is in the middle of its training, or of what belongs to it and begins from a checkpoint."""
    assert job.error is None, job.error
    return job.progress is not None and job.progress.step in ("train", "aliasing", "gate", "evaluate")


def ended(job: Job) -> bool:
    """Return whether a job has come to an end."""
    return job.state not in ("queued", "running")


def children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            _, _, rest = path.read_text().rpartition(") ")
            if int(rest.split()[1]) == pid:
                found.append(int(path.parent.name))
    return found


def check_drive(client: LibraryClient, job: Job, path: Path, steps: int = STEPS) -> None:
    """Compare a job that has succeeded with the one profile that it shall have become."""
    assert (job.state, job.error) == ("succeeded", None)
    assert "verdict" in {each.kind for each in job.findings}
    (entry,) = client.search(name="Drive").data
    assert (entry.id, entry.name, entry.tags, entry.version.number) == (job.profile_id, "Drive", ("crunch",), 1)
    client.fetch_result(job, path)
    assert sha256_of(path) == entry.version.sha256 == job.result.sha256
    assert profiler.load(path).profile.provenance.steps == steps


def stored_steps(desk: Desk, job_id: str, scratch: Path) -> int:
    """Return how many steps lie behind the checkpoint that the storage has of a job."""
    with desk.library.database.reading() as connection:
        kept = checkpoint_of(connection, job_id)
    if kept is None:
        return 0
    with contextlib.suppress(Problem):  # a newer one took its place
        desk.files.fetch(*kept, scratch)
        return steps_kept(scratch)
    return 0


def command_of(pid: int) -> str:
    """Return the command line of a process; of one that has ended, nothing."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def child_of(pid: int, word: str, but: Collection[int] = ()) -> int:
    """Wait until a process has a child whose command line has a word in it, and return the child."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        for each in set(children(pid)) - set(but):
            if word in command_of(each):
                return each
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kill_three(worker: int, job_id: str) -> None:
    """Kill the process of a worker that works on a job, and the two that it starts after that."""
    killed: set[int] = set()
    for _ in range(3):
        child = child_of(worker, job_id, killed)
        os.kill(child, signal.SIGKILL)
        killed.add(child)


def hostile(path: Path) -> Path:
    """Write a zip with a file that leads out of its folder."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("session.json", "{}")
        file.writestr("../../out.wav", "x")
    return path


@linux
@pytest.mark.slow
def test_killed_servers_and_workers_lose_nothing(process, captured: Path, tmp_path: Path):
    """The server is killed in the middle of a training, then the next one's worker: the job ends, and ends once."""
    server = process("--workers", "1")
    token = server.token()
    with LibraryClient(server.url, token) as client:
        job = client.train(captured, TRAINING)
        until(client, job.id, learns)
        server.kill()
    again = process("--workers", "1")
    worker = child_of(again.process.pid, "tonecast worker")
    with LibraryClient(again.url, token) as client:
        child_of(worker, job.id)
        until(client, job.id, learns)
        os.kill(worker, signal.SIGKILL)
        check_drive(client, until(client, job.id, ended), tmp_path / "drive.tonecast")
    assert not [each for each in (again.folder / "jobs").iterdir() if each.is_dir()]
    assert again.stop() == 0
    told = [json.loads(line) for line in server.log.read_text().splitlines()]
    events = [line["event"] for line in told if line.get("job_id") == job.id]
    assert events.count("job begins") == 3
    assert {line["outcome"] for line in told if line["event"] == "job ends"} == {"succeeded"}


@linux
@pytest.mark.slow
def test_workers_give_back_and_others_go_on(  # noqa: PLR0915 - one story
    new_settings, serving, worker, captured: Path, tmp_path: Path
):
    """A worker that is told to end gives its job back, and one on another machine takes it over.

    Meanwhile a job whose process dies again and again is parked as failed, and one that is cancelled ends at once.
    """
    settings = new_settings("postgresql", tmp_path / "library")
    with serving(settings) as served, served.client() as client:
        add_presets(served.library)
        first = worker(settings, settings.data)
        first.is_ready()
        job = client.train(captured, TRAINING)
        until(client, job.id, learns)
        assert first.stop() == 0
        assert (client.job(job.id).state, client.job(job.id).profile_id) == ("queued", None)
        second = worker(settings, tmp_path / "elsewhere")
        second.is_ready()
        refused = client.train(hostile(tmp_path / "hostile.zip"))
        poisoned = client.export(NewExport(profile_id=client.find("Fuzz").id))
        kill_three(second.process.pid, poisoned.id)
        assert "ended 3 times" in until(client, poisoned.id, lambda job: job.state == "failed").error
        check_drive(client, until(client, job.id, ended), tmp_path / "drive.tonecast")
        assert "Rename it" in until(client, refused.id, ended).error
        left = tmp_path / "elsewhere" / "jobs" / refused.id
        assert left.is_dir()  # it may be tried again
        client.remove_job(refused.id)
        exported = until(client, client.retry_job(poisoned.id).id, ended)
        assert exported.result.name == "Fuzz.nam"
        cancelled = client.train(captured, {**TRAINING, "steps": 100_000})
        child = child_of(second.process.pid, cancelled.id)
        client.cancel_job(cancelled.id)
        while child in children(second.process.pid):
            time.sleep(0.05)
        assert client.job(cancelled.id).state == "cancelled"
        deadline = time.monotonic() + WAIT_SECONDS
        while left.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert second.stop() == 0


@linux
@pytest.mark.slow
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU")
def test_a_worker_with_a_gpu_trains_on_it(serving, worker, captured: Path, tmp_path: Path):
    """What is ordered for a GPU waits for a worker that has one, is learnt there, and goes on there after a kill."""
    settings = ServiceSettings(data=tmp_path / "library")
    with serving(settings) as served, served.client() as client:
        without = worker(settings, settings.data)
        without.is_ready()
        order = {**TRAINING, "resource": "gpu"}
        with pytest.raises(LibraryError, match="No worker of this library has a GPU"):
            client.train(captured, order)
        with_one = worker(settings, settings.data, "--gpu")
        with_one.is_ready("cpu", "gpu", "quick")
        job = client.train(captured, order)
        os.kill(child_of(with_one.process.pid, job.id), signal.SIGKILL)
        check_drive(client, until(client, job.id, ended), tmp_path / "drive.tonecast")
    device = profiler.load(tmp_path / "drive.tonecast").profile.provenance.device
    assert device == torch.cuda.get_device_name()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_another_machine_goes_on_from_the_checkpoint(  # noqa: PLR0917 - fixtures
    kind: str, request: pytest.FixtureRequest, new_settings, serving, worker, captured: Path, tmp_path: Path
):
    """A worker is killed in the middle of a training; one in another folder goes on at the very step that was stored.

    Then nothing of the checkpoint is left in the storage.
    """
    settings = new_settings("postgresql", tmp_path / "library")
    if kind == "s3":
        request.getfixturevalue("s3")
        settings = replace(settings, storage="s3://tests/library")
    with serving(settings) as served, served.client() as client, contextlib.closing(Desk(served.library)) as desk:
        first = worker(settings, tmp_path / "here")
        first.is_ready()
        job = client.train(captured, {**TRAINING, "steps": MORE_STEPS})
        deadline = time.monotonic() + WAIT_SECONDS
        while not stored_steps(desk, job.id, tmp_path / "stored"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        first.kill()
        steps = stored_steps(desk, job.id, tmp_path / "stored")
        with served.library.database.writing() as connection:
            forget_worker(connection, first.id)  # as others do when it was silent for a minute
        worker(settings, tmp_path / "there").is_ready()
        check_drive(client, until(client, job.id, ended), tmp_path / "drive.tonecast", MORE_STEPS)
        told = [json.loads(line) for line in first.log.read_text().splitlines()]
        assert [line["steps"] for line in told if line["event"] == "job goes on from its checkpoint"] == [steps]
        assert 0 < steps < MORE_STEPS
        with served.library.database.reading() as connection:
            left = {material_of(connection, job.id)[0]}
        deadline = time.monotonic() + WAIT_SECONDS
        while set(desk.files.hashes()) != left:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert verify(settings, grace_seconds=0).flaws == ()


@pytest.mark.slow
def test_the_command_line_has_a_server_work(serving, worker, captured: Path, tmp_path: Path, monkeypatch, capsys):
    """Train and render there, with the same words and files here; what fails there fails here, with its reason."""
    settings = ServiceSettings(data=tmp_path / "library")
    with serving(settings) as served:
        worker(settings, settings.data).is_ready()
        monkeypatch.setenv("TONECAST_TOKEN", served.tokens["member"])

        def ran(*words: object) -> tuple[int, dict, str]:
            code = run([*map(str, words), "--server", served.url, "--json"])
            out, err = capsys.readouterr()
            return code, json.loads(out) if out else {}, err

        bad = hostile(tmp_path / "hostile.zip")
        code, _, err = ran("train", bad, "--out", tmp_path / "bad.tonecast")
        assert (code, "Rename it" in err, (tmp_path / "bad.tonecast").exists()) == (1, True, False)
        profile, wet = tmp_path / "drive.tonecast", tmp_path / "wet.flac"
        code, told, err = ran("train", captured, "--out", profile, "--steps", 8, "--no-light")
        assert (code, told.get("steps"), told.get("limited_by")) == (0, 8, "steps"), err
        assert profiler.load(profile).profile.provenance.steps == 8
        dry = next(iter((captured / "dry").glob("*.wav")))
        automation = tmp_path / "turns.csv"
        automation.write_text("seconds,knob,value\n0.5,drive_db,30\n")
        code, _, err = ran("render", "drive", dry, wet, "--set", "drive_db=5", "--automation", automation)
        assert code == 0, err
        assert read_audio(wet).samples.shape[-1] == read_audio(dry).samples.shape[-1]
