"""Replies that are not a success: problem details, in plain words, with the number of the request."""

from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.problem import Problem, ProblemDetails, Refusal
from profiler.errors import StorageError

__all__ = ["HANDLERS", "PROBLEM_TYPE", "problem_response"]

PROBLEM_TYPE = "application/problem+json"
_DETAILS = TypeAdapter(ProblemDetails)
_MOST_REFUSALS = 20


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


def _request_id(request: Request) -> str | None:
    return getattr(request.state, "request_id", None)


async def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - that is what it is registered for
    return problem_response(error, _request_id(request))


async def _refused(request: Request, error: Exception) -> Response:
    """Tell what is wrong with a request, never with what was sent: it may be anything."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    refusals = tuple(
        Refusal(place=".".join(str(part) for part in each["loc"])[:200], message=str(each["msg"])[:300])
        for each in error.errors()[:_MOST_REFUSALS]
    )
    detail = "; ".join(f"{each.place}: {each.message}" for each in refusals)
    return problem_response(Problem(422, "Not understood", detail), _request_id(request), errors=refusals)


async def _http(request: Request, error: Exception) -> Response:
    """Tell what Starlette refuses: paths and methods that are not there, bodies that are not JSON."""
    assert isinstance(error, HTTPException)  # noqa: S101
    title = HTTPStatus(error.status_code).phrase
    response = problem_response(Problem(error.status_code, title, f"{error.detail}."), _request_id(request))
    response.headers.update(error.headers or {})
    return response


async def _disk(request: Request, error: Exception) -> Response:
    return problem_response(Problem(507, "Storage refused", str(error)), _request_id(request))


HANDLERS: dict[int | type[Exception], Any] = {
    Problem: _told,
    RequestValidationError: _refused,
    HTTPException: _http,
    StorageError: _disk,
}
"""What FastAPI does with each kind of error."""
