"""What `governor rules lint` looks for, in order: the one list of checks. Pure.

A file that the loader accepts can still say what nobody means. Each check is a function of the rule set, and for a few also of
what was observed of the clinic, that yields findings. That a rule never gets its word is told once, by the first check that
knows why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from service.core.rules.language import RuleSet
from service.core.rules.lint import (
    about,
    amounts,
    cancellations,
    guarded,
    hours,
    ladders,
    latches,
    never_holds,
    opposed,
    starved,
    swinging,
    unprovable,
    unreached,
)
from service.core.rules.lint.alike import one_of_each_kind
from service.core.rules.lint.model import NOTHING_OBSERVED, Check, Finding, Observed

OF_CAMPAIGNS: tuple[Callable[[RuleSet], Iterator[Finding]], ...] = (
    about.rule_without_campaign, about.campaign_without_rule,
    amounts.out_of_bounds, amounts.within_dead_band,
    guarded.step_within_dead_band, guarded.pause_never_made, guarded.daily_cap_below_base,
)  # fmt: skip
OF_RULES: tuple[Callable[[RuleSet], Iterator[Finding]], ...] = (
    never_holds.when, never_holds.until, never_holds.alternative, never_holds.nothing_said,
    starved.raise_above_pause, opposed.opposite_wishes, unreached.never_reached,
    ladders.gap, ladders.step_never_reached, ladders.step_never_left,
    latches.at_once, latches.overlaps, cancellations.missed,
    hours.under_an_hour, hours.too_short, hours.never_changed,
)  # fmt: skip
OF_THE_CLINIC: tuple[Callable[[RuleSet, Observed], Iterator[Finding]], ...] = (
    swinging.pauses, swinging.gaps, swinging.margins, unprovable.unprovable,
)  # fmt: skip


def lint(rules: RuleSet, seen: Observed = NOTHING_OBSERVED) -> tuple[Finding, ...]:
    """Everything found in a checked rule set, in the order of the checks."""
    found = [finding for check in OF_CAMPAIGNS for finding in check(rules)]
    kinds = one_of_each_kind(rules)
    found += [finding for check in OF_RULES for finding in check(kinds)]
    found += [finding for check in OF_THE_CLINIC for finding in check(kinds, seen)]
    first: dict[str, Check] = {}
    for each in found:
        first.setdefault(each.wordless, each.check)
    return tuple(each for each in dict.fromkeys(found) if not each.wordless or first[each.wordless] is each.check)
