"""The outbox: what people are to be told, from the record it comes from to the moment it has gone out.

    record -> position and notices, one transaction -> waiting -> sending -> sent
                                                          ^---------'-> failed, or expired without an attempt

Positions are kept per chain by `seq`, which has no gaps. Whoever sends claims first, by an update that only one of two can
make, and names its claim when it says what came of it. A claim that nobody settles is one whose process died: it is taken
over, and what it sent, or did not, is marked as `repeated`, for nobody can know.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, func, insert, or_, select, update

from service.core.ledger import SYSTEM, Record
from service.core.notices.model import URGENT, Memory, Notice
from service.core.notices.timing import CLAIMED_FOR
from service.store import documents, tables
from service.store.database import Database, inserted
from service.store.ledger import AT_ONCE, as_record
from service.store.tables import notice as _notice
from service.store.tables import notice_position as _position
from service.store.undisturbed import undisturbed

MOST = 200
"""Notices claimed at a time."""


@dataclass(frozen=True, slots=True)
class Position:
    """Up to which record of a chain notices have been made (0: of none), and what is remembered of them."""

    chain: str
    seq: int = 0
    memory: Memory = field(default_factory=Memory)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that is to be told through one channel; `n` tells it from the others of its record."""

    seq: int
    n: int
    channel: str
    notice: Notice


@dataclass(frozen=True, slots=True)
class Claimed:
    """A notice that is being sent: for the how-manieth time, and whether it may have arrived before."""

    id: int
    notice: Notice
    tries: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of claimed notices, by id: sent, given up, no longer worth telling, or to be tried again at some time.

    `doubtful`: those that are tried again may have arrived.
    """

    sent: Collection[int] = ()
    failed: Collection[int] = ()
    over: Collection[int] = ()
    again: Mapping[int, datetime] = field(default_factory=dict)
    doubtful: bool = False


@undisturbed
class Outbox:
    """The notices of every clinic."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- filling --------------------------------------------------------------------------------------------------------

    async def behind(self) -> tuple[Position, ...]:
        """The positions of those chains of clinics that have gone on since, in alphabetical order."""
        chain = tables.chain.c
        joined = tables.chain.outerjoin(_position, chain.name == _position.c.chain)
        query = select(chain.name, _position.c.seq, _position.c.memory).select_from(joined)
        query = query.where(chain.name != SYSTEM, chain.seq > func.coalesce(_position.c.seq, 0)).order_by(chain.name)
        async with self._database.reading() as conn:
            return tuple(_from(*row) for row in (await conn.execute(query)).all())

    async def records(self, position: Position) -> tuple[Record, ...]:
        """The next records of a chain, some at a time."""
        ledger = tables.ledger
        query = select(ledger).where(ledger.c.chain == position.chain, ledger.c.seq > position.seq)
        async with self._database.reading() as conn:
            return tuple(map(as_record, await conn.execute(query.order_by(ledger.c.seq).limit(AT_ONCE))))

    async def advance(self, before: Position, after: Position, waiting: Sequence[Waiting], due_at: datetime) -> bool:
        """Move a chain's position and put notices into the outbox, both or neither; False: somebody else has moved it."""
        row = {"chain": after.chain, "seq": after.seq, "memory": documents.dump(Memory, after.memory).decode()}
        here = (_position.c.chain == before.chain, _position.c.seq == before.seq)
        async with self._database.writing() as conn:
            moved = (await conn.execute(update(_position).where(*here).values(row))).rowcount > 0
            if not moved and not (before.seq == 0 and await inserted(conn, _position, row)):
                return False
            if waiting:
                await conn.execute(insert(_notice), [_row(after.chain, each, due_at) for each in waiting])
            return True

    # --- emptying -------------------------------------------------------------------------------------------------------

    async def due(self, now: datetime) -> tuple[tuple[str, str], ...]:
        """The clinics and channels for which something is due, in alphabetical order."""
        query = select(_notice.c.chain, _notice.c.channel).distinct().where(_claimable(now))
        async with self._database.reading() as conn:
            rows = await conn.execute(query.order_by(_notice.c.chain, _notice.c.channel))
            return tuple((row.chain, row.channel) for row in rows)

    async def memory(self, clinic: str) -> Memory:
        """What is remembered of what a clinic was told."""
        async with self._database.reading() as conn:
            found = await conn.scalar(select(_position.c.memory).where(_position.c.chain == clinic))
            return documents.load(Memory, found or "{}")

    async def claim(self, clinic: str, channel: str, claim: str, now: datetime, *, urgent: bool) -> tuple[Claimed, ...]:
        """Take what is due for a clinic and channel (with `urgent`, only what is), oldest first; what another has is left."""
        wanted = [_notice.c.chain == clinic, _notice.c.channel == channel, _claimable(now)]
        if urgent:
            wanted.append(_notice.c.urgent.is_(True))
        some = select(_notice.c.id).where(*wanted).order_by(_notice.c.id).limit(MOST).with_for_update(skip_locked=True)
        broken_off = case((_notice.c.status == "sending", True), else_=_notice.c.repeated)
        values = {"status": "sending", "claim": claim, "claimed_at": now, "tries": _notice.c.tries + 1, "repeated": broken_off}
        # `_claimable` once more: PostgreSQL looks again at that, and at that alone, when it had to wait for a row.
        taken = update(_notice).where(_notice.c.id.in_(some), _claimable(now)).values(values).returning(_notice)
        async with self._database.writing() as conn:
            rows = (await conn.execute(taken)).all()
        return tuple(sorted(map(_claimed, rows), key=lambda each: each.id))

    async def settle(self, claim: str, outcome: Outcome, now: datetime) -> None:
        """Say what came of a claim; without effect on what has been taken over meanwhile."""
        mine = (_notice.c.claim == claim, _notice.c.status == "sending")
        async with self._database.writing() as conn:
            for status, ids in (("sent", outcome.sent), ("failed", outcome.failed), ("expired", outcome.over)):
                if ids:
                    await conn.execute(update(_notice).where(*mine, _notice.c.id.in_(ids)).values(status=status, ended_at=now))
            for id_, at in outcome.again.items():
                doubtful = {"repeated": True} if outcome.doubtful else {}
                again = update(_notice).where(*mine, _notice.c.id == id_)
                await conn.execute(again.values(status="waiting", due_at=at, **doubtful))

    async def expire(self, before: datetime, now: datetime) -> int:
        """Give up what was recorded before an instant and still waits; returns how many that was."""
        old = (_notice.c.status == "waiting", _notice.c.at < before)
        async with self._database.reading() as conn:
            if await conn.scalar(select(_notice.c.id).where(*old).limit(1)) is None:
                return 0  # as nearly always: nobody is kept from writing
        async with self._database.writing() as conn:
            return (await conn.execute(update(_notice).where(*old).values(status="expired", ended_at=now))).rowcount


def _claimable(now: datetime) -> ColumnElement[bool]:
    waits = and_(_notice.c.status == "waiting", _notice.c.due_at <= now)
    return or_(waits, and_(_notice.c.status == "sending", _notice.c.claimed_at <= now - CLAIMED_FOR))


def _row(chain: str, waiting: Waiting, due_at: datetime) -> dict[str, Any]:
    notice = waiting.notice
    place = {"chain": chain, "seq": waiting.seq, "n": waiting.n, "channel": waiting.channel}
    body = {"urgent": notice.kind in URGENT, "at": notice.at, "body": documents.dump(Notice, notice).decode()}
    return {**place, **body, "status": "waiting", "due_at": due_at, "tries": 0, "repeated": False}


def _from(chain: str, seq: int | None, memory: str | None) -> Position:
    return Position(chain, seq or 0, documents.load(Memory, memory or "{}"))


def _claimed(row: Row[Any]) -> Claimed:
    return Claimed(row.id, documents.load(Notice, row.body), row.tries, row.repeated)
