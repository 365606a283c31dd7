"""What profiles sound like, and which tags somebody said fit them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "sounds",
        sa.Column("version_id", sa.Integer, sa.ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("change", sa.BigInteger, nullable=False, index=True),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("descriptors", sa.LargeBinary, nullable=False),
        sa.Column("problem", sa.String(400), nullable=False),
    )
    op.create_table(
        "sound_changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "tag_labels",
        sa.Column("account_id", sa.Integer, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column(
            "entry_id", sa.Integer, sa.ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True, index=True
        ),
        sa.Column("tag", sa.String(40), primary_key=True),
        sa.Column("is_right", sa.Boolean, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )
