"""The tables. What is queried is a column; the rest of a value is a JSON document beside it.

`migrations/` builds these; a test holds the two together. Append-only is enforced there, by triggers.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import VARCHAR

from service.store.columns import Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _string(length: int) -> String:
    """Text that is about so long, and compared byte by byte, as SQLite does: names are in the same order on every machine.

    By a language's rules it would be another order with another locale, and an index wrong when the system's rules change.
    PostgreSQL alone would hold us to the length, and refuse a run whose campaign has a long name; what people write is
    limited where they write it.
    """
    return String(length).with_variant(VARCHAR(collation="C"), "postgresql")


NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""A number the database counts up itself; SQLite does so for INTEGER only."""

# --- the ledger ---------------------------------------------------------------------------------------------------------

chain = Table(
    "chain",
    metadata,
    Column("name", _string(100), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", _string(64), nullable=False),
    comment="The head of each chain: the row writers queue at, and what the chain must still reach when it is verified.",
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("chain", _string(100), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", Instant(damaged=datetime.min.replace(tzinfo=UTC)), nullable=False),
    Column("kind", _string(40), nullable=False),
    Column("text", Text, nullable=False),
    Column("hash", _string(64), nullable=False),
    UniqueConstraint("chain", "seq"),
    Index(None, "kind", "id"),
    Index(None, "chain", "id"),
    sqlite_autoincrement=True,
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("chain", _string(100), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("hash", _string(64), nullable=False),
    Column("first", Integer, nullable=False),
    Column("file", _string(255), nullable=False),
    Column("sha256", _string(64), nullable=False),
    Column("at", Instant(damaged=datetime.min.replace(tzinfo=UTC)), nullable=False),
    Column("by", _string(200), nullable=False),
    comment="What was taken out of a chain into a file: only records up to a checkpoint may be removed.",
)

# --- documents and runs -------------------------------------------------------------------------------------------------

document = Table(
    "document",
    metadata,
    Column("digest", _string(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("used_on", Date),
    Index(None, "used_on"),
    comment="Compressed JSON under the SHA-256 of its text: what several runs share is stored once.",
)

run = Table(
    "run",
    metadata,
    Column("id", _string(40), primary_key=True),
    Column("clinic", _string(100), nullable=False),
    Column("status", _string(20), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("message", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("inputs", ForeignKey("document.digest")),
    Column("outcome", ForeignKey("document.digest")),
    Column("outcome_text", ForeignKey("document.digest")),
    Column("forgotten_at", Instant),
    Index(None, "clinic", "started_at", "id"),
    Index(None, "started_at", "id"),
    Index(None, "status"),
    *(Index(None, name) for name in ("inputs", "outcome", "outcome_text")),
)

snapshot = Table(
    "snapshot",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("clinic", _string(100), nullable=False),
    Column("taken_at", Instant, nullable=False),
    Column("readable", Boolean, nullable=False),
    Column("document", ForeignKey("document.digest"), nullable=False),
    Index(None, "clinic", "readable", "taken_at"),
    Index(None, "document"),
)

decision = Table(
    "decision",
    metadata,
    Column("id", _string(40), primary_key=True),
    Column("run", ForeignKey("run.id"), nullable=False),
    Column("clinic", _string(100), nullable=False),
    Column("campaign", _string(200), nullable=False),
    Column("platform", _string(20), nullable=False),
    Column("service", _string(200), nullable=False, server_default=""),
    Column("rule", Text),
    Column("verdict", _string(20), nullable=False),
    Column("reason", _string(40), nullable=False),
    Column("changed", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "at", "id"),
    Index("ix_decision_clinic_newest", "clinic", "at", "id", "changed", "verdict", "reason", "platform", "rule"),
    Index(None, "clinic", "campaign", "at", "id"),
    Index(None, "run"),
)

trace = Table(
    "trace",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("service", _string(200), primary_key=True),
    Column("document", ForeignKey("document.digest"), nullable=False),
    Index(None, "document"),
    comment="The conditions of a service as a run evaluated them: why its decisions are what they are.",
)

# --- the booking pace ---------------------------------------------------------------------------------------------------

look = Table(
    "look",
    metadata,
    Column("clinic", _string(100), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("service", _string(200), primary_key=True),
    Column("location", _string(40), primary_key=True),
    Column("taken_at", Instant, nullable=False),
    Column("run", ForeignKey("run.id"), nullable=False),
    Column("body", Text, nullable=False),
    comment="The first whole look of each local day: what the booking-pace model learns from.",
)

pace_model = Table(
    "pace_model",
    metadata,
    Column("clinic", _string(100), primary_key=True),
    Column("key", _string(200), nullable=False),
    Column("document", ForeignKey("document.digest"), nullable=False),
    Column("fitted_at", Instant, nullable=False),
    Index(None, "document"),
)

# --- the reports --------------------------------------------------------------------------------------------------------

run_seen = Table(
    "run_seen",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True),
    Column("clinic", _string(100), nullable=False),
    Column("at", Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index(None, "clinic", "at"),
    comment="What of each campaign and service a run saw, as the money report needs it.",
)

day_seen = Table(
    "day_seen",
    metadata,
    Column("clinic", _string(100), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("service", _string(200), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    comment="The diaries of a service at the first whole look of a local day, as the structure report needs them.",
)

# --- remembered between runs --------------------------------------------------------------------------------------------


def _remembered(name: str, key: Column[str]) -> Table:
    """What is remembered of each clinic, as JSON by `key`."""
    clinic, body = Column("clinic", _string(100), primary_key=True), Column("body", Text, nullable=False)
    return Table(name, metadata, clinic, key, body)


rule_state = _remembered("rule_state", Column("key", _string(400), primary_key=True))
known_name = _remembered("known_name", Column("name", _string(400), primary_key=True))
standing = _remembered("standing", Column("campaign", _string(200), primary_key=True))

day_numbers = Table(
    "day_numbers",
    metadata,
    Column("clinic", _string(100), primary_key=True),
    Column("body", Text, nullable=False),
)

change = Table(
    "change",
    metadata,
    Column("id", _string(40), primary_key=True),
    Column("decision", _string(40), nullable=False),
    Column("run", _string(40), nullable=False),
    Column("clinic", _string(100), nullable=False),
    Column("campaign", _string(200), nullable=False),
    Column("status", _string(20), nullable=False),
    Column("fence", Integer, nullable=False),
    Column("intended_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("settled_at", Instant),
    Column("body", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index(None, "clinic", "status"),
    Index(None, "run"),
    Index(None, "decision"),
)

lease = Table(
    "lease",
    metadata,
    Column("clinic", _string(100), primary_key=True),
    Column("holder", _string(200)),
    Column("token", Integer, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

note = Table(
    "note",
    metadata,
    Column("key", _string(200), primary_key=True),
    Column("until", Instant),
    Column("body", Text, nullable=False),
    comment="What an outside system said and need not be asked again until then; only a saving, never a record.",
)

# --- people -------------------------------------------------------------------------------------------------------------

hold = Table(
    "hold",
    metadata,
    Column("id", _string(40), primary_key=True),
    Column("clinic", _string(100)),
    Column("campaign", _string(200)),
    Column("service", _string(200)),
    Column("of", _string(300)),
    Column("until", Instant),
    Column("reason", Text, nullable=False),
    Column("by", _string(200), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", _string(200)),
    Index(None, "ended_at", "clinic"),
)

approval = Table(
    "approval",
    metadata,
    Column("id", _string(40), primary_key=True),
    Column("clinic", _string(100), nullable=False),
    Column("campaign", _string(200), nullable=False),
    Column("answer", _string(20), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "clinic", "answer"),
    comment="What people were asked, and what they answered; the id is that of the decision that asked first.",
)

key = Table(
    "api_key",
    metadata,
    Column("id", _string(40), primary_key=True),
    Column("name", _string(200), nullable=False),
    Column("role", _string(20), nullable=False),
    Column("clinics", Text, nullable=False),
    Column("hash", _string(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Column("used_at", Instant),
    UniqueConstraint("hash"),
)

session = Table(
    "session",
    metadata,
    Column("hash", _string(64), primary_key=True),
    Column("key_hash", _string(64), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index(None, "expires_at"),
    comment="Browsers that are signed in to the dashboard, by the hash of what their cookie holds.",
)

repeat = Table(
    "repeat",
    metadata,
    Column("key", _string(40), primary_key=True),
    Column("word", _string(200), primary_key=True),
    Column("fingerprint", _string(64), nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("status", Integer),
    Column("media_type", _string(100)),
    Column("body", LargeBinary),
    Index(None, "begun_at"),
    comment="What requests with an Idempotency-Key were answered, for a day.",
)

revision = Table(
    "rule_revision",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("clinic", _string(100), nullable=False),
    Column("digest", _string(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("rules", ForeignKey("document.digest"), nullable=False),
    Column("loaded_at", Instant, nullable=False),
    Index(None, "clinic", "id"),
    Index(None, "rules"),
)

rejection = Table(
    "rule_rejection",
    metadata,
    Column("clinic", _string(100), primary_key=True),
    Column("digest", _string(64), nullable=False),
    Column("problems", Text, nullable=False),
    Column("rejected_at", Instant, nullable=False),
)

# --- notices ------------------------------------------------------------------------------------------------------------

notice_position = Table(
    "notice_position",
    metadata,
    Column("chain", _string(100), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("memory", Text, nullable=False),
    comment="Up to which record of each chain notices have been made, and what is remembered of what was told.",
)

notice = Table(
    "notice",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=True),
    Column("chain", _string(100), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("channel", _string(200), nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Column("status", _string(20), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("repeated", Boolean, nullable=False),
    Column("claim", _string(40)),
    Column("claimed_at", Instant),
    Column("ended_at", Instant),
    UniqueConstraint("chain", "seq", "channel", "n"),
    Index(None, "status", "due_at"),
    Index(None, "ended_at"),
    comment="The outbox: what is to be told, and what has been.",
)
