"""What the names in a rule file are in Cliniko, and how it numbers days."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "known_name",
        sa.Column("clinic", sa.String(100), nullable=False),
        sa.Column("name", sa.String(400), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("clinic", "name", name="pk_known_name"),
    )
    op.create_table(
        "day_numbers",
        sa.Column("clinic", sa.String(100), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("clinic", name="pk_day_numbers"),
    )


def downgrade() -> None:
    op.drop_table("day_numbers")
    op.drop_table("known_name")
