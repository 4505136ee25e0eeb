"""Holds: a person's word to leave something alone. One without a clinic covers everything and is recorded in `_system`."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, or_, select, update

from service.core.decide.model import Hold
from service.core.errors import NotFoundError
from service.core.ledger import SYSTEM, Kind
from service.store.database import Database
from service.store.ledger import append
from service.store.tables import hold as _hold
from service.store.undisturbed import at_once, undisturbed

_NAMES = [each.name for each in fields(Hold)]

_LASTS = or_(_hold.c.until.is_(None), _hold.c.until > bindparam("now"))
_IN_FORCE = select(_hold).where(_hold.c.ended_at.is_(None), _LASTS)
_OLDEST_FIRST = _IN_FORCE.order_by(_hold.c.made_at, _hold.c.id)
_ON_EVERYTHING = _OLDEST_FIRST.where(_hold.c.clinic.is_(None))
_ON_CLINIC = _OLDEST_FIRST.where(or_(_hold.c.clinic.is_(None), _hold.c.clinic == bindparam("of")))


@undisturbed
class Holds:
    """The holds of every clinic."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hold(self, hold: Hold) -> None:
        """Put a hold in force."""
        async with self._database.writing() as conn:
            await conn.execute(insert(_hold).values({name: getattr(hold, name) for name in _NAMES}))
            await append(conn, hold.clinic or SYSTEM, Kind.HOLD, {"hold": hold}, hold.made_at)

    async def unhold(self, id_: str, by: str, at: datetime) -> Hold:
        """End a hold. Raises NotFoundError if there is none of this id, or it has been ended."""
        ended = (
            update(_hold).where(_hold.c.id == id_, _hold.c.ended_at.is_(None)).values(ended_at=at, ended_by=by).returning(_hold)
        )
        async with self._database.writing() as conn:
            if (row := (await conn.execute(ended)).one_or_none()) is None:
                raise NotFoundError(f"no hold {id_} in force")
            hold = _from(row)
            await append(conn, hold.clinic or SYSTEM, Kind.UNHOLD, {"hold": hold, "by": by}, at)
        return hold

    async def get(self, id_: str) -> Hold:
        """A hold, ended or not. Raises NotFoundError."""
        async with self._database.reading() as conn:
            if (row := (await conn.execute(select(_hold).where(_hold.c.id == id_))).one_or_none()) is None:
                raise NotFoundError(f"no hold {id_}")
            return _from(row)

    @at_once
    async def holds(self, clinic: str | None, now: datetime) -> tuple[Hold, ...]:
        """The holds in force at `now` for a clinic, oldest first, those on everything included; None: only the latter."""
        return await self._database.read(lambda conn: in_force(conn, clinic, now))


def in_force(conn: Connection, clinic: str | None, now: datetime) -> tuple[Hold, ...]:
    """The holds in force at `now` for a clinic, oldest first, those on everything included; None: only the latter."""
    query, asked = (_ON_CLINIC, {"now": now, "of": clinic}) if clinic else (_ON_EVERYTHING, {"now": now})
    return tuple(map(_from, conn.execute(query, asked)))


def _from(row: Row[Any]) -> Hold:
    return Hold(**{name: getattr(row, name) for name in _NAMES})
