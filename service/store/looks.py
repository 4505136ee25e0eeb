"""The first whole look of each local day, which the booking-pace model learns from: about 270 bytes each.

A later look of the same day is left out, so that a day counts once however often it was looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.decide.model import RunInputs
from service.core.expectation import look_key
from service.core.pace import Look, Outlook
from service.store.database import Database, insert_absent
from service.store.tables import look as _look
from service.store.undisturbed import undisturbed

_PLACE = (_look.c.service, _look.c.location)
_NEWEST = select(*_PLACE, func.max(_look.c.day)).where(_look.c.clinic == bindparam("of")).group_by(*_PLACE)


@undisturbed
class Looks:
    """The looks at every clinic."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, clinic: str, day: date) -> tuple[Look, ...]:
        """The clinic's looks of `day` and later, by day, then service, then location."""
        columns = (_look.c.service, _look.c.location, _look.c.day, _look.c.body)
        query = select(*columns).where(_look.c.clinic == clinic, _look.c.day >= day)
        async with self._database.reading() as conn:
            rows = await conn.execute(query.order_by(_look.c.day, _look.c.service, _look.c.location))
            return tuple(read(row._asdict()) for row in rows)

    async def before(self, clinic: str, at: datetime, day: date) -> tuple[Look, ...]:
        """The clinic's looks of `day` and later that were taken before an instant, in the order of `since`."""
        columns = (_look.c.service, _look.c.location, _look.c.day, _look.c.body)
        query = select(*columns).where(_look.c.clinic == clinic, _look.c.day >= day, _look.c.taken_at < at)
        async with self._database.reading() as conn:
            rows = await conn.execute(query.order_by(_look.c.day, _look.c.service, _look.c.location))
            return tuple(read(row._asdict()) for row in rows)


def newest(conn: Connection, clinic: str) -> dict[str, date]:
    """The day of the clinic's newest look, by service and location (`core.expectation.look_key`)."""
    return {look_key(service, location): day for service, location, day in conn.execute(_NEWEST, {"of": clinic})}


async def put(conn: AsyncConnection, inputs: RunInputs, looks: Iterable[Look]) -> None:
    """Store those of a run's looks that are the first of their day, in this write transaction."""
    same = {"clinic": inputs.clinic, "run": inputs.run, "taken_at": inputs.snapshot.taken_at}
    if rows := [same | row(look) for look in looks]:
        await conn.execute(insert_absent(conn, _look), rows)


def row(look: Look) -> dict[str, Any]:
    """A look as its row's own columns."""
    outlook = [None if each is None else [_short(value) for value in astuple(each)] for each in look.outlook]
    openings = [None if each is None else _short(each) for each in look.openings]
    body = json.dumps([openings, outlook], separators=(",", ":"))
    return {"service": look.service, "location": look.location, "day": look.day, "body": body}


def read(row: Mapping[str, Any]) -> Look:
    """The look of a row."""
    openings, outlook = json.loads(row["body"])
    return Look(
        row["service"],
        row["location"],
        row["day"],
        tuple(None if each is None else float(each) for each in openings),
        tuple(None if each is None else Outlook(*map(float, each)) for each in outlook),
    )


def _short(value: float) -> float | int:
    """5.0 as 5."""
    return int(value) if float(value).is_integer() else value
