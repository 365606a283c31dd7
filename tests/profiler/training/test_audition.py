"""The audition: the likeliest effect goes on, or a clearly better one, and a convolutional one goes on exactly."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from profiler.effects import ConvolutionalEffect, Effect, RecurrentEffect
from profiler.errors import TrainingError
from profiler.progress import Progress, unheard
from profiler.training.audition import AUDITION_SHARE, audition
from profiler.training.examples import Examples, Passage
from profiler.training.lessons import lessons_for
from profiler.training.loop import Schedule, fit
from profiler.training.loss import Loss
from profiler.training.segments import Crew
from profiler.training.state import TrainingState
from profiler.training.watch import Watch
from profiler.training.windows import ROWS, Windows, stretches_for


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Keep torch to one thread, as training does."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def late_and_clipped(*, delay: int, watched: bool = True, frames: int = 48_000) -> Examples:
    """Return noise, and what a soft clipper makes of it some frames later at two settings of its gain."""
    rng = np.random.default_rng(0)
    positions = np.asarray([[0.0], [1.0]], np.float32)

    def passage(frames: int) -> Passage:
        dry = rng.normal(0, 0.2, frames).astype(np.float32)
        knobs = (np.arange(frames) // 6000 % 2).astype(np.int32)
        wet = np.tanh((1 + 4 * positions[knobs, 0]) * dry)
        wet = np.concatenate([np.zeros(delay, np.float32), wet[: frames - delay]])
        return Passage(dry=dry, wet=wet, knobs=knobs, counts=np.ones(frames, np.bool_))

    return Examples(learnt=(passage(frames),), watched=(passage(9600),) if watched else (), positions=positions)


def small_convolution(seed: int = 0) -> ConvolutionalEffect:
    """Return a network of two layers that hears eighty frames back."""
    torch.manual_seed(seed)
    return ConvolutionalEffect(
        knob_positions=1, channels=4, taps=[6, 6], dilations=[1, 12], head_taps=16, input_scale=1.0, output_scale=2.0
    )


def small_recurrence() -> RecurrentEffect:
    """Return an LSTM."""
    torch.manual_seed(0)
    return RecurrentEffect(knob_positions=1, hidden=4, features=2, shaper=4, output_scale=2.0)


def heard(effects: list[Effect], examples: Examples, told: list[Progress]) -> TrainingState:
    """Return whom an audition of 1,000 steps chooses."""
    return audition(effects, examples, Schedule(steps=1000), seed=0, on_progress=told.append, stopped=lambda: False)


def test_what_a_delay_needs_wins():
    """A sound that comes sixty frames late is beyond a small LSTM in eighty steps, and nothing for a convolution."""
    told: list[Progress] = []
    state = heard([small_recurrence(), small_convolution()], late_and_clipped(delay=60), told)
    assert state.effect.kind == "convolutional"
    assert state.step == 60
    assert state.curve[-1].step == state.step
    assert all(earlier.done <= later.done for earlier, later in pairwise(told))
    assert told[-1].done == pytest.approx(2 * AUDITION_SHARE)


@pytest.mark.parametrize(
    ("slowed", "error", "winner", "heard_upto"),
    [
        (1.0, 0.6, "convolutional", [0.04]),
        (1.0, 0.3, "convolutional", [0.04, 0.06, 0.08]),
        (1.0, 0.06, "convolutional", [0.04, 0.06, 0.08]),
        (1.0, 0.04, "recurrent", [0.04, 0.06, 0.08]),
        (0.7, 0.04, "convolutional", []),
    ],
)
def test_the_first_goes_on_unless_another_errs_half_as_much(
    monkeypatch: pytest.MonkeyPatch, slowed: float, error: float, winner: str, heard_upto: list[float]
):
    """A rival that errs five times as much after half of its share is heard no further. A copy ends in small steps.

    Where large steps led the first astray, it goes on unrivalled.
    """
    shares: list[tuple[str, float]] = []

    def learn(state: TrainingState, *, schedule: Schedule, upto: float = 1.0, **_: object) -> None:
        upto = min(upto, schedule.end(state))
        shares.append((state.effect.kind, pytest.approx(upto)))
        state.step = round(1000 * upto)
        state.slowed = slowed if state.effect.kind == "convolutional" else 1.0
        small_steps = schedule.rate_now(state) < 0.01
        own = error if state.effect.kind == "recurrent" else 0.1
        state.best_esr = own if small_steps or upto < 0.05 else 1.0

    monkeypatch.setattr("profiler.training.audition.fit", learn)
    state = heard([small_convolution(), small_recurrence()], late_and_clipped(delay=0), [])
    assert state.effect.kind == winner
    assert state.step == 60
    assert shares == [
        *(("convolutional", upto) for upto in (0.06, 0.08)),
        *(("recurrent", upto) for upto in heard_upto),
    ]


def test_knobs_that_never_rest_teach_the_recurrent_one():
    """Knobs that turn all the time leave a convolution nothing to learn from; too little for either is refused."""
    examples = late_and_clipped(delay=0)
    turning = replace(examples.learnt[0], knobs=(np.arange(48_000) // 500 % 2).astype(np.int32))
    state = heard([small_convolution(), small_recurrence()], replace(examples, learnt=(turning,)), [])
    assert state.effect.kind == "recurrent"
    with pytest.raises(TrainingError, match="has 500 frames; at least 1024"):
        heard([small_convolution(), small_recurrence()], replace(examples, learnt=(turning.excerpt(0, 2000),)), [])


def test_with_nothing_to_watch_the_likelier_is_taken_unheard():
    """Short captures have no watched audio to judge by: the first goes on from its first step."""
    state = heard([small_convolution(), small_recurrence()], late_and_clipped(delay=0, watched=False), [])
    assert (state.effect.kind, state.step) == ("convolutional", 0)


def test_one_alone_needs_no_audition():
    """An effect without a rival goes on from its first step."""
    assert heard([small_recurrence()], late_and_clipped(delay=0), []).step == 0


def test_all_of_them_share_the_time(monkeypatch: pytest.MonkeyPatch):
    """A budget counts what every effect took, when none is dropped half-way."""
    monkeypatch.setattr("profiler.training.audition._HOPELESS", np.inf)
    examples = late_and_clipped(delay=0)
    state = audition(
        [small_convolution(), small_recurrence()],
        examples,
        Schedule(budget_seconds=5.0),
        seed=0,
        on_progress=unheard,
        stopped=lambda: False,
    )
    assert state.seconds >= 2 * 5.0 * AUDITION_SHARE
    assert Schedule(budget_seconds=5.0).done(state) >= 2 * AUDITION_SHARE


def test_each_kind_has_its_lessons():
    """Convolutional effects learn from windows, others along segments."""
    examples = late_and_clipped(delay=0)
    assert isinstance(lessons_for(small_convolution(), examples), Windows)
    assert isinstance(lessons_for(small_recurrence(), examples), Crew)


def test_a_convolution_learns():
    """A late soft clipper at two settings is learnt to a hundredth in a few hundred steps."""
    state = TrainingState.fresh(small_convolution(), seed=0)
    fit(
        state,
        late_and_clipped(delay=20),
        Schedule(steps=400),
        on_progress=unheard,
        keep=lambda _: None,
        stopped=lambda: False,
    )
    assert state.best_esr < 0.01
    assert state.audio_frames == 400 * ROWS * 2048


def test_a_convolution_learns_from_a_knob_that_is_turned_all_the_time():
    """Over a window and its past a slow hand hardly moves it, though it never rests."""
    rng = np.random.default_rng(0)
    positions = np.linspace(0, 1, 513, dtype=np.float32)[:, None]

    def passage(frames: int) -> Passage:
        dry = rng.normal(0, 0.2, frames).astype(np.float32)
        knobs = np.round(np.linspace(0, 512, frames)).astype(np.int32)
        wet = np.tanh((1 + 4 * positions[knobs, 0]) * dry)
        return Passage(dry=dry, wet=wet, knobs=knobs, counts=np.ones(frames, np.bool_))

    examples = Examples(learnt=(passage(480_000),), watched=(passage(96_000),), positions=positions)
    state = TrainingState.fresh(small_convolution(), seed=0)
    fit(state, examples, Schedule(steps=400), on_progress=unheard, keep=lambda _: None, stopped=lambda: False)
    assert state.best_esr < 0.01


def test_a_convolution_goes_on_exactly():
    """Stopped after a round and restored from its checkpoint, training ends in the very same weights."""
    examples = late_and_clipped(delay=5)

    def trained(state: TrainingState, *, stop_at: int | None = None) -> TrainingState:
        fit(
            state,
            examples,
            Schedule(steps=48),
            on_progress=unheard,
            keep=lambda _: None,
            stopped=lambda: stop_at is not None and state.step >= stop_at,
        )
        return state

    whole = trained(TrainingState.fresh(small_convolution(), seed=3))
    stopped = trained(TrainingState.fresh(small_convolution(), seed=3), stop_at=16)
    assert stopped.step == 16
    resumed = trained(TrainingState.restored(stopped.checkpoint("mine")))
    assert all(torch.equal(tensor, whole.best[name]) for name, tensor in resumed.best.items())


def test_windows_hold_one_setting_and_all_their_past():
    """Loss and gradients are those of the effect at each row's setting, after as much dry as it hears."""
    examples, effect = late_and_clipped(delay=0), small_convolution()
    with Windows(effect, examples) as windows:
        loss, gradients = windows.step(np.random.default_rng(7))
    history = effect.memory_frames
    still = replace(examples, learnt=tuple(examples.calm_stretches))
    rows = still.rows(np.random.default_rng(7), count=ROWS, frames=history + 2048)
    assert (rows.knobs == rows.knobs[:, :1]).all()
    knobs = torch.from_numpy(examples.positions[rows.knobs[:, :1]])
    predicted, _ = effect(torch.from_numpy(rows.dry), knobs, effect.initial_state(ROWS))
    settings = torch.from_numpy(rows.knobs[:, :1])
    expected = Loss.of_settings(examples)(torch.from_numpy(rows.wet[:, history:]), predicted[:, history:], settings)
    assert loss == pytest.approx(float(expected), rel=1e-4)
    assert len(gradients) == len(list(effect.parameters()))


@pytest.mark.parametrize("hz", [5.0, 100.0])
def test_error_that_is_slower_than_a_window_is_learnt_through_all_the_past(monkeypatch, hz):
    """A bias that moves is told from sound, and then the gradients are those without a horizon."""
    examples, effect = late_and_clipped(delay=0), small_convolution()
    (watched,) = examples.watched
    bias = 2 * np.sin(2 * np.pi * hz * np.arange(watched.frames) / 48_000)
    state = TrainingState.fresh(effect, seed=0)
    Watch(replace(examples, watched=(replace(watched, wet=(watched.wet + bias).astype(np.float32)),))).look(state)
    assert state.is_slow == (hz < 20)
    assert TrainingState.restored(state.checkpoint("mine")).is_slow == state.is_slow
    long = ConvolutionalEffect(knob_positions=1, channels=2, taps=[6], dilations=[400])
    with Windows(long, examples) as windows:
        short, whole = (windows.step(np.random.default_rng(1), slow=slow)[1] for slow in (False, True))
        still = windows.step(np.random.default_rng(1), slow=True)[1]
        monkeypatch.setattr("profiler.training.windows._HORIZON_FRAMES", long.memory_frames)
        through = windows.step(np.random.default_rng(1))[1]
    assert all(torch.equal(one, other) for one, other in zip(whole, still, strict=True))
    assert all(torch.allclose(one, other, rtol=1e-4) for one, other in zip(whole, through, strict=True))
    assert not torch.equal(short[0], whole[0])


def test_clipped_frames_are_not_learnt_from():
    """Frames that do not count add nothing to the loss: all of them masked, there is none."""
    examples, effect = late_and_clipped(delay=0), small_convolution()
    passage = examples.learnt[0]
    counts = np.zeros(passage.frames, np.bool_)
    counts[0] = True
    masked = replace(examples, learnt=(replace(passage, wet=passage.wet * counts, counts=counts),))
    with Windows(effect, masked) as windows:
        loss, gradients = windows.step(np.random.default_rng(0))
    assert loss == 0
    assert not any(each.any() for each in gradients)


def test_short_stretches_are_learnt_after_what_was_played_before():
    """Knobs that move more often than the effect hears back leave short stretches: they are learnt all the same."""
    examples = late_and_clipped(delay=0)
    frames = np.arange(examples.learnt[0].frames)
    hurried = replace(examples, learnt=(replace(examples.learnt[0], knobs=(frames // 1100 % 2).astype(np.int32)),))
    effect = ConvolutionalEffect(knob_positions=1, channels=2, taps=[6], dilations=[400])
    with Windows(effect, hurried) as windows:
        loss, _ = windows.step(np.random.default_rng(0))
    assert np.isfinite(loss)
    (first, second, *_), frames_of_a_window = stretches_for(hurried, 2000)
    assert frames_of_a_window == 1024
    dry = examples.learnt[0].dry
    assert np.array_equal(first.dry, np.concatenate([np.zeros(2000, np.float32), dry[:1100]]))
    assert first.counts.sum() == 1100
    assert np.array_equal(second.dry[900:], dry[:2200])
    assert (second.knobs[2000:] == 1).all()
    long, whole = stretches_for(examples, 80)
    assert (len(long[0].dry), whole) == (6000, 2048)
    too_short = replace(examples, learnt=(replace(examples.learnt[0], knobs=(frames // 900 % 2).astype(np.int32)),))
    with pytest.raises(TrainingError, match="has 900 frames; at least 1024"):
        Windows(effect, too_short)
