"""What rules ask about, as axes of a space in which a situation is a point and a comparison a slab. Pure.

Only fully observed situations are points: what is not known well enough is the business of runs. A measure is one axis, with
three particulars:

- With a `confidence` a measure is two numbers, the quantiles that either side of comparators is held against.
- `days_to_next_opening` over fewer days is the same number, cut off; so it is one axis, whatever its `within`. Where no opening
  is in sight it is known to be the end of the window *or more*; of some comparisons it is then unknown whether they hold.
- A utilisation is undefined while nobody works, and then neither holds nor fails; so both say that somebody works.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from service.core.days import HORIZON
from service.core.rules.language import Compare, Measure, Metric, Op
from service.core.rules.lint.spans import Span, above, at_least, at_most, below

WHOLE = frozenset({Metric.OPEN_SLOTS, Metric.DAYS_TO_NEXT_OPENING, Metric.FULL_DAYS, Metric.SLOTS_OPENED})
"""Metrics that are whole numbers."""

PERCENTAGES = frozenset({Metric.UTILISATION, Metric.EXPECTED_UTILISATION, Metric.COVERAGE})
UNDEFINED_WHEN_CLOSED = frozenset({Metric.UTILISATION, Metric.EXPECTED_UTILISATION})
LOWER, ITSELF, UPPER = -1, 0, 1


@dataclass(frozen=True, slots=True)
class Axis:
    """One number that is known of a service at a time; `side` tells a quantile from the metric itself."""

    metric: Metric
    within: int = HORIZON
    since: timedelta = timedelta(hours=24)
    confidence: float = 0
    side: int = ITSELF

    @property
    def range(self) -> Span:
        """The values it can have."""
        if self.metric in PERCENTAGES:
            return Span(0, 100)
        return Span(0, self.within if self.metric in {Metric.DAYS_TO_NEXT_OPENING, Metric.FULL_DAYS} else math.inf)

    def clipped(self, span: Span) -> Span:
        """Those values of a span that it can have."""
        found = span.meet(self.range)
        return found.whole() if self.metric in WHOLE else found

    @property
    def measure(self) -> Axis:
        """The axis without what a confidence adds: what two thresholds have in common."""
        return Axis(self.metric, self.within, self.since)


def axis_of(measure: Measure, side: int = ITSELF) -> Axis:
    """The axis of a measure; `side` counts only with a confidence."""
    if measure.metric is Metric.DAYS_TO_NEXT_OPENING:
        return Axis(measure.metric)
    if measure.confidence is None:
        return Axis(measure.metric, measure.within, measure.since)
    return Axis(measure.metric, measure.within, measure.since, float(measure.confidence), side)


def working(within: int) -> Axis:
    """Rostered hours, which utilisations need to be defined."""
    return Axis(Metric.WORKING_HOURS, within)


def slabs(compare: Compare, *, sure: bool) -> tuple[tuple[Axis, Span], ...]:
    """Where a comparison holds: all of these; without `sure` also where nobody can tell."""
    if compare.measure.metric is Metric.DAYS_TO_NEXT_OPENING:
        axis = axis_of(compare.measure)
        return ((axis, axis.clipped(_days(compare, sure=sure))),)
    found = [(axis_of(compare.measure, side), span) for side, span in _sided(compare)]
    return tuple((axis, axis.clipped(span)) for axis, span in found)


def needs(compare: Compare) -> tuple[tuple[Axis, Span], ...]:
    """What must be so for a comparison to hold or to fail at all."""
    return ((working(compare.measure.within), above(0)),) if compare.measure.metric in UNDEFINED_WHEN_CLOSED else ()


def _sided(compare: Compare) -> tuple[tuple[int, Span], ...]:
    """Each threshold with the quantile that makes it hard to satisfy."""
    low, high = _thresholds(compare)
    match compare.op:
        case Op.AT_LEAST:
            return ((LOWER, at_least(low)),)
        case Op.ABOVE:
            return ((LOWER, above(low)),)
        case Op.AT_MOST:
            return ((UPPER, at_most(low)),)
        case Op.BELOW:
            return ((UPPER, below(low)),)
        case Op.BETWEEN if compare.measure.confidence is None:
            return ((ITSELF, Span(low, high)),)
        case Op.BETWEEN:
            return ((LOWER, at_least(low)), (UPPER, at_most(high)))


def _days(compare: Compare, *, sure: bool) -> Span:
    """The same for days to the next opening; beyond `within` all that is known is that there is none in it."""
    within = compare.measure.within
    low, high = _thresholds(compare)
    seen = within - 1 if sure else math.inf
    match compare.op:
        case Op.AT_LEAST:
            return at_least(low)
        case Op.ABOVE:
            return Span(math.inf, -math.inf) if low >= within and sure else at_least(min(low + 1, within))
        case Op.AT_MOST:
            return at_most(low if low < within else seen)
        case Op.BELOW:
            return below(low)
        case Op.BETWEEN:
            return Span(low, high if high < within else seen)


def _thresholds(compare: Compare) -> tuple[float, float]:
    low = float(compare.threshold)
    return low, low if compare.upper is None else float(compare.upper)
