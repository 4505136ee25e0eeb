"""What an outside system said and need not be asked again for a while, across processes: only a saving, never a record."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select

from service.store.database import Database, delete_free, insert_or_replace, inserted
from service.store.tables import note as _note
from service.store.undisturbed import undisturbed


@undisturbed
class Notes:
    """Short texts under the keys of whoever noted them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key: str, now: datetime) -> str | None:
        """What was noted, unless it counts no longer."""
        query = select(_note.c.body).where(_note.c.key == key, or_(_note.c.until.is_(None), _note.c.until > now))
        async with self._database.reading() as conn:
            return await conn.scalar(query)

    async def first(self, key: str, text: str) -> str:
        """What was noted for good before anything else; `text`, unless something was already."""
        async with self._database.writing() as conn:
            await inserted(conn, _note, {"key": key, "until": None, "body": text})
            noted: str | None = await conn.scalar(select(_note.c.body).where(_note.c.key == key))
            return text if noted is None else noted

    async def put(self, key: str, text: str, until: datetime | None, now: datetime) -> None:
        """Note something until then (None: for good), in the place of what was noted; what counts no longer goes."""
        async with self._database.writing() as conn:
            await conn.execute(delete_free(_note, _note.c.until <= now))
            await conn.execute(insert_or_replace(conn, _note).values(key=key, until=until, body=text))
