"""Replies that are not a success: problem details, in plain words, with the number of the request."""

from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.http.forms import own_path
from api.page import STATIC, rendered
from api.problem import Problem, ProblemDetails, Refusal
from profiler.errors import StorageError

__all__ = ["HANDLERS", "PROBLEM_TYPE", "html", "problem_response", "refusal"]

PROBLEM_TYPE = "application/problem+json"
_DETAILS = TypeAdapter(ProblemDetails)
_MOST_REFUSALS = 20
_FOR_PROGRAMS = ("/api/", "/health", "/ready", "/openapi.json", "/metrics", STATIC + "/")
_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Not none at all: forms would then say that they come from nowhere, and be refused.
    "Referrer-Policy": "same-origin",
}


def problem_response(problem: Problem, request_id: str | None, *, errors: tuple[Refusal, ...] = ()) -> Response:
    """Return the reply that tells a problem."""
    details = ProblemDetails(
        status=problem.status, title=problem.title, detail=problem.detail, request_id=request_id, errors=errors
    )
    headers = {}
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="tonecast"'
    if problem.retry_after_seconds is not None:
        headers["Retry-After"] = str(problem.retry_after_seconds)
    return Response(_DETAILS.dump_json(details), problem.status, headers, media_type=PROBLEM_TYPE)


def html(page: str, status: int = 200) -> Response:
    """Return a page as a reply, which runs no script and loads nothing but what this server has."""
    return Response(page, status, _PAGE_HEADERS, media_type="text/html; charset=utf-8")


def refusal(
    scope: MutableMapping[str, Any], problem: Problem, request_id: str | None, *, errors: tuple[Refusal, ...] = ()
) -> Response:
    """Return the reply that tells a problem: as a page to people who look at pages, as JSON to all else."""
    is_for_people = not scope["path"].startswith(_FOR_PROGRAMS) and "text/html" in Headers(scope=scope).get(
        "accept", ""
    )
    response = problem_response(problem, request_id, errors=errors)
    if not is_for_people:
        return response
    is_stranger = problem.status == HTTPStatus.UNAUTHORIZED
    told = {"who": None, "here": own_path(scope["path"]), "problem": None if is_stranger else problem.args[0]}
    title = {} if is_stranger else {"title": problem.title, "request_id": request_id}
    page = html(rendered("sign_in" if is_stranger else "problem", **told, **title), problem.status)
    for name in ("www-authenticate", "retry-after"):
        if name in response.headers:
            page.headers[name] = response.headers[name]
    return page


def _request_id(request: Request) -> str | None:
    return getattr(request.state, "request_id", None)


async def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - that is what it is registered for
    return refusal(request.scope, error, _request_id(request))


async def _refused(request: Request, error: Exception) -> Response:
    """Tell what is wrong with a request, never with what was sent: it may be anything."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    refusals = tuple(
        Refusal(place=".".join(str(part) for part in each["loc"])[:200], message=str(each["msg"])[:300])
        for each in error.errors()[:_MOST_REFUSALS]
    )
    detail = "; ".join(f"{each.place}: {each.message}" for each in refusals)
    return refusal(request.scope, Problem(422, "Not understood", detail), _request_id(request), errors=refusals)


async def _http(request: Request, error: Exception) -> Response:
    """Tell what Starlette refuses: paths and methods that are not there, bodies that are not JSON."""
    assert isinstance(error, HTTPException)  # noqa: S101
    title = HTTPStatus(error.status_code).phrase
    response = refusal(request.scope, Problem(error.status_code, title, f"{error.detail}."), _request_id(request))
    response.headers.update(error.headers or {})
    return response


async def _disk(request: Request, error: Exception) -> Response:
    return refusal(request.scope, Problem(507, "Storage refused", str(error)), _request_id(request))


HANDLERS: dict[int | type[Exception], Any] = {
    Problem: _told,
    RequestValidationError: _refused,
    HTTPException: _http,
    StorageError: _disk,
}
"""What FastAPI does with each kind of error."""
