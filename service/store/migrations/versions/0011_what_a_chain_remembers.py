"""The row that remembers where a chain ends is neither removed nor put back: it is what shows that records were cut off."""

from alembic import op

revision = "0011"
down_revision = "0010"

FORGOTTEN = "a chain''s head is neither removed nor put back: the ledger is append-only"
THERE = "EXISTS (SELECT 1 FROM chain WHERE name = NEW.name)"

SQLITE = (
    f"""
    CREATE TRIGGER chain_refuses_update BEFORE UPDATE ON chain WHEN NEW.seq < OLD.seq OR NEW.name <> OLD.name
    BEGIN SELECT RAISE(ABORT, '{FORGOTTEN}'); END
    """,
    f"""
    CREATE TRIGGER chain_refuses_delete BEFORE DELETE ON chain
    BEGIN SELECT RAISE(ABORT, '{FORGOTTEN}'); END
    """,
    # INSERT OR REPLACE removes the old row without asking the trigger above.
    f"""
    CREATE TRIGGER chain_refuses_replace BEFORE INSERT ON chain WHEN {THERE}
    BEGIN SELECT RAISE(ABORT, '{FORGOTTEN}'); END
    """,
)
SQLITE_BACK = tuple(f"DROP TRIGGER chain_refuses_{name}" for name in ("update", "delete", "replace"))

POSTGRESQL = (
    f"""
    CREATE FUNCTION chain_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{FORGOTTEN}'; END $$
    """,
    """
    CREATE TRIGGER chain_refuses_update BEFORE UPDATE ON chain
    FOR EACH ROW WHEN (NEW.seq < OLD.seq OR NEW.name <> OLD.name) EXECUTE FUNCTION chain_refuses()
    """,
    """
    CREATE TRIGGER chain_refuses_delete BEFORE DELETE ON chain
    FOR EACH ROW EXECUTE FUNCTION chain_refuses()
    """,
    """
    CREATE TRIGGER chain_refuses_truncate BEFORE TRUNCATE ON chain
    FOR EACH STATEMENT EXECUTE FUNCTION chain_refuses()
    """,
)
POSTGRESQL_BACK = (
    *(f"DROP TRIGGER chain_refuses_{name} ON chain" for name in ("update", "delete", "truncate")),
    "DROP FUNCTION chain_refuses()",
)


def upgrade() -> None:
    _execute({"sqlite": SQLITE, "postgresql": POSTGRESQL})


def downgrade() -> None:
    _execute({"sqlite": SQLITE_BACK, "postgresql": POSTGRESQL_BACK})


def _execute(statements: dict[str, tuple[str, ...]]) -> None:
    for statement in statements[op.get_bind().dialect.name]:
        op.execute(statement)
