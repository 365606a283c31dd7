"""Folders of stems, and the table that says what each is rendered through."""

from pathlib import Path

import pytest

from profiler.errors import AudioError, ChainError
from profiler.rendering import RenderJob, read_stems_table, stem_jobs


@pytest.fixture
def stems(tmp_path: Path) -> Path:
    """A folder of audio files, hidden ones and others."""
    for name in ("b.wav", "a.flac", "drums/kick.AIFF", "drums/over.mp3", ".c.wav", "._a.wav", ".trash/d.wav", "n.txt"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"-")
    return tmp_path / "in"


def usual(tmp_path: Path) -> RenderJob:
    """Return what is done where nothing else is said."""
    return RenderJob(effect=tmp_path / "usual.tonecast", source=tmp_path, target=tmp_path, settings={"drive": "1"})


def table(tmp_path: Path, text: str) -> Path:
    """Return a table beside an effect and an automation."""
    for name in ("amp.tonecast", "turns.csv", "pedal.mid"):
        (tmp_path / name).write_bytes(b"-")
    (tmp_path / "stems.csv").write_text(text)
    return tmp_path / "stems.csv"


def test_every_audio_file_is_rendered_to_its_place(stems: Path, tmp_path: Path):
    """By name, folders kept; what is hidden is left; what cannot be written again becomes a WAV."""
    jobs = stem_jobs(stems, tmp_path / "out", usual(tmp_path))
    assert [job.source.relative_to(stems).as_posix() for job in jobs] == [
        "a.flac",
        "b.wav",
        "drums/kick.AIFF",
        "drums/over.mp3",
    ]
    assert [job.target.relative_to(tmp_path / "out").as_posix() for job in jobs] == [
        "a.flac",
        "b.wav",
        "drums/kick.AIFF",
        "drums/over.mp3.wav",
    ]
    assert all(job.effect == tmp_path / "usual.tonecast" and job.settings == {"drive": "1"} for job in jobs)


def test_the_first_row_that_matches_says_how(stems: Path, tmp_path: Path):
    """An effect of its own has its own settings; other rows add theirs to what is usual."""
    rows = read_stems_table(
        table(
            tmp_path,
            "file,effect,set,automation\nb.wav,,drive=2 tone=0.5,turns.csv\ndrums/*,amp.tonecast,gain=9,\n*,,x=1,\n",
        )
    )
    a, b, kick, over = stem_jobs(stems, tmp_path / "out", usual(tmp_path), rows)
    assert (a.settings, a.automation) == ({"drive": "1", "x": "1"}, None)
    assert (b.effect.name, b.settings) == ("usual.tonecast", {"drive": "2", "tone": "0.5"})
    assert b.automation == tmp_path / "turns.csv"
    assert (kick.effect, kick.settings, over.settings) == (tmp_path / "amp.tonecast", {"gain": "9"}, {"gain": "9"})


WRONG = {
    "no file": ("effect\namp.tonecast\n", ["no column 'file'"]),
    "another column": ("file,volume\na.flac,3\n", ["'volume' is not known", "file, effect, automation, set"]),
    "an effect that is not there": ("file,effect\na.flac,none.tonecast\n", ["line 2", "none.tonecast is not there"]),
    "an automation that is not there": ("file,automation\na.flac,none.csv\n", ["line 2", "none.csv"]),
    "a misspelt knob": ("file,set\na.flac,drive 3\n", ["line 2", "'drive' is not KNOB=VALUE"]),
    "a file without a name": ("file,set\n,drive=3\n", ["line 2", "no file"]),
}


@pytest.mark.parametrize(("text", "told"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_with_a_table_is_told(tmp_path: Path, text: str, told: list[str]):
    """Line by line."""
    with pytest.raises(ChainError) as caught:
        read_stems_table(table(tmp_path, text))
    for words in told:
        assert words in str(caught.value)


def test_a_row_that_no_file_matches_is_told(stems: Path, tmp_path: Path):
    """It is misspelt."""
    rows = read_stems_table(table(tmp_path, "file\nbass.wav\nb.wav\n"))
    with pytest.raises(ChainError, match=r"line 2: 'bass.wav'"):
        stem_jobs(stems, tmp_path / "out", usual(tmp_path), rows)


@pytest.mark.parametrize("place", ["in", "in/out", "."])
def test_folders_within_each_other_are_refused(stems: Path, tmp_path: Path, place: str):
    """The next time, what was rendered would be rendered again."""
    with pytest.raises(AudioError, match="must not lie within each other"):
        stem_jobs(stems, tmp_path / place, usual(tmp_path))


def test_a_folder_without_audio_is_told(tmp_path: Path):
    """With what was expected."""
    (tmp_path / "in").mkdir()
    with pytest.raises(AudioError, match=r"holds no audio.*\.flac"):
        stem_jobs(tmp_path / "in", tmp_path / "out", usual(tmp_path))
