"""One look of each local day is kept, the first; and one model per clinic, the last."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from service.core.pace import Look, Outlook
from service.store import looks, tables
from service.store.store import Store
from tests.store.samples import CLINIC, HOUR, NOW, inputs, outcome, snapshot

DAY = date(2026, 11, 22)
LOOK = Look("physio", "place", DAY, (None, 3.0, 0.0, 2.5), (None, Outlook(1.25, 0.0, 3.0)))
NUMBER = st.floats(allow_nan=False)


async def record(store: Store, fence: int, run: str, *seen: Look) -> None:
    at = NOW + len(run) * HOUR
    await store.runs.begin(run, CLINIC, at)
    made = inputs(run, now=at, snapshot=snapshot(at), standings={})
    await store.runs.record(made, outcome(run, decisions=(), looks=seen), fence)


async def test_the_first_look_of_a_day_wins(store: Store, fence: int) -> None:
    await record(store, fence, "run", LOOK)
    tomorrow = replace(LOOK, day=DAY + timedelta(days=1))
    await record(store, fence, "later", replace(LOOK, openings=(9.0,)), replace(LOOK, location="quay"), tomorrow)
    assert await store.looks.since(CLINIC, DAY) == (LOOK, replace(LOOK, location="quay"), tomorrow)
    assert await store.looks.since(CLINIC, DAY + timedelta(days=1)) == (tomorrow,)
    assert await store.looks.since("northside-allied", DAY) == ()


async def test_old_looks_are_forgotten(store: Store, fence: int) -> None:
    days = [replace(LOOK, day=DAY + timedelta(days=n)) for n in range(3)]
    await record(store, fence, "run", *days)
    assert await store.retention.forget_looks("northside-allied", DAY + timedelta(days=9)) == 0
    assert await store.retention.forget_looks(CLINIC, DAY + timedelta(days=2)) == 2
    assert await store.looks.since(CLINIC, date.min) == (days[2],)


async def test_a_look_takes_few_bytes(store: Store, fence: int) -> None:
    """Fourteen days with an outlook of two decimals each."""
    openings = tuple(float(n % 9) for n in range(14))
    await record(store, fence, "run", replace(LOOK, openings=openings, outlook=(Outlook(3.14, 1.07, 5.96),) * 14))
    async with store._database.reading() as conn:
        assert await conn.scalar(select(func.length(tables.look.c.body))) == 271


@given(
    openings=st.lists(st.none() | NUMBER, max_size=14).map(tuple),
    outlook=st.lists(st.none() | st.builds(Outlook, NUMBER, NUMBER, NUMBER), max_size=14).map(tuple),
)
def test_no_number_of_a_look_is_lost(openings: tuple[float | None, ...], outlook: tuple[Outlook | None, ...]) -> None:
    look = replace(LOOK, openings=openings, outlook=outlook)
    assert looks.read(looks.row(look)) == look


async def test_a_model_takes_the_place_of_the_one_before(store: Store) -> None:
    assert (await store.remembered(CLINIC, NOW)).fitted is None
    await store.pace.put(CLINIC, "one", b"[1]", NOW)
    await store.pace.put("northside-allied", "one", b"[1]", NOW)
    await store.pace.put(CLINIC, "two", b"[2]", NOW + HOUR)
    assert (await store.remembered(CLINIC, NOW)).fitted == ("two", b"[2]")
    assert (await store.remembered("northside-allied", NOW)).fitted == ("one", b"[1]")
