"""Pairs: what people bring is mended or refused, and the session that comes of it."""

import functools
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from profiler.errors import SessionError
from profiler.knob_track import Breakpoint, KnobTrack
from profiler.manifest import write_manifest
from profiler.pairs import Refusal, common_rate, take_in
from profiler.pairs_table import read_pairs_table
from profiler.programme import programme
from profiler.progress import Progress
from profiler.recording import HeldRecording
from profiler.session import CaptureSession, Gear
from profiler.session_folder import SessionFolder
from profiler.varispeed import read_along

RATE = 48_000
FRAMES = 3 * RATE


@functools.cache
def playing(seed: int = 1, frames: int = FRAMES, rate: int = RATE):
    """Return mono playing."""
    return programme(seed, sample_rate=rate, frames=frames)


def driven(dry):
    """Return playing through a soft clipper."""
    return np.tanh(4 * dry) / 2


def late(samples, frames: int):
    """Return samples that come later, or earlier, and last as long."""
    silence = np.zeros(abs(frames))
    return np.concatenate([silence, samples[:-frames]] if frames > 0 else [samples[-frames:], silence])


def wav(path: Path, samples, rate: int = RATE) -> None:
    """Write samples of shape (frames,) or (frames, channels)."""
    soundfile.write(path, np.asarray(samples, np.float32), rate, subtype="FLOAT")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a dry file, and a wet one that needs no mending."""
    wav(tmp_path / "dry.wav", playing())
    wav(tmp_path / "good.wav", driven(playing()))
    return tmp_path


def taken(folder: Path, *lines: str) -> tuple[SessionFolder, tuple[Refusal, ...]]:
    """Take a table of these lines into a new session beside it."""
    (folder / "takes.csv").write_text("\n".join(lines))
    return taken_from(folder / "takes.csv", folder / "session")


def taken_from(path: Path, out: Path) -> tuple[SessionFolder, tuple[Refusal, ...]]:
    """Take a table into a session."""
    table = read_pairs_table(path)
    gear = Gear(name="Pedal", kind="files")
    session = SessionFolder.create(out, CaptureSession(gear=gear, knobs=table.knobs, sample_rate=common_rate(table)))
    return session, take_in(session, table)


def agreement(session: SessionFolder, number: int) -> float:
    """Return how well a take correlates with its dry when its latency and polarity are undone."""
    take = session.session.takes[number]
    dry, wet = session.dry_of(take).samples[0], session.wet_of(take).samples[0] * take.polarity
    start = take.latency_frames
    dry, wet = dry[max(-start, 0) :], wet[max(start, 0) :]
    frames = min(len(dry), len(wet))
    return float(np.corrcoef(dry[:frames], wet[:frames])[0, 1])


def aligned_agreement(first: int, frames: int) -> float:
    """Return that correlation for a wet that was never late, over the frames that a take has of it."""
    span = slice(first, first + frames)
    return float(np.corrcoef(playing()[span], driven(playing())[span])[0, 1])


MENDED = {
    "as it should be": (lambda wet: wet, 0, 1),
    "late": (lambda wet: late(wet, 1000), 1000, 1),
    "very late": (lambda wet: late(wet, 20_000), 20_000, 1),
    "started by hand": (lambda wet: np.concatenate([np.zeros(7 * RATE, np.float32), wet]), 7 * RATE, 1),
    "begun in the middle": (lambda wet: wet[FRAMES // 3 :], -(FRAMES // 3), 1),
    "early": (lambda wet: late(wet, -700), -700, 1),
    "a frame late": (lambda wet: late(wet, 1), 1, 1),
    "upside down": (lambda wet: -wet, 0, -1),
    "late and upside down": (lambda wet: -late(wet, 480), 480, -1),
    "quieter": (lambda wet: wet / 300, 0, 1),
    "offset": (lambda wet: wet + 0.01, 0, 1),
    "stereo": (lambda wet: np.stack([wet, wet / 2], axis=1), 0, 1),
    "longer": (lambda wet: np.concatenate([wet, wet[::-1]]), 0, 1),
    "shorter": (lambda wet: wet[: FRAMES // 2], 0, 1),
}


@pytest.mark.parametrize("how", MENDED)
def test_what_can_be_mended_is(folder, how):
    """Latency, polarity, level, channels and length are set right, and what was moved or turned is told.

    Where the latency is not sure to a frame, up to two frames are left in.
    """
    change, latency, polarity = MENDED[how]
    wav(folder / "wet.wav", change(driven(playing())))
    session, refused = taken(folder, "dry,wet", "dry.wav,wet.wav")
    assert refused == ()
    (take,) = session.session.takes
    assert 0 <= latency - take.latency_frames <= (2 if abs(latency) > 1 else 0)
    assert take.polarity == polarity
    assert [each.kind for each in take.findings] == ["latency"] * bool(latency) + ["polarity"] * (polarity == -1)
    assert take.frames == len(change(driven(playing())))
    assert session.wet_of(take).channels == 1
    never_late = aligned_agreement(max(-latency, 0), take.frames - max(latency, 0))
    assert agreement(session, 0) == pytest.approx(never_late, abs=0.02)


def test_findings_say_how_much(folder):
    """A latency is told in frames and milliseconds, late or early."""
    wav(folder / "late.wav", late(driven(playing()), 4800))
    wav(folder / "early.wav", late(-driven(playing()), -2400))
    session, _ = taken(folder, "dry,wet", "dry.wav,late.wav", "dry.wav,early.wav")
    first, second = session.session.takes
    assert first.latency_frames == pytest.approx(4799, abs=1)
    assert first.findings[0].message.startswith(("The wet is 4799.", "The wet is 4800."))
    assert " frames (100.00 ms) late; moved back." in first.findings[0].message
    assert " frames (50.00 ms) early; moved back." in second.findings[0].message
    assert "early; moved back" in second.findings[0].message
    assert second.findings[1].message == "The wet is upside down; turned over."


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_another_rate_is_converted(folder, rate):
    """The first dry's rate is the session's, and a wet at another comes in at that rate, in time."""
    wav(folder / "wet.wav", driven(playing(rate=rate, frames=3 * rate)), rate)
    wav(folder / "dry_too.wav", playing(rate=rate, frames=3 * rate), rate)
    session, refused = taken(folder, "dry,wet", "dry.wav,good.wav", "dry_too.wav,wet.wav")
    assert refused == ()
    assert session.session.sample_rate == RATE
    second = session.session.takes[1]
    assert second.frames == session.session.dries[second.dry].frames == FRAMES
    assert (second.latency_frames, second.polarity) == (0, 1)
    assert agreement(session, 1) > 0.8


def truncated(path: Path) -> None:
    """Write a WAV whose second half is missing."""
    wav(path, driven(playing()))
    path.write_bytes(path.read_bytes()[:FRAMES])


REFUSED = {
    "silent": (lambda path: wav(path, np.zeros(FRAMES)), "bad.wav is silent"),
    "all but silent": (lambda path: wav(path, playing() * 1e-6), "bad.wav is silent"),
    "NaN": (lambda path: wav(path, np.where(np.arange(FRAMES) == 777, np.nan, playing())), "infinity at frame 777"),
    "one frame": (lambda path: wav(path, [0.5]), "at least 0.5 s are needed"),
    "no frames": (lambda path: wav(path, []), "holds no audio"),
    "text": (lambda path: path.write_text("The wet is in the other folder."), "is not audio that can be read"),
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "truncated": (truncated, "is cut short"),
    "the dry": (lambda path: wav(path, playing()), "The wet is the dry itself"),
    "unrelated": (lambda path: wav(path, driven(playing(5))), "does not follow the dry anywhere"),
}


@pytest.mark.parametrize("how", REFUSED)
def test_what_cannot_be_used_is_refused_and_the_rest_goes_on(folder, how):
    """A bad wet is named with its line and the reason; the takes around it come in."""
    write, reason = REFUSED[how]
    write(folder / "bad.wav")
    wav(folder / "good_too.wav", driven(playing()) / 2)
    session, refused = taken(folder, "dry,wet", "dry.wav,good.wav", "dry.wav,bad.wav", "dry.wav,good_too.wav")
    assert [each.line for each in refused] == [3]
    assert reason in refused[0].reason
    assert [take.number for take in session.session.takes] == [0, 1]
    assert session.wet_of(session.session.takes[1]).samples[0] == pytest.approx(driven(playing()) / 2, abs=1e-6)
    assert sorted(path.name for path in (session.path / "takes").iterdir()) == ["000.wav", "001.wav"]


def test_a_bad_dry_is_refused(folder):
    """A dry that cannot be read costs its own takes, even when it comes first."""
    (folder / "bad.wav").write_text("no audio")
    wav(folder / "wet.wav", driven(playing()))
    session, refused = taken(folder, "dry,wet", "bad.wav,wet.wav", "dry.wav,good.wav")
    assert [each.line for each in refused] == [2]
    assert len(session.session.dries) == len(session.session.takes) == 1


def test_nothing_left_is_an_error(folder):
    """When every row is refused all reasons are told, and without any dry there is no rate."""
    wav(folder / "silent.wav", np.zeros(FRAMES))
    wav(folder / "other.wav", playing(5))
    with pytest.raises(SessionError, match="None of the takes can be used") as told:
        taken(folder, "dry,wet", "dry.wav,silent.wav", "dry.wav,other.wav")
    assert "line 2: silent.wav is silent" in str(told.value)
    assert "line 3: The wet does not follow" in str(told.value)
    (folder / "bad.wav").write_text("no audio")
    with pytest.raises(SessionError, match="None of the dry files can be read"):
        taken(folder, "dry,wet", "bad.wav,good.wav")


def test_taking_in_goes_on_where_it_was_stopped(folder):
    """A table taken in again adds what is missing and leaves what is there; another table is refused."""
    wav(folder / "worse.wav", late(driven(playing()), 400))
    once, _ = taken(folder, "dry,wet", "dry.wav,good.wav", "dry.wav,worse.wav")
    whole = once.session
    once.session = replace(whole, takes=whole.takes[:1])
    write_manifest(once.path / "session.json", once.session)
    again, _ = taken(folder, "dry,wet", "dry.wav,good.wav", "dry.wav,worse.wav")
    assert again.session == whole
    with pytest.raises(SessionError, match="another table"):
        taken(folder, "dry,wet", "dry.wav,worse.wav")


def test_another_wet_is_another_table(folder):
    """A recording that differs in nothing but its sound is not taken for the one that is there."""
    wav(folder / "quieter.wav", driven(playing()) / 2)
    taken(folder, "dry,wet", "dry.wav,good.wav")
    with pytest.raises(SessionError, match="another table"):
        taken(folder, "dry,wet", "dry.wav,quieter.wav")


def test_replicates_are_recognised(folder):
    """The same playing at the same settings again is a replicate of the first; other settings are none."""
    rows = []
    for number, drive in enumerate((1, 2, 1, 1)):
        wav(folder / f"{number}.wav", driven(playing()) / (number + 1))
        rows.append(f"dry.wav,{number}.wav,{drive}")
    session, _ = taken(folder, "dry,wet,drive", *rows)
    assert [take.replicate_of for take in session.session.takes] == [None, None, 0, 0]
    assert SessionFolder.open(session.path).session == session.session


def test_dries_are_kept_once(folder):
    """Rows that share a dry share its copy, under whatever name its content comes; other dries have their own."""
    wav(folder / "same.wav", playing())
    wav(folder / "other.wav", playing(2))
    wav(folder / "other_wet.wav", driven(playing(2)))
    for number in range(2):
        wav(folder / f"{number}.wav", driven(playing()) / (2 + number))
    session, _ = taken(
        folder, "dry,wet", "dry.wav,good.wav", "other.wav,other_wet.wav", "dry.wav,0.wav", "same.wav,1.wav"
    )
    assert [take.dry for take in session.session.takes] == [0, 1, 0, 0]
    assert [take.replicate_of for take in session.session.takes] == [None, None, 0, 0]
    assert sorted(path.name for path in (session.path / "dry").iterdir()) == ["000.wav", "001.wav"]
    assert session.dry_of(session.session.takes[1]).samples[0] == pytest.approx(playing(2))


@pytest.mark.parametrize(("delays", "shared"), [((100, 100.2, 100.1), True), ((100, 102, 120), False)])
def test_takes_that_agree_share_a_latency(folder, delays, shared):
    """Takes that agree as far as can be told share the earliest one's latency; others have their own."""
    for number, delay in enumerate(delays):
        along = read_along(HeldRecording(driven(playing())), start=-delay, step=1, frames=FRAMES)
        wav(folder / f"{number}.wav", np.concatenate(list(along)))
    session, _ = taken(folder, "dry,wet", *(f"dry.wav,{number}.wav" for number in range(3)))
    found = [take.latency_frames for take in session.session.takes]
    expected = [99.5] * 3 if shared else [delay - 0.5 for delay in delays]
    assert (len(set(found)) == 1) == shared
    assert found == pytest.approx(expected, abs=0.5)


def test_progress_is_told_all_the_way(folder):
    """Takes are listened to, timed beside each other and kept; what is done grows from one to the next, to the end."""
    for number in range(3):
        wav(folder / f"{number}.wav", driven(playing()) / (1 + number))
    (folder / "takes.csv").write_text("dry,wet\ndry.wav,0.wav\ndry.wav,1.wav\ndry.wav,2.wav")
    told: list[Progress] = []
    table = read_pairs_table(folder / "takes.csv")
    empty = CaptureSession(gear=Gear(name="Pedal", kind="files"), knobs=(), sample_rate=RATE)
    take_in(SessionFolder.create(folder / "session", empty), table, on_progress=told.append)
    assert [each.note for each in told] == [*3 * ["listening"], *2 * ["timing"], *3 * ["keeping"]]
    assert all(one.done < other.done for one, other in pairwise(told))
    assert told[-1].done == pytest.approx(1.0)


def moving(folder: Path) -> KnobTrack:
    """Write a knob track beside the table and return it."""
    points = (Breakpoint(frame=0, settings={"drive": 1.0}), Breakpoint(frame=RATE, settings={"drive": 4.0}))
    write_manifest(folder / "moving.json", KnobTrack(breakpoints=points))
    return KnobTrack(breakpoints=points)


def test_a_take_keeps_its_knob_track(folder):
    """A moving take has a track and no settings, and is no replicate of another."""
    track = moving(folder)
    wav(folder / "again.wav", driven(playing()) / 2)
    session, refused = taken(folder, "dry,wet,knobs", "dry.wav,good.wav,moving.json", "dry.wav,again.wav,moving.json")
    assert refused == ()
    assert [take.settings for take in session.session.takes] == [None, None]
    assert [take.replicate_of for take in session.session.takes] == [None, None]
    assert [session.track_of(take) for take in session.session.takes] == [track, track]


def test_a_knob_track_at_another_rate_is_refused(folder):
    """A track counts frames, and converting its take would leave them behind."""
    moving(folder)
    wav(folder / "dry44.wav", playing(rate=44_100), 44_100)
    wav(folder / "wet44.wav", driven(playing(rate=44_100)), 44_100)
    session, refused = taken(folder, "dry,wet,knobs", "dry.wav,good.wav,moving.json", "dry44.wav,wet44.wav,moving.json")
    assert [each.line for each in refused] == [3]
    assert "dry44.wav is at 44100 Hz and has a knob track" in refused[0].reason
    assert len(session.session.takes) == 1


def test_a_real_pedal(shared_data, tmp_path):
    """A TS9 whose recording is upside down comes in turned over and not moved."""
    session, refused = taken_from(shared_data / "pairs" / "ts9_pedal" / "takes.csv", tmp_path / "session")
    (take,) = session.session.takes
    assert refused == ()
    assert session.session.sample_rate == 44_100
    assert (take.polarity, take.latency_frames) == (-1, 0)
    assert [each.kind for each in take.findings] == ["polarity"]
