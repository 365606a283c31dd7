"""What watches a server: is it alive, and can it work?"""

from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter

from api.http.asking import Lib
from api.problem import Problem

__all__ = ["Health", "routes"]

routes = APIRouter(tags=["operations"])


@dataclass(frozen=True, kw_only=True)
class Health:
    """A server that answers."""

    status: Literal["ok"] = "ok"


@routes.get("/health")
def health() -> Health:
    """Say that the process answers."""
    return Health()


@routes.get("/ready")
def ready(library: Lib) -> Health:
    """Say that database and storage answer too."""
    library.database.ping()
    try:
        library.storage.check()
    except OSError as error:
        raise Problem(503, "Storage gone", f"The storage does not answer: {error}.", retry_after_seconds=5) from error
    return Health()
