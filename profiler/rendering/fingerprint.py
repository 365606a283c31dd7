"""Fingerprints of renders: what a rendered file depends on, so that only what has changed is rendered again."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from profiler.chain_file import Slot, read_chain
from profiler.rendering.render_job import RenderJob
from profiler.storage import sha256_of

__all__ = ["fingerprint"]

_FILES = ("source", "target", "effect", "automation")


def fingerprint(job: RenderJob) -> str:
    """Return a hash of the source, the effect with all that it refers to, the automation, the knobs and the options.

    A plugin is told by its file's size and date, an LV2 plugin by its URI. Raises OSError or ProfilerError when
    something is not there.
    """
    options = {name: value for name, value in asdict(job).items() if name not in _FILES}
    parts = [
        version("tonecast"),
        json.dumps(options, default=str, sort_keys=True),
        sha256_of(job.source),
        *([] if job.automation is None else [sha256_of(job.automation)]),
        *_of_effect(job.effect, ()),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _of_effect(path: Path, within: tuple[Path, ...]) -> Iterator[str]:
    yield sha256_of(path)
    if path.suffix == ".json" and path.resolve() not in within:
        for slot in _slots(read_chain(path).slots):
            yield from _of_slot(slot, (*within, path.resolve()))


def _slots(slots: tuple[Slot, ...]) -> Iterator[Slot]:
    for slot in slots:
        yield slot
        for branch in slot.branches:
            yield from _slots(branch.slots)


def _of_slot(slot: Slot, within: tuple[Path, ...]) -> Iterator[str]:
    match slot.kind:
        case "profile" | "ir" | "chain":
            yield from _of_effect(Path(slot.ref), within)
        case "plugin" if not slot.ref.startswith("lv2:"):
            stat = Path(slot.ref.partition("#")[0]).stat()
            yield f"{slot.ref} {stat.st_size} {stat.st_mtime_ns}"
