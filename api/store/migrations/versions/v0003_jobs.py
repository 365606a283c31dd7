"""Jobs, and the workers that carry them out."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("owner_id", sa.Integer, sa.ForeignKey("accounts.id"), nullable=False, index=True),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("state", sa.String(10), nullable=False, index=True),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("priority", sa.String(10), nullable=False),
        sa.Column("resource", sa.String(10), nullable=False),
        sa.Column("order", sa.JSON, nullable=False),
        sa.Column("material_sha256", sa.String(64), index=True),
        sa.Column("material_bytes", sa.BigInteger, nullable=False),
        sa.Column("result_sha256", sa.String(64), index=True),
        sa.Column("result_bytes", sa.BigInteger, nullable=False),
        sa.Column("result_name", sa.String(120), nullable=False),
        sa.Column("entry_id", sa.Integer, sa.ForeignKey("entries.id", ondelete="SET NULL"), index=True),
        sa.Column("progress", sa.JSON),
        sa.Column("findings", sa.JSON, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("claim", sa.String(32)),
        sa.Column("crashes", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False, index=True),
        sa.Column("started_at", sa.DateTime),
        sa.Column("ended_at", sa.DateTime),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("queues", sa.String(40), nullable=False),
        sa.Column("beat", sa.Integer, nullable=False),
    )
