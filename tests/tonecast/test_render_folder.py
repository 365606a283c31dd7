"""`tonecast render` of a folder: on all cores, with what fails told, and only what changed the next time."""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import profiler
from profiler.pedalboard_effect import PedalboardEffect
from profiler.rendering import ProfileProcessor

RATE = 44_100
KEPT = {".tonecast-renders.json", ".tonecast-renders.lock"}
KINDS = {"a.wav": "PCM_16", "b.wav": "FLOAT", "drums/c.flac": "PCM_24", "drums/d.aiff": "PCM_16"}


def noise(seed: int, frames: int = 20_000, channels: int = 2) -> np.ndarray:
    """Return noise, (frames, channels)."""
    return np.random.default_rng(seed).normal(0, 0.1, (frames, channels)).astype(np.float32)


@pytest.fixture
def stems(tmp_path: Path) -> Path:
    """A folder of stems of several kinds, with one that is damaged and one that is silent."""
    folder = tmp_path / "stems"
    (folder / "drums").mkdir(parents=True)
    for number, (name, subtype) in enumerate(KINDS.items()):
        soundfile.write(folder / name, noise(number), RATE, subtype=subtype)
    (folder / "broken.wav").write_bytes(b"RIFF no audio at all")
    soundfile.write(folder / "silent.wav", np.zeros((5000, 1), np.float32), 48_000, subtype="PCM_24")
    return folder


def rendered(ran, *arguments: object) -> tuple[int, dict[str, Any]]:
    """Render a folder with --json; return the exit code and the files by name."""
    code, out, _ = ran("render", *arguments, "--json")
    return code, {Path(each["in"]).name: each for each in json.loads(out)["files"]}


def read(path: Path) -> np.ndarray:
    """Return a file's samples, (channels, frames)."""
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T.copy()


def test_stems_in_stems_out(ran, trained: Path, stems: Path, tmp_path: Path):
    """Each at its rate, length, channels and fineness; the damaged one is told and stops nothing."""
    out = tmp_path / "out"
    (tmp_path / "drive.json").write_text(
        '{"slots": [{"id": "d", "kind": "pedalboard", "ref": "Distortion", "settings": {"drive_db": 12}}]}'
    )
    (tmp_path / "turns.csv").write_text("seconds,knob,value,glide\n0.2,drive_db,40,0\n")
    (tmp_path / "table.csv").write_text(
        "file,effect,automation,set\nb.wav,,turns.csv,drive_db=5\ndrums/*,drive.json,,d.drive_db=20\n"
    )
    words = (trained, stems, out, "--table", tmp_path / "table.csv", "--bits", "same")
    code, files = rendered(ran, *words)
    assert code == 1
    assert "broken.wav" in files["broken.wav"]["error"]
    assert files["silent.wav"]["rendered"]["is_silent"]
    for number, (name, subtype) in enumerate(KINDS.items()):
        info, source = soundfile.info(out / name), soundfile.info(stems / name)
        assert (info.samplerate, info.frames, info.channels, info.subtype) == (RATE, source.frames, 2, subtype)
        assert files[Path(name).name]["error"] is None, number
    a = ProfileProcessor(profiler.load(trained)).process(read(stems / "a.wav"), RATE)
    assert np.abs(read(out / "a.wav") - np.clip(a, -1, 1)).max() <= 2 / 32_768
    b = ProfileProcessor(profiler.load(trained), {"drive_db": 5}).process(read(stems / "b.wav"), RATE)
    assert np.abs(read(out / "b.wav") - b)[:, :8000].max() < 1e-5
    assert np.abs(read(out / "b.wav") - b)[:, 9000:].max() > 0.01
    c = PedalboardEffect("Distortion", {"drive_db": 20}).process(read(stems / "drums/c.flac"), RATE)
    assert np.abs(read(out / "drums/c.flac") - c).max() < 1e-6
    assert np.abs(read(out / "silent.wav")).max() < 3e-5


def test_only_what_changed_is_rendered_again(ran, trained: Path, stems: Path, tmp_path: Path):
    """Another knob, another source, or a file that is gone; what failed is tried again."""
    out = tmp_path / "out"
    (stems / "broken.wav").unlink()
    code, files = rendered(ran, trained, stems, out, "--set", "drive_db=10")
    assert (code, sum(each["rendered"] is not None for each in files.values())) == (0, 5)
    before = {name: (out / name).stat().st_mtime_ns for name in KINDS}
    soundfile.write(stems / "a.wav", noise(99), RATE, subtype="PCM_16")
    (out / "b.wav").unlink()
    (stems / "new.wav").write_bytes((stems / "b.wav").read_bytes())
    code, files = rendered(ran, trained, stems, out, "--set", "drive_db=10")
    assert code == 0
    assert {name for name, each in files.items() if each["rendered"]} == {"a.wav", "b.wav", "new.wav"}
    assert {name for name in KINDS if (out / name).stat().st_mtime_ns != before[name]} == {"a.wav", "b.wav"}
    code, text, _ = ran("render", trained, stems, out, "--set", "drive_db=10")
    assert (code, "0 rendered, 6 as they were, 0 failed." in text) == (0, True)
    code, files = rendered(ran, trained, stems, out, "--set", "drive_db=11")
    assert all(each["rendered"] for each in files.values())


def test_interrupting_leaves_no_half_file_and_the_rest_is_done_next_time(ran, trained: Path, tmp_path: Path):
    """Ctrl-C while two long files are rendered: what was finished stays, nothing else is left, and it goes on."""
    stems, out = tmp_path / "stems", tmp_path / "out"
    stems.mkdir()
    soundfile.write(stems / "a.wav", noise(0, 3000), RATE)
    for name in ("b.wav", "c.wav"):
        soundfile.write(stems / name, noise(1, 800_000), RATE)
    words = ("render", trained, stems, out, "--jobs", "2", "--oversampling", "8")
    command = [sys.executable, "-m", "tonecast", *(str(each) for each in words)]
    running = subprocess.Popen(
        command,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # Tests that run in the background of a shell ignore Ctrl-C, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - nothing else runs in it yet
    )
    deadline = time.monotonic() + 120
    while not ((out / "a.wav").exists() and (out / ".tonecast-renders.json").exists() and list(out.glob(".[bc]*"))):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGINT)
    assert running.wait(60) == 130
    assert {path.name for path in out.iterdir()} == {"a.wav", *KEPT}
    code, files = rendered(ran, *words[1:])
    assert code == 0
    assert files["a.wav"]["rendered"] is None
    assert [soundfile.info(out / name).frames for name in ("b.wav", "c.wav")] == [800_000, 800_000]


def test_a_killed_run_leaves_nothing_and_nobody_and_shuts_others_out_while_it_lives(ran, trained: Path, tmp_path: Path):
    """Another run into the folder is refused; after kill -9 its processes end, and what lies about is swept."""
    stems, out = tmp_path / "stems", tmp_path / "out"
    stems.mkdir()
    soundfile.write(stems / "b.wav", noise(1, 2_000_000), RATE)
    words = ("render", trained, stems, out, "--oversampling", "8")
    command = [sys.executable, "-m", "tonecast", *(str(each) for each in words)]
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(out.glob(".b.*")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    code, _, err = ran(*words)
    assert (code, "Another process is rendering into" in err) == (1, True)
    assert list(out.glob(".b.*"))
    running.kill()
    running.wait(60)
    while list(out.glob(".b.*")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert {path.name for path in out.iterdir()} <= KEPT
    (out / ".b.part-0_killed.wav").write_bytes(b"half")
    soundfile.write(stems / "b.wav", noise(1, 3000), RATE)
    code, files = rendered(ran, *words[1:])
    assert (code, files["b.wav"]["rendered"]["frames"]) == (0, 3000)
    assert {path.name for path in out.iterdir()} == {"b.wav", *KEPT}


def test_a_process_that_dies_costs_its_file_alone(ran, stems: Path, tmp_path: Path, monkeypatch):
    """What it died over is tried once more by itself, then told."""
    (tmp_path / "dying.py").write_text(
        "import os\n"
        "import sys\n"
        "import profiler.rendering\n"
        "folder = sys.modules['profiler.rendering.render_folder']\n"
        "begin, run = folder._begin_worker, folder.run_job\n"
        "def render(job, tell):\n"
        "    return os._exit(9) if job.source.name == 'b.wav' else run(job, tell)\n"
        "def begin_dying(told, stopping):\n"
        "    begin(told, stopping)\n"
        "    folder.run_job = render\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    module = sys.modules["profiler.rendering.render_folder"]
    monkeypatch.setattr(module, "_begin_worker", importlib.import_module("dying").begin_dying)
    (tmp_path / "chain.json").write_text(
        '{"slots": [{"id": "g", "kind": "pedalboard", "ref": "Gain", "settings": {"gain_db": 0}}]}'
    )
    (stems / "broken.wav").unlink()
    code, files = rendered(ran, tmp_path / "chain.json", stems, tmp_path / "out")
    assert code == 1
    assert "died" in files["b.wav"]["error"]
    assert {name for name, each in files.items() if each["rendered"]} == {"a.wav", "c.flac", "d.aiff", "silent.wav"}


def test_options_of_a_folder_are_told_for_a_file(ran, trained: Path, stems: Path, tmp_path: Path):
    """--table and --jobs mean nothing for one file, and a folder within the other is refused."""
    code, _, err = ran("render", trained, stems / "a.wav", tmp_path / "w.wav", "--jobs", "2")
    assert (code, "of a folder" in err) == (2, True)
    code, _, err = ran("render", trained, stems, stems / "out")
    assert (code, "within each other" in err) == (1, True)
