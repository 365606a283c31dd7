"""What strangers send to be learnt: zips that lie, lead out or never end, sessions that are not what they say."""

import json
import shutil
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest

from api.jobs.material import as_session, unpacked
from api.limits import limited
from profiler.audio import Audio
from profiler.audio_file import write_audio
from profiler.errors import ProfilerError, SessionError
from profiler.programme import programme
from profiler.progress import unheard

RATE = 48_000


@pytest.fixture
def archive(tmp_path: Path):
    """A function that writes a zip of names and contents."""

    def made(entries: dict[str, bytes], *, how: int = zipfile.ZIP_DEFLATED) -> Path:
        path = tmp_path / "upload.zip"
        with zipfile.ZipFile(path, "w", how) as file:
            for name, content in entries.items():
                file.writestr(name, content)
        return path

    return made


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """A folder with takes.csv: a soft clipper at two drives, and a line recorded through nothing."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    dry = programme(1, sample_rate=RATE, frames=3 * RATE)
    for name, samples in (("dry", dry), ("one", np.tanh(2 * dry)), ("two", np.tanh(8 * dry) / 2)):
        write_audio(folder / f"{name}.wav", Audio(samples=samples[None].astype(np.float32), sample_rate=RATE))
    shutil.copy(folder / "dry.wav", folder / "no.wav")
    lines = ("dry,wet,drive,room", "dry.wav,one.wav,2,9", "dry.wav,two.wav,8,9", "dry.wav,no.wav,5,9")
    (folder / "takes.csv").write_text("\n".join(lines))
    return folder


def packed(folder: Path, target: Path) -> Path:
    """Zip a folder as desktops do: in a folder of its name, with clutter."""
    with zipfile.ZipFile(target, "w") as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, Path(folder.name) / path.relative_to(folder))
        file.writestr("__MACOSX/._takes.csv", b"clutter")
        file.writestr(f"{folder.name}/.DS_Store", b"clutter")
    return target


def test_a_session_comes_out_as_it_went_in(captured: Path, tmp_path: Path):
    """In a folder or at the top; unpacked once, it is not unpacked again."""
    archive = packed(captured, tmp_path / "upload.zip")
    root = unpacked(archive, tmp_path / "out")
    session, findings = as_session(root, tmp_path / "session", name="x", tell=unheard)
    assert (session.path, findings) == (tmp_path / "out" / captured.name, [])
    assert not list((tmp_path / "out").rglob(".*"))
    archive.unlink()
    assert unpacked(archive, tmp_path / "out") == root


def test_pairs_become_a_session(pairs: Path, tmp_path: Path):
    """Lines that cannot be used and columns that say nothing are findings; the rest is taken in."""
    root = unpacked(packed(pairs, tmp_path / "upload.zip"), tmp_path / "out")
    session, findings = as_session(root, tmp_path / "session", name="Clipper", tell=unheard)
    assert (len(session.session.takes), session.session.gear.name) == (2, "Clipper")
    assert [each.kind for each in findings] == ["refused-line", "unturned-knob"]
    assert "Line 4" in findings[0].message


@pytest.mark.parametrize(
    "name",
    [
        "../out.wav",
        "/etc/passwd",
        "a/../../b",
        "c:\\x.wav",
        "a\\b.wav",
        "x" * 300,
        "a/" * 12 + "b",
        "tab\there",
        "\u202eevil",
    ],
)
def test_names_that_lead_out_are_refused(archive, tmp_path: Path, name: str):
    """Nothing is written, not even of the files before it."""
    path = archive({"session.json": b"{}", name: b"x"})
    before = set(tmp_path.parent.rglob("*"))
    with pytest.raises(SessionError, match="Rename it"):
        unpacked(path, tmp_path / "out")
    assert set(tmp_path.parent.rglob("*")) - before == {tmp_path / "out.part"}


def test_bombs_and_liars_are_refused(archive, tmp_path: Path):
    """A zip is believed neither in what it declares nor in what it hides."""
    bomb = archive({"session.json": bytes(64 << 20)})
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(SessionError, match="at most 1048576"):
        unpacked(bomb, tmp_path / "out", most_bytes=1 << 20)
    content = bytearray(bomb.read_bytes())
    declared = (64 << 20).to_bytes(4, "little")
    assert content.count(declared) == 2
    bomb.write_bytes(content.replace(declared, (1000).to_bytes(4, "little")))
    with pytest.raises(SessionError, match=r"longer than|not a whole zip"):
        unpacked(bomb, tmp_path / "out", most_bytes=1 << 20)
    assert sum(each.stat().st_size for each in (tmp_path / "out.part").rglob("*")) < 1 << 20
    with pytest.raises(SessionError, match="5001 files"):
        unpacked(archive({f"{each}.wav": b"" for each in range(5001)}), tmp_path / "out")
    with pytest.raises(SessionError, match="rare way"):
        unpacked(archive({"session.json": b"{}"}, how=zipfile.ZIP_LZMA), tmp_path / "out")
    with pytest.raises(SessionError, match="twice"):
        unpacked(archive({"session.json": b"{}", "Session.JSON": b"{}"}), tmp_path / "out")
    with pytest.raises(SessionError, match="neither"):
        unpacked(archive({"notes.txt": b"hello"}), tmp_path / "other")
    torn = archive({"session.json": b"{}" * 1000})
    torn.write_bytes(torn.read_bytes()[:-30])
    with pytest.raises(SessionError, match="not a whole zip"):
        unpacked(torn, tmp_path / "torn")


def test_links_are_files(tmp_path: Path):
    """What a zip calls a link is written as the text that it holds."""
    path = tmp_path / "upload.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("session.json", "{}")
        link = zipfile.ZipInfo("takes")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc")
    assert not (unpacked(path, tmp_path / "out") / "takes").is_symlink()


def test_a_session_must_be_what_it_says(captured: Path, tmp_path: Path):
    """Files outside, other lengths, takes without a dry: each is told before anything is learnt."""

    def told(change) -> None:
        root = tmp_path / "changed"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(captured, root)
        manifest = json.loads((root / "session.json").read_text())
        change(manifest)
        (root / "session.json").write_text(json.dumps(manifest))
        as_session(root, tmp_path / "session", name="x", tell=unheard)

    told(lambda _: None)
    changes = {
        "outside": lambda manifest: manifest["takes"][0].update(file="../../secret.wav"),
        "cannot be read|not there": lambda manifest: manifest["dries"][0].update(file="dry/999.wav"),
        "session.json says 5 ": lambda manifest: manifest["takes"][1].update(frames=5),
        "names dry 7": lambda manifest: manifest["takes"][1].update(dry=7),
        "has 0 takes": lambda manifest: manifest.update(takes=[]),
        "session.json says": lambda manifest: manifest.update(sample_rate=44100),
    }
    for reason, change in changes.items():
        with pytest.raises(ProfilerError, match=reason):
            told(change)


@pytest.mark.parametrize("column", ["dry", "wet", "knobs"])
def test_a_table_stays_in_its_folder(pairs: Path, tmp_path: Path, column: str):
    """Files of the server cannot be named."""
    secret = tmp_path / "secret.wav"
    shutil.copy(pairs / "one.wav", secret)
    for name in ("../secret.wav", str(secret)):
        row = {"dry": "dry.wav", "wet": "one.wav", "knobs": "", column: name}
        (pairs / "takes.csv").write_text(f"{','.join(row)}\n{','.join(row.values())}\n")
        with pytest.raises(SessionError, match=r"Line 2 .* not in the zip"):
            as_session(pairs, tmp_path / "session", name="x", tell=unheard)


def test_limits_hold_while_they_last(tmp_path: Path):
    """More memory than allowed is not had, and is again afterwards."""
    with limited(memory_bytes=2 << 30, file_bytes=1 << 20), pytest.raises(MemoryError):
        bytearray(3 << 30)
    with limited(memory_bytes=8 << 30, file_bytes=1000), pytest.raises(OSError, match="large"):
        (tmp_path / "long").write_bytes(bytes(2000))
    (tmp_path / "long").write_bytes(bytes(2000))
