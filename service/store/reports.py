"""What runs keep for the reports: a row per run, and a row per service for the first whole look of each local day.

A row is compressed JSON. Of a clinic with 6 campaigns and 3 services a year's runs take some 3 MB and its days 1 MB.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.reports.seen import CampaignSeen, DaySeen, DiarySeen, Kept, RunSeen, ServiceSeen
from service.store.database import Database, insert_absent
from service.store.tables import day_seen as _day
from service.store.tables import run_seen as _run
from service.store.undisturbed import undisturbed

LEVEL = 9


@undisturbed
class Reports:
    """What is kept for the reports of every clinic."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def runs(self, clinic: str, since: datetime, before: datetime) -> list[bytes]:
        """What the clinic's runs from `since` up to `before` saw, oldest first, for `read_run`. Raises StoreError."""
        query = select(_run.c.body).where(_run.c.clinic == clinic, _run.c.at >= since, _run.c.at < before)
        async with self._database.reading() as conn:
            return [*(await conn.scalars(query.order_by(_run.c.at, _run.c.run))).all()]

    async def days(self, clinic: str, since: date, before: date) -> list[bytes]:
        """The clinic's looks of the local days from `since` up to `before`, in order, for `read_day`. Raises StoreError."""
        query = select(_day.c.body).where(_day.c.clinic == clinic, _day.c.day >= since, _day.c.day < before)
        async with self._database.reading() as conn:
            return [*(await conn.scalars(query.order_by(_day.c.day, _day.c.service))).all()]


async def put(conn: AsyncConnection, clinic: str, run: str, kept: Kept) -> None:
    """Keep what a run saw, and of its days those that have no look yet, in this write transaction."""
    await conn.execute(insert(_run).values(run=run, clinic=clinic, at=kept.run.at, body=packed_run(kept.run)))
    if rows := [{"clinic": clinic, "day": each.day, "service": each.service, "body": packed_day(each)} for each in kept.days]:
        await conn.execute(insert_absent(conn, _day), rows)


def packed_run(run: RunSeen) -> bytes:
    """A run as its row's body."""
    services = [[*each[:3], None if each.high == each.low else each.high, *each[4:]] for each in run.services]
    return _packed([run.at.isoformat(), run.campaigns, services])


def read_run(body: bytes) -> RunSeen:
    """The run of a row's body."""
    at, campaigns, services = json.loads(zlib.decompress(body))
    seen = [ServiceSeen(name, today, low, high or low, *rest) for name, today, low, high, *rest in services]
    return RunSeen(datetime.fromisoformat(at), tuple(map(CampaignSeen._make, campaigns)), tuple(seen))


def packed_day(day: DaySeen) -> bytes:
    """A day as its row's body."""
    return _packed([day.service, day.day.toordinal(), day.diaries, day.names])


def read_day(body: bytes) -> DaySeen:
    """The day of a row's body."""
    service, day, diaries, names = json.loads(zlib.decompress(body))
    known: Mapping[str, str] = names
    return DaySeen(service, date.fromordinal(day), tuple(map(DiarySeen._make, diaries)), known)


def _packed(value: Any) -> bytes:
    return zlib.compress(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(), LEVEL)
