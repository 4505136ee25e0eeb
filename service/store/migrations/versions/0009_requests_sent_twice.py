"""What requests with an Idempotency-Key were answered."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

INSTANT = sa.String(27).with_variant(TIMESTAMP(timezone=True), "postgresql")

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "repeat",
        sa.Column("key", sa.String(40), nullable=False),
        sa.Column("word", sa.String(200), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("begun_at", INSTANT, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("media_type", sa.String(100)),
        sa.Column("body", sa.LargeBinary),
        sa.PrimaryKeyConstraint("key", "word", name="pk_repeat"),
        comment="What requests with an Idempotency-Key were answered, for a day.",
    )
    op.create_index("ix_repeat_begun_at", "repeat", ["begun_at"])


def downgrade() -> None:
    op.drop_table("repeat")
