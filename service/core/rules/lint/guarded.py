"""Rules that a guardrail never lets happen, and words on a rule that mean nothing for it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from service.core.rules.language import Pause, RuleSet
from service.core.rules.lint.model import Finding, Place
from service.core.rules.wording import duration

NEEDED = 2
"""Significant edits that a pause takes: its own, and that of its resume (`decide.frequency.within_edit_budget`)."""


def pause_without_edits(rules: RuleSet) -> Iterator[Finding]:
    """A pausing rule where the edit budget has no room for a pause and its resume."""
    for rule in rules.rules:
        budgets = [rules.campaigns[name].guardrails.edit_budget for name in rule.campaigns]
        if isinstance(rule.then, Pause) and budgets and all(each.edits < NEEDED for each in budgets):
            edits, per = budgets[0].edits, duration(budgets[0].per)
            yield Finding(
                "pause-beyond-edit-budget",
                Place(rule, path=("then",)),
                f"“{rule.name}” never pauses: a pause and its resume are {NEEDED} significant edits, and `edit_budget` allows "
                f"{edits} per {per}, so it becomes the floor",
                "write {budget: floor} if that is meant, or allow more edits",
            )


def stabilised_pause(rules: RuleSet) -> Iterator[Finding]:
    """`stabilise` on a rule that pauses: it is about raises."""
    for rule in rules.rules:
        if isinstance(rule.then, Pause) and rule.stabilise is not None:
            yield Finding(
                "stabilise-on-pause",
                Place(rule, path=("stabilise",)),
                f"`stabilise: {duration(rule.stabilise)}` of “{rule.name}” means nothing: it is how long raises wait, and this "
                "rule only pauses",
                "take it out; to have a pause wait, write `for`",
            )
