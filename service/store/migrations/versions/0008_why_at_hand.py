"""The conditions as a run evaluated them, and each decision's service: why it was decided is read with what was decided.

Of runs from before, the conditions are in their outcomes alone, where `GET /v1/decisions/{id}` finds them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

SERVICES = {
    "sqlite": "UPDATE decision SET service = json_extract(body, '$.service')",
    "postgresql": "UPDATE decision SET service = body::jsonb ->> 'service'",
}


def upgrade() -> None:
    op.add_column("decision", sa.Column("service", sa.String(200), nullable=False, server_default=""))
    op.execute(SERVICES[op.get_bind().dialect.name])
    op.create_table(
        "trace",
        sa.Column("run", sa.String(40), nullable=False),
        sa.Column("service", sa.String(200), nullable=False),
        sa.Column("document", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("run", "service", name="pk_trace"),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name="fk_trace_run_run"),
        sa.ForeignKeyConstraint(["document"], ["document.digest"], name="fk_trace_document_document"),
        comment="The conditions of a service as a run evaluated them: why its decisions are what they are.",
    )
    op.create_index("ix_trace_document", "trace", ["document"])


def downgrade() -> None:
    op.drop_table("trace")
    op.drop_column("decision", "service")
