"""Chain files."""

import json

import pytest

from profiler.chain_file import Branch, ChainFile, Slot, read_chain
from profiler.errors import ChainError

DRIVE = {"id": "drive", "kind": "pedalboard", "ref": "Distortion", "settings": {"drive_db": 12, "mode": "hard"}}


def written(path, *slots, **more):
    """Write a chain file and return its path."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"slots": list(slots), **more}))
    return path


def test_a_chain_says_what_its_file_says(tmp_path):
    """Slots keep their order, kinds and plain settings; settings may be left out."""
    path = written(tmp_path / "chain.json", DRIVE, {"id": "room-2", "kind": "pedalboard", "ref": "Reverb"}, version=0)
    assert read_chain(path) == ChainFile(
        slots=(
            Slot(id="drive", kind="pedalboard", ref="Distortion", settings={"drive_db": 12, "mode": "hard"}),
            Slot(id="room-2", kind="pedalboard", ref="Reverb"),
        )
    )


def test_profiles_lie_beside_their_chain(tmp_path):
    """A profile's path starts at the chain file, wherever that is read from; an effect's name is no path."""
    slot = {"id": "amp", "kind": "profile", "ref": "amps/twin.tonecast"}
    chain = read_chain(written(tmp_path / "board" / "chain.json", slot, DRIVE))
    assert [each.ref for each in chain.slots] == [str(tmp_path / "board" / "amps" / "twin.tonecast"), "Distortion"]


def test_plugin_files_lie_beside_their_chain_too(tmp_path):
    """The path of a plugin starts at the chain file, one from the root stays, and a URI is no path."""
    slots = [
        {"id": f"p{number}", "kind": "plugin", "ref": ref}
        for number, ref in enumerate(("fx/Amp.vst3#Lead", "/opt/Amp.vst3", "lv2:urn:me:amp"))
    ]
    chain = read_chain(written(tmp_path / "board" / "chain.json", *slots))
    beside = str(tmp_path / "board" / "fx" / "Amp.vst3#Lead")
    assert [each.ref for each in chain.slots] == [beside, "/opt/Amp.vst3", "lv2:urn:me:amp"]


def test_branches_stand_beside_each_other(tmp_path):
    """Their slots are slots, with levels, and their paths start at the chain file too."""
    branches = [
        {"id": "clean"},
        {"id": "dirty", "output_db": -6, "slots": [DRIVE, {"id": "cab", "kind": "ir", "ref": "a.wav"}]},
    ]
    path = written(
        tmp_path / "board" / "c.json", {"id": "split", "kind": "parallel", "branches": branches, "input_db": 3}
    )
    drive = Slot(id="drive", kind="pedalboard", ref="Distortion", settings={"drive_db": 12, "mode": "hard"})
    cab = Slot(id="cab", kind="ir", ref=str(tmp_path / "board" / "a.wav"))
    dirty = Branch(id="dirty", output_db=-6, slots=(drive, cab))
    split = Slot(id="split", kind="parallel", branches=(Branch(id="clean"), dirty), input_db=3)
    assert read_chain(path) == ChainFile(slots=(split,))
    assert list(read_chain(path).ids()) == ["split", "clean", "dirty", "drive", "cab"]


@pytest.mark.parametrize("name", ["", "Drive", "a b", "-a", "a.b", "a/b", "a\n", "ä", "a" * 65])
def test_a_slot_needs_a_plain_id(name):
    """An id ends up before a knob's in `slot.knob`, so it has no dot, space or capital."""
    with pytest.raises(ChainError, match="must be lower-case letters"):
        Slot(id=name, kind="pedalboard", ref="Gain")


@pytest.mark.parametrize(
    ("slots", "says"),
    [
        ([], "no slots"),
        ([DRIVE, DRIVE], "found drive more than once"),
        ([{**DRIVE, "id": "Not Plain"}], "lower-case"),
        ([{**DRIVE, "kind": "pickle"}], r"at slots.0.kind, .*'pedalboard', 'circuit', .*'parallel' or 'chain'"),
        ([{"id": "drive", "kind": "pedalboard"}], r"drive: .*has a ref that says what it plays; found ''"),
        ([{"id": "split", "kind": "parallel"}], r"split: a parallel slot has branches"),
        ([{**DRIVE, "branches": [{"id": "dry"}]}], r"drive: a parallel slot has branches, and no other"),
        ([{"id": "split", "kind": "parallel", "ref": "x", "branches": [{"id": "dry"}]}], r"split: .*no ref; found 'x'"),
        ([DRIVE, {"id": "split", "kind": "parallel", "branches": [{"id": "drive"}]}], "found drive more than once"),
        ([{"id": "split", "kind": "parallel", "branches": [{"id": "a b"}]}], "lower-case"),
        ([{**DRIVE, "output_db": 100}], "drive: a level lies between -120 and 60 dB; found 100"),
        ([{**DRIVE, "settings": {"drive_db": [1]}}], r"at slots.0.settings.drive_db"),
    ],
)
def test_a_chain_that_cannot_be_is_refused(tmp_path, slots, says):
    """The message names the file and the slot."""
    path = written(tmp_path / "chain.json", *slots)
    with pytest.raises(ChainError, match=f"{path} is not a valid ChainFile: .*{says}"):
        read_chain(path)


@pytest.mark.parametrize(
    ("content", "says"), [("", "is not JSON"), ("{", "is not JSON"), ('{"slots": [], "version": 3}', "Update Tonecast")]
)
def test_what_is_no_chain_file_is_refused(tmp_path, content, says):
    """Damage, and a chain of a newer Tonecast."""
    (tmp_path / "chain.json").write_text(content)
    with pytest.raises(ChainError, match=says):
        read_chain(tmp_path / "chain.json")


def test_a_missing_chain_file_is_named(tmp_path):
    """A chain that is not there is a ChainError, as any other problem with it."""
    with pytest.raises(ChainError, match=f"{tmp_path / 'none.json'} cannot be read"):
        read_chain(tmp_path / "none.json")
