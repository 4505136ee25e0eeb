"""What a clinic's runs read of Cliniko, and concluded, over a period: oldest first, a batch at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.backtest import Moment
from service.store import documents
from service.store.columns import Instant
from service.store.database import Database
from service.store.inputs import Shelf, texts_of
from service.store.tables import run as _run
from service.store.tables import snapshot as _snapshot

BATCH = 100
"""How many readings one transaction fetches."""


@dataclass(frozen=True, slots=True)
class Span:
    """The readings that are kept of a period: how many, and when the first and the last were taken."""

    count: int
    first: datetime
    last: datetime


class History:
    """The stored readings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def span(self, clinic: str, first: datetime, last: datetime) -> Span | None:
        """What is kept of the clinic's period, ends included; None where nothing is. Raises StoreError."""
        taken = _snapshot.c.taken_at
        query = select(func.count(), func.min(taken), func.max(taken)).where(
            _snapshot.c.clinic == clinic, _snapshot.c.readable.in_([True, False]), taken.between(first, last)
        )
        async with self._database.reading() as conn:
            count, earliest, latest = (await conn.execute(query)).one()
        return Span(count, earliest, latest) if count else None

    async def moments(self, clinic: str, first: datetime, last: datetime) -> AsyncIterator[Moment]:
        """The readings of the clinic's period, ends included, oldest first. Raises StoreError, NotFoundError."""
        shelf, after = Shelf(), (first, "")
        while True:
            async with self._database.reading() as conn:
                batch = await _batch(conn, shelf, clinic, after, last)
            for moment in batch:
                yield moment
            if len(batch) < BATCH:
                return
            after = (batch[-1].at, batch[-1].run)

    async def outcomes(self, clinic: str, first: datetime, last: datetime) -> AsyncIterator[tuple[datetime, str]]:
        """When, and what, the kept runs begun in the clinic's period concluded, as canonical text. Raises StoreError."""
        columns = (_run.c.started_at, _run.c.outcome_text)
        kept = (_run.c.outcome_text.is_not(None), _run.c.forgotten_at.is_(None))
        query = select(*columns).where(_run.c.clinic == clinic, _run.c.started_at.between(first, last), *kept)
        async with self._database.reading() as conn:
            rows = (await conn.execute(query.order_by(_run.c.started_at, _run.c.id))).all()
            for n in range(0, len(rows), BATCH):
                texts = await documents.get(conn, {row.outcome_text for row in rows[n : n + BATCH]})
                for row in rows[n : n + BATCH]:
                    yield row.started_at, texts[row.outcome_text].decode()


async def _batch(conn: AsyncConnection, shelf: Shelf, clinic: str, after: tuple[datetime, str], last: datetime) -> list[Moment]:
    """The next readings after a run."""
    at, run = after
    columns = (_snapshot.c.run, _snapshot.c.taken_at, _snapshot.c.document)
    later = tuple_(_snapshot.c.taken_at, _snapshot.c.run) > tuple_(literal(at, Instant), literal(run))
    mine = (_snapshot.c.clinic == clinic, _snapshot.c.readable.in_([True, False]))  # as its index goes
    query = select(*columns).where(*mine, _snapshot.c.taken_at <= last, later)
    rows = (await conn.execute(query.order_by(_snapshot.c.taken_at, _snapshot.c.run).limit(BATCH))).all()
    wholes, texts = await texts_of(conn, {row.document for row in rows})
    shelf.trim()
    return [Moment(row.run, row.taken_at, shelf.diaries(wholes[row.document]["diaries"], texts)) for row in rows]
