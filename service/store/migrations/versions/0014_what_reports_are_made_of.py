"""What runs keep for the reports: of each run what it saw, and of each local day its first look."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

INSTANT = sa.String(27).with_variant(TIMESTAMP(timezone=True), "postgresql")

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "run_seen",
        sa.Column("run", sa.String(40), sa.ForeignKey("run.id", name="fk_run_seen_run_run"), nullable=False),
        sa.Column("clinic", sa.String(100), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("run", name="pk_run_seen"),
        comment="What of each campaign and service a run saw, as the money report needs it.",
    )
    op.create_index("ix_run_seen_clinic_at", "run_seen", ["clinic", "at"])
    op.create_table(
        "day_seen",
        sa.Column("clinic", sa.String(100), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("service", sa.String(200), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("clinic", "day", "service", name="pk_day_seen"),
        comment="The diaries of a service at the first whole look of a local day, as the structure report needs them.",
    )


def downgrade() -> None:
    op.drop_table("day_seen")
    op.drop_table("run_seen")
