"""The capacity of random clinics against a minute by minute count of what they can really sell.

Fully observed: the same numbers. With answers missing, caps and limits: the truth always lies within the bounds.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from service.core.metrics import Seen, asking
from service.core.model import Diaries, Reason
from service.core.rules.language import Measure, Metric
from tests.core.made import seen
from tests.core.truth import Truth, slots_opened
from tests.core.worlds import Found, book, found, seeded, with_holes

SEEDS = [*range(60), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(60, 2000))]
WITHIN = (1, 2, 5, 7, 14)
MEASURED = (Metric.OPEN_SLOTS, Metric.OPEN_HOURS, Metric.DAYS_TO_NEXT_OPENING, Metric.FULL_DAYS, Metric.UTILISATION)


def view(world: Found, reading: Diaries, *earlier: tuple[Found, Diaries]) -> Seen:
    taken = [(old.now, old_reading) for old, old_reading in earlier]
    return seen(reading, world.now, taken, world.service)


def true_value(truth: Truth, metric: Metric, within: int) -> float:
    return float(getattr(truth, metric.value)(within))


def undefined(truth: Truth, metric: Metric, within: int) -> Reason | None:
    """Why a metric has no value at all, whatever is observed."""
    if not truth.people:
        return Reason.NOT_SOLD_ONLINE
    if not truth.working_hours(within):
        return Reason.CLOSED if metric is Metric.UTILISATION else None
    return None if truth.sellable_minutes(within) else Reason.LEAD_TIME


@pytest.mark.parametrize("seed", SEEDS)
def test_fully_observed_capacity_is_the_truth(seed: int) -> None:
    world = found(seeded(seed), hiding=False)
    truth, ask = Truth(world.clinic, world.service, world.now), asking(view(world, world.read()))
    for metric in MEASURED:
        for within in WITHIN:
            reading = ask(Measure(metric, within))
            if cause := undefined(truth, metric, within):
                assert (reading.cause, reading.bounds.low, reading.bounds.high) == (cause, -math.inf, math.inf)
            elif (value := true_value(truth, metric, within)) == math.inf:
                assert (reading.bounds.estimate, reading.bounds.low, reading.bounds.high) == (within, within, math.inf)
            else:
                assert reading.bounds.exact
                assert reading.bounds.low == pytest.approx(value, abs=1e-9), (metric, within)
    if truth.people:
        assert ask(Measure(Metric.COVERAGE)).bounds.low in {100, -math.inf}
        assert ask(Measure(Metric.WORKING_HOURS)).bounds.low == pytest.approx(truth.working_hours(14))


@pytest.mark.parametrize("seed", SEEDS)
def test_with_answers_missing_caps_and_limits_the_truth_lies_within_the_bounds(seed: int) -> None:
    chance = seeded(seed)
    world = found(chance, hiding=True)
    truth, ask = Truth(world.clinic, world.service, world.now), asking(view(world, with_holes(world.read(), chance)))
    for metric in MEASURED:
        for within in WITHIN:
            reading = ask(Measure(metric, within))
            if cause := undefined(truth, metric, within):
                assert reading.cause is cause
            else:
                value = true_value(truth, metric, within)
                assert reading.bounds.low - 1e-9 <= value <= reading.bounds.high + 1e-9, (metric, within)


def a_day_later(world: Found, chance: Random) -> Found:
    """The same clinic 24 hours on: some appointments were cancelled, others made."""
    kept = [span for span in world.clinic.appointments if chance.random() < 0.5]
    clinic = replace(world.clinic, appointments=kept)
    person = chance.choice(list(clinic.people))
    clinic.appointments += book(clinic, person, world.now, chance, share=0.1)
    return replace(world, clinic=clinic, now=world.now + timedelta(hours=24))


@pytest.mark.parametrize("seed", SEEDS)
def test_slots_opened_is_the_truth_or_bounds_it(seed: int) -> None:
    chance = seeded(seed)
    before = found(chance, hiding=bool(seed % 2))
    after = a_day_later(before, chance)
    truth, then = (Truth(world.clinic, world.service, world.now) for world in (after, before))
    reading = with_holes(after.read(), chance, share=0.3 if seed % 2 else 0)
    ask = asking(view(after, reading, (before, before.read())))
    coarse = any(each.step > each.length for each in view(before, before.read()).capacity.diaries)
    for within in WITHIN if truth.people else ():
        bounds, value = ask(Measure(Metric.SLOTS_OPENED, within)).bounds, slots_opened(truth, then, within)
        assert bounds.low <= value <= bounds.high
        assert seed % 2 or bounds.exact or coarse
