"""Conditions over metrics, judged in three-valued logic, with a trace of everything that was looked at. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from service.core.decide.model import Reading
from service.core.logic import Bounds, Truth, every, negate, some
from service.core.metrics import Ask
from service.core.model import Reason
from service.core.rules.language import All, Any, Compare, Condition, Op

UNDEFINED = frozenset({Reason.CLINIKO_UNREADABLE, Reason.NOT_SOLD_ONLINE, Reason.LEAD_TIME, Reason.CLOSED})
"""Causes for which a metric has no value at all, so that nothing may move; else it is only not known well enough."""


@dataclass(frozen=True, slots=True)
class Look:
    """One comparison as it was made; a ladder's step in force holds until its threshold is passed by `margin`."""

    compare: Compare
    reading: Reading
    truth: Truth
    margin: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a condition came to, and every comparison it rests on, in file order."""

    truth: Truth
    looks: tuple[Look, ...] = ()

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
    """Judge a condition; no condition always holds. Every comparison is looked at, so that the trace is whole."""
    match condition:
        case None:
            return Judgement(Truth.TRUE)
        case Compare():
            reading = ask(condition.measure)
            truth = compare(reading, condition)
            return Judgement(truth, (Look(condition, faced(reading, condition.op), truth),))
        case All() | Any():
            terms = [judge(term, ask) for term in condition.terms]
            truth = (every if isinstance(condition, All) else some)(term.truth for term in terms)
            return Judgement(truth, tuple(look for term in terms for look in term.looks))
        case _:
            term = judge(condition.term, ask)
            return Judgement(negate(term.truth), term.looks)


def compare(value: Reading, condition: Compare) -> Truth:
    """Hold a metric against one comparison."""
    threshold, upper = float(condition.threshold), None if condition.upper is None else float(condition.upper)
    if condition.op is Op.BETWEEN and value.lower is not None and value.upper is not None:
        return every((value.lower.at_least(threshold), value.upper.at_most(threshold if upper is None else upper)))
    return holds(faced(value, condition.op).bounds, condition.op, threshold, upper)


def faced(value: Reading, op: Op) -> Reading:
    """What a comparator is held against: with `confidence`, the quantile that makes it hard to satisfy.

    So spread makes a condition true or false, and only unobserved capacity makes it unknown.
    """
    quantile = {Op.AT_LEAST: value.lower, Op.ABOVE: value.lower, Op.AT_MOST: value.upper, Op.BELOW: value.upper}.get(op)
    return value if quantile is None else Reading(quantile, value.cause)


def holds(value: Bounds, op: Op, threshold: float, upper: float | None = None) -> Truth:
    """Apply a comparator."""
    if op is Op.BETWEEN:
        return value.between(threshold, threshold if upper is None else upper)
    test = {Op.AT_LEAST: value.at_least, Op.AT_MOST: value.at_most, Op.ABOVE: value.above, Op.BELOW: value.below}[op]
    return test(threshold)
