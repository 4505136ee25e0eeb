"""What SQLite refuses, PostgreSQL does too: a record out of order. And nobody talks it out of what it refuses.

The guards hold in every session, also one that is set to replay another server's changes, and they look at our tables and at
no temporary ones of the same name. Who owns the tables, or the server, can still take them away.

Texts are compared byte by byte, as SQLite does, whatever the database's locale; and as there, none is too long. The way back
leaves them as long as they are. Only our own tables are touched: others may lie in the same schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

TABLES = [
    *("api_key", "approval", "chain", "change", "checkpoint", "day_numbers", "day_seen", "decision", "document", "hold"),
    *("known_name", "lease", "ledger", "look", "note", "notice", "notice_position", "pace_model", "repeat", "rule_rejection"),
    *("rule_revision", "rule_state", "run", "run_seen", "session", "snapshot", "standing", "trace"),
]
"""All that there are of ours at this step."""

GUARDS = {
    "ledger": ("refuses_change", "refuses_truncate", "refuses_delete", "refuses_insert"),
    "checkpoint": ("refuses_insert", "refuses_change", "refuses_truncate"),
    "chain": ("refuses_update", "refuses_delete", "refuses_truncate"),
}
FUNCTIONS = (
    "ledger_refuses",
    "ledger_refuses_uncovered",
    "ledger_refuses_out_of_order",
    "checkpoint_refuses",
    "checkpoint_refuses_groundless",
    "chain_refuses",
)

ORDERED = (
    """
    CREATE FUNCTION ledger_refuses_out_of_order() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.seq = 1 + coalesce((SELECT max(seq) FROM ledger WHERE chain = NEW.chain), 0) THEN RETURN NEW; END IF;
        RAISE EXCEPTION 'the ledger is append-only: a record follows the last one of its chain';
    END $$
    """,
    """
    CREATE TRIGGER ledger_refuses_insert BEFORE INSERT ON ledger
    FOR EACH ROW EXECUTE FUNCTION ledger_refuses_out_of_order()
    """,
)
ORDERED_BACK = ("DROP TRIGGER ledger_refuses_insert ON ledger", "DROP FUNCTION ledger_refuses_out_of_order()")

HEAD = """
    CREATE TRIGGER chain_refuses_update BEFORE UPDATE ON chain
    FOR EACH ROW WHEN (NEW.seq < OLD.seq OR NEW.name <> OLD.name) EXECUTE FUNCTION chain_refuses()
"""
"""It looks at a column whose type cannot be altered meanwhile."""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for statement in ORDERED:
            op.execute(statement)
        _collate("C")
        _guard("ENABLE ALWAYS")
        schema = op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())"))
        for function in FUNCTIONS:
            op.execute(f"ALTER FUNCTION {function}() SET search_path = {schema}, pg_temp")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _collate("default")
        for function in FUNCTIONS:
            op.execute(f"ALTER FUNCTION {function}() RESET search_path")
        _guard("ENABLE")
        for statement in ORDERED_BACK:
            op.execute(statement)


def _guard(how: str) -> None:
    for table, names in GUARDS.items():
        for name in names:
            op.execute(f"ALTER TABLE {table} {how} TRIGGER {table}_{name}")


def _collate(collation: str) -> None:
    """Have every short text of ours compared in this way."""
    op.execute("DROP TRIGGER chain_refuses_update ON chain")
    query = """
        SELECT quote_ident(table_name), string_agg(format(
            'ALTER COLUMN %I TYPE varchar COLLATE %I', column_name, CAST(:collation AS text)
        ), ', ')
        FROM information_schema.columns
        WHERE table_schema = current_schema() AND data_type = 'character varying' AND table_name = ANY(:ours)
        GROUP BY table_name
    """
    for table, changes in op.get_bind().execute(sa.text(query), {"collation": collation, "ours": TABLES}).all():
        op.execute(f"ALTER TABLE {table} {changes}")
    op.execute(HEAD)
