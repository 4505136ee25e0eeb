"""A rule that raises budgets above one that pauses, both wanting it at once: the ads run on a raised budget. Pure.

A pause that is a latch wants it until its `until` holds, not only where its `when` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from service.core.rules.language import CostPerBooking, Pause, Rule, RuleSet
from service.core.rules.lint.model import Check, Finding, Place
from service.core.rules.lint.reach import above, meet_in_time, mended_at, own, pieces, stops, undecided
from service.core.rules.lint.regions import NOWHERE, Region, both, either, occupied
from service.core.rules.lint.said import condition, named
from service.core.rules.lint.wishes import may_raise


def raise_above_pause(rules: RuleSet) -> Iterator[Finding]:
    """Each pausing rule with the first rule above it that raises where it pauses."""
    for rule in rules.rules:
        if isinstance(rule.then, Pause):
            found = next((each for name in rule.campaigns if (each := _raising(rules, rule, name))), None)
            if found is not None:
                yield _starved(rule, found)


def _raising(rules: RuleSet, rule: Rule, campaign: str) -> Rule | None:
    before = above(rules, rule, campaign)
    for n, each in enumerate(before):
        region = partial(_raised_and_paused, rules, each, rule, campaign, before[:n])
        if meet_in_time(each.active, rule.active) and occupied(region):
            return each
    return None


def _raised_and_paused(rules: RuleSet, raising: Rule, pausing: Rule, campaign: str, before: list[Rule]) -> Region:
    """Where one raises the campaign and the other pauses it, or keeps it paused, and none of the rules before decides."""
    entry = rules.campaigns[campaign]
    raised = [piece.region for piece in pieces(raising) if may_raise(piece.action, entry)]
    shared = both(either(*raised), own(pausing)) if raised else NOWHERE
    return undecided(shared, [each for each in before if stops(each, pausing)])


def _starved(pausing: Rule, raising: Rule) -> Finding:
    always = raising.when is None and raising.bands is None
    raises = "may raise" if isinstance(raising.then, CostPerBooking) else "raises"
    at = mended_at(pausing, raising)
    move = f"move “{pausing.name}” above “{raising.name}”, or " if at is pausing else ""
    return Finding(
        Check.RAISE_ABOVE_PAUSE,
        Place(at),
        f"“{pausing.name}” is to pause at {condition(pausing.when)}, but {named(raising)} stands above it, "
        + (f"always matches and {raises}" if always else f"can match while it pauses, and then {raises}"),
        f"{move}give “{raising.name}” a `when` that excludes it",
        pausing.name,
    )
