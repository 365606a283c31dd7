"""Accounts, tokens and the audit log over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.http.asking import Admin, Id, Lib, PageQuery, PageSize, Reader, account_of
from api.people import (
    Account,
    AccountChanges,
    AuditRow,
    Caller,
    Claim,
    Invitation,
    Me,
    NewAccount,
    NewToken,
    Token,
    TokenWithSecret,
)
from api.problem import Problem
from api.store import audit, counts, people

__all__ = ["public_routes", "routes"]

public_routes = APIRouter(prefix="/api/v1", tags=["people"])
routes = APIRouter(prefix="/api/v1", tags=["people"])


class AuditQuery(PageQuery):
    """Which page of the audit log."""

    page_size: PageSize = 50


@public_routes.post("/claim", status_code=201)
def claim(claimed: Claim, library: Lib) -> TokenWithSecret:
    """Turn a one-time secret into a token. It works once."""
    with library.database.writing() as connection:
        made = people.claim(connection, claimed.secret, claimed.token_name)
        who = Caller(account_id=None, name=made.account, role="reader", scopes=frozenset())
        audit.note(connection, who, "token.claim", f"token {made.token.id}", name=made.token.name)
        return made


@routes.get("/me")
def me(library: Lib, caller: Reader) -> Me:
    """Return who your token belongs to, and how much may be uploaded."""
    account_id = account_of(caller)
    with library.database.reading() as connection:
        return Me(
            name=caller.name,
            role=caller.role,
            scopes=tuple(sorted(caller.scopes)),
            upload_limit_bytes=library.settings.upload_limit_bytes,
            quota_bytes=library.quota(connection, account_id),
            used_bytes=counts.used_bytes(connection, account_id),
        )


@routes.get("/tokens")
def list_tokens(library: Lib, caller: Reader) -> tuple[Token, ...]:
    """Return your tokens, newest first."""
    with library.database.reading() as connection:
        return people.list_tokens(connection, account_of(caller))


@routes.post("/tokens", status_code=201)
def add_token(new: NewToken, library: Lib, caller: Reader) -> TokenWithSecret:
    """Make another token of yours, with no more scopes than the one you send."""
    if more := set(new.scopes) - caller.scopes:
        raise Problem(403, "Not allowed", f"Your token lacks the scopes {sorted(more)}, so it cannot give them.")
    with library.database.writing() as connection:
        made = people.add_token(connection, account_of(caller), new)
        audit.note(connection, caller, "token.add", f"token {made.token.id}", scopes=" ".join(new.scopes))
        return made


@routes.delete("/tokens/{token_id}", status_code=204)
def revoke_token(token_id: Id, library: Lib, caller: Reader) -> None:
    """Have a token of yours open nothing any more. An admin revokes anybody's."""
    with library.database.writing() as connection:
        owner = people.token_owner(connection, token_id)
        if owner is None or (owner != account_of(caller) and not caller.is_admin):
            # The same words for both: whether there is such a token is nobody else's business.
            raise Problem(404, "No such token", f"You have no token {token_id}.")
        people.revoke_token(connection, token_id)
        audit.note(connection, caller, "token.revoke", f"token {token_id}")


@routes.get("/accounts")
def list_accounts(library: Lib, caller: Admin) -> tuple[Account, ...]:  # noqa: ARG001 - who may
    """Return all accounts."""
    with library.database.reading() as connection:
        return people.list_accounts(connection)


@routes.post("/accounts", status_code=201)
def add_account(new: NewAccount, library: Lib, caller: Admin) -> Invitation:
    """Make an account, and a one-time secret for its owner to claim."""
    with library.database.writing() as connection:
        account_id = people.add_account(connection, new)
        audit.note(connection, caller, "account.add", f"account {account_id}", name=new.name, role=new.role)
        return people.invite(connection, account_id)


@routes.patch("/accounts/{account_id}")
def change_account(account_id: Id, changes: AccountChanges, library: Lib, caller: Admin) -> Account:
    """Change an account's role or quota, or disable it."""
    with library.database.writing() as connection:
        people.change_account(connection, account_id, changes)
        audit.note(connection, caller, "account.change", f"account {account_id}", role=changes.role)
        return people.one_account(connection, account_id)


@routes.post("/accounts/{account_id}/invitations", status_code=201)
def invite(account_id: Id, library: Lib, caller: Admin) -> Invitation:
    """Make another one-time secret for an account; the one before opens nothing any more."""
    with library.database.writing() as connection:
        made = people.invite(connection, account_id)
        audit.note(connection, caller, "account.invite", f"account {account_id}")
        return made


@routes.get("/audit")
def list_audit(
    library: Lib,
    caller: Admin,  # noqa: ARG001 - who may
    query: Annotated[AuditQuery, Query()],
) -> tuple[AuditRow, ...]:
    """Return a page of what was done, latest first."""
    with library.database.reading() as connection:
        return audit.audit_rows(connection, page=query.page, page_size=query.page_size)
