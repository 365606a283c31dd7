"""The page of one's own account: its tokens, links for other devices, and, for admins, invitations."""

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import RedirectResponse, Response

from api.http.asking import Admin, Id, Lib, Reader, account_of
from api.http.forms import fields_of
from api.http.people import revoke_token
from api.http.problems import html
from api.library import Library
from api.page import rendered
from api.people import SCOPES_OF, Caller, Invitation, NewAccount
from api.problem import Problem
from api.store import audit, counts, people

__all__ = ["routes"]

routes = APIRouter(include_in_schema=False)

_NEW_ACCOUNT = TypeAdapter(NewAccount)


@routes.get("/account")
def account_page(library: Lib, caller: Reader) -> Response:
    """Show one's account."""
    return _shown(library, caller)


@routes.post("/account/tokens/{token_id}/revoke")
def revoke(token_id: Id, library: Lib, caller: Reader) -> Response:
    """Have a token open nothing any more."""
    revoke_token(token_id, library, caller)
    return RedirectResponse("/account", 303)


@routes.post("/account/link")
def add_link(request: Request, library: Lib, caller: Reader) -> Response:
    """Make a one-time link for another device of the same person, and show it this once."""
    account_id = account_of(caller)
    if caller.scopes != SCOPES_OF[caller.role]:
        # What the link makes may do all that the account may: who was given less must not get more by it.
        raise Problem(403, "Not allowed", "Your token may do less than your account, so it makes no links for it.")
    with library.database.writing() as connection:
        made = people.invite(connection, account_id)
        audit.note(connection, caller, "account.invite", f"account {account_id}")
    return _shown(library, caller, _link(request, made))


@routes.post("/account/invite")
async def invite(request: Request, library: Lib, caller: Admin) -> Response:
    """Make an account for somebody, and show its one-time link this once."""
    fields = await fields_of(request)
    try:
        new = _NEW_ACCOUNT.validate_python({"name": fields.get("name", ""), "role": fields.get("role", "member")})
    except ValidationError as error:
        detail = (
            "A name has small letters, digits, dots, dashes and underscores, at most 40, and begins with one of them."
        )
        raise Problem(422, "No such name", detail) from error

    def added() -> Response:
        with library.database.writing() as connection:
            account_id = people.add_account(connection, new)
            audit.note(connection, caller, "account.add", f"account {account_id}", name=new.name, role=new.role)
            made = people.invite(connection, account_id)
        return _shown(library, caller, _link(request, made), name=new.name)

    return await to_thread.run_sync(added)


def _link(request: Request, made: Invitation) -> str:
    return f"{request.url.scheme}://{request.url.netloc}/#{made.secret}"


def _shown(library: Library, caller: Caller, link: str | None = None, *, name: str | None = None) -> Response:
    account_id = account_of(caller)
    with library.database.reading() as connection:
        tokens = [each for each in people.list_tokens(connection, account_id) if each.revoked_at is None]
        quota, used = library.quota(connection, account_id), counts.used_bytes(connection, account_id)
    values = {"tokens": tokens, "quota_bytes": quota, "used_bytes": used, "link": link, "guest": name}
    response = html(rendered("account", who=caller, here="/account", **values))
    if link:
        response.headers["Cache-Control"] = "no-store"
    return response
