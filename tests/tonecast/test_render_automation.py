"""`tonecast render --automation`: knobs of profiles and chains that turn while a track plays."""

import json
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

import profiler
from profiler.automation import Automation, Turn
from profiler.chain_file import read_chain
from profiler.rendering import ProfileProcessor, build_chain

RATE = 44_100
TABLE = "seconds,knob,value,glide\n0.25,drive_db,30,0.05\n0.6,drive_db,5,0\n"


@pytest.fixture
def dry(tmp_path: Path) -> Path:
    """A second of stereo at 44.1 kHz."""
    path = tmp_path / "dry.wav"
    rng = np.random.default_rng(0)
    soundfile.write(path, rng.normal(0, 0.1, (RATE, 2)).astype(np.float32), RATE, subtype="FLOAT")
    return path


@pytest.fixture
def chain(trained: Path, tmp_path: Path) -> Path:
    """A chain of an effect, a profile and a late effect."""
    slots = [
        {"id": "before", "kind": "pedalboard", "ref": "Gain", "settings": {"gain_db": -3}},
        {"id": "amp", "kind": "profile", "ref": str(trained), "settings": {"drive_db": 10}},
        {"id": "limiter", "kind": "pedalboard", "ref": "BrickwallLimiter", "settings": {"ceiling_db": -1}},
    ]
    path = tmp_path / "chain.json"
    path.write_text(json.dumps({"slots": slots}))
    return path


def table(tmp_path: Path, content: str) -> Path:
    """Return a table that holds this."""
    path = tmp_path / "automation.csv"
    path.write_text(content)
    return path


def read(path: Path) -> np.ndarray:
    """Return a file's samples, (channels, frames)."""
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T.copy()


def test_a_profiles_knob_follows_a_table(ran, trained: Path, dry: Path, tmp_path: Path):
    """From where --set has it; the sound is that of a processor with the same automation."""
    wet = tmp_path / "wet.wav"
    code, _, _ = ran("render", trained, dry, wet, "--set", "drive_db=20", "--automation", table(tmp_path, TABLE))
    assert code == 0
    turns = (
        Turn(seconds=0.25, knob="drive_db", value=30.0, glide_seconds=0.05),
        Turn(seconds=0.6, knob="drive_db", value=5.0, glide_seconds=0.0),
    )
    loaded = profiler.load(trained)
    turned = ProfileProcessor(loaded, {"drive_db": 20}, automation=Automation(turns=turns)).process(read(dry), RATE)
    assert np.abs(read(wet) - turned).max() < 1e-5
    still = {value: ProfileProcessor(loaded, {"drive_db": value}).process(read(dry), RATE) for value in (20, 30, 5)}
    assert np.abs(read(wet)[:, :10_000] - still[20][:, :10_000]).max() < 1e-5
    assert np.abs(read(wet)[:, 24_000:26_000] - still[30][:, 24_000:26_000]).max() < 1e-3
    assert np.abs(read(wet)[:, 40_000:] - still[5][:, 40_000:]).max() < 1e-3


def test_knobs_of_every_slot_of_a_chain_follow(ran, chain: Path, dry: Path, tmp_path: Path):
    """Named `slot.knob`; blocks of the file make no difference."""
    wet = tmp_path / "wet.wav"
    rows = "0.2,before.gain_db,-20\n0.5,amp.drive_db,40\n0.7,limiter.ceiling_db,-30\n"
    path = table(tmp_path, "seconds,knob,value\n" + rows)
    code, out, _ = ran("render", chain, dry, wet, "--automation", path, "--no-tail", "--json")
    assert (code, json.loads(out)["frames"]) == (0, RATE)
    turns = (
        Turn(seconds=0.2, knob="before.gain_db", value=-20.0),
        Turn(seconds=0.5, knob="amp.drive_db", value=40.0),
        Turn(seconds=0.7, knob="limiter.ceiling_db", value=-30.0),
    )
    with build_chain(read_chain(chain), {}, Automation(turns=turns)) as built:
        whole = built.process(read(dry), RATE)
        pieces = [built.feed(read(dry)[:, at : at + 777], RATE) for at in range(0, RATE, 777)]
        blocks = np.concatenate([*pieces, built.flush()], axis=1)
    assert np.abs(read(wet) - whole).max() < 1e-5
    assert np.abs(blocks - whole).max() < 1e-5
    loud = np.abs(whole).mean(axis=0)
    assert loud[5000:8000].mean() > 2 * loud[12_000:20_000].mean()
    assert np.abs(whole[:, 33_000:]).max() < 10 ** (-29 / 20)


def test_controllers_of_a_midi_file_turn_knobs(ran, trained: Path, dry: Path, tmp_path: Path):
    """Over a part of the knob's range, half a second after the beginning."""
    track = mido.MidiTrack([mido.Message("control_change", control=74, value=127, time=480)])
    mido.MidiFile(ticks_per_beat=480, tracks=[track]).save(tmp_path / "pedal.mid")
    words = ("--automation", tmp_path / "pedal.mid", "--cc", "74=drive_db:0:20")
    code, _, _ = ran("render", trained, dry, tmp_path / "wet.wav", *words)
    assert code == 0
    expected = ProfileProcessor(
        profiler.load(trained), automation=Automation(turns=(Turn(seconds=0.5, knob="drive_db", value=20.0),))
    ).process(read(dry), RATE)
    assert np.abs(read(tmp_path / "wet.wav") - expected).max() < 1e-5


def test_what_comes_after_the_end_is_told(ran, trained: Path, dry: Path, tmp_path: Path):
    """And the rest is followed."""
    path = table(tmp_path, TABLE + "1,drive_db,7,0\n7,drive_db,8,0\n")
    code, out, _ = ran("render", trained, dry, tmp_path / "wet.wav", "--automation", path)
    assert code == 0
    assert "2 of 4 turns in automation.csv come after the end, at 1.0 s" in " ".join(out.split())


WRONG = {
    "a knob that is not there": ("{profile}", "1,volume,3,0\n", [], ["volume", "drive_db"]),
    "a value out of range": ("{profile}", "1,drive_db,99,0\n", [], ["99", "0 to 40"]),
    "a chain's knob without its slot": ("{chain}", "1,drive_db,9,0\n", [], ["drive_db", "SLOT.KNOB", "amp"]),
    "a knob that a slot has not": ("{chain}", "1,before.drive_db,9,0\n", [], ["drive_db", "gain_db"]),
    "a line without a time": ("{profile}", ",drive_db,9,0\n", [], ["line 2", "seconds"]),
    "controllers of a table": ("{profile}", "1,drive_db,9,0\n", ["--cc", "74=drive_db"], ["no MIDI file"]),
    "controllers misspelt": ("{profile}", "1,drive_db,9,0\n", ["--cc", "drive_db"], ["drive_db", "74=KNOB"]),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_followed_ends_in_words(ran, trained: Path, chain: Path, dry: Path, tmp_path: Path, case):
    """Exit code 2, one clear line, and no file is left."""
    effect, rows, more, told = case
    path = table(tmp_path, "seconds,knob,value,glide\n" + rows)
    name = effect.format(profile=trained, chain=chain)
    code, _, err = ran("render", name, dry, tmp_path / "wet.wav", "--automation", path, *more)
    assert code == 2
    for words in told:
        assert words in err
    assert not (tmp_path / "wet.wav").exists()


def test_controllers_alone_are_told(ran, trained: Path, dry: Path, tmp_path: Path):
    """--cc without --automation would do nothing."""
    code, _, err = ran("render", trained, dry, tmp_path / "wet.wav", "--cc", "74=drive_db")
    assert code == 2
    assert "--automation" in err
