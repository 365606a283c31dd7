"""Evaluation: the ESR by hand, honest marks, and no fitting of gain or delay."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import profiler
from capture.plan import fixed_plan
from capture.plugin_rig import PluginRig, choose_knobs, open_gear
from capture.recorder import record
from profiler.audio import Audio
from profiler.effects.sizes import sized
from profiler.errors import SessionError
from profiler.evaluation import aliasing, evaluate, render_take, scored, scored_spans
from profiler.floor import noise_floor
from profiler.inharmonic import inharmonic_share
from profiler.listening import RunningListening
from profiler.profile import LearntSpan, LoadedProfile, Size
from profiler.progress import Progress
from profiler.rendering import ProfileProcessor
from profiler.score import Score, TakeScore
from profiler.session import CaptureSession, Take
from profiler.session_folder import SessionFolder
from profiler.split import Span

RATE = 48_000
SUMS = {"esr": None, "esr_pre_emphasis": None, "error_energy": 0.0, "target_energy": 0.0, "listening": None}


@pytest.fixture(scope="module")
def drive(trained: Path) -> LoadedProfile:
    """The profile trained on the captured session."""
    return profiler.load(trained)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of the same gear at fixed settings: two to learn from, two held out. Read only."""
    path = tmp_path_factory.mktemp("still") / "session"
    gear = open_gear("pedalboard:Distortion")
    knobs = choose_knobs(gear, ["drive_db=0:40"])
    folder = SessionFolder.create(path, CaptureSession(gear=gear, knobs=knobs, sample_rate=RATE))
    record(folder, PluginRig(gear, knobs, sample_rate=RATE), fixed_plan(knobs, captures=2))
    return path


def having_learnt(loaded: LoadedProfile, session: CaptureSession, spans: Sequence[Span]) -> LoadedProfile:
    """Return the profile as if it had been trained on these spans of a session."""
    takes = {take.number: take for take in session.takes}
    learnt = tuple(
        LearntSpan(
            sha256=takes[span.take].sha256,
            dry_sha256=session.dries[takes[span.take].dry].sha256,
            start=span.start,
            stop=span.stop,
            settings=(takes[span.take].settings,),
        )
        for span in spans
    )
    provenance = replace(loaded.profile.provenance, learnt=learnt, hold_outs=())
    return replace(loaded, profile=replace(loaded.profile, provenance=provenance))


def by_take(score: Score) -> dict[int, TakeScore]:
    """Return rows by the number of their take."""
    return {row.take: row for row in score.takes}


def put(folder: SessionFolder, take: Take, wet: np.ndarray) -> Take:
    """Record a take once more, with this wet."""
    return folder.add_take(take, Audio(samples=wet.astype(np.float32), sample_rate=RATE))


def test_the_esr_is_the_one_by_hand(drive: LoadedProfile, captured: Path):
    """For each held-out take, and for all of them as one signal, plain numpy finds the same ESR."""
    folder = SessionFolder.open(captured)
    score = evaluate(drive, folder)
    errors, signals = {}, {}
    for number in (1, 2):
        take = folder.session.take(number)
        assert take is not None
        assert take.settings is not None
        dry, wet = folder.dry_of(take).samples, folder.wet_of(take).samples.astype(np.float64)
        predicted = ProfileProcessor(drive, take.settings).process(dry, RATE)
        start = take.frames - 10 * RATE  # the blips before the playing are not scored
        wet, predicted = wet[:, start:], predicted[:, start:]
        errors[number], signals[number] = float(((wet - predicted) ** 2).sum()), float((wet**2).sum())
        assert by_take(score)[number].esr == pytest.approx(errors[number] / signals[number], rel=1e-4)
    assert score.esr == pytest.approx(sum(errors.values()) / sum(signals.values()), rel=1e-4)
    each = [errors[number] / signals[number] for number in errors]
    assert (score.esr_worst, score.esr_median) == pytest.approx((max(each), np.median(each)), rel=1e-4)
    rows = [row.esr for row in score.takes if row.esr is not None]
    assert rows == sorted(rows, reverse=True)


def test_what_training_heard_is_marked(drive: LoadedProfile, captured: Path):
    """The take that was learnt is seen; held-out takes are neither seen nor at settings seen; no replicate counts."""
    rows = by_take(evaluate(drive, SessionFolder.open(captured)))
    assert {number: (row.seen, row.settings_seen) for number, row in rows.items()} == {
        0: (True, True),
        1: (False, False),
        2: (False, False),
    }
    unseen = evaluate(drive, SessionFolder.open(captured), only_unseen=True)
    assert sorted(by_take(unseen)) == [1, 2]


def test_the_held_out_part_of_a_learnt_take_is_new_playing_at_known_settings(drive: LoadedProfile, still: Path):
    """Of a take learnt in part, what was not is scored: its settings are seen and its frames are not."""
    folder = SessionFolder.open(still)
    heard = having_learnt(drive, folder.session, profiler_spans(folder.session))
    score = evaluate(heard, folder)
    rows = by_take(score)
    assert {number: (row.seen, row.settings_seen) for number, row in rows.items()} == {
        0: (False, True),
        1: (False, True),
        2: (False, False),
        3: (False, False),
    }
    part = folder.session.dries[0].stimulus
    assert part is not None
    held_out = part.part("held-out")
    assert held_out is not None
    assert rows[0].seconds == pytest.approx((held_out.stop - held_out.start) / RATE, abs=1e-3)
    headline = [rows[number] for number in (2, 3)]
    assert score.esr == pytest.approx(
        sum(row.error_energy for row in headline) / sum(row.target_energy for row in headline)
    )


def profiler_spans(session: CaptureSession) -> list[Span]:
    """Return what training on this session learns from: its first two takes up to their held-out parts."""
    spans = []
    for take in session.takes[:2]:
        stimulus = session.dries[take.dry].stimulus
        part = stimulus.part("held-out") if stimulus else None
        spans.append(Span(take=take.number, start=0, stop=part.start if part else take.frames))
    return spans


def test_a_session_that_is_new_is_scored_whole(drive: LoadedProfile, still: Path):
    """Of recordings that training never had, every frame of every take counts."""
    session = SessionFolder.open(still).session
    spans = scored_spans(drive.profile, session)
    assert spans == [Span(take=take.number, start=0, stop=take.frames) for take in session.takes]


def test_a_span_is_rendered_as_the_whole_take_is(drive: LoadedProfile, captured: Path):
    """A part in the middle of a take sounds as in the whole take: what came before it is run first."""
    folder = SessionFolder.open(captured)
    for number in (0, 1):
        take = folder.session.take(number)
        assert take is not None
        span = Span(take=number, start=250_000, stop=300_000)
        part = render_take(drive, folder, span)
        whole = render_take(drive, folder, Span(take=number, start=0, stop=take.frames))
        assert part.predicted.shape == part.wet.shape == part.dry.shape == (1, 50_000)
        assert np.abs(part.predicted - whole.predicted[:, 250_000:300_000]).max() < 1e-3
        assert np.array_equal(part.wet, whole.wet[:, 250_000:300_000])


class Counting(SessionFolder):
    """A session that remembers how much was read of it at once."""

    most = 0

    def excerpt(self, take: Take, start: int, stop: int):
        """Read, and remember."""
        self.most = max(self.most, stop - start)
        return super().excerpt(take, start, stop)

    def wet_of(self, take: Take) -> Audio:
        """Read a whole take, which nobody should."""
        raise AssertionError(take)


def test_takes_are_scored_in_pieces(drive: LoadedProfile, captured: Path, monkeypatch: pytest.MonkeyPatch):
    """However long a take, a piece of it at a time is held, and what comes out is what comes out of the whole."""
    whole = evaluate(drive, SessionFolder.open(captured))
    for module in ("evaluation", "floor"):
        monkeypatch.setattr(f"profiler.{module}._PIECE_FRAMES", 10_007)
    folder = Counting.open(captured)
    found = evaluate(drive, folder)
    assert 0 < folder.most <= 10_007 + 4096  # a piece, and what the profile held back of the one before
    assert found.floor == whole.floor
    for one, other in zip(found.takes, whole.takes, strict=True):
        assert one.esr == pytest.approx(other.esr, rel=1e-6)
        assert one.esr_pre_emphasis == pytest.approx(other.esr_pre_emphasis, rel=1e-6)
        for name, value in vars(one.listening).items():
            # Logarithms of what is left in rests, near -130 dB, tell how a rendering in other blocks was rounded.
            assert value == pytest.approx(getattr(other.listening, name), rel=1e-4)
        assert replace(one, **SUMS) == replace(other, **SUMS)


def test_a_recorded_latency_and_polarity_are_undone(drive: LoadedProfile, session: SessionFolder):
    """A wet 5 frames late and upside down scores the same when the take says so."""
    before = by_take(evaluate(drive, session, only_unseen=True))[1]
    take = session.session.takes[1]
    wet = session.wet_of(take).samples
    late = -np.concatenate([np.zeros((1, 5)), wet], axis=1)
    put(session, replace(take, latency_frames=5, polarity=-1), late)
    after = by_take(evaluate(drive, session, only_unseen=True))[1]
    assert after.esr == pytest.approx(before.esr, rel=1e-6)
    assert after.esr_pre_emphasis == pytest.approx(before.esr_pre_emphasis, rel=1e-6)


def test_nothing_is_fitted(drive: LoadedProfile, session: SessionFolder):
    """A wet 50 frames late that the take does not tell of, one upside down and one at twice the level score worse."""
    take = session.session.takes[1]
    before = by_take(evaluate(drive, session, only_unseen=True))[1].esr
    assert before is not None
    wet = session.wet_of(take).samples
    for wrong in (np.concatenate([np.zeros((1, 50)), wet[:, :-50]], axis=1), -wet, 2 * wet):
        put(session, take, wrong)
        after = by_take(evaluate(drive, session, only_unseen=True))[1].esr
        assert after is not None
        assert after > 1.2 * before


def test_a_perfect_replicate_is_a_floor_of_nothing(captured: Path):
    """A plugin that repeats itself to the last bit has no floor to stop at."""
    assert noise_floor(SessionFolder.open(captured)) == 0.0


def test_the_floor_is_half_the_esr_between_two_takes(drive: LoadedProfile, session: SessionFolder):
    """Noise of a known energy in the replicate gives half of its ratio to the wet."""
    first, again = session.session.takes[2], session.session.takes[3]
    wet = session.wet_of(first).samples
    noise = np.random.default_rng(0).normal(0, 0.01, wet.shape).astype(np.float32)
    put(session, again, wet + noise)
    expected = 0.5 * float((noise.astype(np.float64) ** 2).sum() / (wet.astype(np.float64) ** 2).sum())
    assert noise_floor(session) == pytest.approx(expected, rel=1e-4)
    assert evaluate(drive, session, only_unseen=True).floor == pytest.approx(expected, rel=1e-4)


def test_a_replicate_is_aligned_by_its_own_latency(session: SessionFolder):
    """Two takes that came at different times are compared frame for frame."""
    again = session.session.takes[3]
    late = np.concatenate([np.zeros((1, 9)), session.wet_of(again).samples], axis=1)
    put(session, replace(again, latency_frames=9), late)
    assert noise_floor(session) == 0.0


def test_without_a_replicate_take_the_repeated_passage_tells_the_floor(still: Path):
    """A stimulus plays its first seconds twice: for a plugin without memory both are the same."""
    floor = noise_floor(SessionFolder.open(still))
    assert floor == pytest.approx(0, abs=1e-12)


def test_without_anything_played_twice_there_is_no_floor(session: SessionFolder):
    """A moving take and held-out takes alone have no floor."""
    session.session = replace(session.session, takes=session.session.takes[:3])
    assert noise_floor(session) is None


def test_a_silent_target_has_no_esr(drive: LoadedProfile, session: SessionFolder):
    """Where the gear is silent the row has a level to look at instead of an ESR, and the headline leaves it out."""
    take = session.session.takes[1]
    put(session, take, np.zeros((1, take.frames)))
    score = evaluate(drive, session)
    row = by_take(score)[1]
    assert (row.esr, row.target_db) == (None, -200.0)
    assert row.predicted_db > -60
    assert score.esr == pytest.approx(by_take(score)[2].esr)
    assert score.takes[0].take == 1  # sound where there should be none is the worst of all


def test_other_knobs_are_refused(drive: LoadedProfile, session: SessionFolder):
    """A session whose knobs are not the profile's cannot score it, and the message names both."""
    knob = replace(session.session.knobs[0], id="gain")
    session.session = replace(session.session, knobs=(knob,))
    with pytest.raises(SessionError, match=r"\['gain'\].*\['drive_db'\]"):
        evaluate(drive, session)


def test_another_rate_is_scored_through_resampling(drive: LoadedProfile, captured: Path, tmp_path: Path):
    """A session at 44.1 kHz of the same gear scores about as well as one at the profile's own rate."""
    gear = open_gear("pedalboard:Distortion")
    knobs = choose_knobs(gear, ["drive_db=0:40"])
    folder = SessionFolder.create(tmp_path / "s", CaptureSession(gear=gear, knobs=knobs, sample_rate=44_100))
    held_out = [take for take in fixed_plan(knobs, captures=2) if take.held_out][:1]
    record(folder, PluginRig(gear, knobs, sample_rate=44_100), [replace(held_out[0], number=0)])
    found, native = evaluate(drive, folder).esr, evaluate(drive, SessionFolder.open(captured)).esr
    assert found is not None
    assert native is not None
    assert found < 1.5 * native + 0.02


def test_moving_knobs_at_another_rate_are_refused(drive: LoadedProfile, session: SessionFolder):
    """Knob moves are counted in frames of the profile's rate, so a moving take at another one cannot be scored."""
    session.session = replace(session.session, sample_rate=44_100)
    with pytest.raises(SessionError, match="44100 Hz"):
        evaluate(drive, session)


def test_playing_that_was_heard_at_other_settings_is_marked(drive: LoadedProfile, still: Path):
    """A held-out take of a dry that was learnt elsewhere has new settings, but not new playing."""
    folder = SessionFolder.open(still)
    first, other = folder.session.takes[0], folder.session.takes[1]
    folder.session = replace(folder.session, takes=(first, replace(other, dry=first.dry)))
    heard = having_learnt(drive, folder.session, [Span(take=0, start=0, stop=first.frames)])
    rows = by_take(evaluate(heard, folder))
    assert {number: row.news for number, row in rows.items()} == {0: "heard in training", 1: "new settings"}


def test_progress_climbs_to_the_end(drive: LoadedProfile, captured: Path):
    """One step of progress a take, the last one at 1."""
    told: list[Progress] = []
    evaluate(drive, SessionFolder.open(captured), on_progress=told.append)
    assert [each.done for each in told] == pytest.approx([1 / 3, 2 / 3, 1])


def test_rows_tell_what_listeners_go_by(drive: LoadedProfile, captured: Path):
    """The measures are those of the rendered take as a whole, and every row with an ESR has a grade."""
    folder = SessionFolder.open(captured)
    score = evaluate(drive, folder)
    span = next(span for span in scored_spans(drive.profile, folder.session) if span.take == 1)
    rendered = render_take(drive, folder, span)
    whole = RunningListening(RATE)
    whole.hear(rendered.wet, rendered.predicted)
    assert by_take(score)[1].listening == whole.value
    assert all(row.grade is not None for row in score.takes)
    assert score.listening is not None
    assert score.listening.mr_stft == pytest.approx(
        np.mean([row.listening.mr_stft for row in score.takes if not row.seen and row.listening])
    )


def test_an_error_while_listening_is_not_lost(drive: LoadedProfile, captured: Path, monkeypatch: pytest.MonkeyPatch):
    """What goes wrong on the second core ends the evaluation."""

    def fail(*_: object) -> None:
        raise ValueError("deaf")

    monkeypatch.setattr(RunningListening, "hear", fail)
    with pytest.raises(ValueError, match="deaf"):
        evaluate(drive, SessionFolder.open(captured))


def test_aliasing_is_that_of_the_sweeps(drive: LoadedProfile, still: Path):
    """Gear and profile are measured on the same sweeps of the takes; a session without any tells nothing."""
    folder = SessionFolder.open(still)
    other = replace(drive, weights={name: tensor * np.float32(0.7) for name, tensor in drive.weights.items()})
    shares = []
    for take in (take for take in folder.session.takes if not take.held_out):
        part = folder.session.dries[take.dry].stimulus.part("sweeps")
        dry, wet = folder.excerpt(take, 0, part.stop)
        played = ProfileProcessor(other, take.settings).process(dry, RATE)
        answers = (each[0, part.start :] for each in (wet, played))
        shares.append([inharmonic_share(answer, np.ones(len(answer), np.bool_), RATE) for answer in answers])
    expected = 10 * np.log10(np.mean(shares, axis=0))
    found = aliasing(other, folder)
    assert (found.gear_db, found.profile_db) == pytest.approx(tuple(expected), abs=0.2)
    assert abs(found.profile_db - found.gear_db) > 1
    held_out = tuple(take for take in folder.session.takes if take.held_out)
    folder.session = replace(folder.session, takes=held_out)
    assert held_out
    assert aliasing(drive, folder) is None


def test_moving_takes_tell_aliasing_between_their_moves(drive: LoadedProfile, captured: Path):
    """The clipping of a moving distortion is found, and no click of its knob is taken for it."""
    found = aliasing(drive, SessionFolder.open(captured))
    assert -60 < found.gear_db < -10


def test_every_size_has_its_score_and_its_cost(drive: LoadedProfile, captured: Path):
    """Full and light are scored on the same takes, each by what it plays, in one progress; an only effect is scored."""
    folder, told = SessionFolder.open(captured), list[Progress]()
    found, score = scored(drive, folder, only_unseen=True, on_progress=told.append)
    light = found.profile.light
    assert light is not None
    assert score == found.profile.score == evaluate(sized(drive, Size.FULL), folder, only_unseen=True)
    assert light.score == evaluate(sized(drive, Size.LIGHT), folder, only_unseen=True)
    assert light.score.esr != score.esr
    assert [row.take for row in sorted(light.score.takes, key=lambda row: row.take)] == [1, 2]
    assert (found.profile.cost.multiply_adds, light.cost.multiply_adds) == (11_712, 5320)
    assert [each.done for each in told] == pytest.approx([1 / 4, 1 / 2, 3 / 4, 1])
    alone, same = scored(sized(drive, Size.LIGHT), folder, only_unseen=True)
    assert (same, alone.profile.light, alone.profile.cost.multiply_adds) == (light.score, None, 5320)
