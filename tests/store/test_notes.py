"""What need not be asked again is kept, for as long as it counts."""

from __future__ import annotations

import asyncio

from service.store.store import Store
from tests.store.samples import HOUR, NOW


async def test_what_was_noted_counts_until_its_time_has_come(store: Store) -> None:
    await store.notes.put("a", "once", None, NOW)
    await store.notes.put("b", "for an hour", NOW + HOUR, NOW)
    assert [await store.notes.get(key, NOW) for key in "abc"] == ["once", "for an hour", None]
    assert [await store.notes.get(key, NOW + HOUR) for key in "abc"] == ["once", None, None]


async def test_the_last_note_under_a_key_counts(store: Store) -> None:
    await store.notes.put("a", "first", None, NOW)
    await store.notes.put("a", "second", NOW + HOUR, NOW)
    assert await store.notes.get("a", NOW) == "second"


async def test_what_was_noted_first_stays_whoever_comes_later(store: Store) -> None:
    found = await asyncio.gather(*(store.notes.first("installation", f"id-{n}") for n in range(5)))
    assert len({*found, await store.notes.first("installation", "later")}) == 1
    assert await store.notes.get("installation", NOW) == found[0]
