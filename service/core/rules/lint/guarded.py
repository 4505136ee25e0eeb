"""Guardrails that leave rules nothing to do: steps too small to be made, no edits for a pause, a cap below base. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from service.core.rules.language import Action, CampaignEntry, Pause, Rule, RuleSet, SharedBudget, Unit
from service.core.rules.lint.model import Check, Finding, Place
from service.core.rules.lint.said import campaigns
from service.core.rules.lint.wishes import Wish, may_raise, wish
from service.core.rules.wording import duration, stated

A_PAUSE = 2
"""Significant edits that it takes: itself and its resume."""

Faulty = Callable[[CampaignEntry], bool]


def step_within_dead_band(rules: RuleSet) -> Iterator[Finding]:
    """A largest step smaller than the smallest change that is made; rules that want such steps are needed for a finding."""
    kinds: tuple[tuple[str, Callable[[Action, CampaignEntry], bool]], ...] = (("raise", may_raise), ("cut", _cuts))
    for way, wanted in kinds:

        def faulty(entry: CampaignEntry, way: str = way, wanted: Callable[..., bool] = wanted) -> bool:
            too_small = _step(entry, way) < entry.guardrails.dead_band
            return too_small and any(wanted(action, entry) for action in _wanted_for(rules, entry))

        for place, entries in _places(rules, faulty, "max_step"):
            most, least = (stated(each, Unit.PERCENT) for each in (_step(entries[0], way), entries[0].guardrails.dead_band))
            yield Finding(
                Check.STEP_WITHIN_DEAD_BAND,
                place,
                f"one {way} of {campaigns(entries)} may be at most {most} of base (`max_step`), and a change of less than "
                f"{least} is not made (`dead_band`): so no {way} is, except back to base",
                f"write a `max_step` of {least} or more, or a smaller `dead_band`",
            )


def pause_never_made(rules: RuleSet) -> Iterator[Finding]:
    """An edit budget that no pause fits into, with a rule that pauses."""

    def faulty(entry: CampaignEntry) -> bool:
        pausing = any(isinstance(action, Pause) for action in _wanted_for(rules, entry))
        return pausing and entry.guardrails.edit_budget.edits < A_PAUSE

    for place, entries in _places(rules, faulty, "edit_budget"):
        allowed = entries[0].guardrails.edit_budget
        names = sorted({rule.name for rule in rules.rules for entry in entries if _pauses(rule, entry)})
        yield Finding(
            Check.PAUSE_NEVER_MADE,
            place,
            f"“{names[0]}” is to pause {campaigns(entries)}, but a pause takes two significant edits, itself and its resume, "
            f"and `edit_budget` allows {allowed.edits} in {duration(allowed.per)}: so the floor is all it gets",
            f"write edits: {A_PAUSE} or more, or `budget: floor` for the pause",
        )


def daily_cap_below_base(rules: RuleSet) -> Iterator[Finding]:
    """A daily cap below what the base budgets come to; campaigns that may share a budget may count once."""
    if rules.daily_cap is None:
        return
    shared = {
        (e.platform, e.base, e.floor, e.ceiling) for e in rules.campaigns.values() if e.shared_budget is SharedBudget.ALLOW
    }
    own = (entry.base for entry in rules.campaigns.values() if entry.shared_budget is SharedBudget.REFUSE)
    total = sum((*own, *(base for _, base, _, _ in shared)), Decimal(0))
    if total > rules.daily_cap:
        yield Finding(
            Check.DAILY_CAP_BELOW_BASE,
            Place(path=("daily_cap",)),
            f"the `daily_cap` of {rules.daily_cap} is less than the {total} that the base budgets of all campaigns come to. It "
            "only holds raises back and cuts nothing: at base the campaigns go beyond it, and leave no room for any raise",
            "write a higher cap, or lower base budgets if so much is never to be spent",
        )


def _places(rules: RuleSet, faulty: Faulty, key: str) -> Iterator[tuple[Place, list[CampaignEntry]]]:
    """Where the fault is written, with the campaigns it is about: the clinic's guardrails, or a campaign's own."""
    found = [entry for entry in rules.campaigns.values() if not entry.protect and faulty(entry)]
    clinic = [entry for entry in found if entry.guardrails == rules.guardrails]
    if clinic:
        yield Place(path=("guardrails", key)), clinic
    for entry in found:
        if entry not in clinic:
            yield Place(campaign=entry.name, path=("guardrails", key)), [entry]


def _step(entry: CampaignEntry, way: str) -> Decimal:
    return entry.guardrails.max_step.up if way == "raise" else entry.guardrails.max_step.down


def _cuts(action: Action, entry: CampaignEntry) -> bool:
    return not isinstance(action, Pause) and wish(action, entry) is Wish.CUT


def _wanted_for(rules: RuleSet, entry: CampaignEntry) -> Iterator[Action]:
    """Everything that the rules may want of a campaign."""
    for rule in rules.rules:
        if entry.name in rule.campaigns:
            steps = () if rule.bands is None else rule.bands.steps
            yield from (step.action for step in steps)
            if rule.then is not None:
                yield rule.then


def _pauses(rule: Rule, entry: CampaignEntry) -> bool:
    return isinstance(rule.then, Pause) and entry.name in rule.campaigns
