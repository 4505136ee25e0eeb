"""Cases made by hand: one campaign of a Sydney clinic at 60.00 AUD, looked at on a Monday at noon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from service.core.decide import plan
from service.core.decide.case import Case, Clinic
from service.core.decide.guardrails import restrain
from service.core.decide.model import Decision, PastChange, PastProposal, Proposal, Reading, Standing
from service.core.decide.significance import past_change
from service.core.logic import Bounds
from service.core.model import Campaign, Mode, Platform, State
from service.core.rules.language import CampaignEntry, Guardrails, RuleSet

NOON = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CENT = Decimal("0.01")
ENTRY = CampaignEntry("physio-search", Platform.GOOGLE, "1", "physio", Decimal(60), Decimal(10), Decimal(120), Guardrails())
CLINIC = Clinic("harbour", NOON, "Australia/Sydney", "AUD", Mode.ENFORCE, (), False, None, None)
SOME_OPEN, NONE_OPEN, NONE_SEEN = Reading(Bounds.exactly(5)), Reading(Bounds.exactly(0)), Reading(Bounds(None, 0, 30))


def at(budget: float | str) -> State:
    """Running at so much a day."""
    return State(running=True, budget=Decimal(str(budget)))


def paused(budget: float = 60) -> State:
    """Paused, with the budget it had."""
    return State(running=False, budget=Decimal(str(budget)))


def seen(state: State, entry: CampaignEntry = ENTRY) -> Campaign:
    """The campaign as its platform shows it."""
    return Campaign(entry.platform, entry.id, entry.name, state, "AUD", CENT)


def railed(entry: CampaignEntry = ENTRY, **guardrails: Any) -> CampaignEntry:
    """The entry with other guardrails."""
    return replace(entry, guardrails=replace(entry.guardrails, **guardrails))


def long_wanted(state: State, hours: int = 25) -> tuple[PastProposal, ...]:
    """The same wish at every hour up to the one before this run."""
    return tuple(PastProposal(NOON - n * HOUR, state) for n in range(hours, 0, -1))


def changes(*made: tuple[float, State, State]) -> tuple[PastChange, ...]:
    """Our changes as (hours ago, before, after), oldest first, as they are remembered."""
    found: list[PastChange] = []
    for ago, before, after in made:
        found.append(past_change(found, NOON - ago * HOUR, before, after))
    return tuple(found)


def proposal(target: State | None, rule: str | None = "Full", **more: Any) -> Proposal:
    """What the rules want."""
    return replace(Proposal(ENTRY.name, target, rule, (), f"“{rule}” holds" if rule else "no rule matches"), **more)


def case(target: State | None, here: State | None = None, *, clinic: Mapping[str, Any] | None = None, **more: Any) -> Case:
    """A campaign at `here` (60.00 by default) that the rules have long wanted at `target`; the rest as given."""
    here = at(60) if here is None else here
    entry = more.get("entry", ENTRY)
    made = Case(
        clinic=replace(CLINIC, **(clinic or {})),
        entry=entry,
        seen=seen(here, entry),
        standing=Standing(expected=here, since=NOON - 2 * DAY, proposals=long_wanted(target or here)),
        in_force=here,
        proposal=proposal(target),
        open_slots=SOME_OPEN,
    )
    return replace(made, **more)


def remembering(made: Case, **standing: Any) -> Case:
    """The case with something else remembered."""
    return replace(made, standing=replace(made.standing, **standing))


def ruling(cases: list[Case], **more: Any) -> RuleSet:
    """The rule file of a clinic that has just the campaigns of these cases."""
    entries = {made.entry.name: made.entry for made in cases}
    found = RuleSet("harbour", "Harbour", "digest", "AUD", cases[0].clinic.mode, {}, entries, (), Guardrails())
    return replace(found, **more)


def decide(made: Case) -> Decision:
    """What becomes of one case on its own."""
    (decision,) = plan.decisions("run", [made], {made.entry.name: restrain(made)}, ruling([made]))
    return decision


def decide_all(cases: Iterable[Case], rules: RuleSet) -> dict[str, Decision]:
    """What becomes of a clinic's cases together."""
    by_name = {made.entry.name: made for made in cases}
    drafts = plan.together(by_name, {name: restrain(made) for name, made in by_name.items()}, rules, {})
    return {decision.campaign: decision for decision in plan.decisions("run", list(by_name.values()), drafts, rules)}
