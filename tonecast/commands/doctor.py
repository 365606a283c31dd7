"""`tonecast doctor`: what works on this machine."""

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Callable
from pathlib import Path

import typer
from rich.table import Table
from rich.text import Text

from tonecast.console import Screen
from tonecast.options import AsJson

__all__ = ["doctor"]

_LEAST_FREE_BYTES = 2 << 30


def doctor(*, as_json: AsJson = False) -> None:
    """Say what works on this machine, and what to install for what does not."""
    screen = Screen(as_json)
    findings = [_checked(name, check, needed) for name, check, needed in _CHECKS]
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in findings:
        mark = "ok" if finding["works"] else "missing" if finding["needed"] else "absent"
        table.add_row(mark, str(finding["name"]), Text(str(finding["found"])))
    screen.show(table)
    healthy = all(finding["works"] or not finding["needed"] for finding in findings)
    screen.say("Everything that Tonecast needs works." if healthy else "Something that Tonecast needs is missing.")
    screen.result({"works": healthy, "checks": findings})
    if not healthy:
        raise typer.Exit(1)


def _checked(name: str, check: Callable[[], str], needed: bool) -> dict[str, object]:  # noqa: FBT001 - a table's column
    try:
        return {"name": name, "works": True, "needed": needed, "found": check()}
    except (ImportError, OSError, RuntimeError) as error:
        return {"name": name, "works": False, "needed": needed, "found": str(error)}


def _machine() -> str:
    return f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def _torch() -> str:
    import torch

    layer = torch.nn.LSTM(2, 4)
    layer(torch.zeros(8, 1, 2))[0].sum().backward()
    return f"torch {torch.__version__} trains on the processor ({torch.backends.cpu.get_cpu_capability()})"


def _engine() -> str:
    from profiler.effects.convolution import NO_ENGINE, engine_name

    name = engine_name()
    if name == "torch":
        raise OSError(NO_ENGINE)
    return f"the native engine, with {name}"


def _graphics_card() -> str:
    from profiler.training import device_name, gpu_trouble, training_device

    if trouble := gpu_trouble():
        raise OSError(f"none to train on, and none is needed: {trouble}")
    return f"{device_name(training_device('auto'))}, which trains unless told not to"


def _pedalboard() -> str:
    import numpy as np

    from profiler.pedalboard_effect import EFFECT_NAMES, PedalboardEffect

    PedalboardEffect("Distortion").process(np.zeros((1, 64), np.float32), 48_000)
    return f"pedalboard {importlib.metadata.version('pedalboard')}, {len(EFFECT_NAMES)} effects to capture"


def _lv2() -> str:
    from profiler.errors import GearError
    from profiler.plugins.lilv import World

    try:
        found = len(World().uris())
    except GearError as error:
        raise OSError(str(error)) from error
    return f"{found} LV2 plugins to capture; lv2ls lists them" if found else "liblilv, and no LV2 plugins yet"


def _plugin_files() -> str:
    from profiler.plugins import PLUGIN_SUFFIXES, plugin_folders

    found = {}
    for folder in plugin_folders():
        files = [file for suffix in PLUGIN_SUFFIXES for file in folder.rglob(f"*{suffix}")]
        # A bundle may hold a file of its own name; it is one plugin all the same.
        count = sum(not any(parent.suffix in PLUGIN_SUFFIXES for parent in file.parents) for file in files)
        if count:
            found[str(folder)] = count
    if not found:
        raise OSError(f"none in {', '.join(map(str, plugin_folders()))}; any FILE.vst3 can be captured where it lies")
    return ", ".join(f"{count} in {folder}" for folder, count in found.items())


def _audio_files() -> str:
    import soundfile

    return f"{soundfile.__libsndfile_version__} reads and writes {', '.join(('WAV', 'FLAC', 'AIFF'))}"


def _space() -> str:
    free = shutil.disk_usage(Path.cwd()).free
    if free < _LEAST_FREE_BYTES:
        raise OSError(f"{free >> 20} MB free here; a session takes up to {_LEAST_FREE_BYTES >> 20} MB. Free some.")
    return f"{free >> 30} GB free here"


def _interfaces() -> str:
    from capture.interface import list_interfaces
    from profiler.errors import GearError

    try:
        found = list_interfaces()
    except GearError as error:
        raise OSError(f"{error} To capture hardware, install PortAudio (Debian and Ubuntu: libportaudio2).") from error
    return f"{len(found)} to capture hardware with; tonecast capture hardware --list names them"


_CHECKS: tuple[tuple[str, Callable[[], str], bool], ...] = (
    ("machine", _machine, True),
    ("training", _torch, True),
    ("engine", _engine, False),
    ("plugins", _pedalboard, True),
    ("audio files", _audio_files, True),
    ("disk", _space, True),
    ("LV2 plugins", _lv2, False),
    ("VST3 plugins", _plugin_files, False),
    ("graphics card", _graphics_card, False),
    ("interfaces", _interfaces, False),
)
"""Name, check, and whether Tonecast needs it."""
