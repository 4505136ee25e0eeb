"""Runs: begun, recorded in one transaction, and ended; and everything a run worked on, to compute it again."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, insert, literal, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from service.core.canonical import canonical, encoded, plain
from service.core.decide.left import left_changed
from service.core.decide.model import RunInputs, RunOutcome, StoodDown
from service.core.errors import GoneError, NotFoundError
from service.core.ledger import Kind
from service.core.notices.finding import worth_telling
from service.core.reports.seen import Kept
from service.store import approvals, decisions, documents, looks, outcomes, reports, snapshots, traces
from service.store.columns import Instant
from service.store.database import Database
from service.store.documents import Document
from service.store.inputs import InputDocuments, put_together, take_apart
from service.store.leases import demand
from service.store.ledger import Entry, append, append_all
from service.store.merging import FEW, firsts
from service.store.pages import Page, cursor_of, position
from service.store.state import advance_standings, replace_names, replace_numbers, replace_rule_states
from service.store.tables import run as _run
from service.store.undisturbed import at_once, undisturbed


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it stands. `status` is `running`, `failed` (then `message` says why) or what `finish` was told.

    `planned` says whether its plan is recorded; `summary` is what `finish` was told.
    """

    id: str
    clinic: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    message: str
    summary: dict[str, Any]
    planned: bool


@undisturbed
class Runs:
    """The runs of every clinic."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, run_id: str, clinic: str, now: datetime, by: str | None = None) -> None:
        """Say that a run has started, and on whose word if it was somebody's."""
        row = {"id": run_id, "clinic": clinic, "status": "running", "started_at": now, "message": "", "summary": "{}"}
        async with self._database.writing() as conn:
            await conn.execute(_BEGIN, row)
            await append(conn, clinic, Kind.RUN_STARTED, {"run": run_id} | ({"by": by} if by else {}), now)

    async def record(self, inputs: RunInputs, outcome: RunOutcome, fence: int, kept: Kept | None = None) -> None:
        """Record what a begun run observed, decided and remembers, all of it or nothing; `kept` is for the reports.

        Raises NotFoundError if the run was not begun or is recorded already, LeaseLostError.
        """
        parts, concluded, text = await asyncio.to_thread(_documents, inputs, outcome)
        conditions = traces.documents_of(outcome.traces)
        async with self._database.writing() as conn:
            await demand(conn, inputs.clinic, fence)
            await documents.put(conn, (*parts.all(), concluded, text, *conditions.values()), inputs.now)
            await _claim(conn, inputs, parts, concluded, text)
            await snapshots.put(conn, inputs.run, inputs.snapshot, parts.snapshot)
            await replace_rule_states(conn, inputs.clinic, inputs.rule_states, outcome.rule_states)
            await replace_names(conn, inputs.clinic, inputs.names, outcome.names)
            await replace_numbers(conn, inputs.clinic, inputs.numbers, outcome.numbers)
            await advance_standings(conn, inputs.clinic, inputs.standings, outcome.standings)
            await decisions.put(conn, outcome.decisions)
            await traces.put(conn, inputs.run, conditions)
            await approvals.advance(conn, inputs.clinic, inputs.approvals, outcome.approvals)
            await looks.put(conn, inputs, outcome.looks)
            if kept is not None:
                await reports.put(conn, inputs.clinic, inputs.run, kept)
            records = _records(inputs, outcome, text)
            await append_all(conn, inputs.clinic, [Entry(kind, body, inputs.now) for kind, body in records])

    async def finish(self, run_id: str, status: str, summary: Mapping[str, object], at: datetime) -> None:
        """Say that a run has done what it could. Raises NotFoundError if no such run is running."""
        async with self._database.writing() as conn:
            clinic = await _end(conn, _FINISH, run_id, {"as": status, "at": at, "told": canonical(summary)})
            await append(conn, clinic, Kind.RUN_FINISHED, {"run": run_id, "status": status, "summary": summary}, at)

    async def fail(self, run_id: str, message: str, at: datetime) -> None:
        """Say that a run could not go on, and why. Raises NotFoundError if no such run is running."""
        async with self._database.writing() as conn:
            clinic = await _end(conn, _FAIL, run_id, {"as": "failed", "at": at, "told": message})
            await append(conn, clinic, Kind.RUN_FAILED, {"run": run_id, "message": message}, at)

    async def load_inputs(self, run_id: str) -> RunInputs:
        """Everything a recorded run depended on.

        Raises NotFoundError, GoneError once they are no longer kept, StoreError if they cannot be read back.
        """
        async with self._database.reading() as conn:
            [digest] = await _references(conn, run_id, "inputs")
            return await put_together(conn, digest)

    async def load_outcome(self, run_id: str) -> RunOutcome:
        """Everything a recorded run concluded. Raises as `load_inputs` does."""
        text, lost = await self._documents(run_id, "outcome_text", "outcome")
        return outcomes.restored(text, lost)

    async def outcome_text(self, run_id: str) -> str:
        """The canonical text of a recorded run's outcome, byte for byte as it was then. Raises as `load_inputs` does."""
        [text] = await self._documents(run_id, "outcome_text")
        return text.decode()

    async def run(self, run_id: str) -> Run:
        """One run. Raises NotFoundError."""
        async with self._database.reading() as conn:
            if (row := (await conn.execute(_query().where(_run.c.id == run_id))).one_or_none()) is None:
                raise NotFoundError(f"no run {run_id}")
            return _from(row)

    async def latest_run(self, clinic: str) -> Run | None:
        """The clinic's newest run."""
        page = await self.runs([clinic], limit=1)
        return page.items[0] if page.items else None

    @at_once
    async def runs(
        self, clinics: Collection[str] | None = None, *, planned: bool = False, cursor: str | None = None, limit: int = 100
    ) -> Page[Run]:
        """Runs, newest first: of some clinics (None: all), and on demand only those with a plan. Raises InputError."""
        wanted = [_PLANNED] if planned else []
        if cursor is not None:
            at, id_ = position(cursor, datetime, str)
            wanted.append(tuple_(_run.c.started_at, _run.c.id) < tuple_(literal(at, Instant), literal(id_)))
        query = _query().where(*wanted)
        if clinics is not None and 1 < len(clinics) <= FEW:
            keys = select(_run.c.started_at, _run.c.id).where(*wanted)
            query = query.where(_run.c.id.in_(firsts(keys, [_run.c.clinic == clinic for clinic in clinics], limit + 1)))
        elif clinics is not None:
            query = query.where(_run.c.clinic.in_(clinics))
        query = query.order_by(_run.c.started_at.desc(), _run.c.id.desc()).limit(limit + 1)
        rows = await self._database.read(lambda conn: conn.execute(query).all())
        return Page.of(rows, limit, _from, lambda row: cursor_of(row.started_at, row.id))

    async def began(self, first: datetime, before: datetime, statuses: Collection[str]) -> dict[str, list[datetime]]:
        """When each clinic's runs of these statuses began, of those that began from `first` on and `before` an instant."""
        wanted = (_run.c.started_at >= first, _run.c.started_at < before, _run.c.status.in_(statuses))
        found = defaultdict[str, list[datetime]](list)
        async with self._database.reading() as conn:
            for clinic, at in await conn.execute(select(_run.c.clinic, _run.c.started_at).where(*wanted)):
                found[clinic].append(at)
        return found

    @at_once
    async def unfinished(self, clinic: str | None = None) -> tuple[Run, ...]:
        """The runs that neither finished nor failed, oldest first: running now, or killed."""
        query, asked = (_UNFINISHED, {}) if clinic is None else (_UNFINISHED_OF_CLINIC, {"of": clinic})
        return tuple(map(_from, await self._database.read(lambda conn: conn.execute(query, asked).all())))

    async def _documents(self, run_id: str, *which: str) -> list[bytes]:
        async with self._database.reading() as conn:
            digests = await _references(conn, run_id, *which)
            texts = await documents.get(conn, set(digests))
            return [texts[digest] for digest in digests]


_PLANNED = or_(_run.c.outcome.is_not(None), _run.c.forgotten_at.is_not(None))


def _documents(inputs: RunInputs, outcome: RunOutcome) -> tuple[InputDocuments, Document, Document]:
    value = plain(outcome)
    return take_apart(inputs), Document.of(outcomes.losses(value, outcome)), Document.of(encoded(value).encode())


async def _claim(conn: AsyncConnection, inputs: RunInputs, parts: InputDocuments, concluded: Document, text: Document) -> None:
    digests = {"of_inputs": parts.inputs.digest, "of_outcome": concluded.digest, "of_text": text.digest}
    if not (await conn.execute(_CLAIM, {"this": inputs.run, "of": inputs.clinic, **digests})).rowcount:
        raise NotFoundError(f"no run {inputs.run} of {inputs.clinic} that waits to be recorded")


def _records(inputs: RunInputs, outcome: RunOutcome, text: Document) -> Iterator[tuple[Kind, dict[str, object]]]:
    """What the ledger says of a run: its plan, its decisions, and the hands it found on campaigns."""
    yield (
        Kind.PLAN,
        {
            "run": inputs.run,
            "engine": inputs.engine,
            "rules_digest": inputs.rules.digest,
            "rules_revision": inputs.rules.revision,
            "mode": inputs.rules.mode,
            "outcome_sha256": text.digest,
            "summary": {
                "decisions": len(outcome.decisions),
                "changes": sum(map(decisions.changes_something, outcome.decisions)),
                "verdicts": Counter(each.verdict for each in outcome.decisions),
            },
            "tell": worth_telling(inputs, outcome),
        },
    )
    for decision in outcome.decisions:
        yield Kind.DECISION, {"decision": decision}
    for campaign, standing in sorted(outcome.standings.items()):
        found, known = standing.stood_down, inputs.standings.get(campaign)
        before = known.stood_down if known else None
        if found and (before is None or _story(before) != _story(found)):
            yield Kind.DRIFT, {"run": inputs.run, "campaign": campaign, "stood_down": found, "expected": standing.expected}
    for each in left_changed(outcome.standings, inputs.rules):
        if each.since == inputs.now:
            yield Kind.LEFT_CHANGED, {"run": inputs.run, "left": each}


def _story(down: StoodDown) -> tuple[object, ...]:
    """What is worth a record of its own: that it happened, and whose hand it was once that is known."""
    return (down.reason, down.since, down.by)


async def _end(conn: AsyncConnection, how: ReturningUpdate[tuple[str]], run_id: str, told: Mapping[str, object]) -> str:
    clinic: str | None = await conn.scalar(how, {"this": run_id, **told})
    if clinic is None:
        raise NotFoundError(f"no run {run_id} that is running")
    return clinic


async def _references(conn: AsyncConnection, run_id: str, *which: str) -> list[str]:
    columns = (_run.c.started_at, _run.c.forgotten_at, *(_run.c[name] for name in which))
    row = (await conn.execute(select(*columns).where(_run.c.id == run_id))).one_or_none()
    if row is not None and row.forgotten_at is not None:
        kept, day = (row.forgotten_at - row.started_at).days, f"{row.forgotten_at:%Y-%m-%d}"
        raise GoneError(f"what run {run_id} worked on was kept for {kept} days and is gone since {day}; {_STAYS}")
    if row is None or row[2] is None:
        raise NotFoundError(f"no recorded run {run_id}")
    return [*row[2:]]


_STAYS = "its decisions and its records in the ledger stay"


def _query() -> Select[Any]:
    columns = ("id", "clinic", "status", "started_at", "ended_at", "message", "summary")
    return select(*(_run.c[name] for name in columns), _PLANNED.label("planned"))


# What every run begins with and ends with: made once.
_BEGIN = insert(_run)
_UNFINISHED = _query().where(_run.c.status == "running").order_by(_run.c.started_at, _run.c.id)
_UNFINISHED_OF_CLINIC = _UNFINISHED.where(_run.c.clinic == bindparam("of"))
_RUNNING = update(_run).where(_run.c.id == bindparam("this"), _run.c.status == "running")
_WAITING = _RUNNING.where(_run.c.clinic == bindparam("of"), _run.c.outcome.is_(None))
_CLAIM = _WAITING.values(inputs=bindparam("of_inputs"), outcome=bindparam("of_outcome"), outcome_text=bindparam("of_text"))
_ENDED = _RUNNING.values(status=bindparam("as"), ended_at=bindparam("at")).returning(_run.c.clinic)
_FINISH = _ENDED.values(summary=bindparam("told"))
_FAIL = _ENDED.values(message=bindparam("told"))


def _from(row: Row[Any]) -> Run:
    return Run(**(row._asdict() | {"summary": json.loads(row.summary)}))
