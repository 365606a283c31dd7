"""The judge of takes: says at once whether what was just recorded will do, and what to do where it will not."""

from collections.abc import Sequence
from dataclasses import replace

from capture.cut_off import cut_off_frame
from capture.recorder import PlayedTake
from profiler.alignment import aligned
from profiler.audio import Audio, Samples
from profiler.checks import check_recording
from profiler.checks.difference import compare
from profiler.finding import Finding
from profiler.score import SILENCE_DB
from profiler.session import Take

__all__ = ["judge_take"]

_REDO = {"clipping", "dropouts", "hole", "silent", "latency-jump", "bleed", "unrelated", "quiet-wet"}
"""Findings of a check after which a take is worth recording once more, when they are no mere notes."""

_HUM_BELOW_WET_DB = 30.0
_NOISE_BELOW_WET_DB = 15.0
_REPEATS = 0.01


def judge_take(played: PlayedTake, *, repeats: Audio | None = None) -> tuple[Finding, ...]:
    """Return what a take shows; a finding whose severity is `error` means that it should be recorded again.

    `repeats` is the wet of the take that this one repeats, on the clock of the dry, of shape (1, frames).
    """
    planned = played.planned
    take = Take(
        number=planned.number,
        dry=0,
        file="",
        sha256="",
        frames=played.wet.frames,
        settings=planned.settings,
        latency_frames=played.latency_frames,
        measured_latency_frames=played.measured_latency_frames,
        polarity=played.polarity,
    )
    check = check_recording(take, played.stimulus, played.dry, played.wet)
    known = {finding.kind for finding in played.findings}
    found = [_weighed(finding) for finding in check.findings if finding.kind not in known or finding.kind == "silent"]
    if check.noise_db is not None and check.noise_db > check.level_db - _NOISE_BELOW_WET_DB:
        found = [replace(each, severity="error") if each.kind == "noise" else each for each in found]
    if check.hum_db is not None and check.hum_db > check.level_db - _HUM_BELOW_WET_DB:
        message = (
            f"Hum at {check.hum_hz:.0f} Hz, only {check.level_db - check.hum_db:.0f} dB below the sound. Move the "
            "cables away from mains leads, lift one ground, or power all from one socket; then record again."
        )
        found = [each for each in found if each.kind != "hum"]
        found.append(Finding(kind="hum", message=message, severity="error"))
    if check.level_db >= SILENCE_DB:
        wet = aligned(played.wet.samples, take, played.dry.frames)[0]
        found += _cut_off(played.dry.samples[0], wet, played.dry.sample_rate)
        found += _repeated(wet, repeats, played.dry.sample_rate)
    return tuple(found)


def _weighed(finding: Finding) -> Finding:
    """Return a finding of a check with the weight that it has while the take can still be recorded again."""
    if finding.severity == "note" or finding.kind not in _REDO:
        return finding if finding.severity != "error" or finding.kind in _REDO else replace(finding, severity="warning")
    return replace(finding, severity="error")


def _cut_off(dry: Samples, wet: Samples, sample_rate: int) -> Sequence[Finding]:
    """Find where the return is cut off."""
    last = cut_off_frame(dry, wet, sample_rate)
    if last is None:
        return ()
    message = (
        f"The return falls silent {last / sample_rate:.1f} s into the take, while the dry plays on: a cable came "
        "off, or the gear was switched off. Set it right and record again."
    )
    return (Finding(kind="cut-off", message=message, severity="error"),)


def _repeated(wet: Samples, repeats: Audio | None, sample_rate: int) -> Sequence[Finding]:
    """Compare a replicate with what it repeats."""
    if repeats is None:
        return ()
    frames = min(len(wet), repeats.frames)
    difference = compare(repeats.samples[0, :frames], wet[:frames], sample_rate)
    if difference is None or difference.esr < _REPEATS:
        return ()
    message = (
        f"This take repeats another at the same settings, and differs from it by {difference.esr:.1%} of the energy"
        f" ({difference.gain_db:+.1f} dB in level). Was a knob turned, or has the gear warmed up since? Set the knobs "
        "once more and record again; if it stays so, the gear moves by itself."
    )
    return (Finding(kind="disagreement", message=message, severity="error"),)
