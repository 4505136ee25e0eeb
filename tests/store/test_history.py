"""A clinic's readings of a period, as they were."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from service.core.backtest import Moment
from service.core.model import Diaries, Snapshot
from service.store import history
from service.store.history import Span
from service.store.store import Store
from tests.store.samples import CLINIC, HOUR, NOW, inputs, outcome, snapshot

BATCH = 15
"""Readings that are fetched at a time, here; the service itself takes more."""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "BATCH", BATCH)


def taken(count: int) -> list[Snapshot]:
    """Readings an hour apart; in some nothing was readable, in some the starts are others, in some the settings."""
    chance, found = random.Random(5), list[Snapshot]()  # noqa: S311 - a simulation
    for n in range(count):
        made = snapshot(NOW + n * HOUR, readable=chance.random() < 0.9)
        if isinstance(made.diaries, Diaries) and chance.random() < 0.5:
            probe, *others = made.diaries.probes
            later = replace(probe, starts=(NOW + chance.randrange(500) * timedelta(minutes=1),))
            bookings = replace(made.diaries.bookings, segment_cap=chance.choice([None, 1, 2]))
            made = replace(made, diaries=replace(made.diaries, probes=(later, *others), bookings=bookings))
        found.append(made)
    return found


async def store_all(store: Store, fence: int, readings: Sequence[Snapshot]) -> None:
    for n, each in enumerate(readings):
        run = f"run-{n:04}"
        await store.runs.begin(run, CLINIC, each.taken_at)
        made = inputs(run, now=each.taken_at, snapshot=each, baselines=())
        await store.runs.record(made, outcome(run, decisions=()), fence)


async def test_every_reading_of_the_period_is_read_back_as_it_was_oldest_first(store: Store, fence: int) -> None:
    readings = taken(2 * BATCH + 10)
    await store_all(store, fence, readings)
    first, last = readings[5].taken_at, readings[-3].taken_at
    found = [moment async for moment in store.history.moments(CLINIC, first, last)]
    assert found == [Moment(f"run-{n:04}", each.taken_at, each.diaries) for n, each in enumerate(readings)][5:-2]
    assert len({str(moment.diaries) for moment in found}) > 5
    assert await store.history.span(CLINIC, first, last) == Span(len(found), first, last)


async def test_runs_at_the_same_instant_are_in_the_order_of_their_ids(store: Store, fence: int) -> None:
    await store_all(store, fence, [snapshot()] * 3)
    assert [moment.run async for moment in store.history.moments(CLINIC, NOW, NOW)] == ["run-0000", "run-0001", "run-0002"]


async def test_of_a_period_without_readings_there_is_nothing(store: Store, fence: int) -> None:
    await store_all(store, fence, [snapshot()])
    later = NOW + HOUR
    assert await store.history.span(CLINIC, later, later + HOUR) is None
    assert [moment async for moment in store.history.moments(CLINIC, later, later + HOUR)] == []
    assert await store.history.span("another-clinic", NOW, later) is None


async def test_what_the_runs_of_a_period_concluded_is_read_oldest_first(store: Store, fence: int) -> None:
    readings = taken(BATCH + 5)
    await store_all(store, fence, readings)
    first, last = readings[2].taken_at, readings[-2].taken_at
    found = [each async for each in store.history.outcomes(CLINIC, first, last)]
    runs = range(2, len(readings) - 1)
    assert found == [(readings[n].taken_at, await store.runs.outcome_text(f"run-{n:04}")) for n in runs]
    assert [each async for each in store.history.outcomes("another-clinic", first, last)] == []
