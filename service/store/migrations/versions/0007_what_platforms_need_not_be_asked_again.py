"""What the ad platforms said that need not be asked again for a while."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

INSTANT = sa.String(27).with_variant(TIMESTAMP(timezone=True), "postgresql")

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "note",
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("until", INSTANT),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_note"),
        comment="What an outside system said and need not be asked again until then; only a saving, never a record.",
    )


def downgrade() -> None:
    op.drop_table("note")
