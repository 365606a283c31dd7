"""The application: the routes, what becomes of errors, and the gate around them."""

import threading
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from api.http import (
    account_pages,
    chain_jobs,
    edit_pages,
    job_pages,
    jobs,
    listening,
    matching,
    metrics,
    operations,
    page,
    people,
    profile_pages,
    profiles,
    shelf_pages,
    shelves,
    sounds,
    tag_pages,
    tags,
)
from api.http.asking import BEARER, KNOWN_NAMES
from api.http.gate import Gate
from api.http.metrics import Metrics
from api.http.problems import HANDLERS, PROBLEM_TYPE
from api.jobs.desk import Desk
from api.library import Library
from api.listening.listening import Listening
from api.problem import ProblemDetails

__all__ = ["create_app"]

_ABOUT = (
    "A library of profiles: files that play the sound of audio effects, with their knobs. Every reply that is not a "
    "success is a problem as RFC 9457 has it, in plain words. Filters have the names that TONE3000 gave them."
)
_SHARED = "#/components/schemas/{model}"


def create_app(
    library: Library,
    heard_by: Listening | None = None,
    desk: Desk | None = None,
    ending: threading.Event | None = None,
) -> Gate:
    """Return the application that serves a library; `heard_by` is who listens for it, if that is to be known.

    What is sent until it ends, ends when `ending` is set.
    """
    app = FastAPI(
        title="Tonecast library",
        version="1",
        summary="Profiles with knobs, to search and to share.",
        description=_ABOUT,
        docs_url=None,  # it would load its script from elsewhere
        redoc_url=None,
        exception_handlers=HANDLERS,
        redirect_slashes=False,
    )
    app.state.library = library
    app.state.metrics = Metrics(library)
    app.state.listening = heard_by or Listening(library)
    app.state.desk = desk or Desk(library)
    app.state.ending = ending or threading.Event()
    own = (account_pages.routes, edit_pages.routes, shelf_pages.routes, tag_pages.routes, job_pages.routes)
    pages = (page.routes, profile_pages.routes, *own)
    for public in (operations.routes, *pages):
        app.include_router(public)
    app.include_router(people.public_routes, dependencies=[KNOWN_NAMES])
    app.include_router(metrics.routes, dependencies=[BEARER])
    listens = (sounds.routes, listening.routes, matching.routes, tags.routes)
    works = (chain_jobs.routes, jobs.routes)
    for known in (profiles.routes, *listens, shelves.routes, people.routes, *works):
        app.include_router(known, dependencies=[BEARER, KNOWN_NAMES])
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return Gate(app, library=library, metrics=app.state.metrics)


def _described(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI page, on which every operation tells its problems."""
    if app.openapi_schema is None:
        page = get_openapi(
            title=app.title, version=app.version, summary=app.summary, description=app.description, routes=app.routes
        )
        details = TypeAdapter(ProblemDetails).json_schema(ref_template=_SHARED)
        schemas = page["components"]["schemas"]
        schemas |= details.pop("$defs")
        schemas["ProblemDetails"] = {**details, "examples": [_EXAMPLE]}
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for operations_of in page["paths"].values():
            for operation in operations_of.values():
                operation["responses"].pop("422", None)
                operation["responses"] |= _PROBLEMS
        app.openapi_schema = page
    return app.openapi_schema


_EXAMPLE = {
    "type": "about:blank",
    "status": 404,
    "title": "No such profile",
    "detail": "The library has no profile 7. Search for it by name.",
    "request_id": "0123456789abcdef",
    "errors": [],
}
_CONTENT = {PROBLEM_TYPE: {"schema": {"$ref": _SHARED.format(model="ProblemDetails")}}}
_PROBLEMS = {
    "4XX": {"description": "Refused: the problem says what was found and what to do.", "content": _CONTENT},
    "5XX": {"description": "The server cannot do it now.", "content": _CONTENT},
}
