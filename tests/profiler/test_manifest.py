"""JSON documents."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler import manifest
from profiler.chain_file import ChainFile, Slot
from profiler.errors import ManifestError
from profiler.knob import Knob
from profiler.knob_track import Breakpoint, KnobTrack
from profiler.manifest import from_json, read_manifest, to_json, write_manifest
from profiler.stimulus import Marker, Stimulus

settings = st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False) | st.text(), max_size=3)
documents = st.one_of(
    st.builds(
        Stimulus,
        form=st.sampled_from(["quick", "short", "brief", "moving", "held-out"]),
        seed=st.integers(),
        sample_rate=st.integers(1, 192_000),
        markers=st.lists(st.builds(Marker, name=st.text(), start=st.integers(), stop=st.integers()), max_size=3).map(
            tuple
        ),
    ),
    st.builds(
        KnobTrack,
        breakpoints=st.builds(Breakpoint, frame=st.just(0), settings=settings, ramp_frames=st.integers(0, 10**6)).map(
            lambda point: (point,)
        ),
    ),
    st.builds(
        ChainFile,
        slots=st.builds(
            Slot,
            id=st.just("amp"),
            kind=st.sampled_from(["pedalboard", "profile"]),
            ref=st.text(min_size=1),
            settings=settings,
        ).map(lambda slot: (slot,)),
    ),
    st.builds(Knob, id=st.text(), name=st.text(), unit=st.text(), step=st.none() | st.floats(0.01, 1)),
)


@dataclass(frozen=True, kw_only=True)
class Versioned:
    """A document with a version."""

    name: str
    version: int = 0


@given(documents)
def test_a_document_comes_back_as_it_was(value):
    """Writing and reading any document gives an equal one, whatever its strings and numbers."""
    assert from_json(type(value), to_json(value), source="here") == value


def test_a_document_is_readable_text(tmp_path):
    """What lands on disk is indented UTF-8 JSON that ends with a line break."""
    write_manifest(tmp_path / "knob.json", Knob(id="k", name="Höhen"))
    text = (tmp_path / "knob.json").read_text("utf-8")
    assert text.endswith("}\n")
    assert '\n "name": "Höhen",\n' in text
    assert read_manifest(Knob, tmp_path / "knob.json") == Knob(id="k", name="Höhen")


def test_nan_is_never_written(tmp_path):
    """NaN has no spelling in JSON: it is refused, and an earlier document stays."""
    path = tmp_path / "track.json"
    write_manifest(path, KnobTrack.still({"drive": 1.0}))
    with pytest.raises(ManifestError, match=r"KnobTrack cannot be written as JSON: .* nan"):
        write_manifest(path, KnobTrack.still({"drive": float("nan")}))
    assert read_manifest(KnobTrack, path) == KnobTrack.still({"drive": 1.0})


def test_a_torn_character_is_never_written():
    """Half of a surrogate pair is no UTF-8."""
    with pytest.raises(ManifestError, match=r"Versioned cannot be written as JSON: .*surrogates"):
        to_json(Versioned(name="\ud800"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"name": "a"',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"9" * 5000,
        b'{"name": NaN}',
        b'{"name": -Infinity}',
    ],
    ids=["empty", "brace", "cut", "bytes", "deep", "digits", "nan", "infinity"],
)
def test_what_is_not_json_is_named(content):
    """Damage of any sort is a ManifestError that names the document."""
    with pytest.raises(ManifestError, match=r"^here is not JSON: .*cut short"):
        from_json(Versioned, content, source="here")


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("[]", "at the top"),
        ("null", "at the top"),
        ('{"version": 0}', "at name, Field required"),
        ('{"name": 3}', "at name, "),
    ],
)
def test_json_that_says_something_else_names_the_place(content, place):
    """The message says where in the document, and what was expected there."""
    with pytest.raises(ManifestError, match=f"^here is not a valid Versioned: {place}"):
        from_json(Versioned, content.encode(), source="here")


def test_a_value_that_cannot_be_is_said_in_its_own_words():
    """What a dataclass refuses keeps its reason."""
    content = json.dumps({"id": "k", "name": "K", "minimum": 2, "maximum": 1}).encode()
    with pytest.raises(ManifestError, match="here is not a valid Knob: Knob k goes from 2 to 1"):
        from_json(Knob, content, source="here")


@pytest.mark.parametrize(
    ("version", "says"),
    [(1, "version 1; .* up to 0. Update Tonecast"), (10**9, "Update Tonecast"), (-1, "damaged"), ("0", "damaged")],
)
def test_an_unknown_version_is_refused_before_anything_is_read(version, says):
    """A newer document asks for an update; a version that never was is damage."""
    content = json.dumps({"version": version, "another": "shape"}).encode()
    with pytest.raises(ManifestError, match=says):
        from_json(Versioned, content, source="here")


def test_a_document_without_a_version_is_the_first():
    """Hand-written documents need no version."""
    assert from_json(Versioned, b'{"name": "a"}', source="here") == Versioned(name="a", version=0)


def test_a_missing_document_is_named(tmp_path):
    """A missing file, and a folder in its place, say which."""
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(ManifestError, match=f"{path} cannot be read: .*Check the name"):
            read_manifest(Versioned, path)


def test_an_oversized_document_is_refused_unread(tmp_path):
    """A sparse file larger than any real document is not loaded."""
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(manifest.MAXIMUM_BYTES + 1)
    with pytest.raises(ManifestError, match=f"a document has at most {manifest.MAXIMUM_BYTES}"):
        read_manifest(Versioned, path)
