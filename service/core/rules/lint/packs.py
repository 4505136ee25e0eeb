"""A pack looked at by itself, with one campaign of no clinic in particular to be about. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from service.core.model import Mode, Platform
from service.core.rules.language import CampaignEntry, Guardrails, Rule, RuleSet, Service
from service.core.rules.lint.checks import lint
from service.core.rules.lint.model import Finding

ANY = "any campaign"
ENTRY = CampaignEntry(ANY, Platform.GOOGLE, "1", "any service", Decimal(100), Decimal(1), Decimal(1000), Guardrails())
"""So wide between floor and ceiling that no percentage is out of bounds."""


def lint_pack(rules: Sequence[Rule]) -> tuple[Finding, ...]:
    """Everything found in a pack's rules that does not depend on the clinic."""
    return lint(about_any(rules))


def about_any(rules: Sequence[Rule]) -> RuleSet:
    """A rule set of these rules and that campaign."""
    about = tuple(replace(rule, campaigns=(ANY,), pack="") for rule in rules)
    services = {ENTRY.service: Service(ENTRY.service, ())}
    return RuleSet(ANY, ANY, "", "AUD", Mode.WATCH, services, {ANY: ENTRY}, about, Guardrails())
