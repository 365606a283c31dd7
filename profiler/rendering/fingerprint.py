"""Fingerprints of renders: what a rendered file depends on, so that only what has changed is rendered again."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

from profiler.chain_file import Slot, read_chain
from profiler.rendering.render_job import RenderJob

__all__ = ["fingerprint"]

_FILES = ("source", "target", "effect", "automation")

Hashed: TypeAlias = Callable[[Path], str]


def fingerprint(job: RenderJob, hashed: Hashed) -> str:
    """Return a hash of the source, the effect with all that it refers to, the automation, the knobs and the options.

    `hashed` gives that of a file's content. A plugin is told by its file's size and date, an LV2 plugin by its URI.
    Raises OSError or ProfilerError when something is not there.
    """
    options = {name: value for name, value in asdict(job).items() if name not in _FILES}
    parts = [
        version("tonecast"),
        json.dumps(options, default=str, sort_keys=True),
        hashed(job.source),
        *([] if job.automation is None else [hashed(job.automation)]),
        *_of_effect(job.effect, hashed, ()),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _of_effect(path: Path, hashed: Hashed, within: tuple[Path, ...]) -> Iterator[str]:
    yield hashed(path)
    if path.suffix == ".json" and path.resolve() not in within:
        for part in read_chain(path).parts():
            if isinstance(part, Slot):
                yield from _of_slot(part, hashed, (*within, path.resolve()))


def _of_slot(slot: Slot, hashed: Hashed, within: tuple[Path, ...]) -> Iterator[str]:
    match slot.kind:
        case "profile" | "ir" | "chain":
            yield from _of_effect(Path(slot.ref), hashed, within)
        case "plugin" if not slot.ref.startswith("lv2:"):
            stat = Path(slot.ref.partition("#")[0]).stat()
            yield f"{slot.ref} {stat.st_size} {stat.st_mtime_ns}"
