"""What every capture says when it is done: how much was recorded, what was found, and what to type next."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tonecast.console import Screen

if TYPE_CHECKING:
    from profiler.finding import Finding
    from profiler.session import CaptureSession

__all__ = ["summarise", "training_words"]


def training_words(session: "CaptureSession", out: Path) -> list[str]:
    """Return what to type to learn from a session."""
    return ["tonecast", "train", str(out), "--out", f"{session.gear.name}.tonecast"]


def summarise(
    screen: Screen,
    session: "CaptureSession",
    out: Path,
    *,
    following: Sequence[str],
    of_all: Sequence["Finding"] = (),
    more: Mapping[str, Any] | None = None,
) -> None:
    """Tell of a session: its takes, its findings, those `of_all` takes last, and the words of the `following` command.

    `more` is what this kind of capture adds to the JSON object.
    """
    seconds = sum(take.frames for take in session.takes) / session.sample_rate
    held_out = sum(take.held_out for take in session.takes)
    findings = [(take.number, finding) for take in session.takes for finding in take.findings]
    screen.say(f"{len(session.takes)} takes, {held_out} of them held out, {seconds / 60:.1f} minutes, in {out}")
    for number, finding in findings:
        screen.say(f"take {number}: {finding.message}")
    for finding in of_all:
        screen.say(finding.message)
    screen.say("Next: " + shlex.join(following))
    told = [*findings, *((None, finding) for finding in of_all)]
    screen.result(
        {
            "session": str(out),
            "takes": len(session.takes),
            "held_out": held_out,
            "audio_seconds": seconds,
            "findings": [{"take": number, "kind": each.kind, "message": each.message} for number, each in told],
            **(more or {}),
        }
    )
