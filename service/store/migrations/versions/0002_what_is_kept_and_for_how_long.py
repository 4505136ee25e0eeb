"""Documents know when they were last used, runs whether they were forgotten; looks and the booking-pace model.

The way back also writes out in full what the version before cannot read in parts: its code, like all of a migration, stands
here by itself.
"""

import hashlib
import json
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import accumulate
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0002"
down_revision = "0001"

INSTANT = sa.String(27).with_variant(TIMESTAMP(timezone=True), "postgresql")
SLUG, ID, NAME, DIGEST = sa.String(100), sa.String(40), sa.String(200), sa.String(64)

INDEXES = (
    ("document", "used_on"),
    ("run", "inputs"),
    ("run", "outcome"),
    ("run", "outcome_text"),
    ("snapshot", "document"),
    ("rule_revision", "rules"),
)
"""Whether a document is named anywhere is asked of each that is old."""


def upgrade() -> None:
    op.add_column("document", sa.Column("used_on", sa.Date))
    op.add_column("run", sa.Column("forgotten_at", INSTANT))
    # By whom a document was used last is not known; not later than the newest run.
    newest = op.get_bind().scalar(sa.text("SELECT max(started_at) FROM run"))
    day = date.fromisoformat(str(newest)[:10]) if newest else datetime.now(UTC).date()
    op.execute(sa.update(sa.table("document", sa.column("used_on", sa.Date))).values(used_on=day))
    for table, column in INDEXES:
        op.create_index(f"ix_{table}_{column}", table, [column])
    _looks()
    _pace_model()


def _looks() -> None:
    op.create_table(
        "look",
        sa.Column("clinic", SLUG, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("service", NAME, nullable=False),
        sa.Column("location", ID, nullable=False),
        sa.Column("taken_at", INSTANT, nullable=False),
        sa.Column("run", ID, sa.ForeignKey("run.id", name="fk_look_run"), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("clinic", "day", "service", "location", name="pk_look"),
        comment="The first whole look of each local day: what the booking-pace model learns from.",
    )


def _pace_model() -> None:
    op.create_table(
        "pace_model",
        sa.Column("clinic", SLUG, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("document", DIGEST, sa.ForeignKey("document.digest", name="fk_pace_model_document"), nullable=False),
        sa.Column("fitted_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("clinic", name="pk_pace_model"),
    )
    op.create_index("ix_pace_model_document", "pace_model", ["document"])


def downgrade() -> None:
    op.drop_table("pace_model")
    op.drop_table("look")
    for table, column in INDEXES:
        op.drop_index(f"ix_{table}_{column}", table)
    op.drop_column("run", "forgotten_at")
    op.drop_column("document", "used_on")
    _write_out(op.get_bind())


# --- parts written out in full --------------------------------------------------------------------------------------------

_document = sa.table("document", sa.column("digest"), sa.column("body", sa.LargeBinary))
_run = sa.table("run", *(sa.column(name) for name in ("id", "inputs", "outcome", "outcome_text")))
_snapshot = sa.table("snapshot", sa.column("run"), sa.column("document"))


def _write_out(conn: sa.Connection) -> None:
    @cache
    def whole(digest: str) -> str:
        """The digest of a snapshot written out."""
        snapshot = _read(conn, digest)
        if "reference" not in snapshot["diaries"]:
            return digest
        reference, packed = (_read(conn, snapshot["diaries"][part]) for part in ("reference", "probes"))
        probes = list(_probes(packed, [*reference["diaries"]["offers"], *reference["also"]]))
        return _store(conn, {**snapshot, "diaries": {**reference["diaries"], "probes": probes}})

    for row in conn.execute(sa.select(_snapshot)).all():
        conn.execute(sa.update(_snapshot).where(_snapshot.c.run == row.run).values(document=whole(row.document)))
    for row in conn.execute(sa.select(_run).where(_run.c.inputs.is_not(None))).all():
        inputs, lost = _read(conn, row.inputs), _read(conn, row.outcome)
        inputs |= {"snapshot": whole(inputs["snapshot"]), "baselines": [whole(each) for each in inputs["baselines"]]}
        values = {"inputs": _store(conn, inputs)}
        if isinstance(lost, list):
            values["outcome"] = _store(conn, _restored(_read(conn, row.outcome_text), lost))
        conn.execute(sa.update(_run).where(_run.c.id == row.id).values(values))


def _read(conn: sa.Connection, digest: str) -> Any:
    return json.loads(zlib.decompress(conn.scalars(sa.select(_document.c.body).where(_document.c.digest == digest)).one()))


def _store(conn: sa.Connection, value: object) -> str:
    text = json.dumps(value).encode()
    digest = hashlib.sha256(text).hexdigest()
    if conn.scalar(sa.select(_document.c.digest).where(_document.c.digest == digest)) is None:
        conn.execute(sa.insert(_document).values(digest=digest, body=zlib.compress(text)))
    return digest


def _probes(packed: dict[str, Any], offers: list[Any]) -> Iterator[dict[str, Any]]:
    for place, first, days, steps, *why in packed["probes"]:
        midnight = datetime.fromisoformat(f"{first}T00:00:00+00:00")
        last = date.fromisoformat(first) + timedelta(days=days)
        starts = None
        if steps is not None:
            starts = [(midnight + timedelta(microseconds=n * packed["unit"])).isoformat() for n in accumulate(steps)]
        unseen = why[0] if why else None
        yield {"offer": offers[place], "first": first, "last": last.isoformat(), "starts": starts, "unseen": unseen}


def _restored(outcome: Any, lost: list[Any]) -> Any:
    for path, value in lost[0]:
        place = outcome
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
    return outcome
