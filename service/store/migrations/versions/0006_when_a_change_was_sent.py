"""When a change was sent: one that is open and never was cannot be on its platform."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

INSTANT = sa.String(27).with_variant(TIMESTAMP(timezone=True), "postgresql")

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("change", sa.Column("sent_at", INSTANT))
    op.execute("UPDATE change SET sent_at = intended_at WHERE status = 'open'")  # nobody knows any more


def downgrade() -> None:
    op.drop_column("change", "sent_at")
