"""A process that does the work of one job in its folder, and knows neither database nor storage.

`python -m api.jobs.child FOLDER` reads `order.json` and the files beside it, and prints a JSON object a line: progress,
findings, which file has the checkpoint and at how many steps it goes on, and at the end `result`, `error` or `stopped`.
A line on its standard input asks it to stop at the next checkpoint; where that input ends, whoever started it is gone,
and so is it.
"""

import json
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

from api.job import ORDER, ExportOrder, MatchOrder, Order, TrainOrder
from api.jobs.teller import Stopped, Teller
from profiler.errors import ProfilerError
from profiler.progress import Progress

__all__ = ["main"]

_LOCK_SECONDS = 120
_LEFT_ALONE = 75  # the exit code of one whose worker is gone


def main(arguments: list[str]) -> None:
    """Do the work of the job in a folder."""
    folder, teller = Path(arguments[0]), Teller()
    threading.Thread(target=_listen, args=(teller,), daemon=True).start()
    with FileLock(folder / ".lock", timeout=_LOCK_SECONDS):  # of a worker that was killed, the child may still end
        told = json.loads((folder / "order.json").read_text())
        order = ORDER.validate_python(told["order"])
        try:
            teller.progress(Progress(step="start", done=0.0))
            teller.say(result=_done(folder, order, told["title"], teller))
        except Stopped:
            teller.say(stopped=True)
        except ProfilerError as error:
            teller.say(error=str(error).replace(f"{folder}{os.sep}", ""))
        except (MemoryError, RecursionError) as error:
            teller.say(error=f"Reading it takes more than such a file does ({type(error).__name__}).")


def _done(folder: Path, order: Order, title: str, teller: Teller) -> dict[str, Any]:
    """Do the work; only what it takes is loaded."""
    if isinstance(order, TrainOrder):
        from api.jobs.training import trained  # noqa: PLC0415

        return trained(folder, order, title, teller)
    if isinstance(order, MatchOrder):
        from api.jobs.matching import matched  # noqa: PLC0415

        return matched(folder, order, teller)
    from api.jobs.playing import exported, rendered  # noqa: PLC0415

    return exported(folder, order, teller) if isinstance(order, ExportOrder) else rendered(folder, order, teller)


def _listen(teller: Teller) -> None:
    with suppress(OSError):
        while os.read(0, 64):  # by its number: a thread that waits in sys.stdin would keep Python from ending
            teller.stopping.set()
    os._exit(_LEFT_ALONE)


if __name__ == "__main__":
    main(sys.argv[1:])
