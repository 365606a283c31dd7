"""What routes ask for: the library, who asks, and whether they may; and that nothing else is asked."""

from collections.abc import Awaitable, Callable
from typing import Annotated, cast

from fastapi import Depends, Path, Query, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict

from api.library import Library
from api.listening.listening import Listening
from api.people import Caller, Scope
from api.problem import Problem

__all__ = [
    "BEARER",
    "KNOWN_NAMES",
    "Admin",
    "Id",
    "Lib",
    "Listen",
    "Page",
    "PageQuery",
    "PageSize",
    "Reader",
    "Writer",
    "account_of",
]

_NOT_KNOWN = "Extra inputs are not permitted"
_bearer = HTTPBearer(auto_error=False, description="A token of this library. The gate has looked at it already.")


# Asynchronous though they wait for nothing: for others FastAPI takes a thread each.
async def _library(request: Request) -> Library:
    return cast(Library, request.app.state.library)


async def _listening(request: Request) -> Listening:
    return cast(Listening, request.app.state.listening)


def _may(scope: Scope) -> Callable[[Request], Awaitable[Caller]]:
    async def checked(request: Request) -> Caller:
        caller = cast(Caller, request.state.caller)
        if scope not in caller.scopes:
            detail = f"This takes the scope {scope!r}; your token has {', '.join(sorted(caller.scopes)) or 'none'}."
            raise Problem(403, "Not allowed", detail)
        return caller

    return checked


def account_of(caller: Caller) -> int:
    """Return the account of who asks. Raises Problem for somebody anonymous."""
    if caller.account_id is None:
        raise Problem(401, "Not known", "This is kept for each account. Send a token.")
    return caller.account_id


Lib = Annotated[Library, Depends(_library)]
Listen = Annotated[Listening, Depends(_listening)]

Reader = Annotated[Caller, Depends(_may("read"))]
Writer = Annotated[Caller, Depends(_may("write"))]
Admin = Annotated[Caller, Depends(_may("admin"))]
Id = Annotated[int, Path(ge=1, le=2**31 - 1, examples=[1])]
Page = Annotated[int, Query(ge=1, le=10_000)]
PageSize = Annotated[int, Query(ge=1, le=100)]


class PageQuery(BaseModel):
    """Which page of a list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: Page = 1
    page_size: PageSize = 25


BEARER = Security(_bearer)
"""Tells readers of the OpenAPI page, and generated clients, that a token is needed."""


async def _known_names(request: Request) -> None:
    known = _names(request.scope["route"].dependant) if request.query_params else ()
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        told = [{"type": "extra_forbidden", "loc": ("query", name), "msg": _NOT_KNOWN} for name in unknown]
        raise RequestValidationError(told)


def _names(dependant: Dependant) -> set[str]:
    """Return the names that a route reads in its URL, by itself or by what it depends on."""
    names: set[str] = set().union(*map(_names, dependant.dependencies))
    for each in dependant.query_params:
        kind = each.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names |= {field.alias or name for name, field in kind.model_fields.items()}
        else:
            names.add(each.alias)
    return names


KNOWN_NAMES = Depends(_known_names)
"""Refuses names in a URL that a route does not read: a filter that is misspelt would otherwise find everything."""
