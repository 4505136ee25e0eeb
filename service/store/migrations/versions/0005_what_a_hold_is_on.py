"""Which campaign a hold is on, whatever its rule file calls it later."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("hold", sa.Column("of", sa.String(300)))


def downgrade() -> None:
    op.drop_column("hold", "of")
