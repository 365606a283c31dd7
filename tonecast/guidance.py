"""Guidance in a terminal: says what to turn, listens to a line at a time, and tells what became of each take."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

from capture.guide import Guide, Recorded
from capture.guide_step import Step
from profiler.errors import GearError, KnobError, SessionError, TakeRejectedError
from profiler.finding import Finding
from profiler.knob import find_knob
from tonecast.console import Screen, clock
from tonecast.live_meter import LiveMeter

__all__ = ["Guidance", "guide_through"]

_KEYS = "Enter records, b goes back, r [TAKE] records again, n KNOB=VALUE notes a value, s skips, q stops, ? helps"
_HELP = """\
Enter         record this take
b             go back to the take before; there, n notes where a knob stood, and s goes on without recording again
r, r 3        record the last take again, or take 3
n KNOB=VALUE  note where a knob stands, if it is not where it was wanted
s             leave this take out
q             stop; --resume goes on here"""


@dataclass
class Guidance:
    """Leads one sitting. `stopped` says whether the player left before the end."""

    guide: Guide
    screen: Screen
    lines: TextIO = field(default_factory=lambda: sys.stdin)
    meter: LiveMeter = field(default_factory=LiveMeter)
    stopped: bool = False
    _scripted: bool = field(init=False, default=False)
    _by_itself: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._scripted = not self.lines.isatty()

    def lead(self) -> None:
        """Go through all steps, until they are done or the player stops.

        What the player asks for that cannot be is told, and asked again. From a script, it is raised: SessionError
        when the script ends before the plan, or whatever a line of it was wrong about. Gear that fails ends a script
        too; in a terminal the take can be tried again.
        """
        self._say(_KEYS)
        while not self.stopped:
            step = self.guide.next_step()
            if step is not None and self._needs_no_hand(step):
                self._by_itself = step.number
                self._say(f"\n{step.title}. No hand is needed. ({clock(step.seconds_left)} left)")
                self._answer("")
            elif step is not None:
                self._say(f"\n{step.title}. {step.instruction} ({clock(step.seconds_left)} left)")
                self._answer(self._line())
            elif self._leaves_it_so():
                return

    def _needs_no_hand(self, step: Step) -> bool:
        """Return whether a step may begin without asking, which it does once."""
        return bool(self.guide.options.self_turning) and not (
            step.turns or step.recorded or step.number == self._by_itself
        )

    def _answer(self, line: str) -> None:
        """Do what the player asks for; what cannot be is told, unless nobody is there to hear it."""
        key, _, rest = line.strip().partition(" ")
        try:
            self._act(key.lower(), rest.strip())
        except (GearError, KnobError, SessionError, TakeRejectedError) as error:
            if self._scripted:
                raise
            self._say(str(error))

    def _act(self, key: str, rest: str) -> None:
        plain: dict[str, Callable[[], None]] = {
            "": self._record,
            "b": self.guide.back,
            "s": self.guide.skip,
            "q": self._stop,
            "?": lambda: self._say(_HELP),
        }
        if key in plain and not rest:
            plain[key]()
        elif key == "r":
            self.guide.redo(_take_number(rest))
        elif key == "n":
            self._note(rest)
        else:
            raise SessionError(f"{key!r} is no key here. {_KEYS}.")

    def _line(self) -> str:
        if not self._scripted:
            self._say("> ", end="")
        line = self.lines.readline()
        if not line:
            if self._scripted:
                raise SessionError(
                    "Standard input ended before the plan did. A guided capture wants a terminal, or a line for each "
                    "step (an empty one records). What was recorded is on disk; --resume goes on."
                )
            self._stop()
            return "?"
        return line

    def _record(self) -> None:
        with self.screen.progress("recording") as tell:
            recorded = self.guide.record(on_done=self.meter.told(tell))
        for finding in recorded.findings:
            self._say(f"  {_mark(finding)}{finding.message}")
        self._say(f"Take {recorded.step.number}: {_outcome(recorded)}")

    def _note(self, text: str) -> None:
        knob, equals, value = text.partition("=")
        if not (knob.strip() and equals and value.strip()):
            raise KnobError(f"{text!r} notes nothing. Write: n KNOB=VALUE.")
        found = find_knob(self.guide.folder.session.knobs, knob.strip())
        self.guide.note(found.id, value.strip())
        self._say(f"Noted: {found.name} at {found.spelt(found.checked(value.strip()))}.")

    def _stop(self) -> None:
        self.stopped = True

    def _leaves_it_so(self) -> bool:
        """Tell which takes failed or were left out, if any, and return whether the player goes without them."""
        left = ((self.guide.failed, "failed"), (self.guide.skipped, "left out"))
        told = [f"{what}: {', '.join(map(str, numbers))}" for numbers, what in left if numbers]
        if not told:
            return True
        self._say(f"\nNo take is left. {'; '.join(told).capitalize()}. r and a number records one, Enter ends.")
        if not self._scripted:
            self._say("> ", end="")
        line = self.lines.readline()
        if line.strip() in ("", "q"):
            return True
        self._answer(line)
        return False

    def _say(self, text: str, end: str = "\n") -> None:
        """Print words, beside the JSON object when one is asked for."""
        stream = sys.stderr if self.screen.as_json else sys.stdout
        stream.write(text + end)
        stream.flush()


def guide_through(guide: Guide, screen: Screen, lines: TextIO | None = None, *, meter: LiveMeter | None = None) -> bool:
    """Lead a sitting from a terminal, or from scripted lines. Return whether every step was done."""
    guidance = Guidance(guide, screen, sys.stdin if lines is None else lines, meter or LiveMeter())
    guidance.lead()
    return not guidance.stopped


def _take_number(text: str) -> int | None:
    """Read the number of a take; None when there is none."""
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise SessionError(f"{text!r} is no take. Write r and its number, such as: r 3.")
    return int(text)


def _mark(finding: Finding) -> str:
    return {"note": "", "warning": "Warning: ", "error": "Failed: "}[finding.severity]


def _outcome(recorded: Recorded) -> str:
    if recorded.passed:
        return "recorded."
    if not recorded.kept:
        return "failed; the earlier recording, which is better, was kept. Redo? r goes back to it."
    return "failed, and is kept until there is a better one. Redo? r goes back to it."
