"""Browsers that are signed in to the dashboard."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

INSTANT = sa.String(27).with_variant(TIMESTAMP(timezone=True), "postgresql")

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "session",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_session"),
        comment="Browsers that are signed in to the dashboard, by the hash of what their cookie holds.",
    )
    op.create_index("ix_session_expires_at", "session", ["expires_at"])


def downgrade() -> None:
    op.drop_table("session")
