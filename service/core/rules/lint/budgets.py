"""Budgets that the campaigns' limits or the dead band leave nothing of. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from service.core.money import percent_of
from service.core.rules.language import Action, CampaignEntry, Pause, Rule, RuleSet
from service.core.rules.lint.model import Finding, Place, Step
from service.core.rules.lint.said import action, listed
from service.core.rules.lint.wishes import amount, granted


def out_of_bounds(rules: RuleSet) -> Iterator[Finding]:
    """A budget below the floor or above the ceiling of every campaign it is for."""
    for rule in rules.rules:
        entries = [rules.campaigns[name] for name in rule.campaigns]
        for path, wanted in _actions(rule):
            cut = [found for entry in entries if (found := _beyond(wanted, entry))]
            if entries and len(cut) == len(entries):
                yield Finding(
                    "budget-out-of-bounds",
                    Place(rule, path=path),
                    f"{action(wanted)} in “{rule.name}” is never granted: {listed(cut)}",
                    "write floor or ceiling if that is meant, or change the campaign's limits",
                )


def _beyond(wanted: Action, entry: CampaignEntry) -> str:
    """`physio-search: 6.00 is below its floor of 10.00`; empty where it is within the limits."""
    stated = amount(wanted, entry)
    if stated is None or isinstance(wanted, Pause) or entry.floor <= stated <= entry.ceiling:
        return ""
    side, limit = ("below its floor", entry.floor) if stated < entry.floor else ("above its ceiling", entry.ceiling)
    return f"{entry.name} would get {stated:.2f}, {side} of {limit}"


def within_dead_band(rules: RuleSet) -> Iterator[Finding]:
    """A budget too near to base, or to that of the step above it, for any change to be made."""
    for rule in rules.rules:
        entries = [rules.campaigns[name] for name in rule.campaigns]
        alone = [(path, wanted, None) for path, wanted in _actions(rule)]
        steps = [(path, lower, upper) for (_, upper), (path, lower) in pairwise(_actions(rule))]
        for path, wanted, other in [*alone, *steps]:
            if entries and all(_too_near(wanted, other, entry) for entry in entries):
                yield _finding(rule, path, wanted, other, entries[0])
                break


def _too_near(wanted: Action, other: Action | None, entry: CampaignEntry) -> bool:
    here, there = granted(wanted, entry), entry.base if other is None else granted(other, entry)
    if here is None or there is None or isinstance(wanted, Pause) or isinstance(other, Pause):
        return False
    return here != there and abs(here - there) < percent_of(entry.base, entry.guardrails.dead_band)


def _finding(rule: Rule, path: tuple[Step, ...], wanted: Action, other: Action | None, entry: CampaignEntry) -> Finding:
    from_what = "the base budget" if other is None else f"{action(other)} of the step above it"
    band = f"{entry.guardrails.dead_band:f}%"
    return Finding(
        "change-within-dead-band",
        Place(rule, path=path),
        f"{action(wanted)} in “{rule.name}” differs from {from_what} by less than the dead band, {band}: no change is made",
        "write base (or the step's budget), or a budget further away",
    )


def _actions(rule: Rule) -> list[tuple[tuple[Step, ...], Action]]:
    """Every action of a rule with its place."""
    if rule.bands is not None:
        return [(("bands", "steps", n), step.action) for n, step in enumerate(rule.bands.steps)]
    return [] if rule.then is None else [(("then",), rule.then)]
