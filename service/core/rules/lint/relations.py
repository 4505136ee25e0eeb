"""What measures of one diary have to do with each other, and whether a box leaves any situation possible. Pure.

    open slots, open hours, working hours, slots opened, expected open slots   never less over more days
    full days                             over more days never less, nor more by more than those days
    slots opened <= open slots            what has opened is open
    an open slot within n days            <=> the next opening is less than n days away
    an open slot                           => open hours > 0, and not all n days are full
    utilisation 100%                      <=> no open hours (while somebody works)
    open hours <= working hours           open time is rostered; so is a full day
    lower <= expected <= upper            and the wider, the surer

Each is `x <= y + c` or "if x is in this half-line then y is in that one"; narrowing spans by them until nothing changes finds
every contradiction they imply. `tests/core/rules/lint` holds them against the metrics of real readings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise

from service.core.rules.language import Metric
from service.core.rules.lint.axes import ITSELF, LOWER, UPPER, Axis, working
from service.core.rules.lint.spans import Span, above, at_least, at_most, below

Box = Mapping[Axis, Span]
"""A set of situations: those that lie in every span."""

DIARY = frozenset({
    Metric.UTILISATION, Metric.OPEN_SLOTS, Metric.OPEN_HOURS, Metric.WORKING_HOURS, Metric.FULL_DAYS, Metric.SLOTS_OPENED,
})  # fmt: skip
"""Metrics that speak about the diary as it is shown."""

RISING = (Metric.OPEN_SLOTS, Metric.OPEN_HOURS, Metric.WORKING_HOURS, Metric.SLOTS_OPENED, Metric.EXPECTED_OPEN_SLOTS)
NEXT = Axis(Metric.DAYS_TO_NEXT_OPENING)
ROUNDS = 64
"""Narrowing ends by itself after a few rounds, since spans only meet thresholds; this is for whoever adds a relation."""


@dataclass(frozen=True, slots=True)
class AtMost:
    """`less <= more + plus`."""

    less: Axis
    more: Axis
    plus: float = 0

    def narrow(self, spans: dict[Axis, Span]) -> None:
        """Take out what cannot be."""
        less, more = spans[self.less], spans[self.more]
        _meet(spans, self.less, Span(high=more.high + self.plus, high_open=more.high_open))
        _meet(spans, self.more, Span(low=less.low - self.plus, low_open=less.low_open))


@dataclass(frozen=True, slots=True)
class If:
    """If `given` lies in `here` then `follows` lies in `there`; each a half-line."""

    given: Axis
    here: Span
    follows: Axis
    there: Span

    def narrow(self, spans: dict[Axis, Span]) -> None:
        """Take out what cannot be."""
        if spans[self.given].within(self.here):
            _meet(spans, self.follows, self.there)
        elif spans[self.follows].meet(self.there).empty:
            _meet(spans, self.given, self.here.outside()[0])


Relation = AtMost | If


def possible(box: Box) -> bool:
    """Whether some situation lies in the box."""
    return _possible(frozenset(box.items()))


@lru_cache(maxsize=65_536)
def _possible(box: frozenset[tuple[Axis, Span]]) -> bool:
    narrowed = {axis: axis.clipped(span) for axis, span in box}
    if any(span.empty for span in narrowed.values()):
        return False
    related, ranges = _related(frozenset(narrowed))
    spans = {**ranges, **narrowed}
    for _ in range(ROUNDS):
        before = dict(spans)
        for relation in related:
            relation.narrow(spans)
        if any(span.empty for span in spans.values()):
            return False
        if spans == before:
            break
    return True


def _meet(spans: dict[Axis, Span], axis: Axis, span: Span) -> None:
    spans[axis] = axis.clipped(spans[axis].meet(span))


def _axes(relation: Relation) -> tuple[Axis, Axis]:
    return (relation.less, relation.more) if isinstance(relation, AtMost) else (relation.given, relation.follows)


# --- the table ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _related(asked: frozenset[Axis]) -> tuple[tuple[Relation, ...], dict[Axis, Span]]:
    """Everything that bears on these axes, and the range of each axis that comes in by it."""
    related = _relations(asked)
    return related, {axis: axis.clipped(axis.range) for relation in related for axis in _axes(relation)}


def _relations(asked: frozenset[Axis]) -> tuple[Relation, ...]:
    days = sorted({axis.within for axis in asked if axis.metric in DIARY})
    axes = asked | {Axis(metric, n) for n in days for metric in (Metric.OPEN_SLOTS, Metric.OPEN_HOURS, Metric.WORKING_HOURS)}
    found = [relation for n in days for relation in _of_a_window(n)]
    found += [relation for axis in axes for relation in _of_an_axis(axis)]
    return (*found, *_over_more_days(axes), *_expected(axes))


def _of_a_window(n: int) -> Iterator[Relation]:
    slots, hours, rostered = Axis(Metric.OPEN_SLOTS, n), Axis(Metric.OPEN_HOURS, n), working(n)
    yield If(slots, at_least(1), NEXT, at_most(n - 1))
    yield If(NEXT, at_most(n - 1), slots, at_least(1))
    yield If(slots, at_least(1), hours, above(0))
    yield AtMost(hours, rostered)


def _of_an_axis(axis: Axis) -> Iterator[Relation]:
    n = axis.within
    if axis.metric is Metric.UTILISATION:
        yield If(axis, at_least(100), Axis(Metric.OPEN_HOURS, n), at_most(0))
        yield If(axis, below(100), Axis(Metric.OPEN_HOURS, n), above(0))
    if axis.metric is Metric.FULL_DAYS:
        yield If(axis, at_least(n), Axis(Metric.OPEN_SLOTS, n), at_most(0))
        yield If(axis, at_least(1), working(n), above(0))
    if axis.metric is Metric.SLOTS_OPENED:
        yield AtMost(axis, Axis(Metric.OPEN_SLOTS, n))


def _over_more_days(axes: Iterable[Axis]) -> Iterator[Relation]:
    kept = [axis for axis in axes if axis.side == ITSELF]
    for metric in RISING:
        yield from (AtMost(fewer, more) for fewer, more in _neighbours(kept, metric))
    for fewer, more in _neighbours(kept, Metric.FULL_DAYS):
        yield AtMost(fewer, more)
        yield AtMost(more, fewer, more.within - fewer.within)


def _neighbours(axes: Iterable[Axis], metric: Metric) -> Iterator[tuple[Axis, Axis]]:
    """Axes of a metric that differ in nothing but the days, in pairs of neighbours."""
    found = sorted((axis for axis in axes if axis.metric is metric), key=lambda axis: (axis.since, axis.within))
    for _, group in groupby(found, key=lambda axis: axis.since):
        yield from pairwise(group)


def _expected(axes: Iterable[Axis]) -> Iterator[Relation]:
    """Quantiles of one metric, from the lowest to the highest: the surer the lower bound, the lower."""
    sided = [axis for axis in axes if axis.metric in {Metric.EXPECTED_OPEN_SLOTS, Metric.EXPECTED_UTILISATION}]
    order = {LOWER: -1.0, ITSELF: 0.0, UPPER: 1.0}
    found = sorted(sided, key=lambda axis: (axis.metric, axis.within, order[axis.side] * (1 + axis.confidence)))
    for _, group in groupby(found, key=lambda axis: (axis.metric, axis.within)):
        yield from (AtMost(less, more) for less, more in pairwise(group))
