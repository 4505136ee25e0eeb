"""What runs keep for the reports: a row per run, and a row per service for the first whole look of each local day.

A row is compressed JSON. Of a clinic with 4 campaigns a year takes 3 MB, of one with 50 campaigns and 40 practitioners 9 MB.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.reports.seen import CampaignSeen, DaySeen, DiarySeen, Kept, RunSeen, ServiceSeen
from service.store.database import Database, insert_absent
from service.store.tables import day_seen as _day
from service.store.tables import run_seen as _run
from service.store.undisturbed import undisturbed

LEVEL = 9

_PUT = insert(_run)


@undisturbed
class Reports:
    """What is kept for the reports of every clinic."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def runs(self, clinic: str, since: datetime, before: datetime) -> list[bytes]:
        """What the clinic's runs from `since` up to `before` saw, oldest first, for `read_runs`. Raises StoreError."""
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
    await conn.execute(_PUT, {"run": run, "clinic": clinic, "at": kept.run.at, "body": packed_run(kept.run)})
    if rows := [{"clinic": clinic, "day": each.day, "service": each.service, "body": packed_day(each)} for each in kept.days]:
        await conn.execute(insert_absent(conn, _day), rows)


def packed_run(run: RunSeen) -> bytes:
    """A run as its row's body: a line each of campaigns, what they had cost, and services."""
    services = [[*each[:3], None if each.high == each.low else each.high, *each[4:]] for each in run.services]
    parts = (run.campaigns, [run.at.timestamp(), run.months], services)
    return _packed("\n".join(map(_json, parts)))


def read_runs(bodies: Iterable[bytes]) -> list[RunSeen]:
    """The runs of rows' bodies. Campaigns that are as in the run before are the same objects: what is the same is read once."""
    found, line, campaigns = [], b"", tuple[CampaignSeen, ...]()
    for body in bodies:
        first, second, third = zlib.decompress(body).split(b"\n")
        if first != line:
            line, campaigns = first, tuple(map(CampaignSeen._make, json.loads(first)))
        at, months = json.loads(second)
        services = tuple(ServiceSeen._make((*each[:3], each[3] or each[2], *each[4:])) for each in json.loads(third))
        found.append(RunSeen(datetime.fromtimestamp(at, UTC), campaigns, tuple(months), services))
    return found


def packed_day(day: DaySeen) -> bytes:
    """A day as its row's body."""
    return _packed(_json([day.service, day.day.toordinal(), day.zone, day.diaries, day.names]))


def read_day(body: bytes) -> DaySeen:
    """The day of a row's body."""
    service, day, zone, diaries, names = json.loads(zlib.decompress(body))
    known: Mapping[str, str] = names
    return DaySeen(service, date.fromordinal(day), zone, tuple(map(DiarySeen._make, diaries)), known)


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "replace"), LEVEL)


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
