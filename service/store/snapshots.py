"""Snapshots of earlier runs, as later runs ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, insert, or_, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.model import Campaign, Snapshot, Unreadable
from service.store.database import Database
from service.store.documents import Document
from service.store.inputs import campaigns_of, snapshots_together
from service.store.tables import snapshot as _snapshot
from service.store.undisturbed import at_once, undisturbed

_READABLE = select(_snapshot.c.document).where(_snapshot.c.clinic == bindparam("of"), _snapshot.c.readable)
_NEWEST_FIRST = (_snapshot.c.taken_at.desc(), _snapshot.c.run.desc())
_NEWEST = _READABLE.order_by(*_NEWEST_FIRST).limit(1)
_PUT = insert(_snapshot)
_ENDS = ("first", "last")


@undisturbed
class Snapshots:
    """What earlier runs observed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def baselines(self, clinic: str, windows: Sequence[tuple[datetime, datetime]]) -> tuple[Snapshot, ...]:
        """The clinic's snapshots that windows need whose diaries could be read, newest first.

        These are all that were taken in a window, its ends included, and the last one before it.
        """
        if not windows:
            return ()
        asked = {f"{name}{n}": at for n, window in enumerate(windows) for name, at in zip(_ENDS, window, strict=True)}
        async with self._database.reading() as conn:
            digests = (await conn.scalars(_compared(len(windows)), {"of": clinic, **asked})).all()
            return tuple(await snapshots_together(conn, digests))

    async def latest_readable(self, clinic: str) -> Snapshot | None:
        """The clinic's newest snapshot whose diaries could be read."""
        async with self._database.reading() as conn:
            digest = await conn.scalar(_NEWEST, {"of": clinic})
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


@lru_cache
def _compared(windows: int) -> Select[Any]:
    """The documents that so many windows need. Every run asks for some: the statement is made once."""
    readable = _READABLE.add_columns(_snapshot.c.taken_at, _snapshot.c.run)
    within, before = [], []
    for n in range(windows):
        first, last = (bindparam(f"{name}{n}", type_=_snapshot.c.taken_at.type) for name in _ENDS)
        within.append(_snapshot.c.taken_at.between(first, last))
        earlier = readable.where(_snapshot.c.taken_at < first).order_by(*_NEWEST_FIRST).limit(1)
        before.append(select(earlier.subquery()))
    found = union(readable.where(or_(*within)), *before).subquery().c
    return select(found.document).order_by(found.taken_at.desc(), found.run.desc())


async def put(conn: AsyncConnection, run: str, snapshot: Snapshot, document: Document) -> None:
    """Store that a run took a snapshot whose document is stored, in this write transaction."""
    readable = not isinstance(snapshot.diaries, Unreadable)
    row = {"run": run, "clinic": snapshot.clinic, "taken_at": snapshot.taken_at, "readable": readable}
    await conn.execute(_PUT, row | {"document": document.digest})
