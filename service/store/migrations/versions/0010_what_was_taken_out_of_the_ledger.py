"""Records may be taken out of the ledger, from the first on, once a checkpoint says where they went; nothing else may.

A checkpoint is believed only if it names a record that is there by its hash, lies beyond the checkpoint before it, and has been
told of by a record of its own. Since that record comes after it, the newest record of a chain is never covered.
"""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError
from sqlalchemy.dialects.postgresql import TIMESTAMP

INSTANT = sa.String(27).with_variant(TIMESTAMP(timezone=True), "postgresql")

revision = "0010"
down_revision = "0009"

GROUNDLESS = """
    NOT EXISTS (SELECT 1 FROM ledger WHERE chain = NEW.chain AND seq = NEW.seq AND hash = NEW.hash)
    OR NOT EXISTS (SELECT 1 FROM ledger WHERE chain = NEW.chain AND seq > NEW.seq AND kind = 'checkpoint')
    OR EXISTS (SELECT 1 FROM checkpoint WHERE chain = NEW.chain AND seq >= NEW.seq)
"""
SET = "checkpoints are append-only: one names a record that is there, goes beyond the last one, and has a record of its own"
CHANGED = "checkpoints are append-only: none is changed or removed"

SQLITE_BEFORE = """
    CREATE TRIGGER ledger_refuses_delete BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no record is removed'); END
"""
SQLITE = (
    "DROP TRIGGER ledger_refuses_delete",
    """
    CREATE TRIGGER ledger_refuses_delete BEFORE DELETE ON ledger
    WHEN NOT EXISTS (SELECT 1 FROM checkpoint WHERE chain = OLD.chain AND seq >= OLD.seq)
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no record is removed that no checkpoint covers'); END
    """,
    # It refuses INSERT OR REPLACE as well, which removes the old row without asking the triggers below.
    f"""
    CREATE TRIGGER checkpoint_refuses_insert BEFORE INSERT ON checkpoint WHEN {GROUNDLESS}
    BEGIN SELECT RAISE(ABORT, '{SET}'); END
    """,
    f"""
    CREATE TRIGGER checkpoint_refuses_update BEFORE UPDATE ON checkpoint
    BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END
    """,
    f"""
    CREATE TRIGGER checkpoint_refuses_delete BEFORE DELETE ON checkpoint
    BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END
    """,
)
SQLITE_BACK = ("DROP TRIGGER ledger_refuses_delete", SQLITE_BEFORE)

POSTGRESQL_BEFORE = """
    CREATE TRIGGER ledger_refuses_change BEFORE UPDATE OR DELETE ON ledger
    FOR EACH ROW EXECUTE FUNCTION ledger_refuses()
"""
POSTGRESQL = (
    "DROP TRIGGER ledger_refuses_change ON ledger",
    """
    CREATE TRIGGER ledger_refuses_change BEFORE UPDATE ON ledger
    FOR EACH ROW EXECUTE FUNCTION ledger_refuses()
    """,
    """
    CREATE FUNCTION ledger_refuses_uncovered() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM checkpoint WHERE chain = OLD.chain AND seq >= OLD.seq) THEN RETURN OLD; END IF;
        RAISE EXCEPTION 'the ledger is append-only: no record is removed that no checkpoint covers';
    END $$
    """,
    """
    CREATE TRIGGER ledger_refuses_delete BEFORE DELETE ON ledger
    FOR EACH ROW EXECUTE FUNCTION ledger_refuses_uncovered()
    """,
    f"""
    CREATE FUNCTION checkpoint_refuses_groundless() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF {GROUNDLESS} THEN RAISE EXCEPTION '{SET}'; END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER checkpoint_refuses_insert BEFORE INSERT ON checkpoint
    FOR EACH ROW EXECUTE FUNCTION checkpoint_refuses_groundless()
    """,
    f"""
    CREATE FUNCTION checkpoint_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{CHANGED}'; END $$
    """,
    """
    CREATE TRIGGER checkpoint_refuses_change BEFORE UPDATE OR DELETE ON checkpoint
    FOR EACH ROW EXECUTE FUNCTION checkpoint_refuses()
    """,
    """
    CREATE TRIGGER checkpoint_refuses_truncate BEFORE TRUNCATE ON checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION checkpoint_refuses()
    """,
)
POSTGRESQL_BACK = (
    "DROP TRIGGER ledger_refuses_delete ON ledger",
    "DROP TRIGGER ledger_refuses_change ON ledger",
    POSTGRESQL_BEFORE,
    "DROP FUNCTION ledger_refuses_uncovered()",
)
POSTGRESQL_GONE = ("DROP FUNCTION checkpoint_refuses_groundless()", "DROP FUNCTION checkpoint_refuses()")
"""What no trigger needs any more once the table is gone."""


def upgrade() -> None:
    op.create_table(
        "checkpoint",
        sa.Column("chain", sa.String(100), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("file", sa.String(255), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("chain", "seq", name="pk_checkpoint"),
        comment="What was taken out of a chain into a file: only records up to a checkpoint may be removed.",
    )
    op.create_index("ix_ledger_chain_id", "ledger", ["chain", "id"])
    _execute({"sqlite": SQLITE, "postgresql": POSTGRESQL})


def downgrade() -> None:
    # The version before would call a chain broken whose beginning is in a file, and forget which file.
    if op.get_bind().scalar(sa.text("SELECT count(*) FROM checkpoint")):
        raise CommandError("records of the ledger were taken out into files, which the version before cannot verify: stay here")
    _execute({"sqlite": SQLITE_BACK, "postgresql": POSTGRESQL_BACK})
    op.drop_index("ix_ledger_chain_id", "ledger")
    op.drop_table("checkpoint")
    _execute({"sqlite": (), "postgresql": POSTGRESQL_GONE})


def _execute(statements: dict[str, tuple[str, ...]]) -> None:
    for statement in statements[op.get_bind().dialect.name]:
        op.execute(statement)
