"""The words of PostgreSQL in columns of their own, so that its index alone tells what matches.

In one column, the field of a word was its weight, which the index does not have: each row that matched was looked at.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_COLUMNS = {"named": "a", "called": "a,b", "words": "a,b,c", "facets": "d"}


def upgrade() -> None:
    """Divide what is there."""
    if op.get_bind().dialect.name == "sqlite":
        return
    columns = ", ".join(f"{name} tsvector NOT NULL" for name in _COLUMNS)
    divided = ", ".join(f"strip(ts_filter(words, '{{{weights}}}'))" for weights in _COLUMNS.values())
    op.execute("ALTER TABLE entry_words RENAME TO old_words")
    op.execute("ALTER INDEX entry_words_pkey RENAME TO old_words_pkey")
    op.execute(
        f"CREATE TABLE entry_words(entry_id integer PRIMARY KEY REFERENCES entries(id) ON DELETE CASCADE, {columns})"
    )
    op.execute(f"INSERT INTO entry_words SELECT entry_id, {divided} FROM old_words")  # noqa: S608 - our own names
    op.execute("DROP TABLE old_words")
    op.execute(f"CREATE INDEX ix_entry_words ON entry_words USING gin({', '.join(_COLUMNS)}) WITH (fastupdate = off)")
    op.execute("ANALYZE entry_words")
