"""The tables, as the newest migration leaves them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

__all__ = [
    "accounts",
    "audit",
    "collection_entries",
    "collections",
    "entries",
    "entry_tags",
    "favourites",
    "invitations",
    "jobs",
    "metadata",
    "sound_changes",
    "sounds",
    "tag_labels",
    "tokens",
    "versions",
    "workers",
]


class Instant(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no time zones, so neither does the column."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return value and value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value and value.replace(tzinfo=UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(60), nullable=False, unique=True),
    Column("role", String(10), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("quota_bytes", BigInteger),
    sqlite_autoincrement=True,
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("name", String(120), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("scopes", String(40), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Column("last_used_at", Instant),
    sqlite_autoincrement=True,
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Integer, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    sqlite_autoincrement=True,
)

entries = Table(
    "entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("name_key", String(400), nullable=False),
    Column("gear", String(20)),
    Column("make", String(120), nullable=False),
    Column("model", String(120), nullable=False),
    Column("maker", String(120), nullable=False),
    Column("about", Text, nullable=False),
    Column("licence", String(40), nullable=False),
    Column("owner_id", Integer, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("preset", String(120), unique=True),
    Column("esr", Float),
    Column("newest", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("downloads", BigInteger, nullable=False, server_default="0"),
    Index(None, "name_key", "id"),
    Index(None, "esr", "id"),
    Index(None, "updated_at", "id"),
    Index(None, "downloads", "id"),
    Index(None, "make"),
    sqlite_autoincrement=True,
)

entry_tags = Table(
    "entry_tags",
    metadata,
    Column("entry_id", Integer, ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", String(40), primary_key=True, index=True),
)

versions = Table(
    "versions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("entry_id", Integer, ForeignKey("entries.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("bytes", BigInteger, nullable=False),
    Column("uploader_id", Integer, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("uploaded_at", Instant, nullable=False),
    Column("note", String(400), nullable=False),
    Column("facts", JSON, nullable=False),
    UniqueConstraint("entry_id", "number"),
    sqlite_autoincrement=True,
)

favourites = Table(
    "favourites",
    metadata,
    Column("account_id", Integer, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("entry_id", Integer, ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True, index=True),
)

collections = Table(
    "collections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner_id", Integer, ForeignKey("accounts.id"), nullable=False),
    Column("name", String(120), nullable=False),
    Column("about", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("owner_id", "name"),
    sqlite_autoincrement=True,
)

collection_entries = Table(
    "collection_entries",
    metadata,
    Column("collection_id", Integer, ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True),
    Column("entry_id", Integer, ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True, index=True),
)

sounds = Table(
    "sounds",
    metadata,
    Column("version_id", Integer, ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True),
    Column("change", BigInteger, nullable=False, index=True),
    Column("kind", Integer, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("descriptors", LargeBinary, nullable=False),
    Column("problem", String(400), nullable=False),
)
"""What versions sound like: float16 descriptors, (settings, any); `kind` says of which kind they are."""

sound_changes = Table(
    "sound_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", BigInteger, nullable=False),
)
"""One row at most, counted up by whatever changes which sounds are to be found."""

tag_labels = Table(
    "tag_labels",
    metadata,
    Column("account_id", Integer, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("entry_id", Integer, ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("tag", String(40), primary_key=True),
    Column("is_right", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
)
"""What somebody said of a tag and an entry: that it fits, or that it does not."""

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("account", String(60), nullable=False),
    Column("action", String(60), nullable=False),
    Column("subject", String(120), nullable=False),
    Column("detail", JSON, nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    sqlite_autoincrement=True,
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("owner_id", Integer, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("kind", String(10), nullable=False),
    Column("state", String(10), nullable=False, index=True),
    Column("title", String(120), nullable=False),
    Column("priority", String(10), nullable=False),
    Column("resource", String(10), nullable=False),
    Column("order", JSON, nullable=False),
    Column("material_sha256", String(64), index=True),
    Column("material_bytes", BigInteger, nullable=False),
    Column("result_sha256", String(64), index=True),
    Column("result_bytes", BigInteger, nullable=False),
    Column("result_name", String(120), nullable=False),
    Column("checkpoint_sha256", String(64), index=True),
    Column("checkpoint_bytes", BigInteger),
    Column("entry_id", Integer, ForeignKey("entries.id", ondelete="SET NULL"), index=True),
    Column("progress", JSON(none_as_null=True)),
    Column("findings", JSON, nullable=False),
    Column("error", Text),
    Column("run", Integer, nullable=False),
    Column("claim", String(32)),
    Column("crashes", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
    Column("started_at", Instant),
    Column("ended_at", Instant),
)

workers = Table(
    "workers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("queues", String(40), nullable=False),
    Column("beat", Integer, nullable=False),
)
