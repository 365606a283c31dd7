"""What watches a server: is it alive, and can it work?"""

from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter

from api.http.asking import Lib

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
    library.storage.check()
    return Health()
