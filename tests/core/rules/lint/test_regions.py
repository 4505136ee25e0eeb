"""Regions against what really happens: the relations between metrics, and conditions as sets of situations."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from itertools import product
from random import Random

import pytest

from service.core.logic import Truth
from service.core.metrics import Ask
from service.core.rules.conditions import judge
from service.core.rules.language import All, Any, Compare, Condition, Measure, Metric, Not, Op
from service.core.rules.lint.axes import ITSELF, LOWER, UPPER, Axis, axis_of
from service.core.rules.lint.regions import Region, holds, may_fail, may_hold
from service.core.rules.lint.relations import NEXT, possible
from service.core.rules.lint.spans import Span
from tests.core.rules.lint.situations import of_a_clinic
from tests.core.worlds import seeded

SEEDS = [*range(24), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(24, 250))]
DAYS = (1, 3, 7, 14)
FORECASTS = (Metric.EXPECTED_OPEN_SLOTS, Metric.EXPECTED_UTILISATION)
MEASURES = [
    *(Measure(metric, within) for metric, within in product(Metric, DAYS)),
    *(Measure(metric, 14, confidence=Decimal(sure)) for metric, sure in product(FORECASTS, (50, 80, 95))),
]


def situation(ask: Ask, measures: Iterable[Measure] = MEASURES) -> dict[Axis, float]:
    """What is known of a clinic, on every axis; no opening in sight is the end of the window."""
    known: dict[Axis, float] = {}
    for measure in measures:
        reading = ask(measure)
        sides = {ITSELF: reading.bounds} if measure.confidence is None else {LOWER: reading.lower, UPPER: reading.upper}
        for side, bounds in sides.items():
            if bounds is not None and (bounds.exact or (measure.metric is NEXT.metric and bounds.low == measure.within == 14)):
                known[axis_of(measure, side)] = bounds.low
    return known


def inside(region: Region, known: dict[Axis, float]) -> bool:
    return any(all(Span(known[axis], known[axis]).within(span) for axis, span in box.items()) for box in region)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.sampled(4)
def test_every_situation_that_occurs_is_held_possible(seed: int) -> None:
    for ask in of_a_clinic(seed):
        assert possible({axis: Span(value, value) for axis, value in situation(ask).items()})


def most_of(measure: Measure) -> float:
    """The most that a threshold can be; days count within `within`."""
    return measure.within if measure.metric is NEXT.metric else axis_of(measure).range.high


def comparison(chance: Random, known: dict[Axis, float], measures: list[Measure]) -> Compare:
    """A comparison that the loader takes, with a threshold at or beside what is so."""
    measure = chance.choice(measures)
    value, most = round(known[axis_of(measure, UPPER)], 1), min(most_of(measure), 1000)
    near = [min(max(0, value + by), most) for by in (-5, -1, 0, 0, 1, 5)]
    low, high = sorted(Decimal(str(chance.choice(near))) for _ in range(2))
    op = chance.choice([*Op])
    return Compare(measure, op, low, high if op is Op.BETWEEN else None)


def condition(chance: Random, known: dict[Axis, float], measures: list[Measure], depth: int = 2) -> Condition:
    kind = chance.choice(["compare", "all", "any", "not"]) if depth else "compare"
    if kind == "compare":
        return comparison(chance, known, measures)
    terms = tuple(condition(chance, known, measures, depth - 1) for _ in range(chance.randint(1, 3)))
    made: dict[str, Condition] = {"all": All(terms), "any": Any(terms), "not": Not(terms[0])}
    return made[kind]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.sampled(4)
def test_a_condition_holds_exactly_in_the_situations_of_its_region(seed: int) -> None:
    chance = seeded(seed)
    for ask in of_a_clinic(seed):
        known = situation(ask)
        measures = [each for each in MEASURES if math.isfinite(ask(each).bounds.low) and axis_of(each, UPPER) in known]
        for _ in range(40):
            stated = condition(chance, known, measures)
            truth = judge(stated, ask).truth
            assert inside(holds(stated), known) == (truth is Truth.TRUE), stated
            assert inside(may_hold(stated), known) == (truth is not Truth.FALSE), stated
            assert inside(may_fail(stated), known) == (truth is not Truth.TRUE), stated


def test_situations_are_of_every_kind() -> None:
    """What the tests above rest on: empty and full clinics, openings soon, late and never, clusters of cancellations."""
    known = [situation(ask) for seed in range(24) for ask in of_a_clinic(seed)]

    def values(metric: Metric) -> set[float]:
        return {found[Axis(metric)] for found in known if Axis(metric) in found}

    assert min(values(Metric.UTILISATION)) < 10
    assert max(values(Metric.UTILISATION)) == 100
    assert {0, 1, 2, 14} <= values(Metric.DAYS_TO_NEXT_OPENING)
    assert max(values(Metric.SLOTS_OPENED)) >= 5
    assert min(values(Metric.OPEN_SLOTS)) == 0
    assert all(math.isfinite(value) for found in known for value in found.values())
