"""What is not kept forever, removed a little at a time.

A run's inputs and outcome, the conditions it evaluated, its snapshot, looks, what is kept for the reports, and notices that
went out go when they are old; runs and decisions never do, nor does the ledger by itself (`archives`). Each call is one short
transaction over at most `MOST` rows, so that nobody waits long for SQLite's one writer; call it until it returns 0.

Documents are shared, and named inside other documents, so none is removed because one run that used it was. Every run notes
the day on all it uses (`documents.put`): whatever was last used before a day is used by no run of that day or later.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import CursorResult, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import Delete, Update

from service.store.database import Database, delete_free
from service.store.tables import day_seen as _day_seen
from service.store.tables import document as _document
from service.store.tables import look as _look
from service.store.tables import notice as _notice
from service.store.tables import pace_model, revision
from service.store.tables import run as _run
from service.store.tables import run_seen as _run_seen
from service.store.tables import snapshot as _snapshot
from service.store.tables import trace as _trace
from service.store.undisturbed import undisturbed

MOST = 200
"""Rows of one transaction."""

_NAMED = (
    _run.c.inputs,
    _run.c.outcome,
    _run.c.outcome_text,
    _snapshot.c.document,
    revision.c.rules,
    pace_model.c.document,
    _trace.c.document,
)
"""Where rows name documents; the database itself refuses to remove what is named there."""


@undisturbed
class Retention:
    """Removing what is old. Raises StoreError, and has then removed nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget_runs(self, clinic: str, before: datetime, now: datetime) -> int:
        """Let go of what the clinic's runs before an instant worked on and came to; returns how many runs it was.

        A run whose snapshot a later one still compares with stays whole until that one goes too.
        """
        old = (_snapshot.c.clinic == clinic, _snapshot.c.readable.in_([True, False]), _snapshot.c.taken_at < before)
        used = select(_snapshot.c.run).join(_document).where(*old, _document.c.used_on < _day(before)).limit(MOST)
        nothing = {"inputs": None, "outcome": None, "outcome_text": None, "forgotten_at": now}
        async with self._database.writing() as conn:
            runs = (await conn.scalars(used)).all()
            await conn.execute(update(_run).where(_run.c.id.in_(runs)).values(nothing))
            await conn.execute(delete(_trace).where(_trace.c.run.in_(runs)))
            return await _count(conn, delete(_snapshot).where(_snapshot.c.run.in_(runs)))

    async def forget_documents(self, before: datetime) -> int:
        """Remove documents that nothing names and that no run since the day of `before` used; returns how many."""
        unused = _document.c.used_on < _day(before)
        named = (exists().where(column == _document.c.digest) for column in _NAMED)
        async with self._database.writing() as conn:
            return await _count(conn, delete_free(_document, unused, *(~each for each in named), most=MOST))

    async def forget_seen(self, clinic: str, before: datetime) -> int:
        """Remove what the clinic's runs and days before an instant keep for the reports; returns how many rows."""
        runs = select(_run_seen.c.run).where(_run_seen.c.clinic == clinic, _run_seen.c.at < before).limit(MOST)
        days = select(_day_seen.c.day).where(_day_seen.c.clinic == clinic, _day_seen.c.day < _day(before)).limit(MOST)
        async with self._database.writing() as conn:
            gone = (await conn.scalars(days)).all()
            done = await _count(conn, delete(_day_seen).where(_day_seen.c.clinic == clinic, _day_seen.c.day.in_(gone)))
            return done + await _count(conn, delete(_run_seen).where(_run_seen.c.run.in_(runs)))

    async def forget_looks(self, clinic: str, before: date) -> int:
        """Remove the clinic's looks of the days before a day; returns how many."""
        old = select(_look.c.day).where(_look.c.clinic == clinic, _look.c.day < before).order_by(_look.c.day).limit(MOST)
        async with self._database.writing() as conn:
            days = (await conn.scalars(old)).all()
            return await _count(conn, delete(_look).where(_look.c.clinic == clinic, _look.c.day.in_(days)))

    async def forget_notices(self, before: datetime) -> int:
        """Remove notices that went out, or never will, before an instant; returns how many."""
        old = select(_notice.c.id).where(_notice.c.ended_at < before).limit(MOST)
        async with self._database.writing() as conn:
            return await _count(conn, delete(_notice).where(_notice.c.id.in_(old)))


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()


async def _count(conn: AsyncConnection, statement: Delete | Update) -> int:
    done: CursorResult[tuple[()]] = await conn.execute(statement)
    return done.rowcount
