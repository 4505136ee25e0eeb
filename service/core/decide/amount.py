"""Guardrails 6-9: how far may one change go? Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from service.core.decide.case import Case, Draft, keep
from service.core.decide.division import division, unspent
from service.core.decide.model import TooLow
from service.core.decide.proposals import position
from service.core.errors import RefusedError
from service.core.model import Campaign, Platform, Reason, State, Unreadable
from service.core.money import percent_of, round_down
from service.core.rules.evaluate import GAP
from service.core.rules.wording import duration

LEAST_OVER_SPENT = Decimal("1.1")
"""Meta, "Budgets": a lowered budget must be at least 110% of the amount already spent."""


def stabilised(case: Case, draft: Draft) -> Draft:
    """6. A raise is the lowest proposal of its window, a cut the highest: a wish must last before it is granted."""
    target, here = draft.target, case.in_force
    if target is None or here is None or position(target) == position(here) or case.clinic.unreadable is not None:
        return draft  # with Cliniko unreadable only `fallback` gets here, and it has waited for `fallback_after`
    raising = position(target) > position(here)
    window = case.rails.stabilise.down if not raising else _raise_window(case)
    recent = [p.target for p in case.standing.proposals if case.clinic.now - p.at <= window]
    candidates = [target, *recent] if _covered(case, window) else [target, *recent, here]
    steady = min(candidates, key=position) if raising else max(candidates, key=position)
    beyond = position(steady) <= position(here) if raising else position(steady) >= position(here)
    steady = here if beyond else steady
    if steady == target:
        return draft
    what = "a raise is granted once it has been wanted" if raising else "a cut is made once it has been wanted"
    return draft.restrained(Reason.STABILISING, f"{what} for {duration(window)} without a break", steady)


def _raise_window(case: Case) -> timedelta:
    """The deciding rule's own, which may be none at all, or the guardrail's."""
    return case.rails.stabilise.up if case.stabilise is None else case.stabilise


def _covered(case: Case, window: timedelta) -> bool:
    """Whether our proposals reach back over the whole window without a gap."""
    if not window:
        return True
    times = sorted((p.at for p in case.standing.proposals), reverse=True)
    newer = case.clinic.now
    for at in times:
        if newer - at > GAP:
            return False
        if case.clinic.now - at >= window:
            return True
        newer = at
    return False


def above_floor(case: Case, draft: Draft) -> Draft:
    """7a. Never a running budget below the campaign's floor."""
    target, floor = draft.target, case.entry.floor
    if target is None or not target.running or target.budget is None or target.budget >= floor:
        return draft
    sentence = f"{case.money(target.budget)} would be below the floor of {case.money(floor)}"
    lifted = replace(target, budget=floor)
    if _turned_round(case, target, lifted):
        return keep(case, draft, Reason.DATA_INCOMPLETE, f"{sentence}, and a cut of which nobody is sure is no reason to raise")
    return draft.restrained(Reason.FLOOR, sentence, lifted)


def _turned_round(case: Case, wish: State, lifted: State) -> bool:
    """Whether the floor makes a raise of a cut that is not certain: the truth may be a pause, which has no floor."""
    if case.in_force is None or case.proposal is None or case.proposal.certain:
        return False
    return position(wish) < position(case.in_force) < position(lifted)


def above_least(case: Case, draft: Draft) -> Draft:
    """7a. Nor below what its platform takes: a refusal every hour would help nobody."""
    target, seen = draft.target, case.seen
    if isinstance(seen, Unreadable) or target is None or not target.running or target.budget is None:
        return draft
    if target.budget >= seen.least:
        return draft
    together = f" for its {len(seen.shares)} ad sets together" if len(seen.shares) > 1 else ""
    sentence = f"{case.money(target.budget)} would be below the {case.money(seen.least)} that is the least possible{together}"
    reached, here = replace(target, budget=seen.least), case.in_force
    cutting = here is not None and position(target) < position(here)
    return draft.restrained(Reason.FLOOR, sentence, min(reached, here, key=position) if cutting and here else reached)


def below_ceiling(case: Case, draft: Draft) -> Draft:
    """7b. Never a budget above the campaign's ceiling."""
    target, ceiling = draft.target, case.entry.ceiling
    if target is None or not target.running or target.budget is None or target.budget <= ceiling:
        return draft
    sentence = f"{case.money(target.budget)} would be above the ceiling of {case.money(ceiling)}"
    return draft.restrained(Reason.CEILING, sentence, replace(target, budget=ceiling))


def step_limited(case: Case, draft: Draft) -> Draft:
    """8. One change moves a budget by a limited share of base; back to base, or between floor and ceiling, is one step."""
    target, here = draft.target, case.in_force
    if target is None or here is None or not target.running or target.budget is None or here.budget is None:
        return draft
    base, limits = case.entry.base, case.rails.max_step
    up, down = here.budget + percent_of(base, limits.up), here.budget - percent_of(base, limits.down)
    if here.budget <= base <= target.budget:
        up = max(up, base)
    if target.budget <= base <= here.budget:
        down = min(down, base)
    up, down = max(up, case.entry.floor), min(down, case.entry.ceiling)
    if not here.running:
        down = Decimal(0)  # from a pause every budget is a raise, and none may be above what the rules want
    allowed = _rounded(case, min(max(target.budget, down), up))
    if allowed == target.budget:
        return draft
    percent = limits.up if target.budget > here.budget else limits.down
    sentence = (
        f"one change moves at most {percent:g}% of base, so {case.money(allowed)} now instead of {case.money(target.budget)}"
    )
    return draft.restrained(Reason.STEP_LIMITED, sentence, replace(target, budget=allowed))


def _rounded(case: Case, amount: Decimal) -> Decimal:
    return round_down(amount, case.seen.unit) if isinstance(case.seen, Campaign) else amount


def above_spend(case: Case, draft: Draft) -> Draft:
    """8b. Meta takes no budget below 110% of what the account's day has already cost; tried again when the day is over."""
    target, here, seen = draft.target, case.in_force, case.seen
    if isinstance(seen, Unreadable) or seen.platform is not Platform.META:
        return draft
    if target is None or here is None or not target.running or target.budget is None:
        return draft
    if here.budget is not None and target.budget >= here.budget:
        return draft
    if refused := _refused_today(case, target.budget):
        sentence = (
            f"Meta refused {case.money(refused.budget)} for what today has already cost, so {case.money(target.budget)} is "
            f"tried after the account's midnight, which is {case.local(refused.until):%a %d %b %H:%M} here"
        )
        return keep(case, draft, Reason.SPENT_TODAY, sentence)
    if not here.running or not (spent := _overspent(case, seen, target.budget)):
        return draft
    sentence = (
        f"{spent}, and Meta takes no budget below 110% of that, "
        f"so the cut to {case.money(target.budget)} waits for the account's midnight"
    )
    return keep(case, draft, Reason.SPENT_TODAY, sentence)


def _refused_today(case: Case, budget: Decimal) -> TooLow | None:
    """The refusal of so much or more on the account's day, which is not over."""
    known = case.standing.too_low
    return known if known is not None and budget <= known.budget and case.clinic.now < known.until else None


def _overspent(case: Case, seen: Campaign, budget: Decimal) -> str:
    """What today has cost, where it is too much for a budget, or for an ad set's part of it."""
    if seen.spent_today is not None and budget < seen.spent_today * LEAST_OVER_SPENT:
        return f"today has already cost {case.money(seen.spent_today)}"
    try:
        short = unspent(seen, division(case.standing, seen, budget), LEAST_OVER_SPENT) if seen.shares else None
    except RefusedError:  # it cannot be divided at all, which is said when it is tried
        return ""
    return f"today its ad set {short.id} has already cost {case.money(short.budget)}" if short else ""


def beyond_dead_band(case: Case, draft: Draft) -> Draft:
    """9. A difference too small to matter is not worth an edit."""
    target, here = draft.target, case.in_force
    if target is None or here is None or not (target.running and here.running) or target == here:
        return draft
    if target.budget is None or here.budget is None:
        return draft
    band = percent_of(case.entry.base, case.rails.dead_band)
    if abs(target.budget - here.budget) >= band:
        return draft
    sentence = (
        f"{case.money(target.budget)} differs from {case.money(here.budget)} by less than {case.rails.dead_band:g}% of base"
    )
    return keep(case, draft, Reason.DEAD_BAND, sentence)
