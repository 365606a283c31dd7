"""Knobs: which of them the recordings show to work, which do nothing, and which they cannot tell about."""

import contextlib
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

from profiler.checks.knob_pairs import check_knob_by_pairs
from profiler.checks.knob_regression import Segment, check_knobs_by_regression, describe_segment
from profiler.checks.result import KnobCheck, TakeCheck
from profiler.checks.take_audio import TakeAudio, read_take_audio
from profiler.errors import ProfilerError
from profiler.finding import Finding
from profiler.session import Take
from profiler.session_folder import SessionFolder

__all__ = ["check_knobs", "knob_findings", "unturned_findings"]

_SHORTEST_SEGMENT_SECONDS = 0.4
_LONGEST_SEGMENT_SECONDS = 4.0
_SETTLING_SECONDS = 0.1


def check_knobs(
    folder: SessionFolder, checks: Sequence[TakeCheck], *, usable: Collection[int]
) -> tuple[KnobCheck, ...]:
    """Return a verdict on every knob: from takes that differ in it alone if there are any, else by regression."""
    session = folder.session

    @lru_cache(maxsize=2)
    def read(number: int) -> TakeAudio:
        take = session.take(number)
        if take is None:
            raise KeyError(number)
        return read_take_audio(folder, take)

    found = [
        check_knob_by_pairs(knob, session, checks, lambda take: read(take.number), usable=usable)
        for knob in session.knobs
    ]
    if all(each is not None and each.verdict != "cannot tell" for each in found):
        return tuple(each for each in found if each)
    segments = [segment for take in session.takes if take.number in usable for segment in _segments(folder, take)]
    regressed = check_knobs_by_regression(session.knobs, segments)
    return tuple(
        one if one is not None and one.verdict != "cannot tell" else other
        for one, other in zip(found, regressed, strict=True)
    )


def knob_findings(checks: Sequence[KnobCheck]) -> list[Finding]:
    """Return a finding for each knob that does nothing."""
    return [
        Finding(
            kind="idle-knob",
            message=f"Knob {check.knob} changes nothing that can be heard in these takes. Leave it out, or check it.",
            severity="warning",
        )
        for check in checks
        if check.verdict == "does nothing"
    ]


def unturned_findings(folder: SessionFolder) -> list[Finding]:
    """Return a finding for each knob that stands at one place in all takes."""
    places: dict[str, set[float | str]] = {knob.id: set() for knob in folder.session.knobs}
    for take in folder.session.takes:
        with contextlib.suppress(ProfilerError, OSError):  # a damaged take has a finding of its own
            for settings in folder.track_of(take).visited(folder.session.knobs):
                for knob, value in settings.items():
                    places[knob].add(value)
    return [
        Finding(
            kind="unturned-knob",
            message=f"Knob {knob.id} stands at {knob.spelt(min(places[knob.id], key=str))} in every take, so what it "
            "does cannot be learnt. Record it at other places too.",
            severity="warning",
        )
        for knob in folder.session.knobs
        if len(places[knob.id]) == 1
    ]


def _segments(folder: SessionFolder, take: Take) -> Iterator[Segment]:
    """Yield the stretches of a take's playing during which no knob moves."""
    try:
        audio = read_take_audio(folder, take)
        track = folder.track_of(take)
        visited = track.visited(folder.session.knobs)
    except (ProfilerError, OSError):
        return
    rate = audio.sample_rate
    playing = audio.playing
    stop_at = min(playing.stop, audio.unbroken)
    longest = int(_LONGEST_SEGMENT_SECONDS * rate)
    ends = [*(point.frame - audio.start for point in track.breakpoints[1:]), stop_at]
    for point, settings, end in zip(track.breakpoints, visited, ends, strict=True):
        begin = max(point.frame + point.ramp_frames + int(_SETTLING_SECONDS * rate) - audio.start, playing.start)
        for start in range(begin, min(end, stop_at), longest):
            stop = min(start + longest, end, stop_at)
            if stop - start >= _SHORTEST_SEGMENT_SECONDS * rate:
                segment = describe_segment(settings, audio.dry[start:stop], audio.wet[start:stop], rate)
                if segment is not None:
                    yield segment
