"""Requests that were sent twice on purpose: what the first one was answered is kept for a day under the sender's own word.

A client that has lost an answer cannot know whether its hold or its approval was taken. It asks again under the same
`Idempotency-Key`, and is told what it was told, or would have been.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from service.store.database import Database, delete_free, inserted
from service.store.tables import repeat as _repeat
from service.store.undisturbed import undisturbed

KEPT_FOR = timedelta(days=1)
"""How long a request can be repeated without being done twice."""

ABANDONED_AFTER = timedelta(hours=2)
"""A request that has no answer after so long has died with its process; longer than any takes. What it did is unknown."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer as it was given."""

    status: int
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """A request under the same word: what it asked for, and what it was answered (None: not yet).

    `abandoned` means that it never will be answered.
    """

    fingerprint: str
    said: Said | None
    abandoned: bool


@undisturbed
class Repeats:
    """The requests of the last day that came with a word of their sender's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, key: str, word: str, fingerprint: str, now: datetime) -> Found | None:
        """Begin a request of an API key under a word; None if it is the first under it, else the one that was there.

        `now` names the claim to `keep` and `release`. One that was abandoned is never begun anew: it may have been done.
        """
        mine = (_repeat.c.key == key, _repeat.c.word == word)
        row = {"key": key, "word": word, "fingerprint": fingerprint, "begun_at": now}
        async with self._database.writing() as conn:
            await conn.execute(delete_free(_repeat, _repeat.c.begun_at < now - KEPT_FOR))
            there = None
            while there is None:  # one that is there may be released before it is read
                if await inserted(conn, _repeat, row):
                    return None
                there = (await conn.execute(select(_repeat).where(*mine))).one_or_none()
        said = None if there.status is None else Said(there.status, there.media_type, there.body)
        return Found(there.fingerprint, said, said is None and there.begun_at < now - ABANDONED_AFTER)

    async def keep(self, key: str, word: str, begun_at: datetime, said: Said) -> None:
        """Remember what the request was answered."""
        values = {"status": said.status, "media_type": said.media_type, "body": said.body}
        mine = (_repeat.c.key == key, _repeat.c.word == word, _repeat.c.begun_at == begun_at)
        async with self._database.writing() as conn:
            await conn.execute(update(_repeat).where(*mine).values(values))

    async def release(self, key: str, word: str, begun_at: datetime) -> None:
        """Forget a request that came to nothing, so that it may be tried again."""
        mine = (_repeat.c.key == key, _repeat.c.word == word, _repeat.c.begun_at == begun_at, _repeat.c.status.is_(None))
        async with self._database.writing() as conn:
            await conn.execute(delete(_repeat).where(*mine))
