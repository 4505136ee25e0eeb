"""What is remembered of earlier readings changes how long things take, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.core import memo
from service.core.capacity import capacity
from service.core.memo import Memo
from service.core.model import Diaries, Probe, Unseen
from service.core.observation import Observation
from service.core.roster import DayNumbers, day_numbers
from service.core.rules.language import Service
from service.core.sighting import Sighting
from service.sandbox.invented import Invented
from tests.core.worlds import seeded

SERVICES = (
    Service("physio", ("Initial", "Follow-up"), ("City", "Beach")),
    Service("both", ("Follow-up", "Long"), practitioners=("Ana Silva", "Ben Okafor")),
)
SEEDS = [*range(3), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(3, 60))]


def readings(seed: int, hours: int) -> Iterator[tuple[datetime, Diaries]]:
    """Hours around the day clocks change, in some of which something is unread, capped, limited, led, moved or unlisted."""
    chance = seeded(seed)

    def one(probe: Probe) -> Probe:
        luck = chance.random()
        if luck < 0.05:
            return replace(probe, starts=None, unseen=chance.choice(list(Unseen)))
        if luck < 0.1 and probe.starts:
            return replace(probe, starts=tuple(start + timedelta(hours=9) for start in probe.starts))
        return probe

    for at, shown in Invented(SERVICES, datetime(2026, 9, 30, 20, tzinfo=UTC), seed).hours(hours):
        found = shown
        if chance.random() < 0.3:
            found = replace(found, probes=tuple(map(one, found.probes)))
        if chance.random() < 0.3:
            cap, limit, lead = chance.choice([None, 1, 3]), chance.choice([None, 4]), timedelta(hours=chance.choice([0, 2, 50]))
            found = replace(found, bookings=replace(found.bookings, lead=lead, segment_cap=cap, daily_limit=limit))
        if chance.random() < 0.2:
            found = replace(found, hours=found.hours[chance.randrange(6) :])
        if chance.random() < 0.2:
            types = tuple(replace(each, duration=each.duration * chance.choice([1, 2])) for each in found.types)
            found = replace(found, types=types)
        yield at, found


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.sampled(3)
def test_capacity_is_the_same_with_and_without_what_is_known_of_other_readings(seed: int) -> None:
    shared = Memo()
    for at, reading in readings(seed, 60):
        for numbers in (day_numbers(reading), DayNumbers(monday=("1", "2"))):
            sighting = Sighting(at, reading, shared)
            for service in SERVICES:
                fresh = capacity(Observation.of(reading, at, numbers), service)
                assert sighting.capacity(service, numbers) == fresh
                assert sighting.capacity(service, numbers) is sighting.capacity(service, numbers)


def test_what_is_known_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memo, "MOST", 500)
    shared, most = Memo(), 0
    for at, reading in readings(1, 60):
        shared.trim()
        Sighting(at, reading, shared).capacity(SERVICES[0], day_numbers(reading))
        most = max(most, len(shared))
    assert 100 < most < 1000
