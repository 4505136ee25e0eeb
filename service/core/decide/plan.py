"""The steps that look at several campaigns at once (13b, 14), and the finished decisions. Pure."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from decimal import Decimal

from service.core.days import local_date
from service.core.decide import sharing
from service.core.decide.case import Case, Draft, moves
from service.core.decide.explanations import sentence
from service.core.decide.model import Answer, Decision
from service.core.decide.proposals import position
from service.core.decide.verdicts import finished, question, reason
from service.core.model import Campaign, History, Reason, State, Unreadable, Verdict
from service.core.money import percent_of, round_down, shown
from service.core.rules.language import RuleSet

BLAST_MINIMUM = 3
"""Up to this many drastic moves in one run never need asking."""

LEFT_ALONE = frozenset(
    {
        *(Reason.HELD, Reason.KILL_SWITCH, Reason.INELIGIBLE, Reason.PLATFORM_UNREADABLE),
        *(Reason.PAUSED_BY_PERSON, Reason.BASE_MISMATCH, Reason.DRIFT, Reason.PROTECTED),
    }
)
"""Why steps 1-4 end a decision: such a campaign cannot be changed, whatever its diary says."""

Drafts = Mapping[str, Draft]
"""The drafts of one run by campaign name."""


def together(
    cases: Mapping[str, Case], drafts: Drafts, rules: RuleSet, histories: Mapping[str, History | Unreadable]
) -> Drafts:
    """What each campaign's own guardrails let through, restrained by what concerns several: in this order."""
    drafts = sharing.agreed(cases, drafts)
    drafts = within_daily_cap(cases, drafts, rules)
    drafts = within_monthly_cap(cases, drafts, rules)
    drafts = sharing.agreed(cases, drafts)  # what a cap leaves may be too little for one campaign and not for the other
    drafts = within_blast_radius(cases, drafts, rules)
    return with_known_history(cases, drafts, histories)


# --- 13b: the clinic's money --------------------------------------------------------------------------------------------


def within_daily_cap(cases: Mapping[str, Case], drafts: Drafts, rules: RuleSet) -> dict[str, Draft]:
    """13b. Raises share what the clinic's daily cap leaves free now, in proportion to base."""
    if rules.daily_cap is None:
        return dict(drafts)
    why = f"the clinic's daily cap is {shown(rules.daily_cap, rules.currency)}"
    return _within(cases, drafts, rules.daily_cap, (Reason.DAILY_CAP, why))


def within_monthly_cap(cases: Mapping[str, Case], drafts: Drafts, rules: RuleSet) -> dict[str, Draft]:
    """13c. Raises share what is left if all budgets are spent to the end of the month; unknown spend leaves nothing."""
    if rules.monthly_cap is None or not cases:
        return dict(drafts)
    cap, costs = shown(rules.monthly_cap, rules.currency), {name: _cost(case) for name, case in cases.items()}
    unknown = next((name for name, cost in costs.items() if cost is None), None)
    if unknown is not None:
        why = f"the clinic's monthly cap is {cap}, and what {unknown} has cost this month is not known"
        return _within(cases, drafts, Decimal(0), (Reason.MONTHLY_CAP, why))
    days = max(_days_left(case) for case in cases.values())
    spent = sum((cost for cost in costs.values() if cost is not None), Decimal(0))
    why = (
        f"the clinic's monthly cap is {cap}, {shown(spent, rules.currency)} are spent, and {days} day{'s' * (days > 1)} of the "
        "month are left, today included"
    )
    return _within(cases, drafts, max(rules.monthly_cap - spent, Decimal(0)) / days, (Reason.MONTHLY_CAP, why))


def _cost(case: Case) -> Decimal | None:
    """What a campaign has cost this month; None where its platform did not say."""
    return case.seen.spent_month if isinstance(case.seen, Campaign) else None


def _days_left(case: Case) -> int:
    """The days left of the month that the cost of a campaign is told of, today included: its account's own.

    Where one account is in the new month already and another is not, more days are the careful ones to divide by.
    """
    zone = case.seen.zone if isinstance(case.seen, Campaign) and case.seen.zone else case.clinic.zone
    today = local_date(case.clinic.now, zone)
    return monthrange(today.year, today.month)[1] - today.day + 1


def _within(cases: Mapping[str, Case], drafts: Drafts, limit: Decimal, why: tuple[Reason, str]) -> dict[str, Draft]:
    """Raises cut to what a limit on the sum of daily budgets leaves free."""
    purses = sharing.purses(cases)
    now = {key: max(_committed(cases[name]) for name in names) for key, names in purses.items()}
    then = {key: max(_heading(cases[name], drafts[name]) for name in names) for key, names in purses.items()}
    raises = {key: then[key] - now[key] for key in purses if then[key] > now[key]}
    free = max(limit - sum(now.values(), Decimal(0)), Decimal(0))
    if sum(raises.values(), Decimal(0)) <= free:
        return dict(drafts)
    granted = share_out(free, raises, {key: cases[purses[key][0]].entry.base for key in raises})
    found = dict(drafts)
    for key, more in granted.items():
        raised = [name for name in purses[key] if _raise(cases[name], drafts[name]) > 0]
        found |= {name: _granted(cases[name], drafts[name], now[key], more, why) for name in raised}
    return found


def _spend(state: State | None) -> Decimal:
    return state.budget if state is not None and state.running and state.budget is not None else Decimal(0)


def _committed(case: Case) -> Decimal:
    """What a campaign may spend a day; the ceiling where it could not be read."""
    return case.entry.ceiling if case.in_force is None else _spend(case.in_force)


def _heading(case: Case, draft: Draft) -> Decimal:
    """What a campaign would be allowed to spend a day; what it is allowed now where nothing will be changed."""
    return _committed(case) if draft.verdict else _spend(draft.target)


def _raise(case: Case, draft: Draft) -> Decimal:
    return Decimal(0) if draft.verdict else _spend(draft.target) - _spend(case.in_force)


def share_out(free: Decimal, wanted: Mapping[str, Decimal], weights: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Divide `free` in proportion to `weights`, nobody getting more than wanted; what one leaves goes to the others."""
    granted: dict[str, Decimal] = {}
    open_ = dict(wanted)
    while open_:
        total = sum((weights[name] for name in open_), Decimal(0))
        content = {name: want for name, want in open_.items() if want <= free * weights[name] / total}
        if not content:
            return granted | {name: free * weights[name] / total for name in open_}
        granted |= content
        free -= sum(content.values(), Decimal(0))
        open_ = {name: want for name, want in open_.items() if name not in content}
    return granted


def _granted(case: Case, draft: Draft, now: Decimal, more: Decimal, why: tuple[Reason, str]) -> Draft:
    """The raise cut to what is granted on top of what the budget spends `now`.

    A resume that is granted less than the floor stays paused, unless others spend from its budget already.
    """
    here, target = case.in_force, draft.target
    if here is None or target is None:
        return draft
    unit = case.seen.unit if isinstance(case.seen, Campaign) else Decimal("0.01")
    budget = round_down(now + more, unit)
    if target.budget is not None and budget >= target.budget:
        return draft
    least = percent_of(case.entry.base, case.rails.dead_band)
    too_little = budget - now < max(least, unit) or budget < case.entry.floor
    unchanged = State(running=True, budget=now) if now else here
    reached = unchanged if too_little else State(running=True, budget=budget)
    return draft.restrained(*why, reached)


# --- 14: how much at once -----------------------------------------------------------------------------------------------


def within_blast_radius(cases: Mapping[str, Case], drafts: Drafts, rules: RuleSet) -> dict[str, Draft]:
    """14. Pausing or raising above base much of what can be changed of a clinic in one run is asked first."""
    drastic = {name for name, draft in drafts.items() if _drastic(cases[name], draft)}
    changeable = sum(map(_changeable, drafts.values()))
    limit = rules.guardrails.blast_radius
    if len(drastic) <= BLAST_MINIMUM or len(drastic) * 100 <= limit * changeable:
        return dict(drafts)
    why = (
        f"this run would move {len(drastic)} of {changeable} campaigns that can be changed now, more than {limit:g}% at once: "
        "a person decides"
    )
    ask = {name: drafts[name].restrained(Reason.BLAST_RADIUS, why, drafts[name].target) for name in drastic}
    return {**drafts, **ask}


def _changeable(draft: Draft) -> bool:
    return draft.verdict is None or draft.restraints[-1].reason not in LEFT_ALONE


def with_known_history(
    cases: Mapping[str, Case], drafts: Drafts, histories: Mapping[str, History | Unreadable]
) -> dict[str, Draft]:
    """14b. Ending a pause of ours is asked first where the platform does not tell who changed the campaign since."""
    unread = {name: each for name, each in histories.items() if isinstance(each, Unreadable) and name in drafts}
    doubtful = {name: each for name, each in unread.items() if _resumes(cases[name], drafts[name])}
    return {**drafts, **{name: _unsure(drafts[name], each) for name, each in doubtful.items()}}


def _resumes(case: Case, draft: Draft) -> bool:
    paused = case.in_force is not None and not case.in_force.running
    return paused and draft.verdict is None and draft.target is not None and draft.target.running


def _unsure(draft: Draft, unread: Unreadable) -> Draft:
    why = f"who changed it since we paused it cannot be read ({unread.message}), so a person decides"
    return draft.restrained(Reason.PLATFORM_UNREADABLE, why, draft.target)


def _drastic(case: Case, draft: Draft) -> bool:
    """A pause with something left to sell, or a raise above base."""
    target, here = draft.target, case.in_force
    if draft.verdict or target is None or here is None or not moves(case, draft):
        return False
    if not target.running:
        return case.open_slots.bounds.high > 0
    return position(target) > position(here) and _spend(target) > case.entry.base


def decisions(run: str, cases: Sequence[Case], drafts: Drafts, rules: RuleSet) -> tuple[Decision, ...]:
    """One decision per campaign."""
    return tuple(_decision(run, case, finished(case, drafts[case.entry.name]), rules) for case in cases)


def _decision(run: str, case: Case, draft: Draft, rules: RuleSet) -> Decision:
    entry, proposal, known = case.entry, case.proposal, question(case, draft)
    id_ = f"{run}-{entry.name}"
    here = None if isinstance(case.seen, Campaign) and case.seen.nowhere else case.in_force
    return Decision(
        id=id_,
        run=run,
        clinic=case.clinic.slug,
        at=case.clinic.now,
        campaign=entry.name,
        platform=entry.platform,
        platform_id=entry.id,
        service=entry.service,
        before=here,
        desired=proposal.target if proposal else None,
        after=draft.target if draft.verdict not in {Verdict.KEEP, Verdict.REFUSED} else here,
        verdict=draft.verdict or Verdict.KEEP,
        reason=reason(case, draft),
        sentence=sentence(case, draft),
        restraints=draft.restraints,
        rule=proposal.rule if proposal else None,
        overruled=proposal.overruled if proposal else (),
        caused_by=case.standing.caused_by,
        rules_digest=rules.digest,
        rules_revision=rules.revision,
        asks=(known.id if known else id_) if draft.verdict is Verdict.AWAIT_APPROVAL else None,
        approved_by=known.by if known and known.answer is Answer.APPROVED and draft.verdict is Verdict.APPLY else None,
    )
