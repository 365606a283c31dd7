"""`tonecast train`: learn a session's gear."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tonecast.console import Screen, clock, score_table, sizes_json, sizes_words, stoppable
from tonecast.options import AsJson, Out, Seed, parse_length

if TYPE_CHECKING:
    from profiler.profile import Profile
    from profiler.session_folder import SessionFolder
    from profiler.training import TrainingPlan
    from profiler.verdict import Verdict

__all__ = ["train"]


def train(  # noqa: PLR0913 - one parameter an option
    session: Annotated[Path, typer.Argument(help="A capture session's folder.")],
    out: Out,
    *,
    budget: Annotated[str | None, typer.Option(help="Time to learn in, such as 90s or 5m. [default: 5m]")] = None,
    steps: Annotated[int | None, typer.Option(help="Learn for so many steps instead: exact by seed.", min=1)] = None,
    hold_out: Annotated[
        list[str] | None, typer.Option(help="Never learn from: time=last:0.2, KNOB=VALUE or take:7. Repeatable.")
    ] = None,
    warm_start: Annotated[
        Path | None,
        typer.Option(help="A profile or preset to go on from: these takes refine it, and what it knew stays."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training that was stopped.")] = False,
    light: Annotated[
        bool, typer.Option("--light/--no-light", help="Whether to learn a light effect, given 100 s or more.")
    ] = True,
    device: Annotated[
        str, typer.Option(help="What learns: cpu, cuda, or auto for a GPU that torch can use, where there is one.")
    ] = "auto",
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Train a profile and score it on what it never heard. Ctrl-C keeps the best so far."""
    from profiler.effects.convolution import NO_ENGINE, engine_name
    from profiler.presets import effect_path
    from profiler.profile_file import check_suffix
    from profiler.session_folder import SessionFolder
    from profiler.split import Split, parse_hold_out
    from profiler.training import Schedule, TrainingPlan, WarmStart, device_name, forget_checkpoint, training_device

    if budget is not None and steps is not None:
        raise typer.BadParameter("--budget ends training by time, --steps by count. Give one of them.")
    check_suffix(out)
    plan = TrainingPlan(
        schedule=Schedule(steps=steps) if steps else Schedule(budget_seconds=parse_length(budget or "5m")),
        split=Split(hold_outs=tuple(parse_hold_out(text) for text in hold_out or [])),
        seed=seed,
        light=light,
        warm_start=WarmStart.read(effect_path(warm_start)) if warm_start else None,
        device=training_device(device),
    )
    screen = Screen(as_json)
    folder = SessionFolder.open(session)
    if plan.device.type == "cuda":
        screen.say(f"Convolutional effects learn on {device_name(plan.device)}.")
    elif engine_name() == "torch":
        screen.say(f"{NO_ENGINE}.")
    profile, found = _trained(screen, folder, plan, out, resume=resume)
    if found.limited_by != "interrupted":
        forget_checkpoint(out)
    if profile.score:
        screen.show(score_table(profile.score, folder.session))
    _show(screen, out, profile, found)


def _trained(
    screen: Screen, folder: "SessionFolder", plan: "TrainingPlan", out: Path, *, resume: bool
) -> tuple["Profile", "Verdict"]:
    """Check, train, score and write down what limits the result. A profile is on disk as soon as there is one."""
    from dataclasses import replace

    from profiler.checks import check_session, noise_power
    from profiler.evaluation import scored
    from profiler.oversampling import well_oversampled
    from profiler.profile_file import save
    from profiler.ship_gate import gated
    from profiler.training import train as train_profile
    from profiler.verdict import concluded

    with screen.progress("check") as tell:
        check = check_session(folder, on_progress=tell)
    plan = replace(plan, noise_power=noise_power(check))
    with screen.progress("train") as tell, stoppable() as stopped:
        loaded = train_profile(folder, plan, out, resume=resume, on_progress=tell, stopped=stopped)
    save(out, loaded)
    with screen.progress("aliasing") as tell:
        loaded = well_oversampled(loaded, folder, on_progress=tell)
    with screen.progress("gate") as tell:
        loaded = gated(loaded, folder, on_progress=tell)
    with screen.progress("evaluate") as tell:
        loaded, _ = scored(loaded, folder, only_unseen=True, on_progress=tell)
    loaded, found = concluded(loaded, check)
    save(out, loaded)
    return loaded.profile, found


def _show(screen: Screen, out: Path, profile: "Profile", found: "Verdict") -> None:
    """Say what training came to."""
    provenance, esr, light = profile.provenance, profile.score and profile.score.esr, profile.light
    for finding in found.findings:
        screen.say(f"{finding.severity}: {finding.message}")
    seconds = round(provenance.seconds + (light.seconds if light else 0.0), 1)
    steps = f"{provenance.steps} steps" + (f", and {light.steps} of the light effect," if light else "")
    screen.say(f"{out}: {steps} in {clock(seconds)}")
    screen.say("Nothing was held out, so there is no score." if esr is None else f"ESR {esr:.4f}")
    if profile.oversampling > 1:
        screen.say(f"It is played at {profile.oversampling} times its rate: it would alias more than the gear does.")
    for line in sizes_words(profile):
        screen.say(line)
    screen.say(found.reason)
    screen.result(
        {
            "esr": esr,
            "seconds": seconds,
            "steps": provenance.steps,
            "audio_seconds": provenance.audio_seconds,
            "profile": str(out),
            "limited_by": provenance.limited_by,
            "oversampling": profile.oversampling,
            **sizes_json(profile),
            "reason": found.reason,
            "findings": found.findings,
        }
    )
