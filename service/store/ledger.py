"""The ledger in the database: appending to a chain, reading it, checking it.

A chain's row in `chain` holds its head; the database refuses to change a record, to put one in out of order, and to remove one
that no checkpoint covers. What a checkpoint covers is in a file (`archives`) and is read here no more, also while its rows
are still on their way out.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    Select,
    String,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    type_coerce,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.errors import StoreError
from service.core.ledger import Checkpoint, Head, Kind, Record, write
from service.core.verification import Broken, Checking, Verification
from service.store import tables
from service.store.columns import written
from service.store.database import GROWN, Database, alone
from service.store.merging import FEW, firsts
from service.store.pages import Page, cursor_of, position
from service.store.undisturbed import undisturbed

AT_ONCE = 500
"""Records read in one go."""

_LEDGER = tables.ledger
_CHECKPOINT = tables.checkpoint

# Every run appends several times: its statements are made once.
_CHAIN = tables.chain
_OF: BindParameter[Any] = bindparam("of")
_TO: dict[str, BindParameter[Any]] = {"seq": bindparam("to"), "hash": bindparam("with")}
_HEAD = select(_CHAIN.c.seq, _CHAIN.c.hash).where(_CHAIN.c.name == _OF)
_FIRST_HEAD = insert(_CHAIN).values(name=_OF, **_TO)
_MOVE_HEAD = update(_CHAIN).where(_CHAIN.c.name == _OF).values(_TO)
_INSERT = insert(_LEDGER)


@dataclass(frozen=True, slots=True)
class Entry:
    """A record that something else is to be written together with."""

    kind: Kind
    body: Mapping[str, object]
    at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records: of these chains (None: all), of these kinds (none: every one), from `since` on, before `before`."""

    chains: Collection[str] | None = None
    kinds: Collection[Kind] = ()
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """What an export is about: `wanted`, up to the record with this id, while these are the checkpoints."""

    wanted: Wanted
    end: int
    checkpoints: Mapping[str, int]


async def append(conn: AsyncConnection, chain: str, kind: Kind, body: Mapping[str, object], at: datetime) -> Record:
    """Append a record to `chain` as part of the write transaction that `conn` is in: as the last that it does."""
    [record] = await append_all(conn, chain, [Entry(kind, body, at)])
    return record


async def append_all(conn: AsyncConnection, chain: str, entries: Iterable[Entry]) -> list[Record]:
    """Append records to `chain`, in this order, as part of the write transaction that `conn` is in: as the last that it does.

    On PostgreSQL one transaction at a time appends, to whatever chain. So ids, which are taken before a record can be seen,
    are seen in their order, and who has seen one has missed none before it; a chain's first record, which has no row to wait
    at, is written once; and nobody waits in a circle over several chains. The lock is held for a few milliseconds (see
    docs/database.md); whoever held it and then went on to lock something else could meet somebody who does the reverse.
    """
    await alone(conn, "ledger")
    known = await _remembered(conn, chain)
    head, records = known or Head(), list[Record]()
    for entry in entries:
        records.append(write(chain, head, entry.kind, entry.body, entry.at))
        head = Head(records[-1].seq, records[-1].hash)
    if records:
        await _set_head(conn, chain, head, known)
        await conn.execute(_INSERT, [_row(each) for each in records])
        conn.info[GROWN].add(chain)
    return records


async def _set_head(conn: AsyncConnection, chain: str, head: Head, known: Head | None) -> None:
    await conn.execute(_MOVE_HEAD if known else _FIRST_HEAD, {"of": chain, "to": head.seq, "with": head.hash})


def _row(record: Record) -> dict[str, Any]:
    return {name: getattr(record, name) for name in ("chain", "seq", "at", "kind", "text", "hash")}


@undisturbed
class Ledger:
    """The ledger's chains."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._verifying = asyncio.Lock()

    async def append(self, chain: str, kind: Kind, body: Mapping[str, object], at: datetime) -> Record:
        """Append one record in a transaction of its own."""
        async with self._database.writing() as conn:
            return await append(conn, chain, kind, body, at)

    async def records(
        self,
        *,
        chains: Collection[str] | None = None,
        kinds: Collection[Kind] = (),
        since: datetime | None = None,
        before: datetime | None = None,
        cursor: str | None = None,
        limit: int = 100,
        newest_first: bool = True,
    ) -> Page[Record]:
        """Records in the order they were appended, or the reverse.

        `chains` None means all of them; no `kinds` means every kind; `since` is included, `before` is not. `cursor` goes on
        after an earlier page in the same order. Raises InputError for a cursor that is none of ours.
        """
        beyond = []
        if cursor is not None:
            [last] = position(cursor, int)
            beyond.append(_LEDGER.c.id < last if newest_first else _LEDGER.c.id > last)
        query = _firsts(Wanted(chains, kinds, since, before), beyond, limit + 1, newest_first=newest_first)
        async with self._database.reading() as conn:
            rows = (await conn.execute(query)).all()
        return Page.of(rows, limit, as_record, lambda row: cursor_of(row.id))

    async def export(self, wanted: Wanted | None = None) -> AsyncIterator[tuple[Record, ...]]:
        """All records wanted, oldest first, some at a time and in constant memory.

        It ends at what is the newest record when this returns. Each step is a short read of its own, so that nothing is held
        open for whoever takes their time; it raises StoreError where records are taken out into an archive meanwhile.
        """
        async with self._database.reading() as conn:
            end = await conn.scalar(select(func.max(_LEDGER.c.id)))
            span = Span(wanted or Wanted(), end or 0, await _covered(conn))
        return self._steps(span)

    async def _steps(self, span: Span) -> AsyncIterator[tuple[Record, ...]]:
        last = 0
        while rows := await self.step(span, last):
            yield tuple(map(as_record, rows))
            last = rows[-1].id

    async def step(self, span: Span, last: int) -> Sequence[Row[Any]]:
        """The next rows of an export, after the one with the id `last`."""
        query = _firsts(span.wanted, [_LEDGER.c.id > last, _LEDGER.c.id <= span.end], AT_ONCE, newest_first=False)
        async with self._database.reading() as conn:
            if await _covered(conn) != span.checkpoints:
                raise StoreError("records were taken out into an archive while they were being exported; export again")
            rows: Sequence[Row[Any]] = (await conn.execute(query)).all()
            return rows

    async def head(self, chain: str) -> Head:
        """The end of a chain; a chain without records ends at the beginning."""
        async with self._database.reading() as conn:
            return await _remembered(conn, chain) or Head()

    async def chains(self) -> tuple[str, ...]:
        """The names of the chains that have records, in alphabetical order, also where the row that remembers one is gone."""
        async with self._database.reading() as conn:
            return tuple(sorted({name for query in _NAMES for name in await conn.scalars(query) if isinstance(name, str)}))

    async def verify(self, chain: str, known: Head | None = None) -> Verification:
        """Check a chain from its first record that is here to its head, in constant memory.

        `known` is a head noted elsewhere, which catches what rewriting the whole database would hide.
        """
        return (await self.verify_each([chain], {chain: known} if known else {}))[chain]

    async def verify_each(self, chains: Collection[str], known: Mapping[str, Head] | None = None) -> dict[str, Verification]:
        """Check several chains in one reading of the table; one verification at a time, so that others get their turn."""
        async with self._verifying, self._database.reading() as conn:
            heads = {chain: await _remembered(conn, chain) for chain in chains}
            set_ = {chain: await checkpoints_of(conn, chain) for chain in chains}
            checking = {chain: Checking(chain, known=(known or {}).get(chain), checkpoints=set_[chain]) for chain in chains}
            covered = {chain: made[-1].seq if made else 0 for chain, made in set_.items()}
            query = select(*_kept(conn)).where(_all_of(conn, chains)).order_by(_LEDGER.c.id)
            async with conn.stream(query, execution_options={"yield_per": AT_ONCE}) as rows:
                async for some in rows.partitions():
                    await asyncio.to_thread(_add, checking, some, covered)
        return {chain: _at_head(each.result(), heads[chain]) for chain, each in checking.items()}


async def checkpoints_of(conn: AsyncConnection, chain: str) -> tuple[Checkpoint, ...]:
    """The checkpoints of a chain, in the order of its records."""
    query = select(_CHECKPOINT).where(_CHECKPOINT.c.chain == chain).order_by(_CHECKPOINT.c.seq)
    rows = (await conn.execute(query)).mappings()
    # A damaged number covers nothing, so that what is gone is missed.
    return tuple(Checkpoint(**{**row, "seq": row["seq"] if isinstance(row["seq"], int) else 0}) for row in rows)


async def _covered(conn: AsyncConnection) -> dict[str, int]:
    """Up to which record each chain that has checkpoints was taken out."""
    query = select(_CHECKPOINT.c.chain, func.max(_CHECKPOINT.c.seq).label("seq")).group_by(_CHECKPOINT.c.chain)
    return {row.chain: row.seq for row in await conn.execute(query)}


async def _remembered(conn: AsyncConnection, chain: str) -> Head | None:
    """The end of a chain, as its row says; None where it has none."""
    row = (await conn.execute(_HEAD, {"of": chain})).one_or_none()
    return Head(row.seq, row.hash) if row else None


def _at_head(found: Verification, head: Head | None) -> Verification:
    """The chain ends where the database remembers its end: no record was cut off, and none put there by another way."""
    if found.broken or found.head == (head or Head()):
        return found
    if head is None:
        problem = "the chain's row in the table `chain`, which remembers the head, is missing: whether it went on is not known"
        return replace(found, broken=Broken(found.chain, found.head.seq, problem))
    seq, problem = head.seq, "the record is not the one remembered as the head"
    if found.head.seq < head.seq:
        seq, problem = found.head.seq + 1, f"the record is missing; the chain went on to #{head.seq}"
    elif found.head.seq > head.seq:
        seq, problem = head.seq + 1, "the record was added beside the ledger"
    return replace(found, broken=Broken(found.chain, seq, problem))


# --- reading ------------------------------------------------------------------------------------------------------------


def _firsts(wanted: Wanted, beyond: Iterable[ColumnElement[bool]], limit: int, *, newest_first: bool) -> Select[Any]:
    """The first of the records wanted that lie beyond, or within, some id."""
    order = _LEDGER.c.id.desc() if newest_first else _LEDGER.c.id.asc()
    query = _query(wanted).where(*beyond)
    if wanted.chains is not None and 1 < len(wanted.chains) <= FEW:
        keys = _query(replace(wanted, chains=None)).where(*beyond).with_only_columns(_LEDGER.c.id)
        ids = firsts(keys, [_LEDGER.c.chain == chain for chain in wanted.chains], limit, descending=newest_first)
        query = select(_LEDGER).where(_LEDGER.c.id.in_(ids))
    return query.order_by(order).limit(limit)


def _query(wanted: Wanted) -> Select[Any]:
    """The records wanted of those that no checkpoint covers."""
    own = select(func.max(_CHECKPOINT.c.seq)).where(_CHECKPOINT.c.chain == _LEDGER.c.chain).scalar_subquery()
    query = select(_LEDGER).where(_LEDGER.c.seq > func.coalesce(own, 0))
    if wanted.chains is not None:
        query = query.where(_of(wanted.chains))
    if wanted.kinds:
        query = query.where(_LEDGER.c.kind.in_([kind.value for kind in wanted.kinds]))
    if wanted.since:
        query = query.where(_LEDGER.c.at >= wanted.since)
    return query.where(_LEDGER.c.at < wanted.before) if wanted.before else query


def _of(chains: Collection[str]) -> ColumnElement[bool]:
    """Records of these chains; of several by an expression, for else SQLite would look up and sort all they ever had."""
    if len(chains) == 1:
        return _LEDGER.c.chain == next(iter(chains))
    return func.coalesce(_LEDGER.c.chain, "").in_(chains)


def _all_of(conn: AsyncConnection, chains: Collection[str]) -> ColumnElement[bool]:
    """Every record of these chains. In SQLite's file an index may still hold what a damaged row has lost: there by no index."""
    by_index = conn.dialect.name == "postgresql"
    return (_LEDGER.c.chain if by_index else func.coalesce(_LEDGER.c.chain, "")).in_(chains)


def _names_in_the_ledger() -> Select[Any]:
    """Which chains have records: from each name on to the next one through the index, for a ledger is long and they are few."""
    name = _LEDGER.c.chain
    found = select(func.min(name).label("name")).cte("found", recursive=True)
    after = select(func.min(name)).where(name > found.c.name).scalar_subquery()
    found = found.union_all(select(after).where(found.c.name.is_not(None)))
    return select(found.c.name)


_NAMES = (select(tables.chain.c.name), _names_in_the_ledger(), select(_CHECKPOINT.c.chain).distinct())


_SQLITE_SEQ: ColumnElement[Any] = literal_column(f"CASE typeof(seq) WHEN 'integer' THEN seq ELSE {sys.maxsize} END")
_SQLITE_TEXT: ColumnElement[Any] = literal_column("CASE typeof(text) WHEN 'text' THEN CAST(text AS BLOB) ELSE x'' END")
"""In SQLite a damaged row may hold values of another type than its column's."""


def _kept(conn: AsyncConnection) -> tuple[ColumnElement[Any], ...]:
    """The columns of records as they are kept, to be checked: nothing is made of them that the check would undo."""
    table, sqlite = _LEDGER.c, conn.dialect.name == "sqlite"
    seq, text = (_SQLITE_SEQ, _SQLITE_TEXT) if sqlite else (table.seq, table.text)
    return table.chain, seq, type_coerce(table.at, String), table.kind, text, table.hash


def _add(checking: Mapping[str, Checking], rows: Iterable[Sequence[Any]], covered: Mapping[str, int]) -> None:
    for chain, seq, at, kind, text, digest in rows:
        if seq > covered[chain]:
            said = text if isinstance(text, bytes) else text.encode()
            checking[chain].add((chain, seq, written(at), kind, said, digest))


def as_record(row: Row[Any]) -> Record:
    """A row of the ledger as a record."""
    _, chain, seq, at, *said = tuple(row)
    # A damaged row may hold values of another type; the verification shall name it (or its absence), not stumble.
    kind, text, digest = [value if isinstance(value, str) else repr(value) for value in said]
    return Record(chain, seq if isinstance(seq, int) else sys.maxsize, at, kind, text, digest)
