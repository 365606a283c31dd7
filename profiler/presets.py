"""What ships with Tonecast: profiles and chains by name, and what each is good for.

Wherever a profile or a chain is named, `preset:NAME` means one that ships. On the command line and in tables of stems,
NAME alone does too, where no file is called so: a file on disk wins. In chain files it is always `preset:NAME`.
"""

import difflib
import functools
import importlib.resources
from dataclasses import dataclass
from pathlib import Path

from profiler.errors import PresetError
from profiler.manifest import read_manifest

__all__ = ["PREFIX", "Catalogue", "Preset", "catalogue", "effect_path", "named", "preset_path"]

PREFIX = "preset:"
"""What stands before the name of a preset where a path may stand."""

_CLOSE = 0.5


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A profile, or a chain, that ships: `knobs` are those that were learnt, as `capture plugin --knob` takes them."""

    name: str
    title: str
    about: str
    good_for: tuple[str, ...]
    made_from: str = ""
    knobs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """What `presets/presets.json` says: the profiles NAME.tonecast and the chains NAME.json beside it."""

    presets: tuple[Preset, ...]
    chains: tuple[Preset, ...]
    version: int = 0


@functools.cache
def catalogue() -> Catalogue:
    """Return all that ships. Raises ManifestError where the installation is damaged."""
    return read_manifest(Catalogue, _folder() / "presets.json")


def preset_path(name: str) -> Path:
    """Return the file of a preset. Raises PresetError that names those that are called nearly so."""
    files = {each.name: f"{each.name}.tonecast" for each in catalogue().presets}
    files |= {each.name: f"{each.name}.json" for each in catalogue().chains}
    if name not in files:
        near = difflib.get_close_matches(name, files, n=3, cutoff=_CLOSE)
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        raise PresetError(f"No file and no preset is called {name!r}.{meant} See all with: tonecast presets")
    return _folder() / files[name]


def effect_path(name: Path | str, folder: Path = Path()) -> Path:
    """Return the file of a profile or chain that is named by its path, which starts at `folder`, or as a preset.

    A name without folders and endings is a preset's where there is no such file. Raises PresetError as `preset_path`.
    """
    text = str(name)
    if text.startswith(PREFIX):
        return preset_path(text.removeprefix(PREFIX))
    path = folder / text
    if path.exists() or path.suffix or Path(text).name != text:
        return path
    return preset_path(text)


def named(path: str) -> str:
    """Return `preset:NAME` for the file of a preset, and any other path as it is."""
    file = Path(path)
    return PREFIX + file.stem if file.parent == _folder() else path


def _folder() -> Path:
    return Path(str(importlib.resources.files("presets")))
