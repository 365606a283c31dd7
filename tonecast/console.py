"""What people see: progress with time left and plain tables, or one JSON object and nothing else."""

import contextlib
import json
import signal
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from pydantic import TypeAdapter
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table
from rich.text import Text

from profiler.profile import LightEffect, Profile
from profiler.progress import Progress, ProgressCallback
from profiler.score import Listening, Score, TakeScore
from profiler.session import CaptureSession, described

__all__ = [
    "Screen",
    "clock",
    "listening_words",
    "plain",
    "score_table",
    "sizes_json",
    "sizes_words",
    "stoppable",
    "text_table",
]


_BAR_WIDTH = 20  # leaves room for the levels of send and return in a terminal of 100 columns


@dataclass(frozen=True)
class Screen:
    """Where a command talks: words to standard output unless JSON goes there, progress to standard error."""

    as_json: bool = False

    def say(self, message: object = "") -> None:
        """Print words or a table, in JSON mode nowhere."""
        if not self.as_json:
            Console(soft_wrap=isinstance(message, str), highlight=False).print(message, markup=False)

    def show(self, table: Table) -> None:
        """Print a table, in JSON mode nowhere."""
        if not self.as_json:
            Console(highlight=False).print(table)

    def result(self, value: Any) -> None:
        """Print the one JSON object, in JSON mode only."""
        if self.as_json:
            sys.stdout.write(json.dumps(plain(value), allow_nan=False) + "\n")

    @contextlib.contextmanager
    def progress(self, label: str) -> Iterator[ProgressCallback]:
        """Yield a callback that draws a bar with the time left, or tells every tenth where there is no terminal."""
        console = Console(stderr=True)
        if not console.is_terminal:
            yield _tenths(label)
            return
        columns = (
            TextColumn("{task.description:10}"),
            BarColumn(bar_width=_BAR_WIDTH),
            TextColumn("{task.percentage:>3.0f}%  {task.fields[left]}  {task.fields[note]}"),
        )
        with ProgressBar(*columns, console=console) as bar:
            task = bar.add_task(label, total=1.0, left="", note="")
            yield lambda progress: bar.update(task, completed=progress.done, left=_left(progress), note=progress.note)


def plain(value: Any) -> Any:
    """Return a dataclass, or a dictionary with dataclasses in it, as plain JSON values."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return TypeAdapter(type(value)).dump_python(value, mode="json")


def clock(seconds: float) -> str:
    """Return a length of time as people say it: 48 s, 3 min 05 s."""
    whole = max(round(seconds), 0)
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60:02} s"


def text_table(
    titles: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str | None = None,
    to_the_right: Collection[str] = (),
) -> Table:
    """Return a table whose long cells go on below.

    Cells are shown to the letter: a knob may be called "gain [db]", and rich would take that for markup.
    """
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in titles:
        table.add_column(name, justify="right" if name in to_the_right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def score_table(score: Score, session: CaptureSession, *, rows: int = 12) -> Table:
    """Return the worst takes of an evaluation as a table that fits a terminal of 100 columns."""
    measures = ("ESR", "STFT", "MFCC", "LU", "dB")
    return text_table(
        ("take", "settings", *measures, "grade", ""),
        (_score_cells(row, session) for row in score.takes[:rows]),
        title="Worst first",
        to_the_right=("take", *measures),
    )


def _score_cells(row: TakeScore, session: CaptureSession) -> tuple[str, ...]:
    stft, mfcc, _, loudness = _listening_cells(row.listening)
    esr = f"silent, learnt {row.predicted_db:.0f} dB" if row.esr is None else f"{row.esr:.4f}"
    measures = (esr, stft, mfcc, loudness, f"{row.target_db:.0f}")
    return str(row.take), described(session.knobs, row.knobs), *measures, row.grade or "", row.news


def listening_words(listening: Listening | None) -> str:
    """Return the listening measures of an evaluation on one line, as a person reads them."""
    stft, mfcc, points, loudness = (cell or "-" for cell in _listening_cells(listening))
    return f"MR-STFT {stft}, MFCC-L1 {mfcc} (listeners would give {points} of 100), loudness {loudness} LU"


def _listening_cells(listening: Listening | None) -> tuple[str, str, str, str]:
    if listening is None:
        return "", "", "", ""
    figures = (
        (listening.mr_stft, ".3f"),
        (listening.mfcc_l1, ".2f"),
        (listening.listening_score, ".0f"),
        (listening.loudness_difference, "+.2f"),
    )
    one, two, three, four = ("" if value is None else format(value, spec) for value, spec in figures)
    return one, two, three, four


def sizes_words(profile: Profile) -> list[str]:
    """Return what a profile costs to play, and what its light size scores and costs, a line each."""
    lines = [f"It takes {_cost_words(profile)}"] if profile.cost else []
    if light := profile.light:
        score = light.score and light.score.esr
        esr = "no score" if score is None else f"ESR {score:.4f}"
        lines.append(f"Light (--size light): {esr}, {_cost_words(light)}")
    return lines


def sizes_json(profile: Profile) -> dict[str, Any]:
    """Return the same as JSON values."""
    light, score = profile.light, profile.light and profile.light.score
    if light is None:
        return {**_cost_json(profile), "light": None}
    scores = {name: score and getattr(score, name) for name in ("esr", "esr_median", "esr_worst")}
    training = {"steps": light.steps, "seconds": light.seconds}
    return {**_cost_json(profile), "light": {**scores, **training, **_cost_json(light)}}


def _cost_words(of: Profile | LightEffect) -> str:
    if of.cost is None:
        return "of unknown cost"
    speed = f"{of.cost.times_real_time:.3g} times real time on one core here"
    return f"{of.cost.multiply_adds} multiply-adds a frame, {speed}"


def _cost_json(of: Profile | LightEffect) -> dict[str, Any]:
    names = ("multiply_adds", "times_real_time")
    return {name: of.cost and getattr(of.cost, name) for name in names}


@contextlib.contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether Ctrl-C was pressed; a second Ctrl-C interrupts at once."""
    pressed = False

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            signal.default_int_handler(number, frame)
        pressed = True
        sys.stderr.write("\nStopping: keeping the best so far. Press Ctrl-C again to stop at once.\n")

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _left(progress: Progress) -> str:
    return "" if progress.seconds_left is None else f"{clock(progress.seconds_left)} left"


def _tenths(label: str) -> ProgressCallback:
    told = -1

    def tell(progress: Progress) -> None:
        nonlocal told
        if int(progress.done * 10) > told:
            told = int(progress.done * 10)
            words = (label, f"{told * 10}%", _left(progress), progress.note)
            sys.stderr.write("  ".join(word for word in words if word) + "\n")
            sys.stderr.flush()

    return tell
