"""Going through everything a rule set asks for. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from service.core.rules.language import All, Any, Compare, Condition, Measure, Metric, Not, RuleSet


def measures(rules: RuleSet) -> Iterator[Measure]:
    """Every metric, with its parameters, that any rule names."""
    for rule in rules.rules:
        for condition in (rule.when, rule.until):
            yield from (each.measure for each in comparisons(condition))
        if rule.bands is not None:
            yield rule.bands.measure


def comparisons(condition: Condition | None) -> Iterator[Compare]:
    """Every comparison of a condition, in file order."""
    return (compare for compare, _ in signed(condition))


def signed(condition: Condition | None, *, negated: bool = False) -> Iterator[tuple[Compare, bool]]:
    """Every comparison of a condition, in file order, and whether the condition rests on its failing: it is under `not`."""
    match condition:
        case Compare():
            yield condition, negated
        case All() | Any():
            for term in condition.terms:
                yield from signed(term, negated=negated)
        case Not():
            yield from signed(condition.term, negated=not negated)


def look_backs(rules: RuleSet) -> set[timedelta]:
    """How far back `slots_opened` is asked to compare, its default included: every forecast shows that."""
    return {Measure(Metric.SLOTS_OPENED).since} | {
        measure.since for measure in measures(rules) if measure.metric is Metric.SLOTS_OPENED
    }
