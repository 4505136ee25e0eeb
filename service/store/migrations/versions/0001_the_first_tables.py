"""The first tables, and a ledger that the database itself refuses to change."""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0001"
down_revision = None

INSTANT = sa.String(27).with_variant(TIMESTAMP(timezone=True), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
SLUG, ID, NAME, TOKEN, DIGEST = sa.String(100), sa.String(40), sa.String(200), sa.String(20), sa.String(64)

SQLITE_GUARDS = (
    """
    CREATE TRIGGER ledger_refuses_update BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no record is changed'); END
    """,
    """
    CREATE TRIGGER ledger_refuses_delete BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: no record is removed'); END
    """,
    # INSERT OR REPLACE removes the old row without asking the trigger above.
    """
    CREATE TRIGGER ledger_refuses_replace BEFORE INSERT ON ledger
    WHEN NEW.seq <> 1 + coalesce((SELECT max(seq) FROM ledger WHERE chain = NEW.chain), 0)
      OR EXISTS (SELECT 1 FROM ledger WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: a record follows the last one of its chain'); END
    """,
)

POSTGRESQL_GUARDS = (
    """
    CREATE FUNCTION ledger_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the ledger is append-only: no record is changed or removed'; END $$
    """,
    """
    CREATE TRIGGER ledger_refuses_change BEFORE UPDATE OR DELETE ON ledger
    FOR EACH ROW EXECUTE FUNCTION ledger_refuses()
    """,
    """
    CREATE TRIGGER ledger_refuses_truncate BEFORE TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuses()
    """,
)


def upgrade() -> None:
    _ledger()
    _runs()
    _remembered()
    _people()
    guards = {"sqlite": SQLITE_GUARDS, "postgresql": POSTGRESQL_GUARDS}[op.get_bind().dialect.name]
    for guard in guards:
        op.execute(guard)


TABLES = (
    *("rule_rejection", "rule_revision", "api_key", "hold"),
    *("lease", "change", "standing", "rule_state"),
    *("decision", "snapshot", "run", "document"),
    *("ledger", "chain"),
)


def downgrade() -> None:
    if op.get_bind().scalar(sa.text("SELECT count(*) FROM chain")):
        raise CommandError("there are records in the ledger, which would be lost: drop the database yourself if they may be")
    for table in TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION ledger_refuses()")


def _ledger() -> None:
    op.create_table(
        "chain",
        sa.Column("name", SLUG, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("hash", DIGEST, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_chain"),
        comment="The head of each chain: the row writers queue at, and what the chain must still reach when it is verified.",
    )
    op.create_table(
        "ledger",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("chain", SLUG, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("kind", ID, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("hash", DIGEST, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger"),
        sa.UniqueConstraint("chain", "seq", name="uq_ledger_chain_seq"),
        sqlite_autoincrement=True,
    )
    _index("ledger", "kind", "id")


def _runs() -> None:
    op.create_table(
        "document",
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_document"),
        comment="Compressed JSON under the SHA-256 of its text: what several runs share is stored once.",
    )
    op.create_table(
        "run",
        sa.Column("id", ID, nullable=False),
        sa.Column("clinic", SLUG, nullable=False),
        sa.Column("status", TOKEN, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        *(_reference("run", name, "document.digest", DIGEST, null=True) for name in ("inputs", "outcome", "outcome_text")),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
    )
    _index("run", "clinic", "started_at", "id")
    _index("run", "started_at", "id")
    _index("run", "status")
    op.create_table(
        "snapshot",
        _reference("snapshot", "run", "run.id", ID),
        sa.Column("clinic", SLUG, nullable=False),
        sa.Column("taken_at", INSTANT, nullable=False),
        sa.Column("readable", sa.Boolean, nullable=False),
        _reference("snapshot", "document", "document.digest", DIGEST),
        sa.PrimaryKeyConstraint("run", name="pk_snapshot"),
    )
    _index("snapshot", "clinic", "readable", "taken_at")
    op.create_table(
        "decision",
        sa.Column("id", ID, nullable=False),
        _reference("decision", "run", "run.id", ID),
        sa.Column("clinic", SLUG, nullable=False),
        sa.Column("campaign", NAME, nullable=False),
        sa.Column("platform", TOKEN, nullable=False),
        sa.Column("rule", sa.Text),
        sa.Column("verdict", TOKEN, nullable=False),
        sa.Column("reason", ID, nullable=False),
        sa.Column("changed", sa.Boolean, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decision"),
    )
    _index("decision", "at", "id")
    _index("decision", "clinic", "at", "id")
    _index("decision", "clinic", "campaign", "at", "id")
    _index("decision", "run")


def _remembered() -> None:
    op.create_table(
        "rule_state",
        sa.Column("clinic", SLUG, nullable=False),
        sa.Column("key", sa.String(400), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("clinic", "key", name="pk_rule_state"),
    )
    op.create_table(
        "standing",
        sa.Column("clinic", SLUG, nullable=False),
        sa.Column("campaign", NAME, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("clinic", "campaign", name="pk_standing"),
    )
    op.create_table(
        "change",
        sa.Column("id", ID, nullable=False),
        sa.Column("decision", ID, nullable=False),
        sa.Column("run", ID, nullable=False),
        sa.Column("clinic", SLUG, nullable=False),
        sa.Column("campaign", NAME, nullable=False),
        sa.Column("status", TOKEN, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("intended_at", INSTANT, nullable=False),
        sa.Column("settled_at", INSTANT),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_change"),
    )
    _index("change", "clinic", "status")
    _index("change", "run")
    _index("change", "decision")
    op.create_table(
        "lease",
        sa.Column("clinic", SLUG, nullable=False),
        sa.Column("holder", NAME),
        sa.Column("token", sa.Integer, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("clinic", name="pk_lease"),
    )


def _people() -> None:
    op.create_table(
        "hold",
        sa.Column("id", ID, nullable=False),
        sa.Column("clinic", SLUG),
        sa.Column("campaign", NAME),
        sa.Column("service", NAME),
        sa.Column("until", INSTANT),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by", NAME, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("ended_by", NAME),
        sa.PrimaryKeyConstraint("id", name="pk_hold"),
    )
    _index("hold", "ended_at", "clinic")
    op.create_table(
        "api_key",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("role", TOKEN, nullable=False),
        sa.Column("clinics", sa.Text, nullable=False),
        sa.Column("hash", DIGEST, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.Column("revoked_at", INSTANT),
        sa.Column("used_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("hash", name="uq_api_key_hash"),
    )
    op.create_table(
        "rule_revision",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("clinic", SLUG, nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        _reference("rule_revision", "rules", "document.digest", DIGEST),
        sa.Column("loaded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rule_revision"),
    )
    _index("rule_revision", "clinic", "id")
    op.create_table(
        "rule_rejection",
        sa.Column("clinic", SLUG, nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("problems", sa.Text, nullable=False),
        sa.Column("rejected_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("clinic", name="pk_rule_rejection"),
    )


def _reference(table: str, column: str, target: str, kind: sa.String, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(column, kind, sa.ForeignKey(target, name=f"fk_{table}_{column}"), nullable=null)


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
