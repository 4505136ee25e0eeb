"""The ledger in the database: appending to a chain, reading it, checking it.

Writers of one chain queue at its row in `chain`, which holds its head; the database refuses to change or remove a record.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.ledger import Broken, Head, Kind, Record, Verification, check, finish, write
from service.store import tables
from service.store.database import Database
from service.store.pages import Page, cursor_of, position
from service.store.undisturbed import undisturbed

_LEDGER = tables.ledger


@dataclass(frozen=True, slots=True)
class Entry:
    """A record that something else is to be written together with."""

    kind: Kind
    body: Mapping[str, object]
    at: datetime


async def append(conn: AsyncConnection, chain: str, kind: Kind, body: Mapping[str, object], at: datetime) -> Record:
    """Append a record to `chain` as part of the write transaction that `conn` is in."""
    table = tables.chain
    row = (await conn.execute(select(table.c.seq, table.c.hash).where(table.c.name == chain).with_for_update())).one_or_none()
    record = write(chain, Head(row.seq, row.hash) if row else Head(), kind, body, at)
    head = {"seq": record.seq, "hash": record.hash}
    await conn.execute(
        update(table).where(table.c.name == chain).values(head) if row else insert(table).values(name=chain, **head)
    )
    await conn.execute(
        insert(_LEDGER).values(chain=chain, seq=record.seq, at=at, kind=kind.value, text=record.text, hash=record.hash)
    )
    return record


@undisturbed
class Ledger:
    """The ledger's chains."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
        wanted: list[ColumnElement[bool]] = [_LEDGER.c.chain.in_(chains)] if chains is not None else []
        wanted += [_LEDGER.c.kind.in_([kind.value for kind in kinds])] if kinds else []
        wanted += [_LEDGER.c.at >= since] if since else []
        wanted += [_LEDGER.c.at < before] if before else []
        if cursor is not None:
            [last] = position(cursor, int)
            wanted.append(_LEDGER.c.id < last if newest_first else _LEDGER.c.id > last)
        order = _LEDGER.c.id.desc() if newest_first else _LEDGER.c.id.asc()
        async with self._database.reading() as conn:
            rows = (await conn.execute(_query().where(*wanted).order_by(order).limit(limit + 1))).all()
        return Page.of(rows, limit, _record, lambda row: cursor_of(row.id))

    async def head(self, chain: str) -> Head:
        """The end of a chain; a chain without records ends at the beginning."""
        async with self._database.reading() as conn:
            return await _head(conn, chain)

    async def chains(self) -> tuple[str, ...]:
        """The names of the chains that have records, in alphabetical order."""
        async with self._database.reading() as conn:
            return tuple(await conn.scalars(select(tables.chain.c.name).order_by(tables.chain.c.name)))

    async def verify(self, chain: str, known: Head | None = None) -> Verification:
        """Check a chain from its first record to its head, in constant memory.

        `known` is a head noted elsewhere, which catches what rewriting the whole database would hide.
        """
        async with self._database.reading() as conn:
            head = await _head(conn, chain)
            found = Verification(chain=chain, known=known)
            # An expression, so that rows are read from the table itself: an index may still hold what a damaged row has lost.
            query = _query().where(func.coalesce(_LEDGER.c.chain, "") == chain).order_by(_LEDGER.c.id)
            async with conn.stream(query, execution_options={"yield_per": 500}) as rows:
                async for row in rows:
                    found = check(found, _record(row))
        return _at_head(finish(found), head)


async def _head(conn: AsyncConnection, chain: str) -> Head:
    table = tables.chain
    row = (await conn.execute(select(table.c.seq, table.c.hash).where(table.c.name == chain))).one_or_none()
    return Head(row.seq, row.hash) if row else Head()


def _at_head(found: Verification, head: Head) -> Verification:
    """The chain ends where the database remembers its end: no record was cut off, and none put there by another way."""
    if found.broken or found.head == head:
        return found
    seq, problem = head.seq, "the record is not the one remembered as the head"
    if found.head.seq < head.seq:
        seq, problem = found.head.seq + 1, f"the record is missing; the chain went on to #{head.seq}"
    elif found.head.seq > head.seq:
        seq, problem = head.seq + 1, "the record was added beside the ledger"
    return replace(found, broken=Broken(found.chain, seq, problem))


def _query() -> Select[Any]:
    return select(_LEDGER)


def _record(row: Row[Any]) -> Record:
    # A damaged row may hold values of another type; the verification shall name it (or its absence), not stumble.
    text, kind, hash_ = (value if isinstance(value, str) else repr(value) for value in (row.text, row.kind, row.hash))
    return Record(row.chain, row.seq if isinstance(row.seq, int) else sys.maxsize, row.at, kind, text, hash_)
