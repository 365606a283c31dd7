"""Examples: aligned, cut at the split, with the knobs of every frame."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from profiler.audio import Audio
from profiler.errors import SessionError, TrainingError
from profiler.knob import Knob
from profiler.knob_track import Breakpoint, KnobTrack
from profiler.session import CaptureSession, Gear, Take
from profiler.session_folder import SessionFolder
from profiler.split import Span, Split, divide
from profiler.training.examples import Apart, Examples, Passage, read_examples, with_some_watched

GAIN = Knob(id="gain", name="gain", maximum=10, default=5.0)
NEW = Take(number=0, dry=0, file="", sha256="", frames=0)


@pytest.fixture
def folder(tmp_path: Path) -> SessionFolder:
    """An empty session of gear with one knob."""
    session = CaptureSession(gear=Gear(name="x", kind="plugin"), knobs=(GAIN,), sample_rate=48_000)
    return SessionFolder.create(tmp_path / "made", session)


def add(folder: SessionFolder, dry: np.ndarray, wet: np.ndarray, take: Take, track: KnobTrack | None = None) -> Take:
    """Put a take of these signals, (channels, frames), into a session."""
    number = folder.add_dry(Audio(samples=dry, sample_rate=48_000), None)
    return folder.add_take(replace(take, dry=number), Audio(samples=wet, sample_rate=48_000), track)


def noise(frames: int, *, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Return noise, (channels, frames)."""
    return np.random.default_rng(seed).normal(0, 0.2, (channels, frames)).astype(np.float32)


def test_a_late_wet_is_moved_onto_its_dry(folder: SessionFolder):
    """A wet that came 37 frames late and upside down is what the gear did to the dry at each frame."""
    dry = noise(5000)
    late = np.concatenate([np.zeros((1, 37), np.float32), -0.5 * dry], axis=1)
    add(folder, dry, late, replace(NEW, settings={"gain": 2.0}, latency_frames=37, polarity=-1))
    (passage,) = read_examples(folder, [Span(take=0, start=100, stop=4000)]).learnt
    assert np.array_equal(passage.dry, dry[0, 100:4000])
    assert np.array_equal(passage.wet, 0.5 * dry[0, 100:4000])


def test_stereo_is_learnt_as_its_mean(folder: SessionFolder):
    """A stereo wet of a mono dry becomes one signal."""
    dry, wet = noise(3000), noise(3000, channels=2, seed=1)
    add(folder, dry, wet, replace(NEW, settings={"gain": 2.0}))
    (passage,) = read_examples(folder, [Span(take=0, start=0, stop=3000)]).learnt
    assert np.allclose(passage.wet, wet.mean(axis=0), atol=1e-7)


def test_every_frame_finds_its_knobs(folder: SessionFolder):
    """Settings of still takes and of a moving one, ramps included, are in the table that the frames index."""
    track = KnobTrack(
        breakpoints=(
            Breakpoint(frame=0, settings={"gain": 0.0}),
            Breakpoint(frame=1000, settings={"gain": 10.0}, ramp_frames=100),
        )
    )
    add(folder, noise(3000), noise(3000), replace(NEW, settings={"gain": 2.0}))
    add(folder, noise(3000, seed=1), noise(3000), replace(NEW, number=1, settings={"gain": 8.0}))
    add(folder, noise(3000, seed=2), noise(3000), replace(NEW, number=2), track)
    spans = [Span(take=number, start=500, stop=3000) for number in (0, 1, 2)]
    examples = read_examples(folder, spans)
    found = [examples.positions[passage.knobs][:, 0] for passage in examples.learnt]
    assert found[0] == pytest.approx(0.2)
    assert found[1] == pytest.approx(0.8)
    assert np.allclose(found[2], track.motion((GAIN,)).at(500, 3000)[:, 0], atol=1e-6)


def test_short_passages_share_what_is_watched():
    """Of thirty takes of ten seconds every third gives a second or so, a long one its own share, and crumbs none."""
    cuts = Apart().cuts(30 * [480_000])
    pieces = [480_000 - cut for cut in cuts]
    assert [number for number, piece in enumerate(pieces) if piece] == list(range(2, 30, 3))
    assert set(pieces) == {0, 57_600}
    assert Apart().cuts([14_400_000, 14_400_000]) == [13_824_000, 13_824_000]
    assert Apart().cuts([14_400_000, 10_000, 480_000]) == [13_824_000, 10_000, 460_400]
    assert Apart().cuts(4 * [96_000]) == 4 * [96_000]


def test_the_end_of_a_long_passage_is_watched_and_not_learnt(session: SessionFolder):
    """The last 4 % of ten seconds or more are kept aside, whole and apart; short passages are learnt in full."""
    spans, _ = divide(session.session, Split())
    (span,) = spans
    examples = read_examples(session, spans)
    (learnt,), (watched,) = examples.learnt, examples.watched
    assert learnt.frames + watched.frames == span.stop - span.start
    assert watched.frames == int(0.04 * (span.stop - span.start))
    whole = session.dry_of(session.session.takes[0]).mono()
    assert np.array_equal(np.concatenate([learnt.dry, watched.dry]), whole[span.start : span.stop])
    short = read_examples(session, [Span(take=0, start=0, stop=479_999)])
    assert (short.watched, short.learnt_frames) == ((), 479_999)


def test_stretches_are_calm_while_no_knob_moves_by_more_than_a_fiftieth():
    """A rest is one, a slow turn makes fifty, a fast one short ones, and a jump ends one at once."""
    slow, fast = (np.linspace(0.2, 0.8, steps) for steps in (512, 31))
    table = np.concatenate([[0.2], slow, fast[::-1], [0.2, 0.9]]).astype(np.float32)[:, None]
    frames = np.repeat([20_000, 900, 10, 15_000, 5_000], [1, 512, 31, 1, 1])
    knobs = np.repeat(np.arange(len(table), dtype=np.int32), frames)
    silence = np.zeros(len(knobs), np.float32)
    whole = Passage(dry=silence, wet=silence, knobs=knobs, counts=silence == 0)
    found = Examples(learnt=(whole, whole.excerpt(0, 20_000)), watched=(), positions=table).calm_stretches
    assert sum(each.frames for each in found) == whole.frames + 20_000
    assert all(np.ptp(table[each.knobs]) < 0.0201 for each in found)
    lengths = [each.frames for each in found]
    assert lengths[0] > 20_000
    assert all(frames > 14_000 for frames in lengths[1:26])
    assert lengths[-3:] == [15_020, 5_000, 20_000]


def test_the_rest_that_a_recording_ends_with_is_learnt_and_the_playing_before_it_watched():
    """A real clipper's take ends in two seconds of hum: weights chosen by those played nothing, and looked the best."""
    playing, rest = noise(600_000)[0], 1e-3 * noise(90_000, seed=1)[0]
    dry = np.concatenate([playing, rest])
    counts = np.ones(len(dry), np.bool_)
    counts[560_000:600_000] = False
    whole = Passage(dry=dry, wet=dry, knobs=np.zeros(len(dry), np.int32), counts=counts)
    found = with_some_watched([whole], np.zeros((1, 0), np.float32), Apart())
    (watched,) = found.watched
    assert watched.frames == int(0.04 * 690_000)
    assert watched.counts.mean() > 0.25
    level = [float(np.sqrt(np.mean(np.square(each)))) for each in (watched.dry, playing)]
    assert level[0] == pytest.approx(level[1], rel=0.05)
    assert found.learnt_frames + watched.frames == len(dry)
    assert np.array_equal(np.concatenate([found.learnt[0].dry, watched.dry, found.learnt[1].dry]), dry)


def test_what_is_held_out_is_not_read(session: SessionFolder):
    """Files of held-out takes may be gone: nothing of them is opened."""
    for take in session.session.takes:
        if take.held_out:
            (session.path / take.file).unlink()
            (session.path / session.session.dries[take.dry].file).unlink(missing_ok=True)
    examples = read_examples(session, divide(session.session, Split())[0])
    assert examples.learnt_frames > 30 * 48_000


def test_a_changed_recording_is_refused(session: SessionFolder):
    """A wet file that is not the one recorded stops training before it starts."""
    take = session.session.takes[0]
    content = bytearray((session.path / take.file).read_bytes())
    content[-100] ^= 1
    (session.path / take.file).write_bytes(content)
    with pytest.raises(SessionError, match="content has changed"):
        read_examples(session, [Span(take=0, start=0, stop=1000)])


@pytest.fixture
def counting() -> Callable[..., Examples]:
    """Return passages whose dry counts frames from 0, so that a row shows where it was cut."""

    def made(*lengths: int) -> Examples:
        starts = np.cumsum([0, *lengths])
        passages = tuple(
            Passage(
                dry=np.arange(start, start + length, dtype=np.float32),
                wet=-np.arange(start, start + length, dtype=np.float32),
                knobs=np.full(length, number, np.int32),
                counts=np.ones(length, np.bool_),
            )
            for number, (start, length) in enumerate(zip(starts, lengths, strict=False))
        )
        return Examples(learnt=passages, watched=(), positions=np.zeros((len(lengths), 1), np.float32))

    return made


def test_rows_are_whole_stretches_of_one_passage(counting: Callable[..., Examples]):
    """Each row is consecutive frames of one passage with its wet and knobs beside it; short passages give none."""
    examples = counting(100, 19, 60)
    rows = examples.rows(np.random.default_rng(0), count=500, frames=20)
    assert rows.dry.shape == rows.wet.shape == rows.knobs.shape == (500, 20)
    assert np.array_equal(rows.dry, rows.dry[:, :1] + np.arange(20))
    assert np.array_equal(rows.wet, -rows.dry)
    firsts = rows.dry[:, 0]
    assert set(rows.knobs.ravel()) == {0, 2}
    assert ((rows.knobs[:, 0] == 0) == (firsts <= 80)).all()
    assert (firsts[rows.knobs[:, 0] == 2] >= 119).all()
    assert {0.0, 80.0, 119.0, 159.0} <= set(firsts.tolist())


def test_every_place_is_as_likely(counting: Callable[..., Examples]):
    """Of 81 and 41 places in two passages, each is drawn as often as chance has it."""
    rows = counting(100, 60).rows(np.random.default_rng(1), count=20_000, frames=20)
    drawn = np.bincount(rows.dry[:, 0].astype(int))
    counts = drawn[drawn > 0]
    assert len(counts) == 81 + 41
    assert np.abs(counts - 20_000 / 122).max() < 6 * (20_000 / 122) ** 0.5


def test_levels_are_rms_over_all_that_is_learnt():
    """The RMS is over the passages together; silence on either side is a TrainingError."""

    def passage(dry: float, wet: float, frames: int) -> Passage:
        return Passage(
            dry=np.full(frames, dry, np.float32),
            wet=np.full(frames, wet, np.float32),
            knobs=np.zeros(frames, np.int32),
            counts=np.ones(frames, np.bool_),
        )

    loud, quiet = passage(0.6, 0.3, 100), passage(0.0, 0.0, 300)
    table = np.zeros((1, 1), np.float32)
    assert Examples(learnt=(loud, quiet), watched=(), positions=table).levels() == pytest.approx((0.3, 0.15))
    with pytest.raises(TrainingError, match="silent"):
        Examples(learnt=(quiet,), watched=(), positions=table).levels()
    with pytest.raises(TrainingError, match="silent"):
        Examples(learnt=(replace(loud, wet=quiet.wet[:100]),), watched=(), positions=table).levels()
