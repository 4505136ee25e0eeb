"""A clinic's booking pace: learnt from the looks in the store, and fitted anew when there are looks it was not fitted from.

That is once a local day; between, every run takes the same fitted model, by reference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from service.core.canonical import canonical
from service.core.decide.model import UNLEARNT
from service.core.pace import Pace, Scores, fit, scored
from service.store import documents
from service.store.remembered import Remembered
from service.store.store import Store

MEMORY = timedelta(days=100)
"""How far back looks are read: more than `fit` learns from. Older ones teach nothing any more."""

SCORED = timedelta(days=70)
"""Over how many days up to now forecasts are scored."""


async def booking_pace(store: Store, clinic: str, known: Remembered, now: datetime, engine: str, *, record: bool) -> Pace:
    """The clinic's booking pace from all its looks; `record` False leaves the store as it is. Raises StoreError."""
    looked, fitted = known.looked, known.fitted
    if not looked or now.date() - max(looked.values()) > MEMORY:
        return UNLEARNT
    key = _key(looked, engine)
    if fitted is not None and fitted.key == key:
        return documents.load(Pace, fitted.model)
    looks = await store.looks.since(clinic, now.date() - MEMORY)
    pace = await asyncio.to_thread(fit, looks, max(looked.values()))
    if record:
        await store.pace.put(clinic, key, documents.dump(Pace, pace), now)
    return pace


async def scores(store: Store, clinic: str, now: datetime) -> Scores:
    """How good the clinic's forecasts of late have been, now that their days have come. Raises StoreError."""
    looks = await store.looks.since(clinic, now.date() - SCORED)
    return await asyncio.to_thread(scored, looks)


def _key(looked: Mapping[str, date], engine: str) -> str:
    """What a fit depends on: the looks there are, and the version of the code that fits."""
    return f"{engine} {documents.Document.of(canonical(looked).encode()).digest}"
