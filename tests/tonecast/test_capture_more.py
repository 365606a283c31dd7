"""`tonecast capture more` and `capture files --beside`: what to record next, and one's own playing beside a profile."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from capture.plugin_rig import PluginRig
from profiler.audio import Audio
from profiler.knob_track import KnobTrack
from profiler.programme import programme
from profiler.session_folder import SessionFolder
from tonecast.cli import run

RATE = 48_000


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A session of a distortion at three settings, and a profile of it that learnt for a moment."""
    folder = tmp_path_factory.mktemp("more")
    session, profile = folder / "session", folder / "p.tonecast"
    capture = "capture plugin pedalboard:Distortion --knob drive_db=0:30 --captures 3 --seconds 7 --out"
    assert run([*capture.split(), str(session)]) == 0
    assert run(["train", str(session), "--out", str(profile), "--steps", "100"]) == 0
    return session, profile


@pytest.fixture
def learnt(trained: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    """The same, with a session of one's own."""
    session, profile = trained
    return Path(shutil.copytree(session, tmp_path / "session")), profile


def test_more_is_proposed_recorded_and_refines(ran, learnt: tuple[Path, Path], tmp_path: Path):
    """Nothing is recorded unless asked for; what is recorded stands where it was proposed, and training goes on."""
    session, profile = learnt
    before = SessionFolder.open(session).session
    code, said, _ = ran("capture", "more", session, profile, "--count", 3, "--json")
    found = json.loads(said)
    assert code == 0
    assert found["recorded"] == found["held_out"] == []
    assert [each["purpose"] for each in found["proposals"]] == ["unsure", "unsure", "gap"]
    assert all(each["near_error"] > 0 for each in found["proposals"])
    assert SessionFolder.open(session).session == before
    code, said, _ = ran("capture", "more", session, profile, "--count", 3, "--record", "--json")
    again = json.loads(said)
    assert code == 0
    assert again["proposals"] == found["proposals"]
    after = SessionFolder.open(session).session
    assert after.takes[: len(before.takes)] == before.takes
    new = [after.take(number) for number in again["recorded"]]
    assert sorted(take.settings["drive_db"] for take in new) == sorted(
        each["settings"]["drive_db"] for each in found["proposals"]
    )
    assert [after.take(number).held_out for number in again["held_out"]] == [True]
    refined = tmp_path / "refined.tonecast"
    code, said, _ = ran("train", session, "--out", refined, "--warm-start", profile, "--steps", 20, "--json")
    assert code == 0
    assert json.loads(said)["steps"] == 20


def test_what_is_wrong_is_said(ran, learnt: tuple[Path, Path], tmp_path: Path):
    """A profile of other gear, and gear that cannot turn its own knobs, are told so; nothing is written."""
    session, profile = learnt
    code, _, said = ran("capture", "more", session, "crunch-amp")
    assert code != 0
    assert "knobs" in said
    dry = programme(1, sample_rate=RATE, frames=3 * RATE)
    for drive in (0, 30):
        soundfile.write(tmp_path / f"{drive}.wav", np.tanh(dry * (1 + drive)) / 2, RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "dry.wav", dry, RATE, subtype="FLOAT")
    (tmp_path / "takes.csv").write_text("dry,wet,drive_db\ndry.wav,0.wav,0\ndry.wav,30.wav,30\n")
    assert ran("capture", "files", tmp_path / "takes.csv", "--out", tmp_path / "files")[0] == 0
    code, _, said = ran("capture", "more", tmp_path / "files", profile, "--record")
    assert code == 2
    assert "neither a plugin nor turned by MIDI" in said


def test_own_playing_joins_in_time_with_the_profile(ran, learnt: tuple[Path, Path], tmp_path: Path):
    """A plugin's session takes in a late, upside-down recording between its settings, once, and training goes on."""
    session, profile = learnt
    folder = SessionFolder.open(session)
    count = len(folder.session.takes)
    dry = programme(9_000_000, sample_rate=RATE, frames=8 * RATE)
    with PluginRig(folder.session.gear, folder.session.knobs, sample_rate=RATE) as rig:
        track = KnobTrack.still({"drive_db": 11.0})
        wet = rig.play(Audio(samples=dry[None], sample_rate=RATE), track, on_done=lambda _: None).samples[0]
    late = np.concatenate([np.zeros(733, np.float32), -wet])
    soundfile.write(tmp_path / "dry.wav", dry, RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "wet.wav", late, RATE, subtype="FLOAT")
    table = tmp_path / "takes.csv"
    table.write_text("dry,wet,drive_db\ndry.wav,wet.wav,11\n")
    for _ in range(2):
        code, said, _ = ran("capture", "files", table, "--out", session, "--beside", profile, "--json")
        assert code == 0
        assert json.loads(said)["takes"] == count + 1
    take = SessionFolder.open(session).session.takes[-1]
    assert (take.settings, take.latency_frames, take.polarity, take.held_out) == ({"drive_db": 11.0}, 733, -1, False)
    code, said, _ = ran(
        "train", session, "--out", tmp_path / "r.tonecast", "--warm-start", profile, "--steps", 20, "--json"
    )
    assert code == 0
    table.write_text("dry,wet,drive_db\ndry.wav,wet.wav,12\n")
    code, _, said = ran("capture", "files", table, "--out", session, "--beside", profile)
    assert code == 1
    assert "One recording has one place" in said
