"""Presets by name: what a name means, and what becomes of one that nothing is called by."""

import json
from pathlib import Path

import pytest

from profiler.chain_file import read_chain
from profiler.errors import ChainError, PresetError
from profiler.presets import catalogue, effect_path, named, preset_path
from profiler.rendering import read_stems_table

NAME = catalogue().presets[0].name


def test_a_file_wins_over_a_preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A bare name is a preset's only where there is no such file; with preset: before it, it always is."""
    monkeypatch.chdir(tmp_path)
    assert effect_path(NAME) == preset_path(NAME)
    Path(NAME).touch()
    assert effect_path(NAME) == Path(NAME)
    assert effect_path(f"preset:{NAME}") == preset_path(NAME)


@pytest.mark.parametrize("name", ["mine.tonecast", "folder/tape", "chain.json"])
def test_a_path_is_a_path(name: str):
    """A folder or an ending says so, even where nothing is there."""
    assert effect_path(name) == Path(name)


def test_what_is_called_nearly_so_is_named():
    """A slip of the finger is told with what may have been meant, and how to see all."""
    with pytest.raises(PresetError, match=rf"{NAME}.*tonecast presets"):
        effect_path(NAME[:-1])
    with pytest.raises(PresetError, match="'presets'"):
        preset_path("presets")  # the list itself is none


def test_a_chain_refers_to_presets(tmp_path: Path):
    """Of profiles and chains, wherever the file lies; an impulse response is a file."""
    chain = catalogue().chains[0].name
    slots = [
        {"id": "a", "kind": "profile", "ref": f"preset:{NAME}"},
        {"id": "b", "kind": "chain", "ref": f"preset:{chain}"},
    ]
    inner = {"id": "split", "kind": "parallel", "branches": [{"id": "one", "slots": [{**slots[0], "id": "c"}]}]}
    (tmp_path / "mine.json").write_text(json.dumps({"slots": [*slots, inner]}))
    one, other, split = read_chain(tmp_path / "mine.json").slots
    assert [one.ref, other.ref] == [str(preset_path(NAME)), str(preset_path(chain))]
    assert named(split.branches[0].slots[0].ref) == f"preset:{NAME}"
    (tmp_path / "mine.json").write_text(json.dumps({"slots": [{**slots[0], "ref": "preset:nothing"}]}))
    with pytest.raises(PresetError, match="nothing"):
        read_chain(tmp_path / "mine.json")


def test_a_table_of_stems_refers_to_presets(tmp_path: Path):
    """By name; what nothing is called by is told with its line, and a file beside the table wins."""
    (tmp_path / "stems.csv").write_text(f"file,effect\n*.wav,{NAME}\n")
    (row,) = read_stems_table(tmp_path / "stems.csv")
    assert row.effect == preset_path(NAME)
    (tmp_path / NAME).touch()
    (row,) = read_stems_table(tmp_path / "stems.csv")
    assert row.effect == tmp_path / NAME
    (tmp_path / "stems.csv").write_text("file,effect\n*.wav,nothing\n")
    with pytest.raises(ChainError, match=r"line 2.*nothing"):
        read_stems_table(tmp_path / "stems.csv")
