"""A clinic's decisions are filtered within the index that puts them in order: only those that are shown are read."""

from alembic import op

revision = "0016"
down_revision = "0015"

COLUMNS = ["clinic", "at", "id", "changed", "verdict", "reason", "platform", "rule"]


def upgrade() -> None:
    op.create_index("ix_decision_clinic_newest", "decision", COLUMNS)
    op.drop_index("ix_decision_clinic_at_id", "decision")


def downgrade() -> None:
    op.create_index("ix_decision_clinic_at_id", "decision", ["clinic", "at", "id"])
    op.drop_index("ix_decision_clinic_newest", "decision")
