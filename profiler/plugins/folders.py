"""Where the files of plugins lie."""

import os
import sys
from pathlib import Path

__all__ = ["PLUGIN_SUFFIXES", "plugin_folders"]

PLUGIN_SUFFIXES = (".vst3", ".component")
"""How the files of plugins end: VST3 everywhere, Audio Units on macOS."""


def plugin_folders() -> tuple[Path, ...]:
    """Return where the files of plugins lie on this system, whether or not the folders are there."""
    if sys.platform == "win32":
        return (Path(os.environ.get("COMMONPROGRAMFILES", r"C:\Program Files\Common Files")) / "VST3",)
    if sys.platform == "darwin":
        library = Path("Library/Audio/Plug-Ins")
        return tuple(root / library / kind for root in (Path.home(), Path("/")) for kind in ("VST3", "Components"))
    return (Path.home() / ".vst3", Path("/usr/local/lib/vst3"), Path("/usr/lib/vst3"))
