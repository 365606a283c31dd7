"""A library whose processes are killed a hundred times while it is used: this fails where anything of it is lost.

    python benchmarks/library_crashes.py --work DIR [--kills 100] [--seed 1] [--victims LIST] [--no-train]
                                         [--database postgresql://...] [--json FILE]

A server with its worker and a worker beside it (with PostgreSQL one in a folder of its own, as on another machine) are
used by clients that upload, change and remove profiles, and order and remove trainings, renders and exports. At random
moments one of the processes (with what it started), all of them, or one that works on a job, get SIGKILL, and are
started again; now and then a server that brings a library of an earlier revision up to date. After every kill
`api.verification` compares rows, files and hashes; every twenty, and at the end, all jobs are waited for and all that
clients were told is compared with what is there. DIR keeps it all: run again, it goes on where it was. With --database,
the database of that URL must be empty at first, and its server allow databases to be made.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crash_clients import Clients, Journal, Materials, all_jobs, unfinished
from crash_migrations import migration_killed
from crash_processes import Processes, job_processes
from library_options import library_parser

from api.client import LibraryClient
from api.settings import ServiceSettings
from api.verification import GRACE_SECONDS, verify

_EVERY = 20
_MOMENT_SECONDS = 3.0
_STARTING_SECONDS = 4.0
_STARTING = 0.25  # of the kills come while what was killed before starts again
_DRAIN_SECONDS = 900
_USED_SECONDS = 60
_VICTIMS = {"server": 25, "worker": 20, "other worker": 15, "job": 20, "all": 8, "migration": 12}


def _options() -> argparse.Namespace:
    parser = library_parser(__doc__, kills=100, seed=1)
    parser.add_argument("--victims", help="what to kill, in turn, instead of by the draw: all,migration")
    parser.add_argument("--no-train", action="store_true", help="order no trainings, which take long to end")
    return parser.parse_args()


def main() -> None:
    """Kill, start again and compare, until there were as many kills as wanted. Exits with 1 where anything was lost."""
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    settings = ServiceSettings(data=options.work / "library", database=options.database)
    journal = Journal(options.work / "journal.jsonl")
    flaws: list[str] = []
    with Processes(settings, options.work) as processes:
        test = _Test(settings, options.work, processes, journal, trains=not options.no_train)
        for number in range(len(journal.of("kill")), options.kills):
            rng = random.Random(options.seed * 100_000 + number)
            victim = rng.choices(list(_VICTIMS), list(_VICTIMS.values()))[0]
            if options.victims:
                victims = options.victims.split(",")
                victim = victims[number % len(victims)]
            flaws += test.kill_one(number, victim, rng)
            told = journal.of("kill")[-1]
            print(f"kill {number + 1}: {told['victim']}, {told['moment']}; {len(flaws)} flaws", flush=True)
            if (number + 1) % _EVERY == 0 and not flaws:
                flaws += test.settled()
            if flaws:
                break
        flaws += test.settled()
    figures = _figures(journal, settings, processes, flaws)
    print(json.dumps(figures, indent=2))
    if options.json:
        known = json.loads(options.json.read_text()) if options.json.is_file() else {}
        options.json.write_text(json.dumps(known | {figures.pop("database"): figures}, indent=2) + "\n")
    sys.exit(1 if flaws else 0)


class _Test:
    def __init__(
        self, settings: ServiceSettings, work: Path, processes: Processes, journal: Journal, *, trains: bool
    ) -> None:
        self._trains = trains
        self._settings, self._work, self._processes, self._journal = settings, work, processes, journal
        self._materials = Materials(work / "materials")

    def kill_one(self, number: int, victim: str, rng: random.Random) -> list[str]:
        """Kill something, at a moment that is drawn, and return what is wrong after it."""
        wrong: list[str] = []
        seed = rng.randrange(2**31)
        with Clients(self._processes, self._journal, self._materials, seed, trains=self._trains):
            if victim == "migration":
                self._processes.are_ready()
                moment, wrong = migration_killed(self._settings, self._work / f"migration-{number}", rng)
            elif rng.random() < _STARTING:
                moment = "as it starts"
                self._processes.start()
                time.sleep(rng.uniform(0, _STARTING_SECONDS))
            else:
                moment = "in use"
                self._processes.are_ready()
                self._is_used()
                time.sleep(rng.uniform(0, _MOMENT_SECONDS))
            if victim != "migration":
                victim = _killed(victim, self._processes)
        self._journal.add("kill", victim=victim, moment=moment)
        return [*wrong, *_flaws(self._settings)]

    def _is_used(self) -> None:
        """Wait until clients were told something more."""
        known, deadline = len(self._journal.lines), time.monotonic() + _USED_SECONDS
        while len(self._journal.lines) == known and time.monotonic() < deadline:
            time.sleep(0.02)

    def settled(self) -> list[str]:
        """Wait until all jobs have ended, start once more, which sweeps, and compare everything that was told."""
        self._processes.are_ready()
        deadline = time.monotonic() + _DRAIN_SECONDS
        with self._client() as client:
            while left := unfinished(client):
                if time.monotonic() > deadline:
                    return [f"{len(left)} jobs do not end: {[(each.id, each.kind, each.state) for each in left]}"]
                time.sleep(1)
        self._processes.stop()
        self._processes.are_ready()
        with self._client() as client:
            broken = self._journal.broken(client)
        while (left := list(self._folders())) and time.monotonic() < deadline:
            time.sleep(0.2)  # the server's own worker starts after it
        return [*_flaws(self._settings, grace_seconds=0), *broken, *left]

    def _folders(self) -> Iterator[str]:
        """Yield folders of jobs that nobody will go on with. Those of jobs that failed may be tried again."""
        names = [each.name for folder in self._processes.jobs_folders() for each in folder.iterdir() if each.is_dir()]
        with self._client() as client:
            states = {each.id: each.state for each in all_jobs(client)}  # those too whose answer was lost in a kill
        for name in names:
            state = states.get(name, "removed")
            if state != "failed":
                yield f"the folder of job {name}, which is {state}, is left"

    def _client(self) -> LibraryClient:
        return LibraryClient(self._processes.url(), self._processes.token())


def _killed(victim: str, processes: Processes) -> str:
    """Kill, and return what was killed: a worker where there is no job just now."""
    if victim == "job":
        with contextlib.suppress(ProcessLookupError):
            for pid in job_processes(processes.worker_pids())[:1]:
                os.kill(pid, signal.SIGKILL)
                return victim
        victim = "worker"
    processes.kill(victim)
    return victim


def _flaws(settings: ServiceSettings, grace_seconds: float = GRACE_SECONDS) -> list[str]:
    found = verify(settings, grace_seconds=grace_seconds).flaws
    return [f"{flaw.kind}: {flaw.subject}: {flaw.message}" for flaw in found]


def _figures(journal: Journal, settings: ServiceSettings, processes: Processes, flaws: list[str]) -> dict[str, Any]:
    kills = journal.of("kill")
    return {
        "database": "sqlite" if settings.database is None else "postgresql",
        "kills": len(kills),
        "victims": Counter(each["victim"] for each in kills),
        "moments": Counter(each["moment"] for each in kills),
        "told": Counter(each["what"] for each in journal.lines if each["what"] != "kill"),
        "jobs": journal.states,
        "replies_of_500": processes.count_errors(),
        "flaws": flaws,
    }


if __name__ == "__main__":
    main()
