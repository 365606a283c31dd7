"""`tonecast render` of one file: how fine, how loud."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 44_100


def read(path: Path) -> np.ndarray:
    """Return a file's samples, (channels, frames)."""
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T.copy()


@pytest.mark.parametrize(("bits", "subtype"), [("16", "PCM_16"), ("24", "PCM_24"), ("float", "FLOAT")])
def test_bits_are_chosen(ran, tmp_path: Path, bits: str, subtype: str):
    """16 bits are dithered: on average, the wet is between the steps where it was."""
    soundfile.write(tmp_path / "dc.wav", np.full(100_000, 10.3 / 32_768, np.float32), RATE, subtype="FLOAT")
    (tmp_path / "chain.json").write_text(
        '{"slots": [{"id": "g", "kind": "pedalboard", "ref": "Gain", "settings": {"gain_db": 0}}]}'
    )
    words = (tmp_path / "chain.json", tmp_path / "dc.wav", tmp_path / "wet.wav", "--bits", bits, "--no-tail")
    assert ran("render", *words)[0] == 0
    assert soundfile.info(tmp_path / "wet.wav").subtype == subtype
    assert read(tmp_path / "wet.wav").mean() * 32_768 == pytest.approx(10.3, abs=0.02)


def test_loudness_is_matched_slot_by_slot(ran, tmp_path: Path):
    """The wet of a loud chain is as loud as the dry, and the levels are told."""
    noise = np.random.default_rng(0).normal(0, 0.1, (RATE, 2)).astype(np.float32)
    soundfile.write(tmp_path / "dry.wav", noise, RATE, subtype="FLOAT")
    slots = [{"id": f"g{db}", "kind": "pedalboard", "ref": "Gain", "settings": {"gain_db": db}} for db in (6, 12)]
    (tmp_path / "chain.json").write_text(json.dumps({"slots": slots}))
    words = (tmp_path / "chain.json", tmp_path / "dry.wav", tmp_path / "wet.wav", "--match-loudness")
    code, out, _ = ran("render", *words, "--json")
    assert (code, json.loads(out)["levels_db"]) == (0, [-6.0, -12.0])
    assert np.abs(read(tmp_path / "wet.wav") - noise.T).max() < 1e-5
    code, out, _ = ran("render", *words)
    assert "-6.0, -12.0" in out


def peak_memory(*arguments: object) -> int:
    """Run a command in a process of its own and return the most memory that it had, in MiB."""
    code = (
        "import resource, sys; from tonecast.cli import run; assert run(sys.argv[1:]) == 0;"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)"
    )
    words = [sys.executable, "-c", code, *(str(each) for each in arguments)]
    return int(subprocess.run(words, check=True, capture_output=True, text=True).stderr.split()[-1])


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in other units elsewhere")
def test_length_costs_no_memory(tmp_path: Path):
    """Five minutes take no more than five seconds do, in a chain with all that holds sound back."""
    noise = np.random.default_rng(0).normal(0, 0.1, (5 * RATE, 2)).astype(np.float32)
    soundfile.write(tmp_path / "short.wav", noise, RATE, subtype="PCM_16")
    soundfile.write(tmp_path / "long.wav", np.tile(noise, (60, 1)), RATE, subtype="PCM_16")
    soundfile.write(tmp_path / "ir.wav", noise[:40_000, 0] * np.geomspace(1, 1e-4, 40_000), RATE)
    (tmp_path / "turns.csv").write_text("seconds,knob,value\n1,a.ceiling_db,-9\n3,r.output_db,-6\n")
    branches = [{"id": "dry"}, {"id": "wet", "slots": [{"id": "r", "kind": "ir", "ref": "ir.wav"}]}]
    slots = [
        {"id": "a", "kind": "pedalboard", "ref": "BrickwallLimiter"},
        {"id": "split", "kind": "parallel", "branches": branches},
        {"id": "b", "kind": "pedalboard", "ref": "Resample"},
    ]
    (tmp_path / "chain.json").write_text(json.dumps({"slots": slots}))
    words = ("--automation", tmp_path / "turns.csv")
    short, long = (
        peak_memory("render", tmp_path / "chain.json", tmp_path / name, tmp_path / "wet.wav", *words)
        for name in ("short.wav", "long.wav")
    )
    assert long < short + 30
