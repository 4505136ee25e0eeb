"""The worst values there are: metrics that jump across the thresholds of a rule file, or cannot be seen, whenever it hurts.

They need not fit together as a diary's would: whoever stands up to these stands up to any diary.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from service.core.decide.model import Reading
from service.core.logic import UNBOUNDED, Bounds
from service.core.metrics import Ask
from service.core.model import Reason
from service.core.rules.language import UNITS, CampaignEntry, CostPerBooking, Measure, Metric, RuleSet, Unit
from service.core.rules.walk import comparisons

OPEN_SLOTS = Measure(Metric.OPEN_SLOTS)
UNSEEN = (Reason.DATA_INCOMPLETE, Reason.NO_HISTORY, Reason.CLOSED, Reason.LEAD_TIME, Reason.NOT_SOLD_ONLINE)
A_BIT = 0.001
Readings = dict[Measure, Reading]
Thresholds = Mapping[Measure, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Hour:
    """What can be seen in one hour: readings by service, and what its openings are worth to each campaign."""

    readings: Mapping[str, Readings]
    worth: Mapping[str, Reading]

    def asks(self) -> dict[str, Ask]:
        """As rules ask."""
        return {service: known.__getitem__ for service, known in self.readings.items()}

    def worth_of(self, entry: CampaignEntry, _: CostPerBooking) -> Reading:
        """What filling openings is worth to a campaign."""
        return self.worth[entry.name]

    def dark(self) -> Hour:
        """The same hour, were Cliniko not to answer."""
        unknown = Reading(UNBOUNDED, Reason.CLINIKO_UNREADABLE)
        worth = Reading(Bounds(None, 0, math.inf), Reason.CLINIKO_UNREADABLE)
        readings = {service: dict.fromkeys(known, unknown) for service, known in self.readings.items()}
        return Hour(readings, dict.fromkeys(self.worth, worth))

    def empty(self, service: str) -> bool:
        """Whether there is exactly nothing to book."""
        bounds = self.readings[service][OPEN_SLOTS].bounds
        return (bounds.low, bounds.high) == (0, 0)


def thresholds(rules: RuleSet) -> Thresholds:
    """The numbers at which anything changes, by measure."""
    found: dict[Measure, set[float]] = defaultdict(set, {OPEN_SLOTS: {1.0}})
    for measure, number in _numbers(rules):
        found[measure].add(float(number))
    return {measure: tuple(sorted(numbers)) for measure, numbers in found.items()}


def _numbers(rules: RuleSet) -> Iterator[tuple[Measure, Decimal]]:
    for rule in rules.rules:
        for condition in (rule.when, rule.until):
            for compare in comparisons(condition):
                yield compare.measure, compare.threshold
                yield compare.measure, compare.upper or compare.threshold
        for step in rule.bands.steps if rule.bands else ():
            if rule.bands and step.threshold is not None:
                for margin in (-rule.bands.margin, 0, rule.bands.margin):
                    yield rule.bands.measure, step.threshold + margin


def most(measure: Measure) -> float:
    """The highest value a metric can have."""
    return 100.0 if UNITS[measure.metric] is Unit.PERCENT else 200.0


def nasty(measure: Measure, at: tuple[float, ...], chance: Random) -> float:
    """A value on a threshold, just beside it, at an end, or anywhere."""
    place = chance.choice(at)
    value = chance.choice([place, place, place - A_BIT, place + A_BIT, place - 1, place + 1, 0.0, most(measure)])
    value = chance.uniform(0, most(measure)) if chance.random() < 0.1 else value
    return min(max(value, 0.0), most(measure))


def reading(measure: Measure, at: tuple[float, ...], chance: Random, seen: float) -> Reading:
    """One metric: exact with a chance of `seen`, else within bounds or not known at all."""
    luck = chance.random()
    if luck < seen:
        value = Bounds.exactly(0.0 if measure == OPEN_SLOTS and luck < seen / 3 else nasty(measure, at, chance))
        return _asked(measure, value, None)
    if luck < seen + (1 - seen) * 0.7:
        low, high = sorted((nasty(measure, at, chance), nasty(measure, at, chance)))
        high = math.inf if measure.metric is Metric.DAYS_TO_NEXT_OPENING and chance.random() < 0.3 else high
        estimate = chance.choice([None, low, low if math.isinf(high) else high])
        return _asked(measure, Bounds(estimate, low, high), None if low == high else Reason.DATA_INCOMPLETE)
    return _asked(measure, UNBOUNDED, chance.choice(UNSEEN))


def _asked(measure: Measure, bounds: Bounds, cause: Reason | None) -> Reading:
    """With `confidence` there are quantiles around it too."""
    if measure.confidence is None:
        return Reading(bounds, cause)
    apart = 0.0 if math.isinf(bounds.low) else 2.0
    around = (Bounds(None, bounds.low + by, bounds.high + by) for by in (-apart, apart))
    return Reading(bounds, cause, *around)


def hour(rules: RuleSet, at: Thresholds, chance: Random, seen: float) -> Hour:
    """An hour in which every metric may be anywhere."""
    return Hour(
        {
            service: {measure: reading(measure, numbers, chance, seen) for measure, numbers in at.items()}
            for service in rules.services
        },
        {name: worth(entry, chance, seen) for name, entry in rules.campaigns.items()},
    )


def worth(entry: CampaignEntry, chance: Random, seen: float) -> Reading:
    """A money's worth around the campaign's own limits."""
    marks = [0.0, *(float(each) for each in (entry.floor, entry.base, entry.ceiling)), float(entry.ceiling) * 2]
    low, high = sorted((chance.choice(marks) * chance.choice([1, 1, 0.79, 1.21]), chance.choice(marks)))
    if chance.random() < seen:
        return Reading(Bounds.exactly(low))
    return Reading(Bounds(None, low, high), Reason.DATA_INCOMPLETE)
