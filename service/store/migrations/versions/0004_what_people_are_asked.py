"""What people are asked before a campaign is changed, and what they answer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

INSTANT = sa.String(27).with_variant(TIMESTAMP(timezone=True), "postgresql")

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "approval",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("clinic", sa.String(100), nullable=False),
        sa.Column("campaign", sa.String(200), nullable=False),
        sa.Column("answer", sa.String(20), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_approval"),
        comment="What people were asked, and what they answered; the id is that of the decision that asked first.",
    )
    op.create_index("ix_approval_clinic_answer", "approval", ["clinic", "answer"])


def downgrade() -> None:
    op.drop_table("approval")
