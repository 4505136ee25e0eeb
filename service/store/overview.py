"""How the whole installation stands, in numbers: for whoever watches it, read in one short transaction.

What is asked for is found by index, clinic by clinic, so that asking often costs little however long the history is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ScalarSelect, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.decide.approvals import PATIENCE
from service.core.decide.left import as_it_is
from service.core.decide.model import Answer, Standing
from service.store import documents, tables
from service.store.database import Database
from service.store.undisturbed import undisturbed


@dataclass(frozen=True, slots=True)
class ClinicNow:
    """When a clinic's diaries were last read (None: never), and how its newest run ended (None: none has)."""

    clinic: str
    read_at: datetime | None
    status: str | None


@dataclass(frozen=True, slots=True)
class Overview:
    """Clinics that ever had good rules, and how many of each thing that somebody should look at there are.

    Campaigns that are `stood_down` are those of the newest runs; `asked` are questions that wait for a person; `refused` are
    rule files; `open_changes` are changes of which nobody knows yet whether they were made.
    """

    clinics: tuple[ClinicNow, ...]
    stood_down: int
    left_changed: int
    asked: int
    refused: int
    open_changes: int


@undisturbed
class Overviews:
    """The overview of every clinic."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def now(self, now: datetime) -> Overview:
        """How things stand. Raises StoreError."""
        async with self._database.reading() as conn:
            rows = (await conn.execute(_clinics())).all()
            runs = [row.planned for row in rows if row.planned is not None]
            known = [each async for each in _standings(conn, runs)]
            approval, change = tables.approval.c, tables.change.c
            return Overview(
                clinics=tuple(ClinicNow(row.clinic, row.read_at, row.status) for row in rows),
                stood_down=sum(each.stood_down is not None and governed for each, governed in known),
                left_changed=sum(each.left_at is not None and as_it_is(each) is not None for each, _ in known),
                asked=await _count(conn, approval.answer == Answer.PENDING.value, approval.asked_at > now - PATIENCE),
                refused=await _count(conn, tables.rejection.c.clinic.is_not(None)),
                open_changes=await _count(conn, change.status == "open"),
            )


def _clinics() -> Select[Any]:
    """Of each clinic: when its diaries were last readable, how its newest run ended, and the newest run with a plan."""
    clinic = select(tables.revision.c.clinic).distinct().subquery("clinic")
    run, snapshot = tables.run.c, tables.snapshot.c
    of_run, of_snapshot = run.clinic == clinic.c.clinic, snapshot.clinic == clinic.c.clinic
    return select(
        clinic.c.clinic,
        _newest(select(snapshot.taken_at).where(of_snapshot, snapshot.readable.is_(True)), snapshot.taken_at).label("read_at"),
        _newest(select(run.status).where(of_run, run.status != "running"), run.started_at).label("status"),
        _newest(select(run.id).where(of_run, run.outcome.is_not(None)), run.started_at).label("planned"),
    ).order_by(clinic.c.clinic)


def _newest(query: Select[Any], at: Any) -> ScalarSelect[Any]:
    return query.order_by(at.desc()).limit(1).scalar_subquery()


async def _standings(conn: AsyncConnection, runs: list[str]) -> AsyncIterator[tuple[Standing, bool]]:
    """What is remembered of each campaign that counts for something, and whether one of these runs decided about it."""
    decision, standing = tables.decision.c, tables.standing.c
    decided = await conn.execute(select(decision.clinic, decision.campaign).where(decision.run.in_(runs)))
    governed = {(row.clinic, row.campaign) for row in decided}
    told = or_(standing.body.contains('"stood_down":{'), standing.body.contains('"left_at":"'))  # most tell of neither
    for row in await conn.execute(select(standing.clinic, standing.campaign, standing.body).where(told)):
        yield documents.load(Standing, row.body), (row.clinic, row.campaign) in governed


async def _count(conn: AsyncConnection, *of: Any) -> int:
    return await conn.scalar(select(func.count()).where(*of)) or 0
