"""Thresholds so close together that the metric's own ups and downs carry a rule across both. Pure.

A latch rests on the way from its `when` to its `until`, a ladder on its margin. Either has to be as wide as the metric swings
within a day, or the budget swings with it. Where the clinic's swing is not known, the least that any clinic has to expect is
taken: every midnight the fortnight loses a full day and gains an emptier one, which is some 5 points of utilisation, and one
booking is one opening. `days_to_next_opening` is left out because it counts down by itself, `slots_opened` because it tells
of an event, and the roster does not swing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from service.core.rules import wording
from service.core.rules.language import UNITS, Bands, Measure, Metric, Pause, Rule, RuleSet
from service.core.rules.lint.axes import WHOLE, Axis
from service.core.rules.lint.latches import ends_at_once, overlapping
from service.core.rules.lint.model import Check, Finding, Observed, Place
from service.core.rules.lint.regions import TooManyError, both, holds, may_fail
from service.core.rules.lint.relations import Box
from service.core.rules.lint.said import condition

USUAL: dict[Metric, float] = {
    Metric.UTILISATION: 5,
    Metric.EXPECTED_UTILISATION: 5,
    Metric.OPEN_SLOTS: 2,
    Metric.EXPECTED_OPEN_SLOTS: 2,
    Metric.FULL_DAYS: 2,
    Metric.OPEN_HOURS: 1,
}
"""The least swing to expect, in the metric's unit, where the clinic's own is not known."""


@dataclass(frozen=True, slots=True)
class Swing:
    """How far a metric moves within a day; `seen`: so it was observed, else it is what any clinic has to expect."""

    axis: Axis
    size: float
    seen: bool

    def number(self, value: float) -> str:
        """A value in the metric's unit."""
        return wording.number(value, UNITS[self.axis.metric])

    def __str__(self) -> str:
        what = wording.measure(Measure(self.axis.metric, self.axis.within))
        if self.seen:
            return f"on half of the last days {what} moved by {self.number(self.size)} or more"
        return f"{what} must be expected to move by {self.number(self.size)} within a day"


# --- pauses -------------------------------------------------------------------------------------------------------------


def pauses(rules: RuleSet, seen: Observed) -> Iterator[Finding]:
    """A pause that rests on one threshold of a metric which swings across it: it has neither `until` nor margin.

    What goes by the calendar may do without (`working_hours`, `days_to_next_opening`), and what a latch below pauses anyway.
    """
    for rule in rules.rules:
        swing = _unsteady(rule, rules, seen) if isinstance(rule.then, Pause) and rule.until is None else None
        if swing is not None:
            yield Finding(
                Check.PAUSE_WITHOUT_UNTIL,
                Place(rule, path=("when",)),
                f"“{rule.name}” pauses as long as {condition(rule.when)}, and {swing}: it pauses and resumes with every swing "
                "across its threshold (a `for` delays that and no more)",
                f"add an `until` that is {swing.number(swing.size)} or more from the `when`",
            )


def _unsteady(rule: Rule, rules: RuleSet, seen: Observed) -> Swing | None:
    """The swing that carries a rule across the edge of its `when`; None where there is none, or it makes no difference."""
    try:
        begins = holds(rule.when)
        if not begins or any(_pauses_too(other, rule) for other in rules.rules):
            return None
    except TooManyError:
        return None
    edges = {axis.measure for box in begins for axis, span in box.items() if not axis.range.within(span)}
    swings = [_swing(axis, rule, rules, seen) for axis in sorted(edges, key=lambda axis: axis.metric)]
    return next((swing for swing in swings if _step(swing.axis) < swing.size), None)


def _pauses_too(other: Rule, rule: Rule) -> bool:
    """Whether another rule is a latch that pauses the same campaigns wherever this one does."""
    if other is rule or not isinstance(other.then, Pause) or other.until is None or not {*rule.campaigns} <= {*other.campaigns}:
        return False
    return other.active in {None, rule.active} and not both(holds(rule.when), may_fail(other.when))


# --- latches ------------------------------------------------------------------------------------------------------------


def gaps(rules: RuleSet, seen: Observed) -> Iterator[Finding]:
    """A latch whose `until` is closer to its `when` than the metric swings."""
    for rule in rules.rules:
        found = None if rule.until is None or ends_at_once(rule) or overlapping(rule) else _narrowest(rule, rules, seen)
        if found is not None:
            swing, apart = found
            yield Finding(
                Check.GAP_WITHIN_SWING,
                Place(rule, path=("until",)),
                f"the `until` of “{rule.name}” is {swing.number(apart)} from its `when`, and {swing}",
                f"move the threshold in `until` to {swing.number(swing.size)} or more from the one in `when`",
            )


def _narrowest(rule: Rule, rules: RuleSet, seen: Observed) -> tuple[Swing, float] | None:
    """The metric on which the latch rests, and how wide that is, if nothing keeps it apart widely enough."""
    try:
        pairs = list(product(holds(rule.when), holds(rule.until)))
    except TooManyError:
        return None
    found = [narrow for when, until in pairs if (narrow := _too_near(when, until, rule, rules, seen))]
    return min(found, key=lambda each: each[1], default=None)


def _too_near(when: Box, until: Box, rule: Rule, rules: RuleSet, seen: Observed) -> tuple[Swing, float] | None:
    """The widest that keeps two boxes apart, if it is too narrow; None also where it is no single metric that does."""
    begins = {axis.measure: span for axis, span in when.items()}
    ends = {axis.measure: span for axis, span in until.items()}
    shared = [axis for axis in begins if axis in ends and begins[axis].meet(ends[axis]).empty]
    widths = [(_swing(axis, rule, rules, seen), begins[axis].apart(ends[axis])) for axis in shared]
    if any(width >= swing.size for swing, width in widths):
        return None
    return max(widths, key=lambda each: each[1], default=None)


# --- ladders ------------------------------------------------------------------------------------------------------------


def margins(rules: RuleSet, seen: Observed) -> Iterator[Finding]:
    """A ladder whose margin is less than the metric swings."""
    for rule in rules.rules:
        if rule.bands is None:
            continue
        swing = _swing(_axis(rule.bands.measure), rule, rules, seen)
        if _rest(rule.bands) < swing.size:
            stated = f"a margin of {swing.number(float(rule.bands.margin))}" if rule.bands.margin else "no margin"
            enough = swing.number(_up(swing.size - _step(swing.axis))).replace(" ", "")
            yield Finding(
                Check.MARGIN_WITHIN_SWING,
                Place(rule, path=("bands", "by")),
                f"the ladder of “{rule.name}” has {stated}, and {swing}",
                f"write margin: {enough}, or more",
            )


def _axis(measure: Measure) -> Axis:
    return Axis(measure.metric, measure.within, measure.since)


def _up(size: float) -> float:
    """To the tenth that people are told, and no less: what is advised has to be enough."""
    return math.ceil(round(size * 10, 6)) / 10


def _rest(bands: Bands) -> float:
    """How far a ladder's metric has to go back to leave a step it has only just entered."""
    return float(bands.margin) + _step(_axis(bands.measure))


def _step(axis: Axis) -> int:
    """Whole numbers go a whole step past a margin."""
    return 1 if axis.metric in WHOLE else 0


# --- swings -------------------------------------------------------------------------------------------------------------


def _swing(axis: Axis, rule: Rule, rules: RuleSet, seen: Observed) -> Swing:
    """What was observed of the metric over the fortnight for every service of the rule, the largest; else what is usual."""
    services = {rules.campaigns[name].service for name in rule.campaigns}
    found = [seen.swings.get((service, axis.metric)) for service in services]
    known = [each for each in found if each is not None]
    if axis.metric in USUAL and axis == Axis(axis.metric) and known and len(known) == len(found):
        return Swing(axis, max(known), seen=True)
    return Swing(axis, USUAL.get(axis.metric, 0), seen=False)
