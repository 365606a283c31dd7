"""Accounts, the tokens that open them, and the one-time secrets with which tokens are made. No passwords."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from api.choices import Role
from api.people import (
    SCOPES_OF,
    Account,
    AccountChanges,
    Invitation,
    NewAccount,
    NewToken,
    Scope,
    Token,
    TokenWithSecret,
)
from api.problem import Problem
from api.store.jobs import job_bytes
from api.store.secrets import INVITATION, TOKEN, hashed, new_secret
from api.store.tables import accounts, invitations, tokens, versions

__all__ = [
    "add_account",
    "add_token",
    "change_account",
    "claim",
    "has_admin_token",
    "invite",
    "list_accounts",
    "list_tokens",
    "one_account",
    "opened_by",
    "revoke_token",
    "system_account",
    "token_owner",
]

_INVITATION_HOURS = 24
_MOST_TOKENS = 100
_USE_MINUTES = 10  # how fine the last use of a token is kept


def opened_by(connection: Connection, secret: str) -> Any:
    """Return the account and scopes that a token opens; None for one unknown, expired, revoked or disabled."""
    now = datetime.now(UTC)
    query = (
        select(
            accounts.c.id.label("account_id"),
            accounts.c.name,
            accounts.c.role,
            tokens.c.scopes,
            tokens.c.id.label("token_id"),
            tokens.c.last_used_at,
        )
        .join(accounts, accounts.c.id == tokens.c.account_id)
        .where(tokens.c.sha256 == hashed(secret), *_alive(now))
    )
    return connection.execute(query).one_or_none()


def is_use_stale(row: Any) -> bool:
    """Whether the last use of a token is to be noted again: not at every request, which would be a write each."""
    last = row.last_used_at
    return last is None or datetime.now(UTC) - last > timedelta(minutes=_USE_MINUTES)


def note_use(connection: Connection, token_id: int) -> None:
    """Note that a token was used now."""
    connection.execute(update(tokens).where(tokens.c.id == token_id).values(last_used_at=datetime.now(UTC)))


def has_admin_token(connection: Connection) -> bool:
    """Whether anybody can get in as an admin."""
    query = select(tokens.c.id).join(accounts, accounts.c.id == tokens.c.account_id)
    query = query.where(accounts.c.role == "admin", tokens.c.scopes.like("%admin%"), *_alive(datetime.now(UTC)))
    return connection.execute(query.limit(1)).first() is not None


def system_account(connection: Connection, name: str, role: Role) -> int:
    """Return the id of an account that the server itself needs, made if need be."""
    known = select(accounts.c.id).where(accounts.c.name == name)
    found = connection.execute(known).scalar()
    if found is None:
        row = {"name": name, "role": role, "created_at": datetime.now(UTC)}
        try:
            with connection.begin_nested():
                found = connection.execute(insert(accounts).values(row).returning(accounts.c.id)).scalar_one()
        except IntegrityError:  # another server made it at the same moment
            found = connection.execute(known).scalar_one()
    return int(found)


def add_account(connection: Connection, new: NewAccount) -> int:
    """Add an account and return its id. Raises Problem for a name that is taken."""
    row = {"name": new.name, "role": new.role, "quota_bytes": new.quota_bytes, "created_at": datetime.now(UTC)}
    try:
        return int(connection.execute(insert(accounts).values(row).returning(accounts.c.id)).scalar_one())
    except IntegrityError as error:
        raise Problem(409, "Name taken", f"There is an account {new.name!r} already. Choose another name.") from error


def change_account(connection: Connection, account_id: int, changes: AccountChanges) -> None:
    """Change an account's role, quota, or whether it opens anything. Raises Problem where no admin would be left."""
    before = one_account(connection, account_id)
    values: dict[str, Any] = {}
    if changes.role is not None:
        values["role"] = changes.role
    if changes.quota_bytes is not None:
        values["quota_bytes"] = changes.quota_bytes
    if changes.is_disabled is not None:
        values["disabled_at"] = datetime.now(UTC) if changes.is_disabled else None
    if values:
        connection.execute(update(accounts).where(accounts.c.id == account_id).values(values))
    if before.role == "admin" and not _has_admin(connection):
        raise Problem(
            409, "Last admin", "Nobody could administer the library any more. Make somebody else admin first."
        )


def list_accounts(connection: Connection) -> tuple[Account, ...]:
    """Return all accounts by name."""
    return tuple(_account(row) for row in connection.execute(_accounts().order_by(accounts.c.name)))


def one_account(connection: Connection, account_id: int) -> Account:
    """Return an account. Raises Problem where there is none."""
    row = connection.execute(_accounts().where(accounts.c.id == account_id)).one_or_none()
    if row is None:
        raise Problem(404, "No such account", f"There is no account {account_id}.")
    return _account(row)


def lock_account(connection: Connection, account_id: int) -> None:
    """Have other transactions that want the same wait: what an account keeps is counted by one at a time."""
    connection.execute(select(accounts.c.id).where(accounts.c.id == account_id).with_for_update())


def invite(connection: Connection, account_id: int) -> Invitation:
    """Return a new one-time secret for an account; what was sent before opens nothing any more."""
    account = one_account(connection, account_id)
    now = datetime.now(UTC)
    unused = (invitations.c.account_id == account_id) & invitations.c.used_at.is_(None)
    connection.execute(delete(invitations).where(unused))
    secret, expires_at = new_secret(INVITATION), now + timedelta(hours=_INVITATION_HOURS)
    row = {"account_id": account_id, "sha256": hashed(secret), "created_at": now, "expires_at": expires_at}
    connection.execute(insert(invitations).values(row))
    return Invitation(account=account, secret=secret, expires_at=expires_at)


def claim(connection: Connection, secret: str, token_name: str, *, days: int | None = None) -> TokenWithSecret:
    """Use up a one-time secret and return a token with all that its account may do. Raises Problem for one used up."""
    now = datetime.now(UTC)
    usable = (invitations.c.used_at.is_(None), invitations.c.expires_at > now, accounts.c.disabled_at.is_(None))
    query = (
        select(invitations.c.id, accounts.c.id.label("account_id"), accounts.c.role)
        .join(accounts, accounts.c.id == invitations.c.account_id)
        .where(invitations.c.sha256 == hashed(secret), *usable)
    )
    row = connection.execute(query).one_or_none()
    used = update(invitations).where(invitations.c.used_at.is_(None)).values(used_at=now)
    # The update decides, not the look before it: of two that come at once, one changes the row.
    if row is None or connection.execute(used.where(invitations.c.id == row.id)).rowcount != 1:
        detail = "This one-time secret is unknown, used or older than a day. Ask an admin for another one."
        raise Problem(403, "No such secret", detail)
    scopes = tuple(scope for scope in ("read", "write", "admin") if scope in SCOPES_OF[row.role])
    return add_token(connection, row.account_id, NewToken(name=token_name, scopes=scopes, days=days))


def add_token(connection: Connection, account_id: int, new: NewToken) -> TokenWithSecret:
    """Make a token for an account. Raises Problem for one that has very many."""
    now = datetime.now(UTC)
    held = select(func.count()).where(tokens.c.account_id == account_id, tokens.c.revoked_at.is_(None))
    if connection.execute(held).scalar_one() >= _MOST_TOKENS:
        raise Problem(409, "Too many tokens", f"An account has at most {_MOST_TOKENS} tokens. Revoke some first.")
    secret = new_secret(TOKEN)
    row = {
        "account_id": account_id,
        "name": new.name,
        "sha256": hashed(secret),
        "scopes": " ".join(dict.fromkeys(new.scopes)),
        "created_at": now,
        "expires_at": None if new.days is None else now + timedelta(days=new.days),
    }
    made = connection.execute(insert(tokens).values(row).returning(tokens)).one()
    account = one_account(connection, account_id).name
    return TokenWithSecret(token=_token(made), secret=secret, account=account)


def list_tokens(connection: Connection, account_id: int) -> tuple[Token, ...]:
    """Return the tokens of an account, newest first, revoked ones included."""
    query = select(tokens).where(tokens.c.account_id == account_id).order_by(tokens.c.id.desc())
    return tuple(_token(row) for row in connection.execute(query))


def token_owner(connection: Connection, token_id: int) -> int | None:
    """Return whose token it is, None where there is none."""
    found = connection.execute(select(tokens.c.account_id).where(tokens.c.id == token_id)).scalar()
    return None if found is None else int(found)


def revoke_token(connection: Connection, token_id: int) -> None:
    """Have a token open nothing any more, from the next request on."""
    revoked = update(tokens).where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None))
    connection.execute(revoked.values(revoked_at=datetime.now(UTC)))


def _alive(now: datetime) -> tuple[Any, ...]:
    unexpired = or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now)
    return (tokens.c.revoked_at.is_(None), unexpired, accounts.c.disabled_at.is_(None))


def _has_admin(connection: Connection) -> bool:
    query = select(accounts.c.id).where(accounts.c.role == "admin", accounts.c.disabled_at.is_(None))
    return connection.execute(query.limit(1)).first() is not None


def _accounts() -> Select[Any]:
    kept = select(func.coalesce(func.sum(versions.c.bytes), 0)).where(versions.c.uploader_id == accounts.c.id)
    used = kept.scalar_subquery() + job_bytes(accounts.c.id)
    return select(accounts, used.label("used_bytes"))


def _account(row: Row[Any]) -> Account:
    names = ("id", "name", "role", "created_at", "quota_bytes")
    same = {name: getattr(row, name) for name in names}
    return Account(**same, is_disabled=row.disabled_at is not None, used_bytes=int(row.used_bytes))


def _token(row: Row[Any]) -> Token:
    names = ("id", "name", "created_at", "expires_at", "revoked_at", "last_used_at")
    scopes: Sequence[Scope] = row.scopes.split()
    return Token(**{name: getattr(row, name) for name in names}, scopes=tuple(scopes))
