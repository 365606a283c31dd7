"""The log of servers and workers: one JSON object a line on standard error, with the number of its request or job."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

__all__ = ["LOG", "start_logging"]

LOG = logging.getLogger("tonecast.server")


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told: dict[str, Any] = {"at": at, "level": record.levelname.lower(), "logger": record.name}
        told["event"] = record.getMessage()
        told |= getattr(record, "fields", {})
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told, default=str)


class _StandardError(logging.Handler):
    """Writes to whatever is standard error then: what it was at the start may have been closed since."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 - as the handlers of `logging` do: no line of the log stops the work
            self.handleError(record)


def start_logging(level: str = "INFO") -> None:
    """Have this program's messages, uvicorn's and DBOS's written as JSON lines."""
    handler = _StandardError()
    handler.setFormatter(_JsonLines())
    for name in ("tonecast", "uvicorn", "dbos"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel("WARNING" if name == "dbos" else level)  # which tells of every start
        logger.propagate = False
    logging.getLogger("uvicorn.access").disabled = True  # the gate writes a line for each request, and says who asked
