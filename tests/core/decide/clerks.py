"""Rule files to try, and what people do to them while they are in force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

from service.core.model import Mode
from service.core.rules.language import (
    CampaignEntry,
    EditBudget,
    Fallback,
    Guardrails,
    MaxStep,
    RaiseAndCut,
    Rule,
    RuleSet,
    Window,
)  # fmt: skip
from service.rulefiles.directory import RuleDirectory
from service.rulefiles.source import check
from tests.rulefiles.generated import written
from tests.rulefiles.sensible import sensible
from tests.support import RULES, shipped

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PACKS = RuleDirectory(RULES).packs()
SHIPPED = tuple(RuleDirectory(RULES).clinics())


def enforced(rules: RuleSet) -> RuleSet:
    """A file that acts."""
    return replace(rules, mode=Mode.ENFORCE)


def shipped_file(chance: Random) -> RuleSet:
    """A file as it is shipped."""
    return enforced(shipped(chance.choice(SHIPPED)))


def made_up(chance: Random) -> RuleSet:
    """A sensible file, most with guardrails of all kinds, some with caps."""
    rules = enforced(check(written(sensible(chance.randrange(10**6))), "quay.yaml", PACKS))
    rules = with_rails(rules, chance) if chance.random() < 0.8 else rules
    total = sum((entry.base for entry in rules.campaigns.values()), Decimal(0))
    if chance.random() < 0.2:
        rules = replace(rules, daily_cap=total * chance.choice([1, 2]))
    return replace(rules, monthly_cap=total * 40) if chance.random() < 0.1 else rules


# --- edits --------------------------------------------------------------------------------------------------------------


def with_rails(rules: RuleSet, chance: Random) -> RuleSet:
    """Other guardrails, for each campaign its own."""
    entries = {name: replace(entry, guardrails=rails(chance)) for name, entry in rules.campaigns.items()}
    return replace(
        rules, campaigns=entries, guardrails=replace(rules.guardrails, blast_radius=Decimal(chance.choice([30, 50, 100])))
    )


def rails(chance: Random) -> Guardrails:
    """Guardrails within what a file may say, rather loose than tight: what is never reached is never tried."""
    window = Window(tuple(range(chance.choice([5, 7]))), chance.choice([0, 420]), chance.choice([1200, 1440]))
    return Guardrails(
        stabilise=RaiseAndCut(chance.choice([0, 0, 1, 3, 24]) * HOUR, chance.choice([0, 0, 0, 3]) * HOUR),
        max_step=MaxStep(Decimal(chance.choice([10, 50, 1000])), Decimal(chance.choice([20, 100]))),
        dead_band=Decimal(chance.choice([0, 1, 5, 20])),
        cooldown=chance.choice([0, 1, 6, 30]) * HOUR,
        max_changes_per_day=chance.choice([1, 2, 3, 24]),
        edit_budget=EditBudget(chance.choice([1, 2, 2, 4, 20]), chance.choice([1, 7, 7, 60]) * DAY),
        drift_expires=chance.choice([1, 7]) * DAY,
        fallback=chance.choice(list(Fallback)),
        fallback_after=chance.choice([1, 24]) * HOUR,
        change_window=window if chance.random() < 0.2 else None,
    )


def with_money(rules: RuleSet, chance: Random) -> RuleSet:
    """Other budgets for one campaign."""
    name = chance.choice(list(rules.campaigns))
    floor, base, ceiling = sorted(Decimal(chance.randrange(100, 15000)) / 100 for _ in range(3))
    changed = replace(rules.campaigns[name], floor=floor, base=base, ceiling=ceiling)
    return replace(rules, campaigns={**rules.campaigns, name: changed})


def with_order(rules: RuleSet, chance: Random) -> RuleSet:
    """The rules in another order."""
    return replace(rules, rules=tuple(chance.sample(rules.rules, len(rules.rules))))


def with_fewer_rules(rules: RuleSet, chance: Random) -> RuleSet:
    """Some of the rules gone."""
    return replace(rules, rules=tuple(rule for rule in rules.rules if chance.random() < 0.7))


def with_new_names(rules: RuleSet, chance: Random) -> RuleSet:
    """Some rules renamed, so that what they remembered is gone."""
    return replace(rules, rules=tuple(_renamed(rule, chance) for rule in rules.rules))


def _renamed(rule: Rule, chance: Random) -> Rule:
    return replace(rule, name=f"{rule.name.rstrip('+')}+") if chance.random() < 0.5 else rule


def with_swapped_names(rules: RuleSet, chance: Random) -> RuleSet:
    """Two campaigns under each other's names; the rules go by name."""
    if len(rules.campaigns) < 2:
        return rules
    one, other = chance.sample(list(rules.campaigns), 2)
    entries = dict(rules.campaigns)
    entries[one], entries[other] = _named(entries[other], one), _named(entries[one], other)
    return replace(rules, campaigns=entries)


def _named(entry: CampaignEntry, name: str) -> CampaignEntry:
    return replace(entry, name=name)


def without_one(rules: RuleSet, chance: Random) -> RuleSet:
    """A campaign gone from the file, for as long as nobody takes the edit back."""
    if len(rules.campaigns) < 2:
        return rules
    gone = chance.choice(list(rules.campaigns))
    entries = {name: entry for name, entry in rules.campaigns.items() if name != gone}
    left = (replace(rule, campaigns=tuple(name for name in rule.campaigns if name != gone)) for rule in rules.rules)
    return replace(rules, campaigns=entries, rules=tuple(rule for rule in left if rule.campaigns))


Edit = Callable[[RuleSet, Random], RuleSet]

EDITS: tuple[Edit, ...] = (
    with_rails, with_rails, with_money, with_order, with_fewer_rules, with_new_names, with_swapped_names, without_one,
)  # fmt: skip
