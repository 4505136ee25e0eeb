"""A metric that reads otherwise: by how much it may, in which steps, and what its reading is then. Pure.

A reading moves as a whole, with its bounds and quantiles, and stops at the ends of what its metric can be. Arithmetic is
decimal, so that a change is exactly the number that people are told.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from service.core.decide.model import Reading
from service.core.logic import Bounds
from service.core.metrics import Ask
from service.core.rules.language import UNITS, Measure, Metric, Rule, Unit
from service.core.rules.walk import comparisons

WHOLE = frozenset({Metric.OPEN_SLOTS, Metric.DAYS_TO_NEXT_OPENING, Metric.FULL_DAYS, Metric.SLOTS_OPENED})
"""Metrics that count; the others are told to one decimal."""

DAYS = frozenset({Metric.DAYS_TO_NEXT_OPENING, Metric.FULL_DAYS})
"""Metrics that are never more than `within`."""


@dataclass(frozen=True, slots=True)
class Span:
    """The lowest and highest value that a metric can have; `high` may be infinite."""

    low: float
    high: float


def grain(measure: Measure) -> Decimal:
    """The step in which a metric changes, in its unit: one opening or day, a tenth of a point or hour."""
    return Decimal(1) if measure.metric in WHOLE else Decimal("0.1")


def span(measure: Measure, ask: Ask) -> Span:
    """What a metric can be: no percentage above 100, no more days than it looks at, no more open than rostered hours."""
    if UNITS[measure.metric] is Unit.PERCENT:
        return Span(0, 100)
    if measure.metric in DAYS:
        return Span(0, measure.within)
    if measure.metric is Metric.OPEN_HOURS:
        rostered = ask(Measure(Metric.WORKING_HOURS, measure.within)).bounds.high
        return Span(0, max(rostered, ask(measure).bounds.high))
    return Span(0, math.inf)


def moved(measure: Measure, reading: Reading, change: Decimal, within: Span) -> Reading:
    """The reading `change` higher, all of it."""

    def shifted(bounds: Bounds | None) -> Bounds | None:
        if bounds is None:
            return None
        low, high = (_clipped(value, change, within) for value in (bounds.low, _end(bounds, within)))
        estimate = None if bounds.estimate is None else _clipped(bounds.estimate, change, within)
        return bounded(measure, Bounds(estimate, low, high))

    found = shifted(reading.bounds) or reading.bounds
    return Reading(found, None if found.exact else reading.cause, shifted(reading.lower), shifted(reading.upper))


def bounded(measure: Measure, value: Bounds) -> Bounds:
    """The bounds of a value, where for `days_to_next_opening` the end of the window means: no opening in it."""
    if measure.metric is Metric.DAYS_TO_NEXT_OPENING and value.high >= measure.within:
        return Bounds(value.estimate, value.low, math.inf)
    return value


def movable(reading: Reading, within: Span) -> bool:
    """Whether a reading is a number at all, so that it can be higher or lower."""
    return math.isfinite(reading.bounds.low) and math.isfinite(_end(reading.bounds, within))


def changes(measure: Measure, reading: Reading, marks: Iterable[Decimal], within: Span) -> tuple[Decimal, ...]:
    """Every change at which a comparison may turn, in whole steps, the smallest first.

    That is where a bound of the reading is at a threshold, and a step before and after. Between two of them nothing turns.
    """
    step, ends = grain(measure), [Decimal(repr(end)) for end in (within.low, within.high) if math.isfinite(end)]
    edges = [Decimal(repr(edge)) for edge in _edges(reading, within)]
    apart = [(mark - edge) / step for mark in {*marks, *ends} for edge in edges]
    steps = {int(each.to_integral_value(way)) + n for each in apart for way in (ROUND_FLOOR, ROUND_CEILING) for n in (-1, 0, 1)}
    least, most = _reach(edges, ends, step)
    reached = (each for each in steps if each and least <= each <= most)
    return tuple(each * step for each in sorted(reached, key=lambda each: (abs(each), each)))


def marks(measure: Measure, rules: Iterable[Rule]) -> Iterator[Decimal]:
    """Every value of a metric at which some rule turns: thresholds, and those of a ladder with its margin on either side."""
    for rule in rules:
        for compare in (*comparisons(rule.when), *comparisons(rule.until)):
            if compare.measure == measure:
                yield compare.threshold
                yield compare.threshold if compare.upper is None else compare.upper
        if rule.bands is not None and rule.bands.measure == measure:
            for threshold in (step.threshold for step in rule.bands.steps if step.threshold is not None):
                yield from (threshold, threshold - rule.bands.margin, threshold + rule.bands.margin)


def asked(rules: Iterable[Rule]) -> tuple[Measure, ...]:
    """Every metric that rules compare, in file order."""
    found: dict[Measure, None] = {}
    for rule in rules:
        found |= {each.measure: None for each in (*comparisons(rule.when), *comparisons(rule.until))}
        found |= {rule.bands.measure: None} if rule.bands is not None else {}
    return tuple(found)


def _end(bounds: Bounds, within: Span) -> float:
    """The upper end; that of a window without an opening, which has none, is the window's."""
    return min(bounds.high, within.high) if bounds.low == within.high else bounds.high


def _clipped(value: float, change: Decimal, within: Span) -> float:
    return min(max(float(Decimal(repr(value)) + change), within.low), within.high)


def _edges(reading: Reading, within: Span) -> set[float]:
    known = [each for each in (reading.bounds, reading.lower, reading.upper) if each is not None]
    return {edge for each in known for edge in (each.low, _end(each, within)) if math.isfinite(edge)}


def _reach(edges: Iterable[Decimal], ends: list[Decimal], step: Decimal) -> tuple[float, float]:
    """How many steps down and up there is room for: until the last edge is at the end."""
    known = list(edges)
    down = ((ends[0] - max(known)) / step).to_integral_value(ROUND_FLOOR)
    up = ((ends[1] - min(known)) / step).to_integral_value(ROUND_CEILING) if len(ends) > 1 else math.inf
    return int(down), float(up)
