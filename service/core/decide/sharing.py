"""Budgets that several campaigns share: who may be governed on one, what becomes of it, and who it moves with.

The amount is one number for all of them; a pause or resume is each campaign's own. Google's budgets can be shared, and every
campaign that uses one must be in the rule file, say `shared_budget: allow`, and have the same base budget, floor and ceiling:
otherwise a change for one would change another behind its owner's back. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from service.core.decide.case import Case, Draft
from service.core.decide.left import as_it_is
from service.core.decide.model import Standing
from service.core.decide.people import identity
from service.core.model import Campaign, Reason, Unreadable
from service.core.rules.language import CampaignEntry, SharedBudget

Entries = Mapping[str, CampaignEntry]
Campaigns = Mapping[str, Campaign | Unreadable]

OWN = "give the campaign a budget of its own"

# --- who may be governed on one -----------------------------------------------------------------------------------------------


def judged(campaigns: Campaigns, entries: Entries) -> dict[str, Campaign | Unreadable]:
    """The campaigns as seen, by their names in the file, those ineligible that may not be governed on a shared budget."""
    return {name: _judged(name, each, campaigns, entries) for name, each in campaigns.items()}


def _judged(name: str, seen: Campaign | Unreadable, campaigns: Campaigns, entries: Entries) -> Campaign | Unreadable:
    if isinstance(seen, Unreadable) or not seen.sharers or seen.ineligible or name not in entries:
        return seen
    return replace(seen, ineligible=why_not(seen, entries) or _beside(seen, campaigns))


def why_not(seen: Campaign, entries: Entries) -> str:
    """Why the file does not let this campaign's shared budget be changed; '' if it does, or if the budget is its own."""
    if not seen.sharers:
        return ""
    by_id = {entry.id: entry for entry in entries.values() if entry.platform is seen.platform}
    missing = [each for each in seen.sharers if each not in by_id]
    sharing = [by_id[each] for each in seen.sharers if each in by_id]
    refusing = [entry.name for entry in sharing if entry.shared_budget is SharedBudget.REFUSE]
    if any(entry.id == seen.id for entry in sharing if entry.name in refusing):
        return without_a_word(seen)
    if missing:
        return (
            f"Its budget is shared with {_listed('campaign', missing)}, not in the rule file; add what is missing, with "
            f"`shared_budget: allow` and the same budgets, or {OWN}."
        )
    if refusing:
        return f"Its budget is shared with {_and(refusing)}, without `shared_budget: allow` in the rule file; add it, or {OWN}."
    return _unequal(seen, sharing)


def without_a_word(seen: Campaign) -> str:
    """Why a campaign on a shared budget is not governed where the file does not say that it may be; '' for its own budget."""
    if not seen.sharers:
        return ""
    others = f" ({len(seen.sharers)} campaigns use it)" if len(seen.sharers) > 1 else ""
    return (
        f"Its budget is shared{others}, so changing it would change other campaigns too; {OWN}, or write "
        "`shared_budget: allow` for every campaign that uses it."
    )


def _unequal(seen: Campaign, sharing: Sequence[CampaignEntry]) -> str:
    first = next(entry for entry in sharing if entry.id == seen.id)
    for key, read in (("base_budget", _base), ("floor", _floor), ("ceiling", _ceiling)):
        other = next((entry for entry in sharing if read(entry) != read(first)), None)
        if other is not None:
            return (
                f"Its budget is shared with {other.name}, but `{key}` is {read(first)} here and {read(other)} there; "
                f"a shared budget is one amount, so write the same for both, or {OWN}."
            )
    return ""


def _base(entry: CampaignEntry) -> Decimal:
    return entry.base


def _floor(entry: CampaignEntry) -> Decimal:
    return entry.floor


def _ceiling(entry: CampaignEntry) -> Decimal:
    return entry.ceiling


def _beside(seen: Campaign, campaigns: Campaigns) -> str:
    """Why a campaign that could be governed is not: another one on its budget cannot be."""
    for name, other in campaigns.items():
        if isinstance(other, Campaign) and other.id in seen.sharers and other.platform is seen.platform and other.ineligible:
            return f"Its budget is shared with {name}, which cannot be governed; {OWN}. About {name}: {other.ineligible}"
    return ""


def _listed(what: str, ids: Sequence[str]) -> str:
    return f"{what}{'s' * (len(ids) > 1)} {_and(ids)}"


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


# --- what becomes of the amount -----------------------------------------------------------------------------------------------


def purses(cases: Mapping[str, Case]) -> dict[str, tuple[str, ...]]:
    """The budgets of a clinic and, in file order, the campaigns that spend from each: most have one of their own."""
    found: dict[str, tuple[str, ...]] = {}
    for name, case in cases.items():
        key = purse(case.seen) or name
        found[key] = (*found.get(key, ()), name)
    return found


def purse(seen: Campaign | Unreadable) -> str:
    """What a shared budget is called; '' for a budget of its own."""
    return f"{seen.platform} {seen.budget_ref}" if isinstance(seen, Campaign) and seen.sharers else ""


def agreed(cases: Mapping[str, Case], drafts: Mapping[str, Draft]) -> dict[str, Draft]:
    """Drafts in which campaigns on one budget head for one amount.

    Those that will be running are asked. If they want different amounts, the smallest of the moves from what is in force is
    made if all lie on one side of it, else the amount is kept; so nobody's spend moves further than, or against, what its
    own rules and guardrails allow.
    """
    found = dict(drafts)
    for names in purses(cases).values():
        wanted = {name: drafts[name].target for name in names}
        asked = {name: target.budget for name, target in wanted.items() if target is not None and target.running}
        blind = _unread(cases[names[0]], cases)
        here = cases[names[0]].in_force
        if here is not None and len(set(asked.values())) + len(blind) > 1:
            found |= _one_amount(asked, blind, here.budget, cases, drafts)
    return found


def _unread(case: Case, cases: Mapping[str, Case]) -> list[str]:
    """The campaigns on this one's budget that could not be read in this run: nobody knows what they want."""
    mine = sharers(case.seen, {name: each.entry for name, each in cases.items()}) if isinstance(case.seen, Campaign) else ()
    return [entry.name for entry in mine if isinstance(cases[entry.name].seen, Unreadable)]


def _one_amount(
    asked: Mapping[str, Decimal | None],
    blind: Sequence[str],
    here: Decimal | None,
    cases: Mapping[str, Case],
    drafts: Mapping[str, Draft],
) -> Iterator[tuple[str, Draft]]:
    amount = here if blind else _smallest(list(asked.values()), here)
    for name, mine in asked.items():
        draft, money = drafts[name], cases[name].money
        if mine == amount or draft.target is None:
            continue
        others = [f"{other}: {money(each)}" for other, each in asked.items() if each != mine]
        others += [f"{other} could not be read" for other in blind]
        done = "it stays at" if amount == here else "the smallest of the moves is made, to"
        sentence = f"the budget is shared, and not all want that ({'; '.join(others)}): {done} {money(amount)}"
        yield name, draft.restrained(Reason.SHARED_BUDGET, sentence, replace(draft.target, budget=amount))


def _smallest(wanted: Sequence[Decimal | None], here: Decimal | None) -> Decimal | None:
    """The smallest of the moves if all lie on one side of what is in force, else that."""
    known = [each for each in wanted if each is not None]
    if here is None or len(known) < len(wanted):
        return here
    return min(known) if min(known) > here else min(here, max(known))


def counted_once(entries: Entries, campaigns: Campaigns) -> dict[str, CampaignEntry]:
    """The campaigns without those of a service that spend from the budget of an earlier one."""
    found, known = dict[str, CampaignEntry](), set[tuple[str, str]]()
    for name, entry in entries.items():
        seen = campaigns.get(name)
        key = (purse(seen) if seen is not None else "", entry.service)
        if key not in known or not key[0]:
            found[name] = entry
        known.add(key)
    return found


# --- who it moves with --------------------------------------------------------------------------------------------------------


def sharers(seen: Campaign, entries: Entries) -> tuple[CampaignEntry, ...]:
    """The other campaigns of the file on this campaign's budget."""
    return tuple(
        entry
        for entry in entries.values()
        if entry.platform is seen.platform and entry.id in seen.sharers and entry.id != seen.id
    )


def strangers(seen: Campaign, standings: Mapping[str, Standing]) -> str:
    """Why a shared amount may not be put back without the rules' word; '' where all on it are known to have it from us.

    A campaign that the governor never met, or knows with another amount, would be changed behind its owner's back.
    """
    amounts = {standing.of: here.budget for standing in standings.values() if (here := as_it_is(standing)) is not None}
    foreign = [id_ for id_ in seen.sharers if id_ != seen.id and amounts.get(identity(seen.platform, id_)) != seen.state.budget]
    if not foreign:
        return ""
    return f"its budget is shared with {_listed('campaign', foreign)}, which the governor does not know with this amount"


def followed(standing: Standing, was: Decimal | None, amount: Decimal | None, now: datetime) -> Standing:
    """What is remembered of a campaign whose shared budget we moved with another's decision: that is nobody else's hand."""
    found, down = standing, standing.stood_down
    if down is not None and down.seen.budget == was:
        found = replace(found, stood_down=replace(down, seen=replace(down.seen, budget=amount)))
    expected = standing.expected
    if expected is None or expected.budget != was:
        return found
    return replace(found, expected=replace(expected, budget=amount), previous=expected, since=now)
