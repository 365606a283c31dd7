"""Recordings played through chains by a library: what comes out is what this machine would make, and no file leaks."""

import json
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.jobs.worker import work
from api.settings import ServiceSettings
from api.shipped import add_presets
from api.verification import verify
from profiler.audio import Audio
from profiler.audio_file import read_audio, write_audio
from profiler.errors import LibraryError
from profiler.rendering import RenderJob, run_job
from tonecast.cli import run

SLOT = {"id": "fuzz", "kind": "profile"}


@pytest.fixture(scope="module")
def asked_of(tmp_path_factory: pytest.TempPathFactory, serving, profile_file, taking_in):
    """A server without workers that has one profile."""
    settings = ServiceSettings(data=tmp_path_factory.mktemp("asked"), requests_a_minute=1_000_000)
    with serving(settings) as served:
        taking_in(served.library, profile_file("mine"), who="member")
        yield served


@pytest.fixture
def dry(tmp_path: Path) -> Path:
    """A second of noise that comes and goes."""
    path = tmp_path / "dry.wav"
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((1, 48_000)) * 0.1 * np.linspace(0, 1, 48_000)
    write_audio(path, Audio(samples=samples.astype(np.float32), sample_rate=48_000))
    return path


def cabinet(path: Path) -> Path:
    """Write an impulse response like a cabinet's: resonances that die away, of a rate that is not the recording's."""
    time = np.arange(4410) / 44_100
    tones = [np.sin(2 * np.pi * hz * time) * np.exp(-time * fade) for hz, fade in ((110, 40), (1800, 300), (3200, 500))]
    write_audio(path, Audio(samples=0.1 * np.sum(tones, axis=0, dtype=np.float32)[None], sample_rate=44_100))
    return path


def chain_of(*slots: Mapping[str, Any]) -> str:
    """Return the text of a chain file."""
    return json.dumps({"slots": slots})


@pytest.mark.parametrize(
    ("chain", "settings", "reason"),
    [
        ('{"slots"', (), "Not a chain: The chain is not JSON"),
        (chain_of(), (), "has no slots"),
        (chain_of({"id": "A", "kind": "pedalboard", "ref": "Reverb"}), (), "lower-case letters"),
        (chain_of(*({"id": f"s{n}", "kind": "circuit", "ref": "x"} for n in range(65))), (), "at most 64"),
        (chain_of({"id": "amp", "kind": "plugin", "ref": "lv2:http://x"}), (), "Slot amp .*'plugin'.*without --server"),
        (chain_of({"id": "cab", "kind": "ir", "ref": "/etc/passwd"}), (), "Slot cab .*Write sha256:HASH"),
        (chain_of({"id": "all", "kind": "chain", "ref": "../other.json"}), (), "Slot all is of the kind 'chain'"),
        (chain_of({"id": "all", "kind": "chain", "ref": "preset:nonsense"}), (), "No such preset: Slot all"),
        (chain_of({**SLOT, "ref": "/var/lib/mine.tonecast"}), (), "Write library:ID"),
        (chain_of({**SLOT, "ref": "preset:../../etc/passwd"}), (), "No such preset: Slot fuzz"),
        (chain_of({**SLOT, "ref": "library:99"}), (), "Slot fuzz: The library has no profile 99"),
        (chain_of({**SLOT, "ref": "library:1@7"}), (), "Slot fuzz: .*versions 1 to 1"),
        (chain_of({**SLOT, "ref": f"sha256:{'0' * 64}"}), (), "Slot fuzz: .*hash 000000000000. Push it"),
        (chain_of({**SLOT, "ref": "library:1", "settings": {"nonsense": 1}}), (), "Slot fuzz: .*nonsense"),
        (chain_of({**SLOT, "ref": "library:1"}), ("fuzz.nonsense=1",), "Slot fuzz: .*nonsense"),
        (chain_of({**SLOT, "ref": "library:1"}), ("nobody.drive=1",), "'nobody.drive' is not a knob of this chain"),
        (chain_of({**SLOT, "ref": "library:1"}), ("drive=1",), "'drive' is not a knob of this chain"),
        (
            chain_of({"id": "both", "kind": "parallel", "branches": [{"id": "in", "slots": [{**SLOT, "ref": "x"}]}]}),
            (),
            "Slot fuzz plays 'x'",
        ),
    ],
)
def test_what_is_not_played_is_refused(asked_of, dry, chain: str, settings: Sequence[str], reason: str):
    """Before anything is kept: what is no chain, files of the machine, plugins, profiles and knobs that are not."""
    with asked_of.client() as client, pytest.raises(LibraryError, match=reason):
        client.play_chain(chain, dry, {"set": list(settings)})
    assert not list(asked_of.library.settings.scratch.iterdir())


def test_a_chain_is_kept_with_the_files_that_it_had(asked_of, dry):
    """What is queued names versions: the hash, the number and the number of a version come to the same."""
    with asked_of.client() as client:
        entry = client.find("mine")
        refs = (f"library:{entry.id}", f"library:{entry.id}@1", f"sha256:{entry.version.sha256}")
        orders = [client.play_chain(chain_of({**SLOT, "ref": ref}), dry).order for ref in refs]
    assert orders[0] == orders[1] == orders[2]
    (profile,) = orders[0].profiles
    assert (profile.slot, profile.profile_id, profile.version) == ("fuzz", entry.id, 1)
    assert json.loads(orders[0].chain)["slots"][0]["ref"] == f"{entry.version.sha256}.tonecast"


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
def test_a_library_plays_chains_as_this_machine_does(serving, profile_file, dry, tmp_path: Path, monkeypatch, capsys):
    """Profiles by their files and as presets, effects, a cabinet, branches, automation: not a sample differs."""
    settings = ServiceSettings(data=tmp_path / "library")
    own = Path(shutil.copy(profile_file("mine"), tmp_path / "mine.tonecast"))
    turns = tmp_path / "turns.csv"
    turns.write_text("seconds,knob,value\n0.4,glue.output_db,-9\n")
    chain = tmp_path / "chain.json"
    own_slot = {**SLOT, "ref": own.name, "output_db": -3}
    cab = {"id": "cab", "kind": "ir", "ref": cabinet(tmp_path / "cab.wav").name, "input_db": 6}
    branches = [{"id": "clean"}, {"id": "dirty", "output_db": -6, "slots": [own_slot]}]
    chain.write_text(
        chain_of(
            {"id": "both", "kind": "parallel", "branches": branches},
            {"id": "glue", "kind": "profile", "ref": "preset:bus-compressor", "settings": {"ratio": 3}},
            {"id": "all", "kind": "chain", "ref": "preset:guitar-crunch"},
            cab,
            {"id": "room", "kind": "pedalboard", "ref": "Reverb", "settings": {"room_size": 0.2}},
        )
    )
    here, there = tmp_path / "here.wav", tmp_path / "there.wav"
    job = RenderJob(effect=chain, source=dry, target=here, settings={"room.wet_level": "0.1"}, automation=turns)
    run_job(job)
    with serving(settings) as served, served.client() as client, working(settings):
        add_presets(served.library)
        monkeypatch.setenv("TONECAST_TOKEN", served.tokens["member"])
        words = ["render", chain, dry, there, "--set", "room.wet_level=0.1", "--automation", turns]
        words += ["--server", served.url, "--json"]
        assert run([*map(str, words)]) == 1
        assert "Push it first" in capsys.readouterr().err
        client.push(own)
        assert run([*map(str, words)]) == 0, capsys.readouterr().err
        np.testing.assert_array_equal(read_audio(there).samples, read_audio(here).samples)
    assert verify(settings, grace_seconds=0).flaws == ()
