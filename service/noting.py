"""What the ad platforms said and need not be asked again, kept in the database for whichever process runs next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from service.core.errors import StoreError
from service.store.store import Store

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StoredNotes:
    """`core.ports.Notes` in the store. What cannot be read there was never noted: then the platform is asked once more."""

    store: Store
    clock: Callable[[], datetime]

    async def get(self, key: str) -> str | None:
        """What was noted and still counts."""
        try:
            return await self.store.notes.get(key, self.clock())
        except StoreError as error:
            log.warning("note_unreadable", key=key, error=str(error))
            return None

    async def put(self, key: str, text: str, keep: timedelta | None = None) -> None:
        """Note something for so long; for good where that is not said."""
        now = self.clock()
        try:
            await self.store.notes.put(key, text, now + keep if keep else None, now)
        except StoreError as error:
            log.warning("note_lost", key=key, error=str(error))
