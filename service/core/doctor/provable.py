"""Which conditions of a rule file the present caps leave provable, judged by the metrics that runs are judged by. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import product

from service.core.capacity import Capacity
from service.core.doctor.witnesses import readings
from service.core.logic import Truth
from service.core.metrics import Earlier, Seen, asking
from service.core.model import Diaries
from service.core.roster import Roster
from service.core.rules.conditions import compare
from service.core.rules.language import All, Any, Compare, Condition, Measure, Metric, Not, Op, Service

JUDGED = frozenset(Metric) - {
    Metric.EXPECTED_OPEN_SLOTS, Metric.EXPECTED_UTILISATION, Metric.WORKING_HOURS, Metric.COVERAGE,
}  # fmt: skip
"""Metrics that rest on what is shown now. The expected ones rest on history too, and the roster is no secret."""

AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a metric can be proven: it can be seen to be `most` or more, and `least` or less, but no further."""

    most: float
    least: float

    def proves(self, condition: Compare) -> bool:
        """Whether the comparison could ever be seen to hold."""
        low, high = float(condition.threshold), float(condition.threshold if condition.upper is None else condition.upper)
        return {
            Op.AT_LEAST: self.most >= low,
            Op.ABOVE: self.most > low,
            Op.AT_MOST: self.least <= low,
            Op.BELOW: self.least < low,
            Op.BETWEEN: self.most >= low and self.least <= high,
        }[condition.op]

    def disproves(self, condition: Compare) -> bool:
        """Whether the comparison could ever be seen to fail."""
        low, high = float(condition.threshold), float(condition.threshold if condition.upper is None else condition.upper)
        return {
            Op.AT_LEAST: self.least < low,
            Op.ABOVE: self.least <= low,
            Op.AT_MOST: self.most > low,
            Op.BELOW: self.most >= low,
            Op.BETWEEN: self.least < low or self.most > high,
        }[condition.op]


BASELINES = ("booked", "one", "open")
"""Before which most, and before which least, can be seen to have opened."""


class Proofs:
    """What can be proven of one service under the caps of one account."""

    def __init__(self, diaries: Diaries, service: Service, roster: Roster) -> None:
        self._roster = roster
        self._capacities = readings(diaries, service, roster)
        self._known: dict[Measure, Reach] = {}

    def reach(self, measure: Measure) -> Reach:
        """How far a metric can be proven."""
        if measure not in self._known:
            bounds = [asking(view)(measure).bounds for view in self._views(measure)]
            self._known[measure] = Reach(max(each.low for each in bounds), min(each.high for each in bounds))
        return self._known[measure]

    def _views(self, measure: Measure) -> Iterator[Seen]:
        """Every favourable reading; where a metric looks back, after every one of them."""
        now = self._roster.now
        if measure.metric is not Metric.SLOTS_OPENED:
            yield from (Seen(now, each) for each in self._capacities.values())
            return
        befores = [self._capacities[name] for name in BASELINES]
        for each, before in product(self._capacities.values(), befores):
            looks = (now - measure.since, now - measure.since - AN_HOUR)  # the second tells what was only held while booking
            yield Seen(now, each, earlier=tuple(Earlier(at, partial(_itself, before)) for at in looks))

    def proves(self, condition: Condition | None) -> bool:
        """Whether a condition could ever be seen to hold."""
        return self._could(condition, wanted=Truth.TRUE)

    def _could(self, condition: Condition | None, wanted: Truth) -> bool:
        match condition:
            case None:
                return True
            case Compare():
                return self.could(condition, wanted=wanted)
            case Not():
                return self._could(condition.term, _other(wanted))
            case All() | Any():
                together = isinstance(condition, All) == (wanted is Truth.TRUE)
                return (all if together else any)(self._could(term, wanted) for term in condition.terms)

    def could(self, condition: Compare, *, wanted: Truth) -> bool:
        """Whether one comparison could ever be seen to hold, or to fail."""
        if condition.measure.metric not in JUDGED:
            return True
        reach = self.reach(condition.measure)
        if math.isinf(reach.most):  # undefined in every reading: nobody is rostered, or the lead time hides everything
            return True
        return reach.proves(condition) if wanted is Truth.TRUE else reach.disproves(condition)


def _itself(capacity: Capacity) -> Capacity:
    return capacity


def _other(wanted: Truth) -> Truth:
    return Truth.FALSE if wanted is Truth.TRUE else Truth.TRUE


def needed(condition: Condition | None, wanted: Truth = Truth.TRUE) -> Iterator[tuple[Compare, Truth]]:
    """Every comparison of a condition, with what it has to come to for the condition to hold."""
    match condition:
        case Compare():
            yield condition, wanted
        case Not():
            yield from needed(condition.term, _other(wanted))
        case All() | Any():
            for term in condition.terms:
                yield from needed(term, wanted)


def undecided(view: Seen, condition: Condition | None) -> list[Compare]:
    """The comparisons that the present reading neither proves nor disproves."""
    ask = asking(view)
    every = [each for each, _ in needed(condition) if each.measure.metric in JUDGED - {Metric.SLOTS_OPENED}]
    return [each for each in every if compare(ask(each.measure), each) is Truth.UNKNOWN]
