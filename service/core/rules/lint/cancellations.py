"""Pauses that a morning of cancellations does not end. Pure.

Utilisation over a fortnight hardly moves when five appointments of tomorrow are cancelled, so a pause whose `until` asks for
nothing but that lasts while there is something to sell. What notices is anything that counts openings or days (`slots_opened`,
`days_to_next_opening`, `open_slots`, `open_hours`, `full_days`, `expected_open_slots`), or a utilisation over a week or less;
one alternative of `until` is enough, and so is a rule above that goes by `slots_opened`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from service.core.rules.language import Metric, Pause, Rule, RuleSet
from service.core.rules.lint.axes import Axis, needs
from service.core.rules.lint.model import Check, Finding, Place
from service.core.rules.lint.reach import above
from service.core.rules.lint.regions import Region, TooManyError, both, holds, may_fail, occupied
from service.core.rules.lint.relations import NEXT, Box
from service.core.rules.lint.said import condition
from service.core.rules.lint.spans import at_least, at_most
from service.core.rules.walk import comparisons

SLOW = frozenset({Metric.UTILISATION, Metric.EXPECTED_UTILISATION, Metric.WORKING_HOURS, Metric.COVERAGE})
A_WEEK = 7
MANY = 5
CLUSTER: Region = ({Axis(Metric.SLOTS_OPENED): at_least(MANY).whole(), NEXT: at_most(1)},)
"""Openings that were not there yesterday, the first of them tomorrow at the latest."""


def missed(rules: RuleSet) -> Iterator[Finding]:
    """A pausing latch that stays on whatever is cancelled."""
    for rule in rules.rules:
        if isinstance(rule.then, Pause) and rule.until is not None and _misses(rules, rule):
            yield Finding(
                Check.UNTIL_MISSES_CANCELLATIONS,
                Place(rule, path=("until",)),
                f"“{rule.name}” pauses until {condition(rule.until)}, which {MANY} cancellations for tomorrow hardly move: "
                "the ads stay paused while there is something to sell",
                f"add an alternative that counts openings, as in any: [..., {{slots_opened: {{at_least: {MANY}}}}}]",
            )


def _misses(rules: RuleSet, rule: Rule) -> bool:
    try:
        ends, begins = holds(rule.until), holds(rule.when)
    except TooManyError:
        return False
    if not ends or any(_notices(box, begins, rule) for box in ends):
        return False
    stays = partial(both, CLUSTER, may_fail(rule.until))
    return occupied(stays) and not all(_looked_after(rules, rule, name) for name in rule.campaigns)


def _notices(end: Box, begins: Region, rule: Rule) -> bool:
    """Whether nothing slow stands between the moment the rule came on and this way of ending it."""
    implied = {axis for each in comparisons(rule.until) for axis, _ in needs(each)}
    slow = [axis for axis in end if _slow(axis) and axis not in implied]
    quick = [axis for axis in end if not _slow(axis)]
    met = any(all(axis in box and not box[axis].meet(end[axis]).empty for axis in slow) for box in begins)
    return bool(quick) and (met or not slow)


def _slow(axis: Axis) -> bool:
    return axis.metric in SLOW and not (axis.metric is not Metric.WORKING_HOURS and axis.within <= A_WEEK)


def _looked_after(rules: RuleSet, rule: Rule, campaign: str) -> bool:
    """Whether a rule that is asked before goes by cancellations."""
    asked = (each.measure.metric for before in above(rules, rule, campaign) for each in comparisons(before.when))
    return Metric.SLOTS_OPENED in asked
