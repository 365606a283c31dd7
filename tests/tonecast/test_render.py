"""`tonecast render` of one file: how fine, how loud."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tonecast.cli import run

RATE = 44_100


def ran(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run a command; return its exit code, standard output and standard error."""
    code = run([str(each) for each in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def read(path: Path) -> np.ndarray:
    """Return a file's samples, (channels, frames)."""
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T.copy()


@pytest.mark.parametrize(("bits", "subtype"), [("16", "PCM_16"), ("24", "PCM_24"), ("float", "FLOAT")])
def test_bits_are_chosen(capsys, tmp_path: Path, bits: str, subtype: str):
    """16 bits are dithered: on average, the wet is between the steps where it was."""
    soundfile.write(tmp_path / "dc.wav", np.full(100_000, 10.3 / 32_768, np.float32), RATE, subtype="FLOAT")
    (tmp_path / "chain.json").write_text(
        '{"slots": [{"id": "g", "kind": "pedalboard", "ref": "Gain", "settings": {"gain_db": 0}}]}'
    )
    words = (tmp_path / "chain.json", tmp_path / "dc.wav", tmp_path / "wet.wav", "--bits", bits, "--no-tail")
    assert ran(capsys, "render", *words)[0] == 0
    assert soundfile.info(tmp_path / "wet.wav").subtype == subtype
    assert read(tmp_path / "wet.wav").mean() * 32_768 == pytest.approx(10.3, abs=0.02)


def test_loudness_is_matched_slot_by_slot(capsys, tmp_path: Path):
    """The wet of a loud chain is as loud as the dry, and the levels are told."""
    noise = np.random.default_rng(0).normal(0, 0.1, (RATE, 2)).astype(np.float32)
    soundfile.write(tmp_path / "dry.wav", noise, RATE, subtype="FLOAT")
    slots = [{"id": f"g{db}", "kind": "pedalboard", "ref": "Gain", "settings": {"gain_db": db}} for db in (6, 12)]
    (tmp_path / "chain.json").write_text(json.dumps({"slots": slots}))
    words = (tmp_path / "chain.json", tmp_path / "dry.wav", tmp_path / "wet.wav", "--match-loudness")
    code, out, _ = ran(capsys, "render", *words, "--json")
    assert (code, json.loads(out)["levels_db"]) == (0, [-6.0, -12.0])
    assert np.abs(read(tmp_path / "wet.wav") - noise.T).max() < 1e-5
    code, out, _ = ran(capsys, "render", *words)
    assert "-6.0, -12.0" in out
