"""`tonecast demo`: the whole way from an effect to a rendered track, with nothing but this machine."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonecast.console import Screen, clock, plain, score_table, stoppable
from tonecast.options import AsJson, Seed, Steps, parse_length

if TYPE_CHECKING:
    from profiler.profile import LoadedProfile
    from profiler.score import Score
    from profiler.session_folder import SessionFolder

__all__ = ["demo"]

_KNOBS = ("drive_db=0:40", "cutoff_frequency_hz=800:8000:log", "threshold_db=-40:0")
_SETTINGS = {
    "soft": {"drive_db": 6.0, "cutoff_frequency_hz": 6000.0, "threshold_db": -30.0},
    "hard": {"drive_db": 36.0, "cutoff_frequency_hz": 2500.0, "threshold_db": -12.0},
}
_SAMPLE_RATE = 48_000
_TRACK_SECONDS = 15
_TRACK_SEED = 2026  # playing that neither training nor the held-out takes have


@dataclass
class _Stopwatch:
    """Seconds by phase."""

    seconds: dict[str, float] = field(default_factory=dict)
    _begun: float = field(default_factory=time.monotonic)

    def lap(self, phase: str) -> None:
        """Put the time since the last lap down to a phase."""
        now = time.monotonic()
        self.seconds[phase], self._begun = round(now - self._begun, 1), now


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder that everything goes into.")] = Path("demo"),
    *,
    budget: Annotated[str, typer.Option(help="Time to learn in.")] = "2m",
    steps: Steps = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Profile a distortion, filter and compressor with a knob each, score it, render a track, write a report."""
    parse_length(budget)  # a misspelt one is told now, not after the capture
    screen, watch = Screen(as_json), _Stopwatch()
    screen.say("Casting a chain of distortion, low-pass and compressor, one knob each. No hardware is needed.")
    folder = _captured(screen, out / "session", seed)
    watch.lap("capture")
    loaded = _trained(screen, folder, out, budget=budget, steps=steps, seed=seed)
    watch.lap("train")
    profile = out / "demo.tonecast"
    loaded, score = _scored(screen, loaded, folder, profile)
    watch.lap("evaluate")
    tracks = _rendered(screen, loaded, folder, out)
    watch.lap("render")
    _reported(screen, loaded, folder, out / "report.html")
    watch.lap("report")
    screen.show(score_table(score, folder.session))
    screen.say(
        f"ESR {score.esr:.4f} on settings and playing that training never heard; "
        f"by setting: median {score.esr_median:.4f}, worst {score.esr_worst:.4f}"
    )
    screen.say("Time: " + ", ".join(f"{phase} {clock(seconds)}" for phase, seconds in watch.seconds.items()))
    screen.say(f"Open {out / 'report.html'} and listen; or render your own: tonecast render {profile} IN.wav OUT.wav")
    provenance = loaded.profile.provenance
    for finding in provenance.findings:
        screen.say(f"{finding.severity}: {finding.message}")
    screen.result(
        {
            **plain(score),
            "seconds": watch.seconds,
            "steps": provenance.steps,
            "limited_by": provenance.limited_by,
            "profile": str(profile),
            "report": str(out / "report.html"),
            "tracks": [str(track) for track in tracks],
        }
    )


def _captured(screen: Screen, path: Path, seed: int) -> "SessionFolder":
    import importlib.resources

    from capture.plan import moving_plan
    from capture.plugin_rig import PluginRig, choose_knobs, open_gear
    from capture.recorder import record
    from profiler.session import CaptureSession
    from profiler.session_folder import SessionFolder

    with importlib.resources.as_file(importlib.resources.files("presets") / "demo_chain.json") as chain:
        gear = open_gear(str(chain))
    knobs = choose_knobs(gear, _KNOBS)
    rig = PluginRig(gear, knobs, sample_rate=_SAMPLE_RATE)
    folder = SessionFolder.create(path, CaptureSession(gear=gear, knobs=knobs, sample_rate=_SAMPLE_RATE))
    with screen.progress("capture") as tell:
        plan = moving_plan(knobs, sample_rate=_SAMPLE_RATE, seed=seed, replicate=True)
        record(folder, rig, plan, on_progress=tell)
    return folder


def _trained(
    screen: Screen, folder: "SessionFolder", out: Path, *, budget: str, steps: int | None, seed: int
) -> "LoadedProfile":
    from profiler.training import Schedule, TrainingPlan, forget_checkpoint, train, training_device

    schedule = Schedule(steps=steps) if steps else Schedule(budget_seconds=parse_length(budget))
    path = out / "demo.tonecast"
    with screen.progress("train") as tell, stoppable() as stopped:
        # All of the time is for one effect to show.
        plan = TrainingPlan(schedule=schedule, seed=seed, light=False, device=training_device("auto"))
        loaded = train(folder, plan, path, on_progress=tell, stopped=stopped)
    forget_checkpoint(path)
    return loaded


def _scored(
    screen: Screen, loaded: "LoadedProfile", folder: "SessionFolder", path: Path
) -> tuple["LoadedProfile", "Score"]:
    """Score what was learnt, and keep it."""
    from profiler.evaluation import scored
    from profiler.oversampling import well_oversampled
    from profiler.profile_file import save
    from profiler.ship_gate import gated

    loaded = gated(well_oversampled(loaded, folder), folder)
    with screen.progress("evaluate") as tell:
        loaded, score = scored(loaded, folder, only_unseen=True, on_progress=tell)
    save(path, loaded)
    return loaded, score


def _rendered(screen: Screen, loaded: "LoadedProfile", folder: "SessionFolder", out: Path) -> list[Path]:
    """Render a track at two settings, and through the gear itself to compare."""
    from capture.plugin_rig import PluginRig
    from profiler.audio import Audio
    from profiler.audio_file import write_audio
    from profiler.knob import checked_settings
    from profiler.knob_track import KnobTrack
    from profiler.programme import programme
    from profiler.rendering import ProfileProcessor, render_file

    dry = programme(_TRACK_SEED, sample_rate=_SAMPLE_RATE, frames=_TRACK_SECONDS * _SAMPLE_RATE)[None]
    audio = Audio(samples=dry, sample_rate=_SAMPLE_RATE)
    track = out / "track.wav"
    write_audio(track, audio)
    rig = PluginRig(folder.session.gear, folder.session.knobs, sample_rate=_SAMPLE_RATE)
    written = [track]
    for name, settings in _SETTINGS.items():
        target = out / f"track_{name}.wav"
        with screen.progress("render") as tell:
            render_file(ProfileProcessor(loaded, settings), track, target, on_progress=tell)
        through_gear = rig.play(
            audio, KnobTrack.still(checked_settings(folder.session.knobs, settings)), on_done=lambda _: None
        )
        write_audio(out / f"track_{name}_gear.wav", through_gear)
        written += [target, out / f"track_{name}_gear.wav"]
    return written


def _reported(screen: Screen, loaded: "LoadedProfile", folder: "SessionFolder", path: Path) -> None:
    from profiler.report import write_report

    with screen.progress("report") as tell:
        write_report(path, loaded, loaded.profile.score, folder=folder, on_progress=tell)
