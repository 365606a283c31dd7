"""How often profiles were downloaded."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, and the order by it."""
    op.add_column("entries", sa.Column("downloads", sa.BigInteger, nullable=False, server_default="0"))
    op.create_index("ix_entries_downloads_id", "entries", ["downloads", "id"])
