"""Decisions, as they are asked for: by clinic, campaign, rule, what came of them and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec
from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    bindparam,
    false,
    insert,
    outerjoin,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import NullType

from service.core.decide.model import Decision
from service.core.errors import NotFoundError
from service.core.model import Platform, Reason, Verdict
from service.store import documents
from service.store.database import Database
from service.store.merging import firsts
from service.store.pages import Page, cursor_of, position
from service.store.tables import decision as _decision
from service.store.tables import document as _document
from service.store.tables import trace as _trace
from service.store.undisturbed import at_once, undisturbed

Kind = Literal["whole", "told", "traced"]
"""How decisions are read: to be made values of, as the JSON they are, as JSON with their conditions."""

EXACT = ("campaign", "platform", "rule", "verdict", "reason", "changed")
"""What of `Wanted` is a column that must be equal."""

PERIOD = ("since", "before")
CLINIC = "clinic_"
"""What the parameters of clinics are named by, each with its number."""

NOBODY = "nobody"
"""Of no clinic: a key that opens none."""

_MOST = bindparam("most", type_=Integer)


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


class Told(NamedTuple):
    """A decision as the JSON that it is stored as (not frozen with slots as elsewhere: a page makes hundreds).

    `trace` is the JSON of its service's conditions (`store.traces`); None where not asked for, or no longer kept. Where it
    is not asked for, `id`, `clinic` and `rule` are not read either, and empty.
    """

    id: str
    body: str
    changed: bool
    clinic: str
    rule: str | None
    trace: bytes | None


@undisturbed
class Decisions:
    """The decisions of every run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @at_once
    async def decisions(self, wanted: Wanted | None = None, *, cursor: str | None = None, limit: int = 100) -> Page[Decision]:
        """The wanted decisions, newest first. Raises InputError for a cursor that is none of ours."""
        rows = await self._page("whole", wanted or Wanted(), cursor, limit)
        return Page.of(rows, limit, _from, lambda row: cursor_of(row.at, row.id))

    @at_once
    async def told(self, wanted: Wanted, *, traced: bool = False, cursor: str | None = None, limit: int = 100) -> Page[Told]:
        """As `decisions`, each as the JSON it is stored as; `traced` with the conditions behind it."""
        rows = await self._page("traced" if traced else "told", wanted, cursor, limit)
        return Page.of(rows, limit, _traced if traced else _told, lambda row: _place(row.body))

    async def _page(self, kind: Kind, wanted: Wanted, cursor: str | None, limit: int) -> Sequence[Row[Any]]:
        asked = _asked(wanted, cursor, limit)
        query = _statement(kind, frozenset(asked))
        return await self._database.read(lambda conn: conn.execute(query, asked).all())

    async def decision(self, id_: str) -> Decision:
        """One decision. Raises NotFoundError."""
        async with self._database.reading() as conn:
            if (row := (await conn.execute(_query().where(_decision.c.id == id_))).one_or_none()) is None:
                raise NotFoundError(f"no decision {id_}")
            return _from(row)

    async def of_runs(self, runs: Collection[str]) -> Mapping[str, tuple[Decision, ...]]:
        """The decisions of several runs, each run's in the order of their ids; a run without any is left out."""
        query = _query().where(_decision.c.run.in_(runs)).order_by(_decision.c.id)
        found = defaultdict[str, list[Decision]](list)
        for each in map(_from, await self._database.read(lambda conn: conn.execute(query).all()) if runs else ()):
            found[each.run].append(each)
        return {run: tuple(decisions) for run, decisions in found.items()}

    @at_once
    async def of_run(self, run: str) -> tuple[Decision, ...]:
        """A run's decisions, in the order of their ids."""
        query = _query().where(_decision.c.run == run).order_by(_decision.c.id)
        return tuple(map(_from, await self._database.read(lambda conn: conn.execute(query).all())))


def changes_something(decision: Decision) -> bool:
    """Whether the decision is to write to the platform."""
    return decision.verdict is Verdict.APPLY and decision.after is not None and decision.after != decision.before


async def put(conn: AsyncConnection, decisions: Iterable[Decision]) -> None:
    """Store decisions, in this write transaction."""
    if rows := list(map(_row, decisions)):
        await conn.execute(insert(_decision), rows)


def _query() -> Select[Any]:
    return select(_decision.c.id, _decision.c.at, _decision.c.body)


def _asked(wanted: Wanted, cursor: str | None, limit: int) -> dict[str, Any]:
    """What is asked for, by the names of `_statement`'s parameters; what is not asked for is left out."""
    found = {name: value for name in (*EXACT, *PERIOD) if (value := getattr(wanted, name)) is not None}
    if wanted.clinics is not None:
        found |= {f"{CLINIC}{n}": clinic for n, clinic in enumerate(wanted.clinics)} or {NOBODY: NOBODY}
    if cursor is not None:
        found["at"], found["id"] = position(cursor, datetime, str)
    return found | {"most": limit + 1}


@lru_cache(maxsize=500)
def _statement(kind: Kind, asked: frozenset[str]) -> Select[Any]:
    """The query of these parameters. Made once of each shape: to make it takes longer than to answer it."""
    query, clinics = _QUERIES[kind], sorted(name for name in asked if name.startswith(CLINIC))
    if NOBODY in asked:
        return _newest(query.where(false()))
    if len(clinics) > 1:
        return _newest(query.where(_decision.c.id.in_(_ids_of(clinics, asked))))
    return _newest(query.where(*_conditions(asked), *map(_clinic, clinics)))


def _ids_of(clinics: Sequence[str], asked: frozenset[str]) -> Select[Any]:
    """The ids of the newest of several clinics."""
    keys = select(_decision.c.at, _decision.c.id).where(*_conditions(asked))
    return firsts(keys, map(_clinic, clinics), _MOST)


def _newest(query: Select[Any]) -> Select[Any]:
    return query.order_by(_decision.c.at.desc(), _decision.c.id.desc()).limit(_MOST)


def _clinic(parameter: str) -> ColumnElement[bool]:
    return _decision.c.clinic == bindparam(parameter, type_=_decision.c.clinic.type)


def _conditions(asked: frozenset[str]) -> list[ColumnElement[bool]]:
    """What is asked for besides the clinics."""
    columns = _decision.c
    found = [columns[name] == bindparam(name, type_=columns[name].type) for name in EXACT if name in asked]
    if "since" in asked:
        found.append(columns.at >= bindparam("since", type_=columns.at.type))
    if "before" in asked:
        found.append(columns.at < bindparam("before", type_=columns.at.type))
    if "at" in asked:
        last = tuple_(bindparam("at", type_=columns.at.type), bindparam("id", type_=columns.id.type))
        found.append(tuple_(columns.at, columns.id) < last)
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


def _told(row: Sequence[Any]) -> Told:
    return Told("", row[0], row[1], "", None, None)


def _traced(row: Sequence[Any]) -> Told:
    body, changed, id_, clinic, rule, digest, trace = row
    return Told(id_, body, changed, clinic, rule, None if trace is None else documents.text_of(digest, trace))


class _Dated(msgspec.Struct):
    """What of a stored decision says where it stands among the others."""

    at: datetime
    id: str


def _place(body: str) -> str:
    found = msgspec.json.decode(body, type=_Dated)
    return cursor_of(found.at, found.id)


def _query_told() -> Select[Any]:
    """As few columns as there can be, because each of every row costs: the text says its id itself."""
    return select(_decision.c.body, type_coerce(_decision.c.changed, NullType))


def _query_traced() -> Select[Any]:
    columns = _decision.c
    of_it = (_trace.c.run == columns.run) & (_trace.c.service == columns.service)
    kept = outerjoin(outerjoin(_decision, _trace, of_it), _document, _document.c.digest == _trace.c.document)
    more = (columns.id, columns.clinic, columns.rule, _document.c.digest, _document.c.body.label("trace"))
    return _query_told().add_columns(*more).select_from(kept)


_QUERIES: Mapping[Kind, Select[Any]] = {"whole": _query(), "told": _query_told(), "traced": _query_traced()}
"""Made once: to build a query costs nearly as much as to run it."""
