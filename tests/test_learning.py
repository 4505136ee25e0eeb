"""The booking pace is fitted from the looks that runs recorded, once for the same looks, and scored when days come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from service.core.decide.model import UNLEARNT
from service.core.expectation import look_key
from service.core.pace import Look, Outlook, Pace, Rung
from service.learning import booking_pace, scores
from service.store.pace import Fitted
from service.store.store import Store
from tests.store.samples import CLINIC, HOUR, inputs, outcome

FIRST = date(2026, 3, 2)
DAY = timedelta(days=1)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store.open(f"sqlite+aiosqlite:///{tmp_path / 'governor.db'}")
    await store.migrate()
    yield store
    await store.aclose()


def at(day: int) -> datetime:
    return datetime.combine(FIRST + day * DAY, datetime.min.time(), UTC)


async def looked(store: Store, days: range) -> None:
    """A run a day whose look sees four openings from a week ahead on and two when the day has come."""
    for n in days:
        fence = await store.leases.acquire(CLINIC, "worker", HOUR, at(n))
        assert fence is not None
        run = f"run-{n}"
        await store.runs.begin(run, CLINIC, at(n))
        openings = tuple(4.0 if ahead >= 7 else 2.0 for ahead in range(14))
        look = Look("physio", "city", FIRST + n * DAY, openings, tuple(Outlook(2, 1, 3) for _ in openings))
        await store.runs.record(inputs(run), replace(outcome(run, decisions=()), looks=(look,)), fence)
        await store.leases.release(CLINIC, fence)


async def pace_at(store: Store, n: int, engine: str = "1", *, record: bool = True) -> Pace:
    known = await store.remembered(CLINIC, at(n))
    return await booking_pace(store, CLINIC, known, at(n), engine, record=record)


async def fitted(store: Store) -> Fitted | None:
    return (await store.remembered(CLINIC, at(0))).fitted


async def test_a_clinic_that_was_never_looked_at_has_no_pace(store: Store) -> None:
    assert await pace_at(store, 0) == UNLEARNT
    assert (await store.remembered(CLINIC, at(0))).looked == {}
    assert (await scores(store, CLINIC, at(0))).lines == ()


async def test_looks_become_a_pace_that_is_kept_until_there_are_newer_ones(store: Store) -> None:
    await looked(store, range(28))
    found = await pace_at(store, 28)
    assert found.services["physio"].rung is Rung.PICKUP
    known = await store.remembered(CLINIC, at(28) + HOUR)
    assert known.looked == {look_key("physio", "city"): FIRST + 27 * DAY}
    assert await booking_pace(store, CLINIC, known, at(28) + HOUR, "1", record=True) == found
    assert await fitted(store) == known.fitted
    await looked(store, range(28, 29))
    later = await pace_at(store, 29)
    assert later.day == FIRST + 28 * DAY
    assert await fitted(store) != known.fitted


async def test_a_rehearsal_fits_and_keeps_nothing(store: Store) -> None:
    await looked(store, range(28))
    assert (await pace_at(store, 28, record=False)).services
    assert await fitted(store) is None


async def test_another_version_of_the_model_fits_anew(store: Store) -> None:
    await looked(store, range(8))
    await pace_at(store, 8)
    before = await fitted(store)
    await pace_at(store, 8, "2")
    after = await fitted(store)
    assert before is not None
    assert after is not None
    assert before.key != after.key


async def test_expectations_are_scored_against_what_came(store: Store) -> None:
    await looked(store, range(28))
    total = (await scores(store, CLINIC, at(28))).totals[0]
    assert total.count > 100
    assert (total.wape, total.bias, total.coverage) == (0, 0, 1)
    assert total.naive_wape is not None
    assert total.naive_wape > 0.3
