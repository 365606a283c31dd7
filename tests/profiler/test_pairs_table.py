"""Pairs tables."""

from pathlib import Path

import pytest

from profiler.errors import SessionError
from profiler.knob import Knob
from profiler.knob_track import Breakpoint, KnobTrack
from profiler.manifest import write_manifest
from profiler.pairs_table import PairRow, read_pairs_table

DRIVE = Knob(id="drive", name="Drive", minimum=0, maximum=10, default=5)


@pytest.fixture
def table(tmp_path: Path):
    """Write a table, next to a dry and four wet files, and return its path."""
    for name in ("d.wav", "0.wav", "1.wav", "2.wav", "3.wav"):
        (tmp_path / name).write_bytes(b"not read here")

    def write(*lines: str, prefix: bytes = b"", end: str = "\n") -> Path:
        (tmp_path / "takes.csv").write_bytes(prefix + end.join((*lines, "")).encode())
        return tmp_path / "takes.csv"

    return write


def complaints(path: Path, *stated: Knob) -> list[str]:
    """Return the lines of the refusal below its first."""
    with pytest.raises(SessionError, match="is not a usable table") as told:
        read_pairs_table(path, stated)
    return [line.strip() for line in str(told.value).splitlines()[1:]]


def test_columns_become_knobs(table):
    """Numbers make a knob over their range, words a switch, and the files lie beside the table."""
    path = table("dry,wet,drive,mode", "d.wav,0.wav,1,bright", "d.wav,1.wav,2.5,dark", "d.wav,2.wav,10,dark")
    found = read_pairs_table(path)
    assert found.knobs == (
        Knob(id="drive", name="drive", minimum=1, maximum=10, default=2.5),
        Knob(id="mode", name="mode", choices=("bright", "dark"), default="bright"),
    )
    folder = path.parent
    assert found.rows[1] == PairRow(
        line=3, dry=folder / "d.wav", wet=folder / "1.wav", settings={"drive": 2.5, "mode": "dark"}
    )
    assert [row.line for row in found.rows] == [2, 3, 4]


@pytest.mark.parametrize("values", [(0, 10), (0, 1, 9, 10), (-3, 0.1, 7), (5, 5, 5, 6)])
def test_a_knob_stands_where_somebody_recorded(table, values):
    """The default is one of the recorded values, never a place between them."""
    rows = [f"d.wav,{number}.wav,{value}" for number, value in enumerate(values)]
    (knob,) = read_pairs_table(table("dry,wet,drive", *rows)).knobs
    assert knob.default in values
    assert (knob.minimum, knob.maximum) == (min(values), max(values))


def test_a_switch_may_have_numbers_among_its_words(table):
    """The choices are spelt as in the table: 4 is not 4.0."""
    rows = ("d.wav,0.wav,4", "d.wav,1.wav,8", "d.wav,2.wav,all")
    found = read_pairs_table(table("dry,wet,ratio", *rows))
    assert found.knobs == (Knob(id="ratio", name="ratio", choices=("4", "8", "all"), default="4"),)
    assert [row.settings for row in found.rows] == [{"ratio": "4"}, {"ratio": "8"}, {"ratio": "all"}]


def test_one_value_is_no_knob(table):
    """A column that never changes says nothing about a knob, however it is spelt, and a stated range says it does."""
    path = table("dry,wet,drive", "d.wav,0.wav,5", "d.wav,1.wav,5.0")
    found = read_pairs_table(path)
    assert found.knobs == ()
    assert [row.settings for row in found.rows] == [{}, {}]
    stated = read_pairs_table(path, [DRIVE])
    assert stated.knobs == (DRIVE,)
    assert [row.settings for row in stated.rows] == [{"drive": 5.0}, {"drive": 5.0}]


def test_a_stated_range_is_wider_than_the_values(table):
    """The range that is typed counts, not that of the recordings."""
    found = read_pairs_table(table("dry,wet,drive", "d.wav,0.wav,2", "d.wav,1.wav,4"), [DRIVE])
    assert found.knobs == (DRIVE,)


def test_a_table_from_a_spreadsheet(table):
    """A byte order mark, CRLF, quotes, blanks and empty lines are no part of the content."""
    path = table(
        'dry, wet ,"drive"', "", ' d.wav ,"0.wav",1', ",,", "d.wav,1.wav,2", prefix=b"\xef\xbb\xbf", end="\r\n"
    )
    found = read_pairs_table(path)
    assert [knob.id for knob in found.knobs] == ["drive"]
    assert [(row.line, row.wet.name, row.settings) for row in found.rows] == [
        (3, "0.wav", {"drive": 1.0}),
        (5, "1.wav", {"drive": 2.0}),
    ]


def test_everything_wrong_is_told_at_once(table):
    """Ragged lines, missing files, values no knob takes, lost tracks and a wet that comes twice are one list."""
    path = table(
        "dry,wet,drive,knobs",
        "d.wav,0.wav,1,",
        "",
        "d.wav,1.wav",
        "none.wav,1.wav,2,",
        "d.wav,,3,",
        "d.wav,0.wav,4,",
        "d.wav,2.wav,loud,",
        "d.wav,3.wav,11,",
        f"d.wav,{'x' * 300}.wav,5,",
    )
    found = complaints(path, DRIVE)
    assert sorted(found, key=lambda line: int(line.split()[1][:-1])) == [
        "line 4: 2 cells",
        "line 5: the dry file 'none.wav' is not there",
        "line 6: the wet file '(empty)' is not there",
        "line 7: the wet file '0.wav' is that of line 2 again",
        "line 8: Knob drive takes a number; found 'loud'.",
        "line 9: Knob drive cannot stand at 11; its range is 0 to 10.",
        f"line 10: the wet file '{'x' * 300}.wav' is not there",
    ]


def test_a_setting_may_not_be_left_out(table):
    """A take whose knob stands nobody knows where cannot be learnt from."""
    path = table("dry,wet,drive", "d.wav,0.wav,1", "d.wav,1.wav,", "d.wav,2.wav,2")
    assert complaints(path) == ["line 3: Knob drive has no value."]


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_setting_is_finite(table, value):
    """Neither NaN nor infinity is a place where a knob stands."""
    (told,) = complaints(table("dry,wet,drive", "d.wav,0.wav,1", f"d.wav,1.wav,{value}"), DRIVE)
    assert told.startswith("line 3: Knob drive cannot stand at ")


def test_the_same_wet_by_another_name(table):
    """A path that leads to a file that was there already is that file."""
    path = table("dry,wet", "d.wav,0.wav", "d.wav,./0.wav")
    assert complaints(path) == ["line 3: the wet file '0.wav' is that of line 2 again"]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("wet,drive", ["line 1: there is no column 'dry'"]),
        ("input,output", ["line 1: there is no column 'dry'", "line 1: there is no column 'wet'"]),
        ("dry;wet", ["line 1: there is no column 'dry'", "line 1: there is no column 'wet'"]),
        ("dry,wet,drive,drive", ["line 1: a column comes twice in dry, wet, drive, drive"]),
    ],
)
def test_a_wrong_header(table, header, found):
    """Both columns are needed, and each only once."""
    assert complaints(table(header, "0.wav,1.wav")) == found


@pytest.mark.parametrize("content", [b"", b"\n\n", b"dry,wet\n", b"\xef\xbb\xbf", b",,\n,,\n"])
def test_a_table_without_takes(tmp_path, content):
    """A table needs a header and a line."""
    (tmp_path / "takes.csv").write_bytes(content)
    with pytest.raises(SessionError, match="has no takes: expected a header with dry and wet"):
        read_pairs_table(tmp_path / "takes.csv")


@pytest.mark.parametrize("content", [b"RIFF\xff\xfe\x00\x80WAVE", b"dry,wet\n" + b"x" * 200_000 + b",1\n"])
def test_a_file_that_is_no_table(tmp_path, content):
    """Binary content and endless cells are refused as what they are."""
    (tmp_path / "takes.csv").write_bytes(content)
    with pytest.raises(SessionError, match=r"cannot be read as a table.*Expected CSV text in UTF-8"):
        read_pairs_table(tmp_path / "takes.csv")


def test_a_table_that_is_not_there(tmp_path):
    """A missing table and a folder are told with their path."""
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(SessionError, match=f"{path.name} cannot be read"):
            read_pairs_table(path)


def test_a_long_list_is_cut(table):
    """Twenty wrong lines are shown and the rest counted."""
    found = complaints(table("dry,wet", *(f"d.wav,none{number}.wav" for number in range(25))))
    assert len(found) == 21
    assert found[-1] == "and 5 more"


def track(*values: float) -> KnobTrack:
    """Return a track on which drive jumps every 100 frames."""
    points = (Breakpoint(frame=100 * number, settings={"drive": value}) for number, value in enumerate(values))
    return KnobTrack(breakpoints=tuple(points))


def test_a_knobs_column_names_tracks(table):
    """A row with a track moves and has no settings; its values count for the range, and other rows stand still."""
    path = table("dry,wet,drive,knobs", "d.wav,0.wav,,moving.json", "d.wav,1.wav,3,")
    write_manifest(path.parent / "moving.json", track(1.0, 8.0))
    found = read_pairs_table(path)
    assert found.knobs == (Knob(id="drive", name="drive", minimum=1, maximum=8, default=3),)
    assert [row.settings for row in found.rows] == [None, {"drive": 3.0}]
    assert [row.track for row in found.rows] == [track(1.0, 8.0), None]


def test_tracks_alone_make_the_knobs(table):
    """Without a column of its own a knob is known from the tracks."""
    path = table("dry,wet,knobs", "d.wav,0.wav,moving.json")
    write_manifest(path.parent / "moving.json", track(1.0, 8.0, 4.0))
    assert read_pairs_table(path).knobs == (Knob(id="drive", name="drive", minimum=1, maximum=8, default=4),)


def test_bad_tracks_are_told(table):
    """A track that is missing, is none, or leaves the stated range is among the complaints."""
    path = table(
        "dry,wet,knobs",
        "d.wav,0.wav,good.json",
        "d.wav,1.wav,none.json",
        "d.wav,2.wav,d.wav",
        "d.wav,3.wav,beyond.json",
    )
    write_manifest(path.parent / "good.json", track(1.0, 8.0))
    write_manifest(path.parent / "beyond.json", track(1.0, 12.0))
    found = complaints(path, DRIVE)
    for line, says in ((3, "none.json cannot be read"), (4, "d.wav is not JSON"), (5, "drive cannot stand at 12")):
        assert any(each.startswith(f"line {line}:") and says in each for each in found)
    assert not any(each.startswith("line 2:") for each in found)
