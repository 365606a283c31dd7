"""What a request is refused with: a status, a short title and what to do, as RFC 9457 has it."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from profiler.errors import LibraryError

__all__ = ["Problem", "ProblemDetails", "Refusal", "without_request"]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One thing that is wrong with a request: where, and what was expected there."""

    place: str
    message: str


@dataclass(frozen=True, kw_only=True)
class ProblemDetails:
    """The body of every reply that is not a success. `request_id` finds it in the server's log."""

    status: int
    title: str
    detail: str
    type: str = "about:blank"
    request_id: str | None = None
    errors: tuple[Refusal, ...] = ()


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """A request that cannot be done. `retry_after_seconds` says when to come again, if that helps."""

    def __init__(self, status: int, title: str, detail: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail
        self.retry_after_seconds = retry_after_seconds


@contextlib.contextmanager
def without_request(outcome: str) -> Iterator[None]:
    """Turn a Problem into a LibraryError where there is no request to refuse. `outcome`: "It is not opened"."""
    try:
        yield
    except Problem as error:
        raise LibraryError(f"{outcome}: {error.detail}") from error
