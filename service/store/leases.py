"""Leases: one worker per clinic, and a fencing token that a worker which lost its lease cannot use.

Tokens of a clinic only grow (M. Kleppmann, *How to do distributed locking*, 2016). Everything a worker writes on behalf of a
clinic names its token and is refused once another has been given out.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.errors import LeaseLostError
from service.store.database import Database, inserted
from service.store.tables import lease as _lease
from service.store.undisturbed import undisturbed

TERM = timedelta(minutes=5)
"""How long after a worker died another may take its clinic over."""

# Every run asks for its lease and gives it back: the statements are made once.
_MINE = _lease.c.clinic == bindparam("of")
_FREE = or_(_lease.c.holder.is_(None), _lease.c.expires_at <= bindparam("now"))
_GIVEN = {"token": _lease.c.token + 1, "holder": bindparam("by"), "expires_at": bindparam("until")}
_ACQUIRE = update(_lease).where(_MINE, _FREE).values(_GIVEN).returning(_lease.c.token)
_RELEASE = update(_lease).where(_MINE, _lease.c.token == bindparam("fence")).values(holder=None)
_HELD = select(_lease.c.token).where(_MINE, _lease.c.holder.is_not(None)).with_for_update()


@undisturbed
class Leases:
    """Who governs which clinic."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def acquire(self, clinic: str, holder: str, ttl: timedelta, now: datetime) -> int | None:
        """Take a clinic over for `ttl`: the fencing token, or None while somebody else (or `holder` itself) has it."""
        until = now + ttl
        async with self._database.writing() as conn:
            given = await conn.scalar(_ACQUIRE, {"of": clinic, "now": now, "by": holder, "until": until})
            if given is not None:
                return int(given)
            first = {"clinic": clinic, "token": 1, "holder": holder, "expires_at": until}
            return 1 if await inserted(conn, _lease, first) else None

    async def renew(self, clinic: str, token: int, ttl: timedelta, now: datetime) -> None:
        """Keep a clinic for `ttl` from `now`, also where the lease ran out untaken. Raises LeaseLostError."""
        async with self._database.writing() as conn:
            await keep(conn, clinic, token, ttl, now)

    async def release(self, clinic: str, token: int) -> None:
        """Give a clinic back; without effect for a token that is not the current one."""
        async with self._database.writing() as conn:
            await conn.execute(_RELEASE, {"of": clinic, "fence": token})


async def keep(conn: AsyncConnection, clinic: str, fence: int, ttl: timedelta, now: datetime) -> None:
    """Go on in this write transaction as `demand` says, and keep the clinic for `ttl` from `now`. Raises LeaseLostError."""
    mine = (_lease.c.clinic == clinic, _lease.c.token == fence, _lease.c.holder.is_not(None))
    kept = await conn.execute(update(_lease).where(*mine).values(expires_at=now + ttl))
    if not kept.rowcount:
        raise _lost(clinic)


async def demand(conn: AsyncConnection, clinic: str, fence: int) -> None:
    """Go on in this write transaction only if `fence` is the clinic's current token. Raises LeaseLostError."""
    if await conn.scalar(_HELD, {"of": clinic}) != fence:
        raise _lost(clinic)


def _lost(clinic: str) -> LeaseLostError:
    return LeaseLostError(f"another worker governs {clinic} now; nothing was written")
