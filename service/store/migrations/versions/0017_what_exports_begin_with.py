"""An export of what was recorded since some instant begins there, not at the ledger's first record."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_index("ix_ledger_at_id", "ledger", ["at", "id"])


def downgrade() -> None:
    op.drop_index("ix_ledger_at_id", "ledger")
