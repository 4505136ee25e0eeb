"""Latches that end the moment they begin, or while their condition still holds: on, off, on, off at every run. Pure.

`slots_opened` is left out of the second: it tells of an event, which passes by itself, and a latch that an event ends is
meant to be ended while its `when` may still hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import product

from service.core.rules.language import Metric, Rule, RuleSet
from service.core.rules.lint.model import Check, Finding, Place
from service.core.rules.lint.regions import Region, both, empty, holds, may_fail, meet, occupied
from service.core.rules.lint.relations import Box, possible
from service.core.rules.lint.said import condition


def at_once(rules: RuleSet) -> Iterator[Finding]:
    """An `until` that holds whenever `when` does."""
    for rule in rules.rules:
        if rule.until is not None and ends_at_once(rule):
            yield Finding(
                Check.UNTIL_AT_ONCE,
                Place(rule, path=("until",)),
                f"the `until` of “{rule.name}” ({condition(rule.until)}) holds whenever its `when` does "
                f"({condition(rule.when)}), so the rule goes off at the run after it came on, and on again",
                "write an `until` that does not hold where the `when` does",
            )


def overlaps(rules: RuleSet) -> Iterator[Finding]:
    """An `until` that can hold while `when` does."""
    for rule in rules.rules:
        if rule.until is not None and not ends_at_once(rule) and overlapping(rule):
            yield Finding(
                Check.UNTIL_OVERLAPS_WHEN,
                Place(rule, path=("until",)),
                f"the `until` of “{rule.name}” ({condition(rule.until)}) can hold while its `when` does "
                f"({condition(rule.when)}); the rule then goes on and off at every run",
                "add to the `when` that the `until` does not hold, or move the thresholds apart",
            )


def ends_at_once(rule: Rule) -> bool:
    """Whether `until` holds wherever `when` does."""
    return occupied(partial(holds, rule.when)) and empty(lambda: both(holds(rule.when), may_fail(rule.until)))


def overlapping(rule: Rule) -> bool:
    """Whether `when` and `until` can hold together, not counting events."""
    return occupied(partial(_shared, rule))


def _shared(rule: Rule) -> Region:
    pairs = product(holds(rule.when), holds(rule.until))
    return tuple(box for one, other in pairs if not _event(one, other) and possible(box := meet(one, other)))


def _event(when: Box, until: Box) -> bool:
    return any(axis.metric is Metric.SLOTS_OPENED and axis not in when for axis in until)
