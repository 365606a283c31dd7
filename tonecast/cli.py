"""The commands, and what becomes of their errors."""

import sys
from collections.abc import Sequence

import typer

from profiler.errors import AutomationError, ChainError, GearError, KnobError, PresetError, ProfilerError, SplitError
from tonecast.commands.backup import backup, restore
from tonecast.commands.capture import capture_files, capture_plugin
from tonecast.commands.capture_hardware import capture_hardware
from tonecast.commands.check import check
from tonecast.commands.demo import demo
from tonecast.commands.doctor import doctor
from tonecast.commands.evaluate import evaluate
from tonecast.commands.export import export
from tonecast.commands.library import invite, login, pull, push, search
from tonecast.commands.more import capture_more
from tonecast.commands.play import capture_play
from tonecast.commands.presets import presets
from tonecast.commands.render import render
from tonecast.commands.report import report
from tonecast.commands.serve import serve
from tonecast.commands.train import train
from tonecast.commands.verify import verify
from tonecast.commands.worker import worker

__all__ = ["app", "run"]

_WRONG_USE = (AutomationError, ChainError, GearError, KnobError, PresetError, SplitError)
"""Errors about what was typed; they exit with 2. All others exit with 1."""

app = typer.Typer(
    help="Cast the sound of any audio effect, knobs included, into a profile, and play it on any track.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
_capture = typer.Typer(help="Record what gear does to a dry signal.", no_args_is_help=True)
_capture.command("plugin")(capture_plugin)
_capture.command("files")(capture_files)
_capture.command("more")(capture_more)
_capture.command("hardware")(capture_hardware)
_capture.command("play")(capture_play)
app.command()(demo)
app.add_typer(_capture, name="capture")
app.command()(check)
app.command()(train)
app.command()(evaluate)
app.command()(report)
app.command()(presets)
app.command()(render)
app.command()(export)
app.command()(serve)
app.command()(worker)
for command in (login, push, pull, search, invite, backup, restore, verify):
    app.command()(command)
app.command()(doctor)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 used wrongly, 130 interrupted."""
    try:
        app(list(arguments), prog_name="tonecast")
    except SystemExit as stop:  # typer's own end: help, wrong options, typer.Exit
        return stop.code if isinstance(stop.code, int) else 1
    except KeyboardInterrupt:
        return _told("Interrupted. What was finished before is on disk.", 130)
    except ProfilerError as error:
        return _told(str(error), 2 if isinstance(error, _WRONG_USE) else 1)
    return 0


def _told(message: str, code: int) -> int:
    sys.stderr.write(f"tonecast: {message}\n")
    return code
