"""The tipping points of a campaign: the smallest change of one metric with which its rules want something else.

    thresholds - bounds of the reading = where a comparison may turn -> each put to the rules again, the smallest first

A point is found by asking the rules, at the point and a step short of it, so it is true by construction. Where a rule says
`for`, what would have to last is looked for as if it had lasted, and then confirmed hour by hour. What the rules want while
they cannot tell is what is in force, as everywhere. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from service.core.decide.model import Proposal, Reading, RunInputs
from service.core.logic import Bounds, Truth
from service.core.model import State
from service.core.outlook import Outlook
from service.core.rules.conditions import UNDEFINED
from service.core.rules.language import Measure
from service.core.why import sentences
from service.core.why.model import InTime, OnceKnown, Tipping, TippingPoint
from service.core.why.moves import WHOLE, Span, asked, bounded, changes, grain, marks, movable, moved, span
from service.core.why.question import HOUR, Question, question

AHEAD = 24
"""How many hours are looked ahead."""


def tipping(inputs: RunInputs, view: Outlook, campaign: str) -> Tipping | None:
    """What would have to change for a campaign's rules to want something else; None where there is no proposal."""
    asking = question(inputs, view, campaign)
    if asking is None:
        return None
    points = [point for measure in asked(asking.rules) for point in _points(asking, measure)]
    points.sort(key=lambda point: (abs(point.change), point.lasting))
    return Tipping(tuple(points), _in_time(asking), tuple(_once_known(asking)))


# --- one metric ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lever:
    """One metric that may read otherwise."""

    measure: Measure
    reading: Reading
    room: Span

    def at(self, asking: Question, change: Decimal) -> Question:
        """What is asked with the metric `change` higher."""
        return asking.reading(self.measure, moved(self.measure, self.reading, change, self.room)) if change else asking

    def short_of(self, change: Decimal) -> Decimal:
        """A step less than a change."""
        return change - grain(self.measure) if change > 0 else change + grain(self.measure)


def _points(asking: Question, measure: Measure) -> Iterator[TippingPoint]:
    """The nearest point above and the nearest below, of those that there are."""
    lever = Lever(measure, asking.ask(measure), span(measure, asking.ask))
    if not movable(lever.reading, lever.room):
        return
    possible = changes(measure, lever.reading, marks(measure, asking.rules), lever.room)
    for way in ([each for each in possible if each > 0], [each for each in possible if each < 0]):
        change, lasting = _nearest(asking, lever, way)
        if change is not None:
            yield _point(asking, lever, change, lasting)


def _nearest(asking: Question, lever: Lever, way: Sequence[Decimal]) -> tuple[Decimal | None, timedelta]:
    """The smallest change that counts, at once or, if that is less, once it has lasted for so long."""
    at_once, none = _first(asking, lever, way), timedelta(0)
    if not any(rule.hold_for for rule in asking.rules):
        return at_once, none
    enduring = _first(asking.lasting(), lever, [each for each in way if at_once is None or abs(each) < abs(at_once)])
    hours = None if enduring is None else _hours(asking, lever, enduring)
    return (at_once, none) if hours is None else (enduring, hours * HOUR)


def _first(asking: Question, lever: Lever, way: Sequence[Decimal]) -> Decimal | None:
    """The first change that turns what the rules want, while a step less does not."""
    now = asking.wish()
    found = next((each for each in way if lever.at(asking, each).wish() != now), None)
    return found if found is not None and lever.at(asking, lever.short_of(found)).wish() == now else None


def _hours(asking: Question, lever: Lever, change: Decimal) -> int | None:
    """After how many hourly runs a change that lasts turns what the rules want; None if never, or if time alone would."""
    now = asking.wish()
    hours = _turns(lever.at(asking, change), now, AHEAD)
    if hours is None or _turns(lever.at(asking, lever.short_of(change)), now, hours) is not None:
        return None
    return hours


def _turns(asking: Question, now: State, hours: int) -> int | None:
    """At which of the coming runs the rules first want something else than `now`, if no reading changes."""
    wishes = ((hour, proposal.target or asking.in_force) for hour, proposal in enumerate(asking.hourly(hours)))
    return next((hour for hour, wish in wishes if wish != now), None)


def _point(asking: Question, lever: Lever, change: Decimal, lasting: timedelta) -> TippingPoint:
    then = lever.at(asking, change)
    proposal = _after(then, lasting)
    after = then.ask(lever.measure)
    said = sentences.point(asking, then, lever.measure, change, proposal, lasting)
    return TippingPoint(lever.measure, change, lever.reading, after, proposal.target, proposal.rule, lasting, said)


def _after(asking: Question, time: timedelta) -> Proposal:
    return [*asking.hourly(time // HOUR)][-1]


# --- no metric ----------------------------------------------------------------------------------------------------------


def _in_time(asking: Question) -> InTime | None:
    hours = _turns(asking, asking.wish(), AHEAD)
    if hours is None:
        return None
    then = _after(asking, hours * HOUR)
    return InTime(hours * HOUR, then.target, then.rule, sentences.in_time(asking, hours, then))


# --- a metric that is not known -----------------------------------------------------------------------------------------


def _once_known(asking: Question) -> Iterator[OnceKnown]:
    now = asking.proposal()
    if now.target is not None or now.cause in UNDEFINED:
        return
    looks = (look for _, result in asking.considered() for look in result.looks)
    for measure in dict.fromkeys(look.compare.measure for look in looks if look.truth is Truth.UNKNOWN):
        targets = [_known(asking, measure, value).target for value in _values(asking, measure)]
        found = dict.fromkeys(target for target in targets if target is not None)
        if targets and None not in targets:
            said = sentences.once_known(asking, measure, [*found])
            yield OnceKnown(measure, asking.ask(measure), tuple(found), said)


def _known(asking: Question, measure: Measure, value: Decimal) -> Proposal:
    return asking.reading(measure, Reading(bounded(measure, Bounds.exactly(float(value))))).proposal()


def _values(asking: Question, measure: Measure) -> list[Decimal]:
    """One value of each kind that the metric may turn out to have: its ends, each threshold, and one between any two."""
    bounds, room = asking.ask(measure).bounds, span(measure, asking.ask)
    turns = sorted(set(marks(measure, asking.rules)))
    low, high = max(bounds.low, room.low), min(bounds.high, room.high)
    ends = [Decimal(repr(low)), max(turns[-1], Decimal(repr(low))) + 1 if math.isinf(high) else Decimal(repr(high))]
    known = sorted({*ends, *(turn for turn in turns if low <= turn <= high)})
    between = [(a + b) / 2 for a, b in pairwise(known)]
    return [*known, *(each.to_integral_value() if measure.metric in WHOLE else each for each in between)]
