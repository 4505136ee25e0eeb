"""Campaigns that lint need not tell apart: sold by the same service, under the same rules, which move them the same way. Pure.

A clinic with fifty campaigns has a few kinds of them, and what stands in a rule's way is found out once for each kind.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from service.core.rules.language import Action, CampaignEntry, Rule, RuleSet
from service.core.rules.lint.wishes import may_raise, wish


def one_of_each_kind(rules: RuleSet) -> RuleSet:
    """The rule set as if it had one campaign of each kind."""
    kinds: dict[Hashable, str] = {}
    for name, entry in rules.campaigns.items():
        kinds.setdefault(_kind(entry, [rule for rule in rules.rules if name in rule.campaigns]), name)
    kept = frozenset(kinds.values())
    return replace(
        rules,
        campaigns={name: entry for name, entry in rules.campaigns.items() if name in kept},
        rules=tuple(replace(rule, campaigns=tuple(name for name in rule.campaigns if name in kept)) for rule in rules.rules),
    )


def _kind(entry: CampaignEntry, about: list[Rule]) -> Hashable:
    wishes = tuple((rule.name, tuple(_moved(action, entry) for action in _actions(rule))) for rule in about)
    return entry.service, entry.guardrails.change_window, wishes


def _moved(action: Action, entry: CampaignEntry) -> Hashable:
    return wish(action, entry), may_raise(action, entry)


def _actions(rule: Rule) -> list[Action]:
    """Everything a rule may want."""
    if rule.bands is not None:
        return [step.action for step in rule.bands.steps]
    return [] if rule.then is None else [rule.then]
