"""One take, checked on its own."""

from dataclasses import replace

import numpy as np

from profiler.alignment import aligned
from profiler.audio import Audio
from profiler.audio_file import reading
from profiler.checks.bleed import find_bleed
from profiler.checks.chirp_train import modulation_in_chirps
from profiler.checks.dropouts import Dropout, find_dropouts
from profiler.checks.forecast import with_limits
from profiler.checks.levels import Levels, decibels, level_findings, measure_levels
from profiler.checks.linear_fit import LinearFit, fit_linear, level_dependence_db
from profiler.checks.modulation import Modulation, modulation_in_playing
from profiler.checks.rest import Hum, find_hum, find_rest, noise_power, rings_long
from profiler.checks.result import Limit, TakeCheck
from profiler.checks.slips import Slip, find_slips, in_words, lags_between
from profiler.checks.stray import drifts, measure_stray, stray_esr, stray_findings
from profiler.checks.take_audio import TakeAudio, check_file, read_take_audio
from profiler.errors import ProfilerError
from profiler.finding import Finding
from profiler.score import SILENCE_DB
from profiler.session import Take
from profiler.session_folder import SessionFolder
from profiler.stimulus import Stimulus
from profiler.timing import Timing

__all__ = ["check_recording", "check_take", "does_ring", "unreadable_take"]

_BLOCK_FRAMES = 1 << 18
_SHORTEST_SECONDS = 0.5
_HUM_BELOW_WET_DB = -75.0
_NOISY = 0.003
_FOLLOWING = 0.1
_LISTENED_SECONDS = 180.0
_MOMENTS = 100


def check_take(folder: SessionFolder, take: Take) -> tuple[TakeCheck, TakeAudio | None]:
    """Return the check of a take and, unless nothing can be told from it, its audio. Raises AudioError, SessionError.

    A silent take is told by its levels alone.
    """
    check_file(folder, folder.session, take)
    with reading(folder.dry_path(take)) as reader:
        dry = measure_levels(reader.blocks(_BLOCK_FRAMES))
    with reading(folder.wet_path(take)) as reader:
        wet = measure_levels(reader.blocks(_BLOCK_FRAMES))
    by_converter = folder.session.gear.kind != "plugin"  # what a plugin's host records has no converter in its way
    check = _by_levels(take, dry, wet, folder.session.sample_rate, by_converter=by_converter)
    if min(wet.level_db, dry.level_db) < SILENCE_DB:
        return with_limits(check, [Limit(cause="nothing recorded", esr=1.0)]), None
    audio = read_take_audio(folder, take)
    if audio.seconds < _SHORTEST_SECONDS:
        message = f"Only {audio.seconds:.2g} s of dry and wet lie on each other: too little to tell or to learn from."
        return replace(check, findings=(*check.findings, _finding("short", message, "warning"))), None
    wiring = folder.session.wiring
    may_drift = by_converter and not (wiring and wiring.has_one_clock)
    return _listened(check, audio, wet, by_converter=by_converter, may_drift=may_drift), audio


def check_recording(take: Take, stimulus: Stimulus, dry: Audio, wet: Audio) -> TakeCheck:
    """Return the check of what an interface has just recorded, before it is on disk; `take` is what is known of it."""
    played, heard = (measure_levels([each.samples]) for each in (dry, wet))
    check = _by_levels(take, played, heard, dry.sample_rate, by_converter=True)
    if min(played.level_db, heard.level_db) < SILENCE_DB:
        return with_limits(check, [Limit(cause="nothing recorded", esr=1.0)])
    audio = TakeAudio(
        take=take,
        sample_rate=dry.sample_rate,
        dry=dry.mono(),
        wet=aligned(wet.samples, take, dry.frames).mean(axis=0, dtype=np.float32),
        start=0,
        unbroken=dry.frames,
        stimulus=stimulus,
    )
    return _listened(check, audio, heard, by_converter=True, may_drift=True)


def _by_levels(take: Take, dry: Levels, wet: Levels, sample_rate: int, *, by_converter: bool) -> TakeCheck:
    """Return what the levels of a take tell."""
    findings = level_findings(dry, wet, by_converter=by_converter)
    return TakeCheck(
        take=take.number,
        settings=take.settings,
        seconds=round(wet.frames / sample_rate, 3),
        peak_db=round(wet.peak_db, 2),
        level_db=round(wet.level_db, 2),
        dry_level_db=round(dry.level_db, 2),
        clipped_share=max(wet.clipped_share, _masked_share(take)) if by_converter else 0.0,
        dc=round(wet.dc, 6),
        findings=tuple(findings),
    )


def _masked_share(take: Take) -> float:
    """Return how much of a take was left out because it clipped: what was converted shows no flat tops any more."""
    if all(finding.kind != "clipped" for finding in take.findings):
        return 0.0
    return sum(stop - start for start, stop in take.masked) / max(take.frames, 1)


def unreadable_take(take: Take, error: ProfilerError) -> TakeCheck:
    """Return the check of a take whose files cannot be read."""
    check = TakeCheck(
        take=take.number,
        settings=take.settings,
        seconds=0.0,
        peak_db=-200.0,
        level_db=-200.0,
        dry_level_db=-200.0,
        clipped_share=0.0,
        dc=0.0,
        findings=(Finding(kind="damaged", message=str(error), severity="error"),),
    )
    return with_limits(check, [Limit(cause="nothing recorded", esr=1.0)])


def _listened(check: TakeCheck, audio: TakeAudio, wet: Levels, *, by_converter: bool, may_drift: bool) -> TakeCheck:
    """Return the check with what the sound itself tells."""
    rate = audio.sample_rate
    rest = find_rest(audio.dry, rate)
    noise = noise_power(audio.dry, audio.wet, rest, rate)
    hum = find_hum(audio.wet, rest, rate)
    stray = measure_stray(audio.dry[audio.playing], audio.wet[audio.playing], rate)
    part = _first_minutes(audio)
    fit = fit_linear(audio.dry[part], audio.wet[part], rate)
    dependence = level_dependence_db(fit, audio.wet[part], rate, noise=noise or 0.0) if fit else None
    modulation = _modulation(audio, fit, noise or 0.0)
    heard = replace(
        check,
        noise_db=None if noise is None else round(decibels(noise), 1),
        hum_hz=float(hum.hz) if hum else None,
        hum_db=round(hum.level_db, 1) if hum else None,
        latency_frames=stray.frames if stray and stray.is_clear else None,
        latency_spread_frames=round(stray.spread_frames, 3) if stray else None,
        drift_ppm=round(stray.drift_ppm, 3) if stray and by_converter else None,
        polarity=stray.polarity if stray and stray.is_clear else None,
        linear_share=None if fit is None else round(fit.share, 4),
        level_dependence_db=None if dependence is None else round(dependence, 2),
        modulation_hz=modulation.hz if modulation else None,
    )
    slips = find_slips(audio.dry, audio.wet) if by_converter else []  # a plugin's host loses nothing
    limits = _noise_limits(noise, hum, wet)
    if modulation is not None:
        limits.append(Limit(cause="moves by itself", esr=modulation.esr))
    # A plugin's host has one clock. What seems to drift there is gear that answers one instrument later than the next.
    if slips:
        strays = lags_between(slips, len(audio.dry), _MOMENTS)
        limits.append(Limit(cause="timing", esr=stray_esr(audio.wet, strays, rate)))
    elif stray is not None and ((may_drift and drifts(stray)) or stray.jump_second is not None):
        limits.append(Limit(cause="timing", esr=stray_esr(audio.wet, stray.strays, rate)))
    findings = [
        *_noise_findings(heard, noise, wet),
        *_dropout_findings(find_dropouts(audio.dry, audio.wet), rate),
        *_stray_findings(stray, fit, rate, may_drift=may_drift, slips=slips),
        *_modulation_findings(modulation),
        *(_bleed_findings(fit, audio.take, rate) if fit and by_converter else ()),
    ]
    return with_limits(replace(heard, findings=(*check.findings, *findings)), limits)


def _stray_findings(
    stray: Timing | None, fit: LinearFit | None, rate: int, *, may_drift: bool, slips: list[Slip]
) -> list[Finding]:
    found = [_finding("hole", in_words(slips, rate), "warning")] if slips else []
    if stray is None:
        return found
    found += stray_findings(stray, rate, follows=fit is None or fit.share > _FOLLOWING)
    untrue = {"drift", "latency-jump"} if slips else set() if may_drift else {"drift"}  # what a slip looks like
    return [each for each in found if each.kind not in untrue]


def _first_minutes(audio: TakeAudio) -> slice:
    """Return where the playing begins, up to three minutes of it: spectrograms of more take memory and tell no more."""
    playing = audio.playing
    return slice(playing.start, min(playing.stop, playing.start + int(_LISTENED_SECONDS * audio.sample_rate)))


def _modulation(audio: TakeAudio, fit: LinearFit | None, noise: float) -> Modulation | None:
    """Return the movement that a take shows, from its chirps if it has any. Where knobs move it cannot be told."""
    if audio.take.settings is None:
        return None
    playing, chirps = _first_minutes(audio), audio.part("chirps")
    found = None
    if chirps is not None and not does_ring(audio, noise):
        found = modulation_in_chirps(audio.wet[chirps], audio.wet[playing], audio.sample_rate, noise=noise)
    if found is None and fit is not None:
        found = modulation_in_playing(audio.dry[playing], fit.predicted, audio.wet[playing], audio.sample_rate)
    return found


def does_ring(audio: TakeAudio, noise: float) -> bool:
    """Tell whether echoes or reverb mix what was played earlier into what is played now, by the blips of a take."""
    blips = audio.part("blips")
    return blips is not None and rings_long(audio.wet[blips], audio.sample_rate, noise=noise)


def _modulation_findings(modulation: Modulation | None) -> list[Finding]:
    if modulation is None:
        return []
    rate = f"about {modulation.hz:.1f} times a second, or a whole part of that" if modulation.hz else "slowly"
    message = f"The gear moves by itself, {rate}, as chorus, phaser and tremolo do. A profile cannot follow that."
    return [_finding("time-variance", message, "warning")]


def _bleed_findings(fit: LinearFit, take: Take, sample_rate: int) -> list[Finding]:
    bleed = find_bleed(fit, sample_rate)
    # Where it is known when the dry was sent, what seems to come before that is one note taken for another.
    if bleed is None or (take.measured_latency_frames is not None and bleed.frames_ahead > take.latency_frames):
        return []
    message = (
        f"The dry itself is in the wet, {bleed.frames_ahead / sample_rate * 1000:.1f} ms ahead of the gear and "
        f"{-bleed.level_db:.0f} dB below it. Turn direct monitoring off, and record again."
    )
    return [_finding("bleed", message, "warning")]


def _noise_limits(noise: float | None, hum: Hum | None, wet: Levels) -> list[Limit]:
    if noise is None:
        return []
    is_hum = hum is not None and 10 ** (hum.level_db / 10) > noise / 2
    return [Limit(cause="hum" if is_hum else "noise", esr=noise / 10 ** (wet.level_db / 10))]


def _noise_findings(check: TakeCheck, noise: float | None, wet: Levels) -> list[Finding]:
    found = []
    if check.hum_db is not None and check.hum_db > wet.level_db + _HUM_BELOW_WET_DB:
        message = f"Hum at {check.hum_hz:.0f} Hz and its multiples, {wet.level_db - check.hum_db:.0f} dB below the wet."
        severity = "warning" if check.hum_db > wet.level_db - 45 else "note"
        found.append(_finding("hum", message, severity))
    if noise is not None and noise > _NOISY * 10 ** (wet.level_db / 10):
        below = wet.level_db - decibels(noise)
        message = f"Noise only {below:.0f} dB below the wet: no profile can come nearer than that."
        found.append(_finding("noise", message, "warning"))
    return found


def _dropout_findings(holes: list[Dropout], sample_rate: int) -> list[Finding]:
    if not holes:
        return []
    first = holes[0]
    longest = max(hole.stop - hole.start for hole in holes) / sample_rate * 1000
    message = (
        f"{len(holes)} hole{'s' * (len(holes) > 1)} in the wet while the dry plays on, up to {longest:.1f} ms, the "
        f"first at {first.start / sample_rate:.1f} s: the interface could not keep up. Use larger buffers."
    )
    return [_finding("dropouts", message, "warning")]


def _finding(kind: str, message: str, severity: str) -> Finding:
    return Finding(kind=kind, message=message, severity="warning" if severity == "warning" else "note")
