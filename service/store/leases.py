"""Leases: one worker per clinic, and a fencing token that a worker which lost its lease cannot use.

Tokens of a clinic only grow (M. Kleppmann, *How to do distributed locking*, 2016). Everything a worker writes on behalf of a
clinic names its token and is refused once another has been given out.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.errors import LeaseLostError
from service.store.database import Database, inserted
from service.store.tables import lease as _lease
from service.store.undisturbed import undisturbed

TERM = timedelta(minutes=5)
"""How long after a worker died another may take its clinic over."""


@undisturbed
class Leases:
    """Who governs which clinic."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def acquire(self, clinic: str, holder: str, ttl: timedelta, now: datetime) -> int | None:
        """Take a clinic over for `ttl`: the fencing token, or None while somebody else (or `holder` itself) has it."""
        taken = {"holder": holder, "expires_at": now + ttl}
        free = or_(_lease.c.holder.is_(None), _lease.c.expires_at <= now)
        async with self._database.writing() as conn:
            token = (
                update(_lease)
                .where(_lease.c.clinic == clinic, free)
                .values(token=_lease.c.token + 1, **taken)
                .returning(_lease.c.token)
            )
            if (given := await conn.scalar(token)) is not None:
                return int(given)
            return 1 if await inserted(conn, _lease, {"clinic": clinic, "token": 1, **taken}) else None

    async def renew(self, clinic: str, token: int, ttl: timedelta, now: datetime) -> None:
        """Keep a clinic for `ttl` from `now`, also where the lease ran out untaken. Raises LeaseLostError."""
        async with self._database.writing() as conn:
            await keep(conn, clinic, token, ttl, now)

    async def release(self, clinic: str, token: int) -> None:
        """Give a clinic back; without effect for a token that is not the current one."""
        async with self._database.writing() as conn:
            await conn.execute(update(_lease).where(_lease.c.clinic == clinic, _lease.c.token == token).values(holder=None))


async def keep(conn: AsyncConnection, clinic: str, fence: int, ttl: timedelta, now: datetime) -> None:
    """Go on in this write transaction as `demand` says, and keep the clinic for `ttl` from `now`. Raises LeaseLostError."""
    mine = (_lease.c.clinic == clinic, _lease.c.token == fence, _lease.c.holder.is_not(None))
    kept = await conn.execute(update(_lease).where(*mine).values(expires_at=now + ttl))
    if not kept.rowcount:
        raise _lost(clinic)


async def demand(conn: AsyncConnection, clinic: str, fence: int) -> None:
    """Go on in this write transaction only if `fence` is the clinic's current token. Raises LeaseLostError."""
    held = select(_lease.c.token).where(_lease.c.clinic == clinic, _lease.c.holder.is_not(None)).with_for_update()
    if await conn.scalar(held) != fence:
        raise _lost(clinic)


def _lost(clinic: str) -> LeaseLostError:
    return LeaseLostError(f"another worker governs {clinic} now; nothing was written")
