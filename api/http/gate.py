"""What stands before everything: who asks is known, and what they send is measured, before a byte of it is read."""

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException

from api.http.metrics import Metrics
from api.http.problems import refusal
from api.http.rate import Rate
from api.http.sessions import check_same_origin, session_of
from api.library import Library
from api.log import LOG
from api.page import STATIC
from api.people import SCOPES_OF, Caller
from api.problem import Problem
from api.store import people

__all__ = ["PUBLIC", "Gate"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PUBLIC = frozenset({"/health", "/ready", "/openapi.json", "/api/v1/claim", "/sign-in"})
"""Paths that answer strangers, and so do those of what pages load."""

_READING = frozenset({"GET", "HEAD"})
_UPLOAD = re.compile(r"/api/v1/(profiles(/[^/]*/versions)?|search/sound)/?")
_MATERIAL = re.compile(r"/api/v1/jobs/(train|render|chain|match)/?")
_BODY_BYTES = 64 << 10
_DRAINED_BYTES = 1 << 20  # a refused body that is no longer is read to its end, which spares a new connection
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",
}
_ANONYMOUS_AS = "anonymous"


class Gate:
    """An ASGI application around another. It lets in who has a token, as often and as much as they may send."""

    def __init__(self, app: Any, *, library: Library, metrics: Metrics) -> None:
        self._app, self._library, self._metrics = app, library, metrics
        self._rate = Rate(library.settings.requests_a_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand on what is not one."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        passage = _Passage(self._app, self._library, self._rate, scope, receive, send)
        try:
            await passage.go()
        finally:
            passage.count(self._metrics)


class _Passage:
    """One request on its way through."""

    def __init__(self, app: Any, library: Library, rate: Rate, scope: Scope, receive: Receive, send: Send) -> None:
        self._app, self._library, self._rate = app, library, rate
        self._scope, self._receive, self._send = scope, receive, send
        self._headers = Headers(scope=scope)
        asked = self._headers.get("x-request-id", "")
        self._request_id = asked if _REQUEST_ID.fullmatch(asked) else secrets.token_hex(8)
        self._address = str((scope.get("client") or ("",))[0])
        self._started = time.perf_counter()
        self._status, self._heard, self._who = 0, 0, "stranger"

    async def go(self) -> None:
        state = self._scope.setdefault("state", {})
        state["request_id"] = self._request_id
        try:
            caller = await self._caller()
            self._who = caller.name
            self._check_rate(caller)
            self._limit = self._body_limit()
            state["caller"] = caller
        except Problem as problem:
            await self._refuse(problem)
        else:
            await self._pass()
        finally:
            self._log()

    async def _pass(self) -> None:
        try:
            await self._app(self._scope, self._measured, self._dressed)
        except Exception:
            LOG.exception("failed", extra={"fields": {"request_id": self._request_id}})
            if self._status:
                raise  # half a reply is out: only closing the connection says that it is no whole one
            detail = f"The server failed. Its log says why, at request {self._request_id}."
            await self._refuse(Problem(500, "Server failed", detail))

    async def _caller(self) -> Caller:
        """Return who asks. Raises Problem for a stranger, and for a token that opens nothing."""
        scheme, _, secret = self._headers.get("authorization", "").partition(" ")
        if not scheme:
            return await self._of_session() or self._anonymous()
        if scheme.lower() != "bearer" or not secret.strip():
            raise self._unknown("The Authorization header must read: Bearer TOKEN.")
        known = await to_thread.run_sync(partial(self._look_up, secret.strip()))
        if known is None:
            raise self._unknown("This token is unknown, expired or revoked.")
        return known

    async def _of_session(self) -> Caller | None:
        """Return whose browser asks; None without a session that lives. Raises Problem for another site's request."""
        session = session_of(self._headers)
        if session is None:
            return None
        if self._scope["method"] not in _READING:
            check_same_origin(self._headers)
        return await to_thread.run_sync(partial(self._look_up, session))

    def _look_up(self, secret: str) -> Caller | None:
        database = self._library.database
        with database.reading() as connection:
            row = people.opened_by(connection, secret)
        if row is None:
            return None
        if people.is_use_stale(row):
            with database.writing() as connection:
                people.note_use(connection, row.token_id)
        return Caller(
            account_id=row.account_id,
            name=row.name,
            role=row.role,
            scopes=frozenset(row.scopes.split()) & SCOPES_OF[row.role],
            token_id=row.token_id,
            address=self._address,
            request_id=self._request_id,
        )

    def _anonymous(self) -> Caller:
        path, method = self._scope["path"], self._scope["method"]
        may_read = self._library.settings.anonymous_read and method in _READING
        is_public = path in PUBLIC or path.startswith(STATIC + "/")
        if not is_public and not may_read:
            raise self._unknown("The library answers those it knows.")
        return Caller(
            account_id=None,
            name=_ANONYMOUS_AS,
            role="reader",
            scopes=frozenset({"read"}) if may_read else frozenset(),
            address=self._address,
            request_id=self._request_id,
        )

    def _unknown(self, found: str) -> Problem:
        self._check_rate(None)  # guessing is slow
        return Problem(401, "Not known", f"{found} Send a token that an admin of this library gave you.")

    def _check_rate(self, caller: Caller | None) -> None:
        if self._scope["path"] in ("/health", "/ready"):
            return
        known = caller is not None and caller.account_id is not None
        wait = self._rate.wait_seconds(f"account {caller.account_id}" if known and caller else self._address)
        if wait:
            seconds = max(int(wait + 1), 1)
            detail = f"That was more requests a minute than this library takes. Wait {seconds} s."
            raise Problem(429, "Too many requests", detail, retry_after_seconds=seconds)

    def _body_limit(self) -> int:
        """Return how many bytes the body may have. Raises Problem for one that declares more."""
        settings, limit = self._library.settings, _BODY_BYTES
        if self._scope["method"] == "POST" and _UPLOAD.fullmatch(self._scope["path"]):
            limit = settings.upload_limit_bytes
        elif self._scope["method"] == "POST" and _MATERIAL.fullmatch(self._scope["path"]):
            limit = settings.material_limit_bytes
        elif self._scope["path"] == "/api/v1/tracks":
            limit = settings.track_limit_bytes
        if self._declared() > limit:
            raise Problem(413, "Too large", f"This is {self._declared()} bytes; at most {limit} are taken.")
        return limit

    def _declared(self) -> int:
        declared = self._headers.get("content-length", "0")
        return int(declared) if declared.isdecimal() and len(declared) < 20 else 1 << 62

    async def _measured(self) -> Message:
        """Return the next piece of the body. Raises HTTPException when it is longer than it may be, or stalls."""
        try:
            message = await asyncio.wait_for(self._receive(), self._library.settings.idle_seconds)
        except TimeoutError as error:
            if self._status:  # the reply is out: who waits here only wants to know when the other end goes
                return await self._receive()
            raise HTTPException(408, "Nothing came for a long time; send it again") from error
        self._heard += len(message.get("body", b""))
        if self._heard > self._limit:
            raise HTTPException(413, f"More than {self._limit} bytes came; that is all that is taken")
        return message

    async def _dressed(self, message: Message) -> None:
        """Send a part of the reply, with the headers that every reply has."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers["X-Request-ID"] = self._request_id
            unread = self._declared() - self._heard
            chunked = "transfer-encoding" in self._headers
            if self._status >= 400 and (unread > _DRAINED_BYTES or chunked):
                headers["Connection"] = "close"
        await self._send(message)

    async def _refuse(self, problem: Problem) -> None:
        response = refusal(self._scope, problem, self._request_id)
        await response(self._scope, self._receive, self._dressed)

    def count(self, metrics: Metrics) -> None:
        """Have it counted, when it is over."""
        metrics.answered(self._scope, self._status, time.perf_counter() - self._started, self._heard)

    def _log(self) -> None:
        fields = {
            "request_id": self._request_id,
            "method": self._scope["method"],
            "path": self._scope["path"],
            "status": self._status,
            "ms": round((time.perf_counter() - self._started) * 1000, 1),
            "account": self._who,
            "address": self._address,
        }
        LOG.info("request", extra={"fields": fields})
