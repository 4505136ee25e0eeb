"""Conditions over metrics, judged in three-valued logic, with a trace of everything that was looked at.

A condition is put together as a function once, when it is first judged, and then asked at every run. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from service.core.decide.model import Reading
from service.core.logic import FALSE, TRUE, UNKNOWN, Bounds, Truth, every, every_of, negate, some_of
from service.core.memo import once_each
from service.core.metrics import Ask
from service.core.model import Reason
from service.core.rules.language import All, Any, Compare, Condition, Op
from service.core.rules.walk import signed

UNDEFINED = frozenset({Reason.CLINIKO_UNREADABLE, Reason.NOT_SOLD_ONLINE, Reason.LEAD_TIME, Reason.CLOSED})
"""Causes for which a metric has no value at all, so that nothing may move; else it is only not known well enough."""

CAPS = frozenset({Op.AT_MOST, Op.BELOW})
"""Comparators that a number must be low enough for."""

Test = Callable[[Ask], Truth]
"""A condition put together: what it comes to by the metrics of a service."""

COMPARATORS: dict[Op, Callable[[Bounds, float], Truth]] = {
    Op.AT_LEAST: Bounds.at_least,
    Op.AT_MOST: Bounds.at_most,
    Op.ABOVE: Bounds.above,
    Op.BELOW: Bounds.below,
}
"""All but `between`, which has two thresholds."""


@dataclass(slots=True, unsafe_hash=True)  # not frozen, for speed: one is made for every comparison; nobody changes it
class Look:
    """One comparison as it was made; a ladder's step in force holds until its threshold is passed by `margin`.

    `negated`: it stands under `not`, so that its condition rests on its failing.
    """

    compare: Compare
    reading: Reading
    truth: Truth
    margin: Decimal = Decimal(0)
    negated: bool = False

    @property
    def bears(self) -> Truth:
        """What it comes to for its condition."""
        return negate(self.truth) if self.negated else self.truth


@dataclass(slots=True)  # not frozen, for speed
class Judgement:
    """What a condition came to by the metrics it was held against."""

    truth: Truth
    condition: Condition | None
    ask: Ask

    @property
    def looks(self) -> tuple[Look, ...]:
        """Every comparison it rests on, in file order, those included that no longer mattered: the trace is whole."""
        if self.condition is None:
            return ()
        return tuple(
            [
                Look(each, faced(self.ask(each.measure), each.op), _test(each)(self.ask), negated=negated)
                for each, negated in _comparisons(self.condition)
            ]
        )

    @property
    def cause(self) -> Reason | None:
        """What keeps an unknown condition from being known."""
        if self.truth is not Truth.UNKNOWN:
            return None
        causes = (look.reading.cause for look in self.looks if look.truth is Truth.UNKNOWN)
        return foremost(causes) or Reason.DATA_INCOMPLETE

    @property
    def hidden(self) -> bool:
        """Whether it is unknown for want of seeing: somebody who saw everything might have known."""
        unknown = (look for look in self.looks if look.truth is Truth.UNKNOWN)
        return self.truth is Truth.UNKNOWN and any(look.reading.cause not in UNDEFINED for look in unknown)


def foremost(causes: Iterable[Reason | None]) -> Reason | None:
    """The cause to name out of several: one that leaves a metric undefined, else the first."""
    known = [cause for cause in causes if cause]
    return next((cause for cause in known if cause in UNDEFINED), known[0] if known else None)


def judge(condition: Condition | None, ask: Ask) -> Judgement:
    """Judge a condition; no condition always holds."""
    return Judgement(Truth.TRUE if condition is None else _test(condition)(ask), condition, ask)


def compare(value: Reading, condition: Compare) -> Truth:
    """Hold a metric against one comparison."""
    return _test(condition)(lambda _: value)


def faced(value: Reading, op: Op) -> Reading:
    """What a comparator is held against: with `confidence`, the quantile that makes it hard to satisfy.

    So spread makes a condition true or false, and only unobserved capacity makes it unknown.
    """
    if op is Op.BETWEEN:
        return value
    quantile = value.upper if op in CAPS else value.lower
    return value if quantile is None else Reading(quantile, value.cause)


def holds(value: Bounds, op: Op, threshold: float) -> Truth:
    """Apply a comparator that has one threshold."""
    return COMPARATORS[op](value, threshold)


# --- putting together ---------------------------------------------------------------------------------------------------


@once_each
def _test(condition: Condition) -> Test:
    match condition:
        case Compare(op=Op.BETWEEN):
            return _between(condition)
        case Compare():
            return _stays_below(condition) if condition.op in CAPS else _reaches(condition)
        case All() | Any():
            tests = tuple(map(_test, condition.terms))
            return every_of(tests) if isinstance(condition, All) else some_of(tests)
        case _:
            test = _test(condition.term)
            return lambda ask: negate(test(ask))


@once_each
def _comparisons(condition: Condition) -> tuple[tuple[Compare, bool], ...]:
    return tuple(signed(condition))


def _limit(condition: Compare) -> float:
    """The lowest number that is high enough, or too high: what is above a number is at least the next one."""
    threshold = float(condition.threshold)
    return threshold if condition.op in {Op.AT_LEAST, Op.BELOW} else math.nextafter(threshold, math.inf)


def _reaches(condition: Compare) -> Test:
    """`at_least` and `above`; the comparison itself is written out, here and below, because all time goes there."""
    measure, limit = condition.measure, _limit(condition)

    def test(ask: Ask) -> Truth:
        reading = ask(measure)
        bounds = reading.lower or reading.bounds
        return TRUE if bounds.low >= limit else FALSE if bounds.high < limit else UNKNOWN

    return test


def _stays_below(condition: Compare) -> Test:
    """`below` and `at_most`."""
    measure, limit = condition.measure, _limit(condition)

    def test(ask: Ask) -> Truth:
        reading = ask(measure)
        bounds = reading.upper or reading.bounds
        return TRUE if bounds.high < limit else FALSE if bounds.low >= limit else UNKNOWN

    return test


def _between(condition: Compare) -> Test:
    """Both ends included; with `confidence` each end is held against the quantile that makes it hard to satisfy."""
    lowest = float(condition.threshold)
    highest = lowest if condition.upper is None else float(condition.upper)

    def test(ask: Ask) -> Truth:
        reading = ask(condition.measure)
        if reading.lower is None or reading.upper is None:
            return reading.bounds.between(lowest, highest)
        return every((reading.lower.at_least(lowest), reading.upper.at_most(highest)))

    return test
