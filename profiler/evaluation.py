"""Evaluation: what a profile scores on a session, on frames and settings that training did or did not hear."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from profiler.alignment import counted
from profiler.audio import Samples
from profiler.effects.sizes import sized
from profiler.errors import SessionError
from profiler.floor import noise_floor
from profiler.inharmonic import inharmonic_share
from profiler.knob import KnobSettings
from profiler.listening import RunningListening
from profiler.profile import LoadedProfile, Profile, Size
from profiler.progress import Progress, ProgressCallback, unheard, within
from profiler.rendering import ProfileProcessor, measured_cost
from profiler.score import Aliasing, RunningScore, Score, TakeScore, summed_up
from profiler.session import CaptureSession, Take
from profiler.session_folder import SessionFolder
from profiler.split import Span, Split, applies, divide, parse_hold_out, recorded_frames

__all__ = ["RenderedTake", "aliasing", "evaluate", "render_take", "scored", "scored_spans"]

_PIECE_FRAMES = 1 << 18
_SWEPT_TAKES = 6  # spread over the session; more would take long and tell the same


@dataclass(frozen=True, kw_only=True, eq=False)
class RenderedTake:
    """The scored part of a take: dry, recorded wet and predicted wet, each of shape (channels, frames).

    Frames in which the recording clipped are silent in both wets, so that they play no part in any score.
    """

    take: Take
    dry: Samples
    wet: Samples
    predicted: Samples


def evaluate(
    loaded: LoadedProfile,
    folder: SessionFolder,
    *,
    only_unseen: bool = False,
    on_progress: ProgressCallback = unheard,
) -> Score:
    """Score a profile on every take of a session, worst first.

    Of a take that training heard in part, the part it did not hear is scored. Takes are aligned by their own latency
    and polarity; no gain or delay is fitted. Raises SessionError when the session's knobs are not the profile's, or
    move at another rate than its.
    """
    _check_kinship(loaded.profile, folder.session)
    spans = scored_spans(loaded.profile, folder.session)
    if only_unseen:
        spans = [span for span in spans if not _is_seen(loaded.profile, folder.session, span)]
    begun = time.monotonic()
    rows = []
    for number, span in enumerate(spans):
        rows.append(_row(loaded, folder, span))
        done = (number + 1) / len(spans)
        left = (time.monotonic() - begun) * (1 - done) / done
        on_progress(Progress(step="evaluate", done=done, seconds_left=left))
    return replace(summed_up(rows, noise_floor(folder)), aliasing=aliasing(loaded, folder))


def aliasing(loaded: LoadedProfile, folder: SessionFolder) -> Aliasing | None:
    """Measure what is inharmonic in the gear's answers to sweeps and in the profile's, on up to six of the takes.

    Training may have heard them: a sweep tells this all the same. None for a session without sweeps or without sound.
    """
    spans = [span for take in folder.session.takes if (span := _sweeps(folder.session, take)) is not None]
    shares = []
    for span in spans[:: max(-(-len(spans) // _SWEPT_TAKES), 1)]:
        rendered = render_take(loaded, folder, span)
        still = np.ones(span.stop, np.bool_)
        for move in folder.track_of(rendered.take).breakpoints[1:]:
            still[move.frame : move.frame + move.ramp_frames + 1] = False
        both = rendered.wet.mean(axis=0), rendered.predicted.mean(axis=0)
        each = [inharmonic_share(wet, still[span.start :], folder.session.sample_rate) for wet in both]
        if all(share is not None for share in each):
            shares.append(each)
    if not shares:
        return None
    gear_db, profile_db = np.round(10 * np.log10(np.maximum(np.mean(np.asarray(shares), axis=0), 1e-20)), 1)
    return Aliasing(gear_db=float(gear_db), profile_db=float(profile_db))


def _sweeps(session: CaptureSession, take: Take) -> Span | None:
    """Return where a take answers sweeps whole and unclipped."""
    stimulus = session.dries[take.dry].stimulus
    part = stimulus.part("sweeps") if stimulus and take.replicate_of is None else None
    begin, end = recorded_frames(session, take)
    if part is None or part.start < begin or end < part.stop or not counted(take, part.stop)[part.start :].all():
        return None
    return Span(take=take.number, start=part.start, stop=part.stop)


def scored(
    loaded: LoadedProfile,
    folder: SessionFolder,
    *,
    only_unseen: bool = False,
    on_progress: ProgressCallback = unheard,
) -> tuple[LoadedProfile, Score]:
    """Return the profile with what each of its sizes scores on a session and costs to play, and the full one's score.

    Raises as `evaluate` does.
    """
    light = loaded.profile.light
    share = 0.5 if light else 1.0
    tell = within(on_progress, start=0.0, share=share)
    score = evaluate(loaded, folder, only_unseen=only_unseen, on_progress=tell)
    if light:
        small = sized(loaded, Size.LIGHT)
        tell = within(on_progress, start=share, share=share)
        theirs = evaluate(small, folder, only_unseen=only_unseen, on_progress=tell)
        light = replace(light, score=theirs, cost=measured_cost(small))
    return replace(loaded, profile=replace(loaded.profile, score=score, cost=measured_cost(loaded), light=light)), score


def scored_spans(profile: Profile, session: CaptureSession) -> list[Span]:
    """Return one span a take: the part that the profile's own split holds out if there is one, else the whole take.

    Replicates are left out: they tell the floor, and would count their settings twice.
    """
    rules = tuple(rule for text in profile.provenance.hold_outs if applies(session, rule := parse_hold_out(text)))
    known = {take.sha256 for take in session.takes} & {span.sha256 for span in profile.provenance.learnt}
    held_out = {span.take: span for span in (divide(session, Split(hold_outs=rules))[1] if known else ())}
    originals = (take for take in session.takes if take.replicate_of is None)
    return [held_out.get(take.number) or _whole(session, take) for take in originals]


def _whole(session: CaptureSession, take: Take) -> Span:
    start, stop = recorded_frames(session, take)
    return Span(take=take.number, start=start, stop=stop)


def render_take(loaded: LoadedProfile, folder: SessionFolder, span: Span) -> RenderedTake:
    """Render the span of a take through the profile, from far enough before it for its state to be right."""
    pieces = list(_rendered(loaded, folder, span))
    dry, wet, predicted = (
        np.concatenate(each, axis=1)
        for each in zip(*((piece.dry, piece.wet, piece.predicted) for piece in pieces), strict=True)
    )
    return replace(pieces[0], dry=dry, wet=wet, predicted=predicted)


def _rendered(loaded: LoadedProfile, folder: SessionFolder, span: Span) -> Iterator[RenderedTake]:
    """Render a span piece by piece, so that memory does not grow with its length. There is one piece at least."""
    take = next(take for take in folder.session.takes if take.number == span.take)
    rate = folder.session.sample_rate
    stop = min(span.stop, folder.session.dries[take.dry].frames)
    processor = ProfileProcessor(loaded, track=folder.track_of(take))
    # On a moving take the track must be followed from its start.
    at = begin = max(span.start - processor.memory_frames, 0) if take.settings is not None else 0
    fed = -1
    while fed < stop:
        fed = min(begin + _PIECE_FRAMES, stop)
        predicted = processor.feed(folder.excerpt(take, begin, fed)[0], rate)
        if fed == stop:
            predicted = np.concatenate([predicted, processor.flush()], axis=1)
        yield _beside(folder, take, predicted, at=at, span=span)
        begin, at = fed, at + predicted.shape[1]


def _beside(folder: SessionFolder, take: Take, predicted: Samples, *, at: int, span: Span) -> RenderedTake:
    """Return a piece of what was predicted, from frame `at` on, beside what was played and recorded there."""
    start, stop = max(at, span.start), max(at + predicted.shape[1], span.start)
    dry, wet = folder.excerpt(take, start, stop)
    counts = counted(replace(take, latency_frames=take.latency_frames + start), stop - start)
    if len(wet) != len(predicted):  # a mono dry recorded in stereo, or the other way: training learns the means
        wet, predicted = (each.mean(axis=0, keepdims=True) for each in (wet, predicted))
    return RenderedTake(take=take, dry=dry, wet=wet * counts, predicted=predicted[:, start - at :] * counts)


def _row(loaded: LoadedProfile, folder: SessionFolder, span: Span) -> TakeScore:
    profile, session = loaded.profile, folder.session
    running, listening = RunningScore(), RunningListening(session.sample_rate)
    with ThreadPoolExecutor(max_workers=1) as aside:  # a second core listens while this one renders
        heard: Future[None] | None = None
        for piece in _rendered(loaded, folder, span):
            running.hear(piece.wet, piece.predicted)
            if heard:
                heard.result()
            heard = aside.submit(listening.hear, piece.wet, piece.predicted)
        if heard:
            heard.result()
    take = next(take for take in session.takes if take.number == span.take)
    return TakeScore(
        take=take.number,
        knobs=take.settings,
        seconds=round(running.frames / session.sample_rate, 3),
        seen=_is_seen(profile, session, span),
        settings_seen=_settings_seen(profile, take.settings, take.sha256),
        material_seen=_material_seen(profile, session.dries[take.dry].sha256, span),
        esr=running.esr,
        esr_pre_emphasis=running.esr_pre_emphasis,
        target_db=round(running.target_db, 2),
        predicted_db=round(running.predicted_db, 2),
        error_energy=running.error_energy,
        target_energy=running.target_energy,
        listening=listening.value,
    )


def _is_seen(profile: Profile, session: CaptureSession, span: Span) -> bool:
    sha256 = next(take.sha256 for take in session.takes if take.number == span.take)
    heard = (each for each in profile.provenance.learnt if each.sha256 == sha256)
    return any(each.start < span.stop and span.start < each.stop for each in heard)


def _settings_seen(profile: Profile, settings: KnobSettings | None, sha256: str) -> bool:
    learnt = profile.provenance.learnt
    return any(each.sha256 == sha256 or settings in each.settings for each in learnt)


def _material_seen(profile: Profile, dry_sha256: str, span: Span) -> bool:
    heard = (each for each in profile.provenance.learnt if each.dry_sha256 == dry_sha256)
    return any(each.start < span.stop and span.start < each.stop for each in heard)


def _check_kinship(profile: Profile, session: CaptureSession) -> None:
    found, expected = (tuple(knob.id for knob in owner.knobs) for owner in (session, profile))
    if sorted(found) != sorted(expected):
        raise SessionError(f"The session's knobs are {list(found)}; the profile's are {list(expected)}.")
    if session.sample_rate != profile.sample_rate and any(take.settings is None for take in session.takes):
        raise SessionError(
            f"The session is at {session.sample_rate} Hz and its knobs move, counted in frames; the profile is at "
            f"{profile.sample_rate} Hz. Score it on takes at fixed settings, or capture at its rate."
        )
