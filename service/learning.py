"""A clinic's booking pace: learnt from the looks in the store, and fitted anew when there are looks it was not fitted from.

That is once a local day; between, every run takes the same fitted model, by reference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from service.core.canonical import canonical
from service.core.decide.model import UNLEARNT
from service.core.pace import Pace, Scores, fit, scored
from service.store import documents
from service.store.store import Store

MEMORY = timedelta(days=100)
"""How far back looks are read: more than `fit` learns from. Older ones teach nothing any more."""

SCORED = timedelta(days=70)
"""Over how many days up to now forecasts are scored."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """The pace, and the local day of the newest look by service and location (`core.expectation.look_key`)."""

    pace: Pace
    looked: dict[str, date]


async def booking_pace(store: Store, clinic: str, now: datetime, engine: str, *, record: bool) -> Learnt:
    """The clinic's booking pace from all its looks; `record` False leaves the store as it is. Raises StoreError."""
    looked = await store.looks.newest(clinic)
    if not looked or now.date() - max(looked.values()) > MEMORY:
        return Learnt(UNLEARNT, looked)
    key, known = _key(looked, engine), await store.pace.get(clinic)
    if known is not None and known[0] == key:
        return Learnt(documents.load(Pace, known[1]), looked)
    looks = await store.looks.since(clinic, now.date() - MEMORY)
    pace = await asyncio.to_thread(fit, looks, max(looked.values()))
    if record:
        await store.pace.put(clinic, key, documents.dump(Pace, pace), now)
    return Learnt(pace, looked)


async def scores(store: Store, clinic: str, now: datetime) -> Scores:
    """How good the clinic's forecasts of late have been, now that their days have come. Raises StoreError."""
    looks = await store.looks.since(clinic, now.date() - SCORED)
    return await asyncio.to_thread(scored, looks)


def _key(looked: Mapping[str, date], engine: str) -> str:
    """What a fit depends on: the looks there are, and the version of the code that fits."""
    return f"{engine} {documents.Document.of(canonical(looked).encode()).digest}"
