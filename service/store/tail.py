"""What is new in the ledger, for whoever watches it grow.

Where a watcher stands is counted chain by chain. A watcher that was cut off comes back with an id, and has then seen every
record with a lower one: they become visible in the order of their ids (`ledger.append_all`), and what is told at once is what
was there at one moment, of all chains.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, select

from service.core.ledger import Record
from service.store import tables
from service.store.database import Database
from service.store.undisturbed import at_once, undisturbed

Places = dict[str, int]
"""By chain, the number of the last record that a watcher has seen."""

AT_ONCE = 200
"""Records of a chain told at a time."""

_LEDGER = tables.ledger
_CHAIN = tables.chain


@dataclass(frozen=True, slots=True)
class Event:
    """A record with its id in the ledger as a whole."""

    id: int
    record: Record


@undisturbed
class Tail:
    """The growing end of every chain."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @at_once
    async def heads(self, chains: Collection[str] | None) -> Places:
        """The number of the newest record of each of these chains that there is (None: of every one)."""
        query = select(_CHAIN.c.name, _CHAIN.c.seq)
        some = query if chains is None else query.where(_CHAIN.c.name.in_(chains))
        rows = await self._database.read(lambda conn: conn.execute(some).all())
        return {row.name: row.seq for row in rows}

    @at_once
    async def end(self) -> int:
        """The id of the ledger's newest record, 0 without any."""
        return await self._database.read(lambda conn: conn.scalar(select(func.max(_LEDGER.c.id)))) or 0

    async def places(self, chains: Collection[str], after: int) -> Places:
        """Where a watcher stood that had seen the record with this id."""
        last = select(_LEDGER.c.seq).where(_LEDGER.c.id <= after).order_by(_LEDGER.c.id.desc()).limit(1)
        async with self._database.reading() as conn:
            return {chain: await conn.scalar(last.where(_LEDGER.c.chain == chain)) or 0 for chain in chains}

    async def since(self, seen: Mapping[str, int], heads: Mapping[str, int]) -> list[Event]:
        """The records between two standings, in the order of their ids, `AT_ONCE` of a chain at the most.

        Nothing from after `heads`, although it may be there by now: of another chain one with a lower id may be, too.
        """
        grown = [(chain, seen.get(chain, 0), seq) for chain, seq in heads.items() if seq > seen.get(chain, 0)]
        if not grown:
            return []
        async with self._database.reading() as conn:
            found = [[_event(row) for row in await conn.execute(_between(*each))] for each in grown]
        # Where a chain has more to tell, nothing is told from behind that: who is cut off there goes on with all of it.
        end = min((each[-1].id for each in found if len(each) == AT_ONCE), default=None)
        told = (event for each in found for event in each if end is None or event.id <= end)
        return sorted(told, key=lambda event: event.id)


def _between(chain: str, seen: int, head: int) -> Select[Any]:
    query = select(_LEDGER).where(_LEDGER.c.chain == chain, _LEDGER.c.seq > seen, _LEDGER.c.seq <= head)
    return query.order_by(_LEDGER.c.seq).limit(AT_ONCE)


def _event(row: Row[Any]) -> Event:
    return Event(row.id, Record(row.chain, row.seq, row.at, row.kind, row.text, row.hash))
