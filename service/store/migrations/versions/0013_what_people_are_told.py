"""What people are told: up to which record of each chain notices have been made, and the outbox they wait in.

Of what is in the ledger by now nobody is told: it begins with the next record.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

INSTANT = sa.String(27).with_variant(TIMESTAMP(timezone=True), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "notice_position",
        sa.Column("chain", sa.String(100), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("memory", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("chain", name="pk_notice_position"),
        comment="Up to which record of each chain notices have been made, and what is remembered of what was told.",
    )
    op.execute("INSERT INTO notice_position (chain, seq, memory) SELECT name, seq, '{}' FROM chain")
    op.create_table(
        "notice",
        sa.Column("id", NUMBER, nullable=False, autoincrement=True),
        sa.Column("chain", sa.String(100), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("channel", sa.String(200), nullable=False),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("repeated", sa.Boolean, nullable=False),
        sa.Column("claim", sa.String(40)),
        sa.Column("claimed_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sa.UniqueConstraint("chain", "seq", "channel", "n", name="uq_notice_chain_seq_channel_n"),
        comment="The outbox: what is to be told, and what has been.",
    )
    op.create_index("ix_notice_status_due_at", "notice", ["status", "due_at"])
    op.create_index("ix_notice_ended_at", "notice", ["ended_at"])


def downgrade() -> None:
    op.drop_table("notice")
    op.drop_table("notice_position")
