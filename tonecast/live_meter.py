"""The live meter: how loud send and return are while a take is recorded, in the line that tells its progress."""

import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from profiler.progress import Progress, ProgressCallback

if TYPE_CHECKING:
    from capture.interface import Meter

__all__ = ["LiveMeter"]

_CELLS = 8
_LOWEST_DB = -48.0
_CLIPS_DB = -0.1


class LiveMeter:
    """Hears levels, and tells them with how much is played. Without a terminal, nobody looks at a meter."""

    def __init__(self, names: tuple[str, str] = ("send", "return")) -> None:
        self._names = names
        self._latest: Meter | None = None
        self._is_seen = sys.stderr.isatty()

    def hear(self, meter: "Meter") -> None:
        """Take in the levels of the last tenth of a second."""
        self._latest = meter

    def told(self, tell: ProgressCallback) -> Callable[[float], None]:
        """Return what hears how much of a take has been played, and draws it with the levels and the time left."""

        def draw(done: float) -> None:
            meter = self._latest
            left = None if meter is None else meter.seconds_left
            tell(Progress(step="recording", done=done, seconds_left=left, note=self.words if self._is_seen else ""))

        return draw

    @property
    def words(self) -> str:
        """The levels of now as bars: `send ######-- -13  return ########  -1 CLIPS`."""
        if self._latest is None:
            return ""
        levels = (self._latest.send_db, self._latest.return_db)
        return "  ".join(f"{name} {_bar(level)}" for name, level in zip(self._names, levels, strict=True))


def _bar(level_db: float) -> str:
    full = min(max(math.ceil(_CELLS * (1 - level_db / _LOWEST_DB)), 0), _CELLS)
    clips = " CLIPS" if level_db > _CLIPS_DB else ""
    return f"{'#' * full}{'-' * (_CELLS - full)} {max(level_db, -99):3.0f}{clips}"
