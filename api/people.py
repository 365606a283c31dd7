"""Who asks: accounts with roles, tokens with scopes, and what is kept of what they did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, StringConstraints

from api.choices import Role
from api.values import Line, Name

__all__ = [
    "SCOPES_OF",
    "Account",
    "AccountChanges",
    "AuditRow",
    "Caller",
    "Claim",
    "Invitation",
    "Me",
    "NewAccount",
    "NewToken",
    "Scope",
    "Token",
    "TokenWithSecret",
]

Scope: TypeAlias = Literal["read", "write", "admin"]
Scopes = Annotated[tuple[Scope, ...], Field(min_length=1, max_length=3)]
AccountName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$")]
Bytes = Annotated[int, Field(ge=0, le=1 << 50)]

SCOPES_OF: Mapping[Role, frozenset[Scope]] = {
    "reader": frozenset({"read"}),
    "member": frozenset({"read", "write"}),
    "admin": frozenset({"read", "write", "admin"}),
}
"""What each role may do at most; a token may narrow it."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who makes a request. An anonymous one has no account and may read at most."""

    account_id: int | None
    name: str
    role: Role
    scopes: frozenset[Scope]
    token_id: int | None = None
    address: str = ""
    request_id: str = ""

    @property
    def is_admin(self) -> bool:
        """Whether it may touch what belongs to others."""
        return "admin" in self.scopes


@dataclass(frozen=True, kw_only=True)
class Account:
    """Somebody with a role. `quota_bytes` is null where the server's own holds."""

    id: int
    name: str
    role: Role
    created_at: datetime
    is_disabled: bool
    quota_bytes: int | None
    used_bytes: int


@dataclass(frozen=True, kw_only=True)
class NewAccount:
    """An account to be made: its owner gets a one-time secret, never a password."""

    __pydantic_config__ = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "ann", "role": "member"}]}
    )

    name: AccountName
    role: Role = "member"
    quota_bytes: Bytes | None = None


@dataclass(frozen=True, kw_only=True)
class AccountChanges:
    """What to change of an account. Null leaves a thing as it is. A disabled account's tokens open nothing."""

    __pydantic_config__ = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"role": "reader"}]})

    role: Role | None = None
    is_disabled: bool | None = None
    quota_bytes: Bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """A one-time secret with which the owner of an account makes a token. It is shown once and kept as a hash."""

    account: Account
    secret: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A one-time secret, and what the token made with it shall be called."""

    __pydantic_config__ = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"secret": "tci_" + 43 * "x", "token_name": "laptop"}]}
    )

    secret: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    token_name: Name


@dataclass(frozen=True, kw_only=True)
class NewToken:
    """A token to be made for the account that asks. Its scopes are at most those of the token it is made with."""

    __pydantic_config__ = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "laptop", "scopes": ["read"], "days": 90}]}
    )

    name: Name
    scopes: Scopes = ("read",)
    days: Annotated[int, Field(ge=1, le=3650)] | None = 365


@dataclass(frozen=True, kw_only=True)
class Token:
    """What is known of a token; the token itself is kept as a hash only."""

    id: int
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class TokenWithSecret:
    """A token that was just made, shown this once."""

    token: Token
    secret: str
    account: str


@dataclass(frozen=True, kw_only=True)
class Me:
    """Who the token belongs to, and how much may still be uploaded."""

    name: str
    role: Role
    scopes: tuple[Scope, ...]
    upload_limit_bytes: int
    quota_bytes: int
    used_bytes: int


@dataclass(frozen=True, kw_only=True)
class AuditRow:
    """Something that was done: by whom, to what, in which request."""

    id: int
    at: datetime
    account: str
    action: Line
    subject: str
    detail: Mapping[str, str]
    request_id: str
    address: str
