"""Taking the first records of a chain out of the database, once they are in a file.

A checkpoint says where they went. With it and the record that tells of it, written in one transaction, they have left the
chain, whether or not their rows are still there; rows are removed afterwards, in transactions too short for anybody to wait
for, and what a crash leaves of them is removed by the next call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.errors import LedgerBrokenError
from service.core.ledger import Checkpoint, Head, Kind
from service.store import tables
from service.store.database import Database
from service.store.ledger import append, checkpoints_of
from service.store.undisturbed import undisturbed

MOST = 1000
"""Rows removed in one transaction."""

_LEDGER = tables.ledger
_CHECKPOINT = tables.checkpoint


@dataclass(frozen=True, slots=True)
class Segment:
    """The records of a chain that an archive is to take: those after `after`, up to and with `last`."""

    chain: str
    after: Head
    last: Head


@undisturbed
class Archives:
    """What was taken out of the ledger, and taking it out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def checkpoints(self, chain: str) -> tuple[Checkpoint, ...]:
        """The checkpoints of a chain, in the order of its records."""
        async with self._database.reading() as conn:
            return await checkpoints_of(conn, chain)

    async def of_file(self, sha256: str) -> tuple[Checkpoint, ...]:
        """The checkpoints that name the file with these bytes, by chain."""
        query = select(_CHECKPOINT).where(_CHECKPOINT.c.sha256 == sha256).order_by(_CHECKPOINT.c.chain)
        async with self._database.reading() as conn:
            return tuple(Checkpoint(**row) for row in (await conn.execute(query)).mappings())

    async def segment(self, chain: str, before: datetime) -> Segment | None:
        """What there is to take of a chain: all before its first record that is not from before an instant, or its newest.

        None: nothing. Raises LedgerBrokenError where the last of it is missing.
        """
        async with self._database.reading() as conn:
            made = await checkpoints_of(conn, chain)
            after = made[-1].head if made else Head()
            last = await _last(conn, chain, after.seq, before)
            if last <= after.seq:
                return None
            hash_ = await conn.scalar(select(_LEDGER.c.hash).where(_LEDGER.c.chain == chain, _LEDGER.c.seq == last))
        if hash_ is None:
            raise LedgerBrokenError(f"{chain} #{last}: the record is missing; nothing is taken out of a broken chain")
        return Segment(chain, after, Head(last, hash_))

    async def take_out(self, made: Sequence[Checkpoint]) -> None:
        """Set checkpoints, and record each in its chain: all of them, or none.

        Raises StoreError where the database itself does not believe one, such as after another call was quicker.
        """
        async with self._database.writing() as conn:
            for each in sorted(made, key=lambda one: one.chain):
                await append(conn, each.chain, Kind.CHECKPOINT, each.body, each.at)
                await conn.execute(insert(_CHECKPOINT).values(asdict(each)))

    async def remove(self) -> int:
        """Remove some of the rows that checkpoints cover; returns how many: call it until it returns 0."""
        covered = (_CHECKPOINT.c.chain == _LEDGER.c.chain) & (_LEDGER.c.seq <= _CHECKPOINT.c.seq)
        found = select(_LEDGER.c.id).select_from(_CHECKPOINT).join(_LEDGER, covered).limit(MOST)
        async with self._database.writing() as conn:
            return (await conn.execute(delete(_LEDGER).where(_LEDGER.c.id.in_(found)))).rowcount


async def _last(conn: AsyncConnection, chain: str, after: int, before: datetime) -> int:
    """The number of the last record to take; `after` where there is none."""
    rest = (_LEDGER.c.chain == chain, _LEDGER.c.seq > after)
    kept = select(_LEDGER.c.seq).where(*rest, _LEDGER.c.at >= before).order_by(_LEDGER.c.seq).limit(1)
    newest = select(tables.chain.c.seq).where(tables.chain.c.name == chain)
    first_kept = await conn.scalar(kept)
    end = await conn.scalar(newest) or after + 1
    return min(end if first_kept is None else int(first_kept), end) - 1
