"""Changes: recorded as intended before a platform is asked, settled exactly once afterwards.

A change that is open when a worker starts is one whose outcome nobody recorded: that worker reads the platform and settles
it. Row, ledger record and standing are written in one transaction, by the worker that holds the clinic's lease.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, bindparam, insert, select, update

from service.core.canonical import canonical
from service.core.decide.model import Change, Standing
from service.core.errors import NotFoundError
from service.core.ledger import Kind
from service.store import documents
from service.store.database import Database
from service.store.leases import TERM, demand, keep
from service.store.ledger import Entry, append, append_all
from service.store.state import put_standings
from service.store.tables import change as _change
from service.store.undisturbed import at_once, undisturbed

_IN_ORDER = select(_change).order_by(_change.c.intended_at, _change.c.id)
_OPEN = _IN_ORDER.where(_change.c.clinic == bindparam("of"), _change.c.status == "open")
_OF_DECISIONS = _IN_ORDER.where(_change.c.decision.in_(bindparam("decisions", expanding=True)))

Outcome = Literal["applied", "failed", "superseded"]

_KINDS: dict[Outcome, Kind] = {
    "applied": Kind.CHANGE_APPLIED,
    "failed": Kind.CHANGE_FAILED,
    "superseded": Kind.CHANGE_SUPERSEDED,
}


@dataclass(frozen=True, slots=True)
class RecordedChange:
    """A change and what became of it; `detail` is what was said when it was settled.

    `sent_at` is when it was about to go out to its platform: without it, it never did.
    """

    change: Change
    status: Literal["open"] | Outcome
    intended_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None
    detail: dict[str, Any]


@undisturbed
class Intents:
    """The changes of every clinic."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def intend(self, change: Change, at: datetime, fence: int) -> None:
        """Record a change that is about to be sent. Raises LeaseLostError."""
        row = {name: getattr(change, name) for name in ("id", "decision", "run", "clinic", "campaign")}
        body = documents.dump(Change, change).decode()
        async with self._database.writing() as conn:
            await demand(conn, change.clinic, fence)
            await conn.execute(
                insert(_change).values(**row, status="open", fence=fence, intended_at=at, body=body, detail="{}")
            )
            await append(conn, change.clinic, Kind.CHANGE_INTENDED, {"change": change}, at)

    async def send(self, change: Change, at: datetime, fence: int) -> None:
        """Record that an open change goes out now, by the worker that has the clinic, and keep the clinic for it.

        A worker that slept through its lease learns here that another has taken over. Raises LeaseLostError, NotFoundError.
        """
        async with self._database.writing() as conn:
            await keep(conn, change.clinic, fence, TERM, at)
            open_ = (_change.c.id == change.id, _change.c.status == "open")
            if not (await conn.execute(update(_change).where(*open_).values(sent_at=at))).rowcount:
                raise NotFoundError(f"no open change {change.id}")

    async def settle(
        self,
        change_id: str,
        outcome: Outcome,
        detail: Mapping[str, object],
        at: datetime,
        fence: int,
        *,
        standings: Mapping[str, Standing] | None = None,
    ) -> None:
        """Close an open change; `standings` replace what is remembered about its campaign, and others that moved with it.

        Raises NotFoundError if no such change is open (it may have been settled already), LeaseLostError.
        """
        async with self._database.writing() as conn:
            body = await conn.scalar(select(_change.c.body).where(_change.c.id == change_id))
            if body is None:
                raise NotFoundError(f"no change {change_id}")
            change = documents.load(Change, body)
            await demand(conn, change.clinic, fence)
            open_ = (_change.c.id == change_id, _change.c.status == "open")
            ended = update(_change).where(*open_).values(status=outcome, settled_at=at, detail=canonical(detail))
            if not (await conn.execute(ended)).rowcount:
                raise NotFoundError(f"no open change {change_id}")
            await put_standings(conn, change.clinic, standings or {})
            records = [Entry(_KINDS[outcome], {"change": change, "detail": detail}, at)]
            if (mine := (standings or {}).get(change.campaign)) and mine.stood_down:
                hand = {"stood_down": mine.stood_down, "expected": mine.expected}
                records.append(Entry(Kind.DRIFT, {"run": change.run, "campaign": change.campaign, **hand}, at))
            await append_all(conn, change.clinic, records)

    async def open(self, clinic: str) -> tuple[RecordedChange, ...]:
        """The changes of a clinic whose outcome is not recorded, oldest first."""
        rows = await self._database.read(lambda conn: conn.execute(_OPEN, {"of": clinic}).all())
        return tuple(map(_recorded, rows))

    async def of_run(self, run: str) -> tuple[RecordedChange, ...]:
        """The changes of a run and what became of them, oldest first."""
        return await self._where(_change.c.run == run)

    async def of_decision(self, decision: str) -> tuple[RecordedChange, ...]:
        """The changes a decision led to and what became of them, oldest first."""
        return await self._where(_change.c.decision == decision)

    @at_once
    async def of_decisions(self, decisions: Collection[str]) -> dict[str, tuple[RecordedChange, ...]]:
        """The changes that each of these decisions led to, oldest first; a decision without any is left out."""
        found = defaultdict[str, list[RecordedChange]](list)
        rows = (
            await self._database.read(lambda conn: conn.execute(_OF_DECISIONS, {"decisions": [*decisions]}).all())
            if decisions
            else ()
        )
        for each in map(_recorded, rows):
            found[each.change.decision].append(each)
        return {decision: tuple(changes) for decision, changes in found.items()}

    async def _where(self, *wanted: ColumnElement[bool]) -> tuple[RecordedChange, ...]:
        query = _IN_ORDER.where(*wanted)
        return tuple(map(_recorded, await self._database.read(lambda conn: conn.execute(query).all())))


def _recorded(row: Row[Any]) -> RecordedChange:
    times = (row.intended_at, row.sent_at, row.settled_at)
    return RecordedChange(documents.load(Change, row.body), row.status, *times, json.loads(row.detail))
