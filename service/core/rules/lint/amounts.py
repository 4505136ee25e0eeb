"""Budgets that no campaign ever gets: outside floor and ceiling, or so near base that the change is not worth making. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from service.core.money import percent_of
from service.core.rules.budgets import Stated, budget_of, granted
from service.core.rules.language import Action, Amount, CampaignEntry, NamedBudget, Percent, Rule, RuleSet, Unit
from service.core.rules.lint.model import Check, Finding, Place, Step
from service.core.rules.lint.said import action as said
from service.core.rules.lint.said import campaigns
from service.core.rules.wording import stated


def out_of_bounds(rules: RuleSet) -> Iterator[Finding]:
    """A budget below the floor, or above the ceiling, of every campaign it is for; a pack's is for other clinics too."""
    for rule in rules.rules:
        entries = [] if rule.pack else _governed(rules, rule)
        for path, action in _stated(rule):
            below = entries and all(budget_of(action, entry) < entry.floor for entry in entries)
            above = entries and all(budget_of(action, entry) > entry.ceiling for entry in entries)
            if below or above:
                end = "floor" if below else "ceiling"
                yield Finding(
                    Check.BUDGET_OUT_OF_BOUNDS,
                    Place(rule, path=path),
                    f"“{rule.name}” wants {said(action)}, which is {'below the floor' if below else 'above the ceiling'} of "
                    f"{campaigns(entries)}, so the {end} is all that is ever set",
                    f"write `budget: {end}` if that is meant, or another budget",
                )


def within_dead_band(rules: RuleSet) -> Iterator[Finding]:
    """A budget that differs from base by less than the dead band, for every campaign it is for."""
    for rule in rules.rules:
        entries = _governed(rules, rule)
        for path, action in _stated(rule):
            if entries and all(_swallowed(action, entry) for entry in entries):
                band = stated(max(entry.guardrails.dead_band for entry in entries), Unit.PERCENT)
                yield Finding(
                    Check.BUDGET_WITHIN_DEAD_BAND,
                    Place(rule, path=path),
                    f"“{rule.name}” wants {said(action)}, and a change of less than {band} of base is not made (`dead_band`): "
                    f"from base {campaigns(entries)} never gets it",
                    f"write a budget at least {band} of base away from base, `budget: base`, or a smaller `dead_band`",
                )


def _governed(rules: RuleSet, rule: Rule) -> list[CampaignEntry]:
    """The campaigns a rule is about, without those that are left alone."""
    return [entry for name in rule.campaigns if not (entry := rules.campaigns[name]).protect]


def _stated(rule: Rule) -> Iterator[tuple[tuple[Step, ...], Stated]]:
    """Every budget of a rule that is a number, and where it is."""
    found: list[tuple[tuple[Step, ...], Action | None]] = [(("then",), rule.then)]
    if rule.bands is not None:
        found = [(("bands", "steps", n), step.action) for n, step in enumerate(rule.bands.steps)]
    for path, action in found:
        if isinstance(action, Percent | NamedBudget | Amount):
            yield path, action


def _swallowed(action: Stated, entry: CampaignEntry) -> bool:
    apart = abs(granted(action, entry) - entry.base)
    return 0 < apart < percent_of(entry.base, entry.guardrails.dead_band)
