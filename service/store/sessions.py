"""Who is signed in to the dashboard: the hash of a browser's secret, and of the API key that it signed in with.

What the key opens is looked up anew each time, so that a key that is revoked or expires ends every session with it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select

from service.store.database import Database, delete_free
from service.store.tables import session as _session
from service.store.undisturbed import at_once, undisturbed


@undisturbed
class Sessions:
    """The sessions of this installation's dashboards."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, hash_: str, key_hash: str, now: datetime, until: datetime) -> None:
        """Remember a browser's secret, by its SHA-256 in hex, until then; those that are over are forgotten meanwhile."""
        async with self._database.writing() as conn:
            await conn.execute(delete_free(_session, _session.c.expires_at <= now))
            await conn.execute(insert(_session).values(hash=hash_, key_hash=key_hash, made_at=now, expires_at=until))

    @at_once
    async def key_of(self, hash_: str, now: datetime) -> str | None:
        """The hash of the API key behind a session, None where there is none or it is over."""
        query = select(_session.c.key_hash).where(_session.c.hash == hash_, _session.c.expires_at > now)
        return await self._database.read(lambda conn: conn.scalar(query))

    async def end(self, hash_: str) -> None:
        """Forget a session, if there is one."""
        async with self._database.writing() as conn:
            await conn.execute(delete(_session).where(_session.c.hash == hash_))
