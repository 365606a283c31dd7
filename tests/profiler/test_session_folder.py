"""Sessions on disk."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from profiler.audio import Audio
from profiler.audio_file import read_audio, write_audio
from profiler.errors import AudioError, ManifestError, SessionError, StorageError
from profiler.knob import Knob
from profiler.knob_track import Breakpoint, KnobTrack
from profiler.session import CaptureSession, Gear, Take
from profiler.session_folder import SessionFolder

RATE = 8000
EMPTY = CaptureSession(
    gear=Gear(name="Pedal", kind="plugin"), knobs=(Knob(id="drive", name="Drive"),), sample_rate=RATE
)
PAGE = 4096


def sound(seed: int, seconds: float = 1.0) -> Audio:
    """Return noise that no other seed gives."""
    samples = np.random.default_rng(seed).uniform(-1, 1, (1, int(seconds * RATE)))
    return Audio(samples=samples.astype(np.float32), sample_rate=RATE)


def new_take(number: int) -> Take:
    """Return a take as a recorder hands it over."""
    return Take(number=number, dry=0, file="", sha256="", frames=0, settings={"drive": 0.5})


@pytest.fixture
def folder(tmp_path):
    """A session of two takes of one dry."""
    folder = SessionFolder.create(tmp_path / "session", EMPTY)
    folder.add_dry(sound(0), None)
    for number in (0, 1):
        folder.add_take(new_take(number), sound(10 + number))
    return folder


def edited(folder, **changes):
    """Change the first take in session.json and return the session opened again."""
    path = folder.path / "session.json"
    document = json.loads(path.read_text())
    document["takes"][0] |= changes
    path.write_text(json.dumps(document))
    return SessionFolder.open(folder.path)


def test_takes_are_on_disk_as_soon_as_they_are_added(folder):
    """Another reader finds each take with its hash, length and sound, and the raw recording bit for bit."""
    again = SessionFolder.open(folder.path)
    assert again.session == folder.session
    assert [take.file for take in again.session.takes] == ["takes/000.wav", "takes/001.wav"]
    for take in again.session.takes:
        assert take.frames == RATE
        np.testing.assert_array_equal(again.wet_of(take).samples, sound(10 + take.number).samples)
        np.testing.assert_array_equal(again.dry_of(take).samples, sound(0).samples)
        assert again.track_of(take) == KnobTrack.still({"drive": 0.5})


def test_a_real_capture_is_whole(session):
    """A captured session opens with every take readable, and its held-out and replicate takes marked."""
    takes = session.session.takes
    assert [take.number for take in takes] == list(range(len(takes)))
    for take in takes:
        wet, dry = session.wet_of(take), session.dry_of(take)
        assert (wet.frames, dry.frames) == (take.frames, session.session.dries[take.dry].frames)
        assert np.abs(wet.samples).max() > 0.01
    assert session.track_of(takes[0]).breakpoints[0].frame == 0
    assert len(session.track_of(takes[0]).breakpoints) > 5
    assert [take.held_out for take in takes] == [False, *[True] * (len(takes) - 1)]
    assert takes[-1].replicate_of == takes[-2].number


def test_a_moving_take_keeps_its_knob_track(folder):
    """The track lies beside its take and comes back as it was."""
    track = KnobTrack(
        breakpoints=(
            Breakpoint(frame=0, settings={"drive": 0.0}),
            Breakpoint(frame=4000, settings={"drive": 1.0}, ramp_frames=80),
        )
    )
    kept = folder.add_take(replace(new_take(2), settings=None), sound(12), track)
    assert kept.knob_track == "takes/002.knobs.json"
    assert SessionFolder.open(folder.path).track_of(kept) == track


def test_takes_stay_in_order(folder):
    """Takes recorded late stand where their numbers say; one recorded again takes its own place."""
    folder.add_take(new_take(7), sound(17))
    folder.add_take(new_take(3), sound(13))
    folder.add_take(new_take(1), sound(99))
    again = SessionFolder.open(folder.path)
    assert [take.number for take in again.session.takes] == [0, 1, 3, 7]
    np.testing.assert_array_equal(again.wet_of(again.session.takes[1]).samples, sound(99).samples)


def test_a_session_goes_on(folder):
    """Creating what is there already keeps every take."""
    assert SessionFolder.create(folder.path, EMPTY).session == folder.session


@pytest.mark.parametrize(
    "change",
    [{"sample_rate": 44_100}, {"knobs": ()}, {"gear": Gear(name="Amp", kind="plugin")}],
    ids=["rate", "knobs", "gear"],
)
def test_another_session_is_not_overwritten(folder, change):
    """A folder that holds other gear, knobs or rate is refused and stays as it was."""
    before = (folder.path / "session.json").read_bytes()
    with pytest.raises(SessionError, match="already holds a session of Pedal"):
        SessionFolder.create(folder.path, replace(EMPTY, **change))
    assert (folder.path / "session.json").read_bytes() == before


def test_a_folder_of_other_things_is_not_touched(tmp_path):
    """A session starts in a new or an empty folder only; a file is no folder."""
    foreign = tmp_path / "holiday"
    foreign.mkdir()
    (foreign / "photo.jpg").write_bytes(b"sea")
    for path in (foreign, foreign / "photo.jpg"):
        with pytest.raises(SessionError, match=f"{path} is there already and is not a session"):
            SessionFolder.create(path, EMPTY)
    assert [each.name for each in foreign.iterdir()] == ["photo.jpg"]
    (tmp_path / "empty").mkdir()
    assert SessionFolder.create(tmp_path / "empty", EMPTY).session == EMPTY


def test_what_is_no_session_is_said(tmp_path):
    """Opening an empty folder, or one that is not there, says how to record a session."""
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(SessionError, match=f"{path} is not a capture session: .*tonecast capture"):
            SessionFolder.open(path)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda text: text[: len(text) // 2], "is not JSON"),
        (lambda text: text[:0], "is not JSON"),
        (lambda text: text.replace('"sample_rate": 8000', '"sample_rate": "fast"'), "at sample_rate"),
        (lambda text: text.replace('"version": 0\n}', '"version": 9\n}'), "Update Tonecast"),
        (lambda text: text.replace('"number": 1', '"number": 0'), "found take 0 more than once"),
    ],
    ids=["cut", "empty", "type", "newer", "twice"],
)
def test_a_damaged_session_is_refused_and_kept(folder, damage, says):
    """Opening or going on with a damaged session.json says what is wrong and changes nothing."""
    path = folder.path / "session.json"
    damaged = damage(path.read_text())
    path.write_text(damaged)
    with pytest.raises(ManifestError, match=says):
        SessionFolder.open(folder.path)
    with pytest.raises(ManifestError, match=says):
        SessionFolder.create(folder.path, EMPTY)
    assert path.read_text() == damaged


def test_a_changed_recording_is_found(folder):
    """A wet or dry file that is not the one recorded is refused by its hash."""
    take = folder.session.takes[0]
    write_audio(folder.path / take.file, sound(99))
    with pytest.raises(SessionError, match=r"takes/000\.wav is not the file that was recorded"):
        folder.wet_of(take)
    write_audio(folder.path / "dry/000.wav", sound(98))
    with pytest.raises(SessionError, match=r"dry/000\.wav is not the file that was recorded"):
        folder.dry_of(take)


def test_a_lost_or_cut_recording_is_found(folder):
    """A take whose file is missing or cut short is an error that names the file; the other takes are whole."""
    first, second = folder.session.takes
    path = folder.path / first.file
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(AudioError, match=r"takes/000\.wav is cut short"):
        folder.wet_of(first)
    path.unlink()
    with pytest.raises(AudioError, match=r"takes/000\.wav is not there"):
        folder.wet_of(first)
    np.testing.assert_array_equal(folder.wet_of(second).samples, sound(11).samples)


def test_a_session_cannot_name_files_outside(folder, tmp_path):
    """Neither a relative nor an absolute path, nor a link, leads out of the session's folder."""
    write_audio(tmp_path / "secret.wav", sound(5))
    (folder.path / "takes" / "link.wav").symlink_to(tmp_path / "secret.wav")
    for file in ("../secret.wav", str(tmp_path / "secret.wav"), "takes/../../secret.wav", "takes/link.wav"):
        again = edited(folder, file=file, knob_track=file)
        with pytest.raises(SessionError, match="lies outside the session's folder"):
            again.wet_of(again.session.takes[0])
        with pytest.raises(SessionError, match="lies outside the session's folder"):
            again.track_of(again.session.takes[0])


def test_a_take_without_settings_is_refused(folder):
    """A take must say how its knobs stood."""
    again = edited(folder, settings=None)
    with pytest.raises(SessionError, match="take 0 has neither settings nor a knob track"):
        again.track_of(again.session.takes[0])


def test_a_session_can_be_moved(folder, tmp_path):
    """Paths are relative, so a copy elsewhere is a session."""
    shutil.move(folder.path, tmp_path / "elsewhere")
    again = SessionFolder.open(tmp_path / "elsewhere")
    np.testing.assert_array_equal(again.wet_of(again.session.takes[1]).samples, sound(11).samples)


@pytest.mark.parametrize("leave", [0, 5 * PAGE, 16 * PAGE], ids=["nothing", "half the wet", "the wet alone"])
def test_a_full_disk_loses_no_take(small_disk, leave):
    """The session and earlier takes stay whole, in memory too, and the take can be recorded after space is freed."""
    folder = SessionFolder.create(small_disk.path / "session", EMPTY)
    folder.add_dry(sound(0), None)
    folder.add_take(new_take(0), sound(10))
    before = (folder.path / "session.json").read_bytes()
    small_disk.fill(leave=leave)
    with pytest.raises(StorageError, match="No space left while writing"):
        folder.add_take(new_take(1), sound(11, seconds=2.0))
    assert folder.session.take(1) is None
    assert (folder.path / "session.json").read_bytes() == before
    assert small_disk.scratch_files() == []
    np.testing.assert_array_equal(read_audio(folder.path / "takes/000.wav").samples, sound(10).samples)

    small_disk.free()
    again = SessionFolder.open(folder.path)
    kept = again.add_take(new_take(1), sound(11, seconds=2.0))
    np.testing.assert_array_equal(again.wet_of(kept).samples, sound(11, seconds=2.0).samples)
    assert [take.number for take in SessionFolder.open(folder.path).session.takes] == [0, 1]


def recordings(folder):
    """Return the names in takes/, and no hidden ones."""
    return sorted(path.name for path in (folder.path / "takes").iterdir() if not path.name.startswith("."))


def test_a_take_recorded_again_replaces_the_old_one(folder):
    """The new recording is what the session names, and nothing of the old one is left, however often."""
    for seed in (21, 22, 23):
        kept = folder.add_take(new_take(1), sound(seed), KnobTrack.still({"drive": 0.5}))
        again = SessionFolder.open(folder.path)
        np.testing.assert_array_equal(again.wet_of(again.session.takes[1]).samples, sound(seed).samples)
        np.testing.assert_array_equal(folder.excerpt(kept, 0, RATE)[1], sound(seed).samples)
        assert len(again.session.takes) == 2
        assert recordings(folder) == sorted(["000.wav", *(name[6:] for name in (kept.file, kept.knob_track))])


def test_takes_of_other_numbers_are_left_alone(folder):
    """Numbers that begin alike are not the same take."""
    folder.add_take(new_take(1000), sound(30))
    folder.add_take(new_take(100), sound(31))
    folder.add_take(new_take(100), sound(32))
    assert recordings(folder) == ["000.wav", "001.wav", "100-2.wav", "1000.wav"]


@pytest.mark.parametrize("leave", [0, 5 * PAGE, 16 * PAGE], ids=["nothing", "half the wet", "the wet alone"])
def test_a_full_disk_leaves_the_old_recording(small_disk, leave):
    """Recorded again on a full disk, a take is the one it was, on disk and in memory."""
    folder = SessionFolder.create(small_disk.path / "session", EMPTY)
    folder.add_dry(sound(0), None)
    folder.add_take(new_take(0), sound(10))
    before = folder.session
    small_disk.fill(leave=leave)
    with pytest.raises(StorageError, match="No space left while writing"):
        folder.add_take(new_take(0), sound(11, seconds=2.0))
    assert folder.session == before == SessionFolder.open(folder.path).session
    np.testing.assert_array_equal(folder.wet_of(folder.session.takes[0]).samples, sound(10).samples)
    small_disk.free()
    folder.add_take(new_take(0), sound(11, seconds=2.0))
    assert recordings(folder) == ["000-2.wav"]
