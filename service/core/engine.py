"""One run's thinking from end to end: observed values in, decisions out.

    Snapshot + history -> Forecast -> (RuleSet, rule state) -> Proposal -> guardrails -> Decision

Nothing else is read, so the same inputs give the same outcome: `governor replay` rests on this function alone. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial

from service.core.capacity import capacity
from service.core.caveats import caveats
from service.core.decide import people, plan
from service.core.decide.case import Case
from service.core.decide.case import Clinic as Circumstances
from service.core.decide.guardrails import restrain
from service.core.decide.model import (
    Caveat,
    Proposal,
    Reading,
    RuleState,
    RunInputs,
    RunOutcome,
    ServiceForecast,
    Standing,
    TraceLine,
)
from service.core.decide.proposals import propose, share_of
from service.core.logic import Bounds
from service.core.metrics import Ask, Earlier, Seen, asking, forecast, unfilled
from service.core.model import Campaign, Diaries, Reason, Snapshot, State, Unreadable
from service.core.observation import Observation
from service.core.roster import DayNumbers, day_numbers
from service.core.rules import wording
from service.core.rules.conditions import UNDEFINED
from service.core.rules.evaluate import Considered, consider
from service.core.rules.language import CampaignEntry, CostPerBooking, Measure, Metric, Rule, RuleSet, Service

Judged = dict[str, dict[str, Considered]]
"""By service, by rule name: what each rule comes to there."""


def conclude(inputs: RunInputs) -> RunOutcome:
    """Forecast, propose and decide for one clinic."""
    present, earlier = _observed(inputs)
    views = {name: _seen(service, present, earlier) for name, service in inputs.rules.services.items()}
    asks = {name: asking(view) for name, view in views.items()}
    judged = _judge(inputs, asks)
    standings = _meet(inputs)
    cases = [_case(inputs, entry, asks, views, judged, standings) for entry in inputs.rules.campaigns.values()]
    by_name = {case.entry.name: case for case in cases}
    drafts = {name: restrain(case) for name, case in by_name.items()}
    drafts = plan.within_daily_cap(by_name, drafts, inputs.rules)
    drafts = plan.within_blast_radius(by_name, drafts, inputs.rules)
    return RunOutcome(
        run=inputs.run,
        forecasts=_forecasts(inputs, present, views, asks),
        traces={name: _trace(rules) for name, rules in judged.items()},
        proposals={case.entry.name: case.proposal for case in cases if case.proposal is not None},
        decisions=plan.decisions(inputs.run, cases, drafts, inputs.rules.digest),
        rule_states={f"{service}/{name}": c.state for service, rules in judged.items() for name, c in rules.items()},
        standings=_remember(standings, cases, inputs.rules, inputs.now),
    )


# --- forecast -----------------------------------------------------------------------------------------------------------


def _observed(inputs: RunInputs) -> tuple[Observation | None, tuple[Observation, ...]]:
    """What this run saw of Cliniko (None: nothing), and what earlier runs did, newest first.

    How days are numbered is settled by all of them together, because a full diary shows no start that would tell.
    """
    moments = [(inputs.now, inputs.snapshot), *((snapshot.taken_at, snapshot) for snapshot in inputs.baselines)]
    read = [(at, snapshot.diaries) for at, snapshot in moments if isinstance(snapshot.diaries, Diaries)]
    numbers = sum((day_numbers(diaries) for _, diaries in read), DayNumbers())
    found = tuple(Observation.of(diaries, at, numbers) for at, diaries in read)
    return (found[0], found[1:]) if isinstance(inputs.snapshot.diaries, Diaries) else (None, found)


def _seen(service: Service, present: Observation | None, earlier: tuple[Observation, ...]) -> Seen | Reason:
    if present is None:
        return Reason.CLINIKO_UNREADABLE
    before = (Earlier(each.now, cache(partial(capacity, each, service))) for each in earlier)
    return Seen(present.now, capacity(present, service), tuple(before))


def _forecasts(
    inputs: RunInputs, present: Observation | None, views: Mapping[str, Seen | Reason], asks: Mapping[str, Ask]
) -> dict[str, ServiceForecast]:
    return {
        name: forecast(view, name, asks[name], _caveats(present, inputs.rules.services[name], view))
        for name, view in views.items()
    }


def _caveats(present: Observation | None, service: Service, view: Seen | Reason) -> tuple[Caveat, ...]:
    return () if present is None or isinstance(view, Reason) else caveats(present, service, view.capacity)


def clinic_zone(snapshots: tuple[Snapshot, ...]) -> str:
    """The zone of the first location that any of these snapshots shows, newest first; UTC where none does."""
    for snapshot in snapshots:
        if isinstance(snapshot.diaries, Diaries) and snapshot.diaries.locations:
            return snapshot.diaries.locations[0].zone
    return "UTC"


# --- propose ------------------------------------------------------------------------------------------------------------


def _judge(inputs: RunInputs, asks: Mapping[str, Ask]) -> Judged:
    """Hold each rule against each service it concerns, once."""
    judged: Judged = {name: {} for name in inputs.rules.services}
    for rule in inputs.rules.rules:
        for service in dict.fromkeys(inputs.rules.campaigns[name].service for name in rule.campaigns):
            state = inputs.rule_states.get(f"{service}/{rule.name}", RuleState())
            judged[service][rule.name] = consider(rule, asks[service], state, inputs.now)
    return judged


def _trace(rules: Mapping[str, Considered]) -> tuple[TraceLine, ...]:
    return tuple(
        TraceLine(name, wording.comparison(look.compare), look.reading, look.truth)
        for name, considered in rules.items()
        for look in considered.looks
    )


@dataclass(frozen=True, slots=True)
class _Pricing:
    """What filling expected unfilled openings is worth to a campaign, per day."""

    rules: RuleSet
    views: Mapping[str, Seen | Reason]
    asks: Mapping[str, Ask]

    def __call__(self, entry: CampaignEntry, action: CostPerBooking) -> Reading:
        view, expected = self.views[entry.service], self.asks[entry.service](Measure(Metric.EXPECTED_OPEN_SLOTS, action.within))
        if isinstance(view, Reason) or expected.cause in UNDEFINED:
            return Reading(Bounds(None, 0, float("inf")), expected.cause)
        sharing: dict[str, int] = {}
        for other in self.views.values():
            for diary in () if isinstance(other, Reason) else other.capacity.diaries:
                sharing[diary.practitioner] = sharing.get(diary.practitioner, 0) + 1
        slots = unfilled(view, action.within, sharing)
        price = float(action.cost * share_of(self.rules.campaigns, entry)) / action.within
        estimate = None if slots.estimate is None else slots.estimate * price
        return Reading(Bounds(estimate, slots.low * price, slots.high * price), expected.cause)


# --- decide -------------------------------------------------------------------------------------------------------------


def _meet(inputs: RunInputs) -> dict[str, Standing]:
    """What is remembered of each campaign, after comparing it with what its platform shows."""
    found: dict[str, Standing] = {}
    for name, entry in inputs.rules.campaigns.items():
        standing = people.recall(inputs.standings, name, people.identity(entry.platform, entry.id))
        seen = inputs.snapshot.campaigns.get(name)
        if isinstance(seen, Campaign) and not seen.ineligible:
            standing = people.meet(standing, seen.state, entry, inputs.now)
        found |= people.displaced(inputs.standings, entry) | {name: standing}
    return found


def _case(
    inputs: RunInputs,
    entry: CampaignEntry,
    asks: Mapping[str, Ask],
    views: Mapping[str, Seen | Reason],
    judged: Judged,
    standings: Mapping[str, Standing],
) -> Case:
    standing = standings[entry.name]
    seen = inputs.snapshot.campaigns.get(entry.name) or Unreadable(entry.platform, "it was not asked about this campaign")
    in_force = _in_force(seen, standing, inputs.now)
    considered = [(rule, judged[entry.service][rule.name]) for rule in inputs.rules.rules if entry.name in rule.campaigns]
    proposal = None
    if isinstance(seen, Campaign) and in_force is not None:
        proposal = propose(entry, seen, in_force, considered, _Pricing(inputs.rules, views, asks))
    return Case(
        clinic=_circumstances(inputs),
        entry=entry,
        seen=seen,
        standing=standing,
        in_force=in_force,
        proposal=proposal,
        open_slots=asks[entry.service](Measure(Metric.OPEN_SLOTS)),
        stabilise=_own_window(proposal, considered),
    )


def _in_force(seen: Campaign | Unreadable, standing: Standing, now: datetime) -> State | None:
    """What the platform shows, or our own last write where it has not got round to showing it."""
    if isinstance(seen, Unreadable):
        return None
    return standing.expected if people.propagating(standing, seen.state, now) else seen.state


def _own_window(proposal: Proposal | None, considered: list[tuple[Rule, Considered]]) -> timedelta | None:
    return next((rule.stabilise for rule, _ in considered if proposal and rule.name == proposal.rule), None)


def _circumstances(inputs: RunInputs) -> Circumstances:
    diaries = inputs.snapshot.diaries
    return Circumstances(
        slug=inputs.clinic,
        now=inputs.now,
        zone=clinic_zone((inputs.snapshot, *inputs.baselines)),
        currency=inputs.rules.currency,
        mode=inputs.rules.mode,
        holds=inputs.holds,
        kill_switch=inputs.kill_switch,
        unreadable=diaries.message if isinstance(diaries, Unreadable) else None,
        unreadable_since=inputs.cliniko_unreadable_since,
    )


def _remember(standings: Mapping[str, Standing], cases: list[Case], rules: RuleSet, now: datetime) -> dict[str, Standing]:
    """Standings with this run's wishes added: the desired state where there is one, else what is in force."""
    remembered = dict(standings)
    for case in cases:
        wish = case.proposal.target if case.proposal and case.proposal.target else case.in_force
        if wish is not None:
            remembered[case.entry.name] = people.wanted(standings[case.entry.name], wish, _longest_window(case, rules), now)
    return remembered


def _longest_window(case: Case, rules: RuleSet) -> timedelta:
    """How far back stabilising may look for a campaign, whichever rule decides."""
    own = (rule.stabilise for rule in rules.rules if case.entry.name in rule.campaigns and rule.stabilise is not None)
    return max(case.rails.stabilise.up, case.rails.stabilise.down, *own)
