"""Rules about no campaign, and campaigns that no rule is about. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from service.core.rules.language import RuleSet
from service.core.rules.lint.model import Check, Finding, Place
from service.core.rules.lint.reach import decides


def rule_without_campaign(rules: RuleSet) -> Iterator[Finding]:
    """A rule whose service no campaign sells is never asked."""
    for rule in rules.rules:
        if not rule.campaigns:
            yield Finding(
                Check.RULE_ABOUT_NO_CAMPAIGN,
                Place(rule),
                f"“{rule.name}” is about none of the file's {len(rules.campaigns)} campaigns: none sells its service",
                "name a service that a campaign sells, or take the rule out",
                rule.name,
            )


def campaign_without_rule(rules: RuleSet) -> Iterator[Finding]:
    """A campaign that no rule decides about stays at base; a protected one is meant to."""
    covered = {campaign for rule in rules.rules if decides(rule) for campaign in rule.campaigns}
    for name, entry in rules.campaigns.items():
        if name not in covered and not entry.protect:
            yield Finding(
                Check.CAMPAIGN_WITHOUT_RULE,
                Place(campaign=name),
                f"no rule is about {name}, so it runs at its base budget of {entry.base} whatever happens",
                f"write a rule for the service {entry.service}, add `protect: true` if it is meant to be left alone, "
                "or take the campaign out",
            )
