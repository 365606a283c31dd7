"""Recordings that go wrong, through the real commands: a finding and a sound result, or a refusal in words."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

import profiler
from profiler.audio import Audio
from profiler.programme import programme
from profiler.rendering import ProfileProcessor
from profiler.session import CaptureSession, Gear, Take
from profiler.session_folder import SessionFolder
from tonecast.cli import run

RATE = 48_000
Samples = NDArray[np.float32]
Bring = Callable[..., dict[str, Any]]
Train = Callable[..., dict[str, Any]]


def playing(seed: int, seconds: float = 12.0) -> Samples:
    """Return programme at half of full level."""
    return 0.5 * programme(seed, sample_rate=RATE, frames=int(seconds * RATE))


def driven(dry: Samples) -> Samples:
    """Return what the gear makes of it."""
    return np.tanh(3 * dry) / 2


@pytest.fixture
def bring(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Bring:
    """A function that takes pairs, each with a knob's value, into the session `s`; it returns what the command says."""

    def brought(*pairs: tuple[Samples, Samples, object], code: int = 0, options: tuple[str, ...] = ()) -> Any:
        lines = ["dry,wet,gain"]
        for number, (dry, wet, gain) in enumerate(pairs):
            soundfile.write(tmp_path / f"dry{number}.wav", dry, RATE, subtype="FLOAT")
            soundfile.write(tmp_path / f"wet{number}.wav", wet, RATE, subtype="FLOAT")
            lines.append(f"dry{number}.wav,wet{number}.wav,{gain}")
        (tmp_path / "takes.csv").write_text("\n".join(lines))
        table, session = str(tmp_path / "takes.csv"), str(tmp_path / "s")
        assert run(["capture", "files", table, "--out", session, "--json", *options]) == code
        out, err = capsys.readouterr()
        return json.loads(out) if code == 0 else err

    return brought


@pytest.fixture
def trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Train:
    """A function that trains on the session `s` and returns what the command says."""

    def done(*, steps: int = 32, code: int = 0) -> Any:
        out = str(tmp_path / "p.tonecast")
        assert run(["train", str(tmp_path / "s"), "--out", out, "--steps", str(steps), "--json"]) == code
        said, err = capsys.readouterr()
        if code:
            assert "Traceback" not in err
            assert list(tmp_path.glob("*.tonecast")) == []
            return err
        loaded = profiler.load(out)
        wet = ProfileProcessor(loaded).process(playing(9, 2.0)[None], RATE)
        assert np.isfinite(wet).all()
        return json.loads(said)

    return done


def kinds(said: dict[str, Any]) -> set[str]:
    """Return the kinds of findings."""
    return {each["kind"] for each in said["findings"]}


def test_one_take_of_two_seconds(bring: Bring, trained: Train):
    """Two seconds are learnt, with a warning that they are little; one column value makes no knob, as is said."""
    dry = playing(1, 2.0)
    assert kinds(bring((dry, driven(dry), 3))) == {"unturned-knob"}
    said = trained()
    assert "little" in kinds(said)
    assert said["esr"] is None
    assert said["limited_by"] == "steps"


def test_a_knob_that_was_never_turned(bring: Bring, trained: Train):
    """A knob whose range is told but which stands at one place is a warning."""
    dry = playing(1)
    bring((dry, driven(dry), 3), options=("--knob", "gain=0:10"))
    said = trained(steps=2)
    assert "unturned-knob" in kinds(said)
    assert any("gain stands at 3 in every take" in each["message"] for each in said["findings"])


def test_all_of_it_clipped(bring: Bring, trained: Train):
    """A square of full level is told as clipped when it is brought, and training refuses it as such."""
    dry = playing(1)
    assert kinds(bring((dry, np.sign(dry), 3))) == {"clipped", "unturned-knob"}
    assert "all that sounds in the takes clipped" in trained(code=1)


def test_nan_in_a_wet(bring: Bring, trained: Train):
    """A take with NaN in the middle is refused with its place, and the rest is learnt; alone it is a refusal."""
    dry, other = playing(1), playing(2)
    broken = driven(dry)
    broken[200_000:200_100] = np.nan
    said = bring((dry, broken, 1), (other, driven(other), 2))
    assert "holds NaN or infinity at frame 200000" in said["refused"][0]["reason"]
    trained()


def test_nan_alone(bring: Bring):
    """With nothing else there is no session to train on."""
    dry = playing(1)
    broken = driven(dry)
    broken[200_000] = np.inf
    assert "NaN or infinity" in bring((dry, broken, 1), code=1)


def test_nan_that_got_into_a_session(tmp_path: Path, trained: Train):
    """Were NaN in a session's own file, training refuses to read it, or learns without it: it never gives NaN."""
    dry = playing(1)
    broken = driven(dry)
    broken[200_000:200_100] = np.nan
    session = CaptureSession(gear=Gear(name="x", kind="files"), knobs=(), sample_rate=RATE)
    folder = SessionFolder.create(tmp_path / "s", session)
    number = folder.add_dry(Audio(samples=dry[None], sample_rate=RATE), None)
    take = folder.add_take(
        Take(number=0, dry=number, file="", sha256="", frames=0, settings={}),
        Audio(samples=driven(dry)[None], sample_rate=RATE),
    )
    soundfile.write(folder.path / take.file, broken, RATE, subtype="FLOAT")
    assert "its content has changed" in trained(code=1)


def test_latency_that_differs_and_jumps(bring: Bring, trained: Train):
    """Between takes it is taken out, and said; a jump inside a take refuses that take."""
    dry, other, third = (playing(seed) for seed in (1, 2, 3))
    torn = driven(third)
    torn = np.concatenate([torn[:300_000], np.zeros(37, np.float32), torn[300_000:]])
    late = np.concatenate([np.zeros(480, np.float32), driven(other)])
    said = bring((dry, driven(dry), 1), (other, late, 2), (third, torn, 3))
    assert [(each["take"], each["kind"]) for each in said["findings"]] == [(1, "latency")]
    assert "jumps against the dry" in said["refused"][0]["reason"]
    assert "not-learnt" not in kinds(trained(steps=64))


def test_silence(bring: Bring):
    """Silent wets are refused when they are brought."""
    dry = playing(1)
    assert "is silent" in bring((dry, 0 * dry, 1), code=1)


def test_silence_where_the_watch_listens(bring: Bring, trained: Train):
    """A take that ends in three silent seconds leaves nothing to watch, and is learnt all the same."""
    dry = np.concatenate([playing(1), np.zeros(3 * RATE, np.float32)])
    bring((dry, driven(dry), 1))
    assert not kinds(trained(steps=64)) & {"not-learnt", "silent-profile", "upside-down"}


def test_what_cannot_be_learnt_is_said(tmp_path: Path, trained: Train):
    """Noise that has nothing to do with its dry gives a profile that is no use, and the command says so."""
    session = CaptureSession(gear=Gear(name="x", kind="files"), knobs=(), sample_rate=RATE)
    folder = SessionFolder.create(tmp_path / "s", session)
    rng = np.random.default_rng(0)
    dry, wet = (rng.normal(0, 0.1, (1, 12 * RATE)).astype(np.float32) for _ in range(2))
    number = folder.add_dry(Audio(samples=dry, sample_rate=RATE), None)
    take = Take(number=0, dry=number, file="", sha256="", frames=0, settings={})
    folder.add_take(take, Audio(samples=wet, sample_rate=RATE))
    assert kinds(trained()) & {"not-learnt", "silent-profile", "upside-down"}
