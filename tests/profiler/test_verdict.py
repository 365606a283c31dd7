"""The verdict on a training: what it says limits a profile, on sessions made to be limited by it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from profiler.audio import Audio
from profiler.checks import Cause, Limit, SessionCheck, TakeCheck, check_session, noise_power
from profiler.evaluation import evaluate
from profiler.finding import Finding
from profiler.knob import Knob, KnobSettings
from profiler.profile import CurvePoint, LoadedProfile
from profiler.programme import programme
from profiler.rendering import ProfileProcessor
from profiler.score import Score, TakeScore, summed_up
from profiler.session import CaptureSession, Gear, Take
from profiler.session_folder import SessionFolder
from profiler.split import Split, parse_hold_out
from profiler.training import Schedule, TrainingPlan, train
from profiler.verdict import Verdict, concluded, verdict

RATE = 48_000
Samples = NDArray[np.float32]
GAIN = Knob(id="gain", name="gain", maximum=10.0, default=5.0)
PLACES = ((0.0, 0.5), (5.0, 2.0), (10.0, 0.5))
FALLING = tuple(0.5 * 0.7**number for number in range(16))
FLAT = (0.9, 0.6, 0.45, 0.41, *(0.4 - 0.001 * number for number in range(12)))


def folder_of(
    path: Path, takes: Sequence[tuple[Samples, Samples, KnobSettings]], *, knobs: tuple[Knob, ...] = ()
) -> SessionFolder:
    """Return a session of dry and wet signals."""
    session = CaptureSession(gear=Gear(name="x", kind="files"), knobs=knobs, sample_rate=RATE)
    folder = SessionFolder.create(path, session)
    for number, (dry, wet, settings) in enumerate(takes):
        place = folder.add_dry(Audio(samples=dry[None], sample_rate=RATE), None)
        take = Take(number=number, dry=place, file="", sha256="", frames=0, settings=settings)
        folder.add_take(take, Audio(samples=wet[None].astype(np.float32), sample_rate=RATE))
    return folder


def trained(folder: SessionFolder, out: Path, steps: int, *hold_outs: str) -> tuple[LoadedProfile, Verdict]:
    """Check, train and score as the command line does."""
    check = check_session(folder)
    split = Split(hold_outs=tuple(parse_hold_out(each) for each in hold_outs))
    plan = TrainingPlan(schedule=Schedule(steps=steps), split=split, noise_power=noise_power(check))
    loaded = train(folder, plan, out)
    score = evaluate(loaded, folder, only_unseen=True)
    return concluded(replace(loaded, profile=replace(loaded.profile, score=score)), check)


def playing(seed: int, seconds: float = 12.0) -> Samples:
    """Return programme after a second of rest."""
    sound = programme(seed, sample_rate=RATE, frames=int(seconds * RATE))
    return np.concatenate([np.zeros(RATE, np.float32), 0.5 * sound])


@pytest.mark.slow
def test_noise_ends_training_early(tmp_path: Path):
    """A gain with noise 20 dB below it is learnt down to the noise; training stops there, and says so."""
    dry = playing(1, 20.0)
    noise = np.random.default_rng(0).normal(0, 0.1 * np.sqrt(np.mean(dry**2)) / 2, len(dry))
    folder = folder_of(tmp_path / "s", [(dry, dry / 2 + noise, {})])
    loaded, told = trained(folder, tmp_path / "p.tonecast", 800, "time=last:0.2")
    assert told.limited_by == loaded.profile.provenance.limited_by == "noise"
    assert "noise of the gear" in told.reason
    assert "hotter signal" in told.reason
    assert loaded.profile.provenance.steps < 800
    clean = dry[-4 * RATE :] / 2
    wet = ProfileProcessor(loaded).process(dry[None], RATE)[0, -4 * RATE :]
    assert np.sum((wet - clean) ** 2) < 0.1 * 0.01 * np.sum(clean**2)


@pytest.mark.slow
def test_two_settings_are_too_few(tmp_path: Path):
    """Gear that is four times as loud between two recorded settings: more of them are advised."""
    takes = [(playing(number), gain * playing(number), {"gain": place}) for number, (place, gain) in enumerate(PLACES)]
    folder = folder_of(tmp_path / "s", takes, knobs=(GAIN,))
    _, told = trained(folder, tmp_path / "p.tonecast", 96, "gain=5")
    assert told.limited_by == "settings"
    assert "Record more settings" in told.reason


def row(take: int, esr: float, *, settings_seen: bool) -> TakeScore:
    """Return a scored second of unseen audio."""
    return TakeScore(
        take=take,
        knobs={"gain": float(take)},
        seconds=1.0,
        seen=False,
        settings_seen=settings_seen,
        material_seen=False,
        esr=esr,
        esr_pre_emphasis=esr,
        target_db=-20.0,
        predicted_db=-20.0,
        error_energy=esr * 480.0,
        target_energy=480.0,
    )


@pytest.fixture
def profile(whole: LoadedProfile) -> Callable[..., LoadedProfile]:
    """A function that makes a profile with a learning curve and scored rows."""

    def made(
        curve: Sequence[float] = FALLING, rows: Sequence[TakeScore] = (), steps: int = 1600, by: str = "steps"
    ) -> LoadedProfile:
        points = tuple(
            CurvePoint(seconds=0.0, step=steps * (number + 1) // len(curve), esr=esr)
            for number, esr in enumerate(curve)
        )
        provenance = replace(whole.profile.provenance, curve=points, steps=steps, limited_by=by)
        score: Score = summed_up(list(rows), None)
        return replace(whole, profile=replace(whole.profile, provenance=provenance, score=score))

    return made


def check_of(cause: Cause | None = None, esr: float = 0.0, *findings: Finding) -> SessionCheck:
    """Return the check of a session of one take at -20 dB with one limit."""
    limits = (Limit(cause=cause, esr=esr),) if cause else ()
    take = TakeCheck(
        take=0,
        settings={},
        seconds=1.0,
        peak_db=0.0,
        level_db=-20.0,
        dry_level_db=-20.0,
        clipped_share=0.0,
        dc=0.0,
        limits=limits,
        findings=findings,
    )
    return SessionCheck(
        gear="x",
        seconds=1.0,
        takes=(take,),
        knobs=(),
        findings=(),
        floor=None,
        floor_source="unknown",
        limits=limits,
        best_esr=esr,
        grade="good",
        limited_by="what the check says",
        advice="Do this.",
        makes_sense=True,
    )


NEW, KNOWN = row(1, 0.05, settings_seen=False), row(2, 0.01, settings_seen=True)


@pytest.mark.parametrize(
    ("cause", "esr", "expected"),
    [
        ("noise", 0.04, "noise"),
        ("hum", 0.03, "noise"),
        ("timing", 0.03, "latency"),
        ("moves by itself", 0.03, "capacity"),
        ("disagreement", 0.03, "settings"),
        ("noise", 0.01, "steps"),
        ("timing", 0.01, "steps"),
        (None, 0.0, "steps"),
    ],
)
def test_what_the_check_foresaw(profile: Callable[..., LoadedProfile], cause: Cause, esr: float, expected: str):
    """A limit of the recordings that is half of the error or more limits the profile, with the check's advice."""
    told = verdict(profile(rows=[row(1, 0.05, settings_seen=True)]), check_of(cause, esr))
    assert told.limited_by == expected
    assert ("what the check says. Do this." in told.reason) == (expected != "steps")


def test_noise_counts_by_its_power(profile: Callable[..., LoadedProfile]):
    """A quiet scored take errs more than the session's noise says, and noise is still all that it is."""
    quiet = replace(row(1, 0.1, settings_seen=True), error_energy=4.8, target_energy=48.0)
    assert verdict(profile(rows=[quiet]), check_of("noise", 0.009)).limited_by == "noise"
    loud = replace(quiet, error_energy=48.0, target_energy=480.0)
    assert verdict(profile(rows=[loud]), check_of("noise", 0.009)).limited_by == "steps"


def test_too_few_settings(profile: Callable[..., LoadedProfile]):
    """Three times the error where nothing was recorded is for want of settings; less of it is not."""
    told = verdict(profile(rows=[NEW, KNOWN]), check_of())
    assert (told.limited_by, "5 times" in told.reason) == ("settings", True)
    assert "Record more settings" in told.reason
    near = replace(NEW, esr=0.02)
    assert verdict(profile(rows=[near, KNOWN]), check_of()).limited_by == "steps"
    alone = verdict(profile(curve=FALLING, rows=[NEW]), check_of())
    assert alone.limited_by == "settings"
    inaudible = [row(1, 0.002, settings_seen=False), row(2, 0.0001, settings_seen=True)]
    assert verdict(profile(rows=inaudible), check_of()).limited_by == "steps"


@pytest.mark.parametrize(
    ("curve", "steps", "expected"),
    [(FLAT, 1600, "capacity"), (FALLING, 1600, "steps"), (FLAT, 60, "steps"), (FLAT[-4:], 1600, "steps")],
)
def test_an_effect_that_can_do_no_more(
    profile: Callable[..., LoadedProfile], curve: Sequence[float], steps: int, expected: str
):
    """An error that no longer fell while the rate did is capacity, but not in a training that hardly began."""
    rows = [row(1, curve[-1], settings_seen=True)]
    told = verdict(profile(curve=curve, rows=rows, steps=steps), check_of())
    assert told.limited_by == expected
    assert ("more time will not help" in told.reason) == (expected == "capacity")


def test_else_time(profile: Callable[..., LoadedProfile]):
    """What ended training is what limits it; a stopped one says how to go on."""
    assert verdict(profile(by="budget"), check_of()) == Verdict(
        limited_by="budget", reason="Nothing but time limits it, and little is left to hear."
    )
    longer = verdict(profile(rows=[row(1, 0.02, settings_seen=True)]), check_of())
    assert "Train longer" in longer.reason
    stopped = verdict(profile(curve=FLAT, by="interrupted"), check_of("noise", 1.0))
    assert (stopped.limited_by, "--resume" in stopped.reason) == ("interrupted", True)


def test_findings_come_along(profile: Callable[..., LoadedProfile]):
    """Warnings and errors of check and training are told once a kind, notes are not."""
    told = [Finding(kind=kind, message=kind, severity=how) for kind, how in (("a", "note"), ("b", "warning"))]
    _, found = concluded(profile(), replace(check_of(None, 0.0, *told, told[1]), makes_sense=False))
    assert [each.kind for each in found.findings] == ["b", "hopeless"]
