"""Decisions, as they are asked for: by clinic, campaign, rule, what came of them and when."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, insert, literal, null, outerjoin, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.decide.model import Decision
from service.core.errors import NotFoundError
from service.core.model import Platform, Reason, Verdict
from service.store import documents
from service.store.columns import Instant
from service.store.database import Database
from service.store.pages import Page, cursor_of, position
from service.store.tables import decision as _decision
from service.store.tables import document as _document
from service.store.tables import trace as _trace
from service.store.undisturbed import undisturbed


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which decisions; None means any. `since` is included, `before` is not; `clinics` empty matches nothing."""

    clinics: Collection[str] | None = None
    campaign: str | None = None
    platform: Platform | None = None
    rule: str | None = None
    verdict: Verdict | None = None
    reason: Reason | None = None
    changed: bool | None = None
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A decision as it is stored: JSON. `trace` is the JSON of its service's conditions (`store.traces`).

    `trace` is None where it was not asked for, and where it is no longer kept.
    """

    id: str
    clinic: str
    rule: str | None
    changed: bool
    body: str
    trace: bytes | None


@undisturbed
class Decisions:
    """The decisions of every run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def decisions(self, wanted: Wanted | None = None, *, cursor: str | None = None, limit: int = 100) -> Page[Decision]:
        """The wanted decisions, newest first. Raises InputError for a cursor that is none of ours."""
        query = _page(_query(), wanted or Wanted(), cursor, limit)
        rows = await self._database.read(lambda conn: conn.execute(query).all())
        return Page.of(rows, limit, _from, lambda row: cursor_of(row.at, row.id))

    async def told(
        self, wanted: Wanted | None = None, *, traced: bool = False, cursor: str | None = None, limit: int = 100
    ) -> Page[Told]:
        """As `decisions`, each as the text it is stored as; `traced` with the conditions behind it."""
        query = _page(_TOLD[traced], wanted or Wanted(), cursor, limit)
        rows = await self._database.read(lambda conn: conn.execute(query).all())
        return Page.of(rows, limit, _told, lambda row: cursor_of(_at(row.body), row.id))

    async def decision(self, id_: str) -> Decision:
        """One decision. Raises NotFoundError."""
        async with self._database.reading() as conn:
            if (row := (await conn.execute(_query().where(_decision.c.id == id_))).one_or_none()) is None:
                raise NotFoundError(f"no decision {id_}")
            return _from(row)

    async def of_run(self, run: str) -> tuple[Decision, ...]:
        """A run's decisions, in the order of their ids."""
        async with self._database.reading() as conn:
            return tuple(map(_from, await conn.execute(_query().where(_decision.c.run == run).order_by(_decision.c.id))))


def changes_something(decision: Decision) -> bool:
    """Whether the decision is to write to the platform."""
    return decision.verdict is Verdict.APPLY and decision.after is not None and decision.after != decision.before


async def put(conn: AsyncConnection, decisions: Iterable[Decision]) -> None:
    """Store decisions, in this write transaction."""
    if rows := list(map(_row, decisions)):
        await conn.execute(insert(_decision), rows)


def _query() -> Select[Any]:
    return select(_decision.c.id, _decision.c.at, _decision.c.body)


def _page(query: Select[Any], wanted: Wanted, cursor: str | None, limit: int) -> Select[Any]:
    query = query.where(*_conditions(wanted))
    if cursor is not None:
        at, id_ = position(cursor, datetime, str)
        query = query.where(tuple_(_decision.c.at, _decision.c.id) < tuple_(literal(at, Instant), literal(id_)))
    return query.order_by(_decision.c.at.desc(), _decision.c.id.desc()).limit(limit + 1)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    columns, found = _decision.c, list[ColumnElement[bool]]()
    if wanted.clinics is not None:
        found.append(columns.clinic.in_(wanted.clinics))
    for name in ("campaign", "platform", "rule", "verdict", "reason", "changed"):
        if (value := getattr(wanted, name)) is not None:
            found.append(columns[name] == value)
    if wanted.since is not None:
        found.append(columns.at >= wanted.since)
    if wanted.before is not None:
        found.append(columns.at < wanted.before)
    return found


def _row(decision: Decision) -> dict[str, Any]:
    same = ("id", "run", "clinic", "campaign", "service", "rule", "at")
    tokens = ("platform", "verdict", "reason")
    return {
        **{name: getattr(decision, name) for name in same},
        **{name: getattr(decision, name).value for name in tokens},
        "changed": changes_something(decision),
        "body": documents.dump(Decision, decision).decode(),
    }


def _from(row: Row[Any]) -> Decision:
    return documents.load(Decision, row.body)


def _told(row: Row[Any]) -> Told:
    id_, clinic, rule, changed, body, digest, trace = tuple(row)
    return Told(id_, clinic, rule, changed, body, None if trace is None else documents.text_of(digest, trace))


def _at(body: str) -> datetime:
    return datetime.fromisoformat(json.loads(body)["at"])


def _query_told(*, traced: bool) -> Select[Any]:
    columns = _decision.c
    query = select(columns.id, columns.clinic, columns.rule, columns.changed, columns.body)
    if not traced:
        return query.add_columns(null().label("digest"), null().label("trace"))
    of_it = (_trace.c.run == columns.run) & (_trace.c.service == columns.service)
    kept = outerjoin(outerjoin(_decision, _trace, of_it), _document, _document.c.digest == _trace.c.document)
    return query.add_columns(_document.c.digest, _document.c.body.label("trace")).select_from(kept)


_TOLD = {traced: _query_told(traced=traced) for traced in (False, True)}
"""Made once: to build a query costs nearly as much as to run it."""
