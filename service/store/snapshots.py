"""Snapshots of earlier runs, as later runs ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.model import Campaign, Snapshot, Unreadable
from service.store.database import Database
from service.store.documents import Document
from service.store.inputs import campaigns_of, snapshots_together
from service.store.tables import snapshot as _snapshot
from service.store.undisturbed import at_once, undisturbed

_READABLE = select(_snapshot.c.document).where(_snapshot.c.clinic == bindparam("of"), _snapshot.c.readable)
_NEWEST = _READABLE.order_by(_snapshot.c.taken_at.desc(), _snapshot.c.run.desc()).limit(1)
_NEWEST_BEFORE = _NEWEST.where(_snapshot.c.taken_at <= bindparam("before"))


@undisturbed
class Snapshots:
    """What earlier runs observed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def baselines(self, clinic: str, windows: Sequence[tuple[datetime, datetime]]) -> tuple[Snapshot, ...]:
        """The clinic's snapshots taken in any of `windows` (ends included) whose diaries could be read, newest first."""
        if not windows:
            return ()
        taken = or_(*(_snapshot.c.taken_at.between(first, last) for first, last in windows))
        query = (
            select(_snapshot.c.document)
            .where(_snapshot.c.clinic == clinic, _snapshot.c.readable, taken)
            .order_by(_snapshot.c.taken_at.desc(), _snapshot.c.run.desc())
        )
        async with self._database.reading() as conn:
            digests = (await conn.scalars(query)).all()
            return tuple(await snapshots_together(conn, digests))

    async def latest_readable(self, clinic: str, before: datetime | None = None) -> Snapshot | None:
        """The clinic's newest snapshot whose diaries could be read; with `before`, taken then or earlier."""
        query = _NEWEST if before is None else _NEWEST_BEFORE
        async with self._database.reading() as conn:
            digest = await conn.scalar(query, {"of": clinic, "before": before})
            if digest is None:
                return None
            return (await snapshots_together(conn, [digest]))[0]

    async def campaigns(self, clinic: str, first: datetime, before: datetime) -> tuple[dict[str, Campaign | Unreadable], ...]:
        """The campaigns that the clinic's snapshots of [first, before) show, newest first, without their diaries."""
        taken = and_(_snapshot.c.taken_at >= first, _snapshot.c.taken_at < before)
        query = select(_snapshot.c.document).where(_snapshot.c.clinic == clinic, taken).order_by(_snapshot.c.taken_at.desc())
        async with self._database.reading() as conn:
            return await campaigns_of(conn, (await conn.scalars(query)).all())

    @at_once
    async def cliniko_unreadable_since(self, clinic: str) -> datetime | None:
        """When the unbroken series of unreadable diaries that the latest snapshot belongs to began; None: it was read."""
        mine = _snapshot.c.clinic == clinic
        last_read = select(func.max(_snapshot.c.taken_at)).where(mine, _snapshot.c.readable).scalar_subquery()
        since_then = or_(last_read.is_(None), _snapshot.c.taken_at > last_read)
        query = select(func.min(_snapshot.c.taken_at)).where(and_(mine, ~_snapshot.c.readable, since_then))
        return await self._database.read(lambda conn: conn.scalar(query))


async def put(conn: AsyncConnection, run: str, snapshot: Snapshot, document: Document) -> None:
    """Store that a run took a snapshot whose document is stored, in this write transaction."""
    readable = not isinstance(snapshot.diaries, Unreadable)
    row = {"run": run, "clinic": snapshot.clinic, "taken_at": snapshot.taken_at, "readable": readable}
    await conn.execute(insert(_snapshot).values(**row, document=document.digest))
