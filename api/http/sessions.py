"""Browsers' sessions: a token in a cookie that no script reads, sent by this site's own pages only.

What cookies send along unasked could be made use of by other sites. So the cookie is `SameSite=Strict`, and whatever
changes something must also say itself that one of our pages sent it.
"""

from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from api.problem import Problem

__all__ = ["SESSION_DAYS", "check_same_origin", "end_session", "session_of", "start_session"]

SESSION_DAYS = 30

_COOKIE = "tonecast_session"
_OPTIONS = {"path": "/", "httponly": True, "samesite": "strict"}


def session_of(headers: Headers) -> str | None:
    """Return the token in a request's cookie, None where there is none."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(_COOKIE)
    except CookieError:
        return None
    return found.value if found and found.value else None


def check_same_origin(headers: Headers) -> None:
    """Raise Problem for a request that no page of this server sent, as far as the browser tells.

    Browsers tell by `Sec-Fetch-Site`, and where the connection is not encrypted by `Origin`; scripts of other sites
    can change neither.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        is_ours = site == "same-origin"
    else:
        origin = urlsplit(headers.get("origin", ""))
        is_ours = bool(origin.netloc) and origin.netloc.lower() == headers.get("host", "").lower()
    if not is_ours:
        detail = (
            "This came from a page of another site, or from none. Do it on a page of this library, or send a token."
        )
        raise Problem(403, "From elsewhere", detail)


def start_session(response: Response, secret: str, request: Request) -> None:
    """Have the browser keep a token for as long as it lives."""
    is_secure = request.url.scheme == "https"
    response.set_cookie(_COOKIE, secret, max_age=SESSION_DAYS * 86_400, secure=is_secure, **_OPTIONS)  # type: ignore[arg-type]


def end_session(response: Response) -> None:
    """Have the browser forget its token."""
    response.delete_cookie(_COOKIE, **_OPTIONS)  # type: ignore[arg-type]
