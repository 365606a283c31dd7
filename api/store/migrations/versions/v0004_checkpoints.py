"""The checkpoints of trainings, in the storage."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("jobs", sa.Column("checkpoint_sha256", sa.String(64)))
    op.add_column("jobs", sa.Column("checkpoint_bytes", sa.BigInteger))
    op.create_index("ix_jobs_checkpoint_sha256", "jobs", ["checkpoint_sha256"])
