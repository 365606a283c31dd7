"""The first tables: people, entries and their versions, favourites, collections, the audit log, the index of words."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _people()
    _entries()
    _shelves()
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("account", sa.String(60), nullable=False),
        sa.Column("action", sa.String(60), nullable=False),
        sa.Column("subject", sa.String(120), nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sqlite_autoincrement=True,
    )
    _words()


def _people() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(60), nullable=False, unique=True),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("disabled_at", sa.DateTime),
        sa.Column("quota_bytes", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    for name, own in (
        (
            "tokens",
            (
                sa.Column("name", sa.String(120), nullable=False),
                sa.Column("scopes", sa.String(40), nullable=False),
                sa.Column("expires_at", sa.DateTime),
                sa.Column("revoked_at", sa.DateTime),
                sa.Column("last_used_at", sa.DateTime),
            ),
        ),
        (
            "invitations",
            (sa.Column("expires_at", sa.DateTime, nullable=False), sa.Column("used_at", sa.DateTime)),
        ),
    ):
        op.create_table(
            name,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("account_id", sa.Integer, sa.ForeignKey("accounts.id"), nullable=False, index=True),
            sa.Column("sha256", sa.String(64), nullable=False, unique=True),
            sa.Column("created_at", sa.DateTime, nullable=False),
            *own,
            sqlite_autoincrement=True,
        )


def _entries() -> None:
    op.create_table(
        "entries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("name_key", sa.String(400), nullable=False),
        sa.Column("gear", sa.String(20)),
        *(sa.Column(name, sa.String(120), nullable=False) for name in ("make", "model", "maker")),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("licence", sa.String(40), nullable=False),
        sa.Column("owner_id", sa.Integer, sa.ForeignKey("accounts.id"), nullable=False, index=True),
        sa.Column("preset", sa.String(120), unique=True),
        sa.Column("esr", sa.Float),
        sa.Column("newest", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("updated_at", sa.DateTime, nullable=False),
        sa.Index(None, "name_key", "id"),
        sa.Index(None, "esr", "id"),
        sa.Index(None, "updated_at", "id"),
        sa.Index(None, "make"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "entry_tags",
        sa.Column("entry_id", sa.Integer, sa.ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("tag", sa.String(40), primary_key=True, index=True),
    )
    op.create_table(
        "versions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("entry_id", sa.Integer, sa.ForeignKey("entries.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("uploader_id", sa.Integer, sa.ForeignKey("accounts.id"), nullable=False, index=True),
        sa.Column("uploaded_at", sa.DateTime, nullable=False),
        sa.Column("note", sa.String(400), nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.UniqueConstraint("entry_id", "number"),
        sqlite_autoincrement=True,
    )


def _shelves() -> None:
    op.create_table(
        "favourites",
        sa.Column("account_id", sa.Integer, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column(
            "entry_id", sa.Integer, sa.ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True, index=True
        ),
    )
    op.create_table(
        "collections",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("owner_id", sa.Integer, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("owner_id", "name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "collection_entries",
        sa.Column("collection_id", sa.Integer, sa.ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True),
        sa.Column(
            "entry_id", sa.Integer, sa.ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True, index=True
        ),
    )


def _words() -> None:
    if op.get_bind().dialect.name == "sqlite":
        # detail=column: which field a word stands in is asked for, where in the field is not.
        op.execute(
            "CREATE VIRTUAL TABLE entry_words USING fts5(name, gear, about, facets, "
            "tokenize = 'ascii', prefix = '3 4 5', detail = 'column')"
        )
        return
    op.execute(
        "CREATE TABLE entry_words(entry_id integer PRIMARY KEY REFERENCES entries(id) ON DELETE CASCADE, "
        "words tsvector NOT NULL)"
    )
    op.execute("CREATE INDEX ix_entry_words_words ON entry_words USING gin(words) WITH (fastupdate = off)")
