"""One run's thinking from end to end: observed values in, decisions out.

    Snapshot + history -> Forecast -> (RuleSet, rule state) -> Proposal -> guardrails -> Decision

Nothing else is read, so the same inputs give the same outcome: `governor replay` rests on this function alone. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from service.core.decide import admission, approvals, division, histories, left, people, plan, sharing
from service.core.decide.case import Case
from service.core.decide.case import Clinic as Circumstances
from service.core.decide.guardrails import restrain
from service.core.decide.model import Notice, RuleState, RunInputs, RunOutcome, Standing, TraceLine
from service.core.decide.proposals import because, propose
from service.core.metrics import Ask
from service.core.model import Campaign, Diaries, Snapshot, State, Unreadable
from service.core.money import round_down
from service.core.outlook import Outlook, outlook
from service.core.rules import wording
from service.core.rules.evaluate import Considered, consider
from service.core.rules.language import CampaignEntry, Measure, Metric, Rule, RuleSet
from service.core.rules.windows import within

Judged = dict[str, dict[str, Considered]]
"""By service, by rule name: what each rule comes to there."""


def conclude(inputs: RunInputs) -> RunOutcome:
    """Forecast, propose and decide for one clinic."""
    return decide(inputs, outlook(inputs))


def decide(inputs: RunInputs, view: Outlook) -> RunOutcome:
    """Propose and decide on metrics that are known already; of the snapshot only campaigns, zone and unreadability count."""
    inputs = _eligible(inputs)
    judged = judge(inputs, view.asks)
    standings, clinic = _meet(inputs), _circumstances(inputs)
    cases = [_case(inputs, entry, view, judged, standings[entry.name], clinic) for entry in inputs.rules.campaigns.values()]
    by_name = {case.entry.name: case for case in cases}
    drafts = plan.together(by_name, {name: restrain(case) for name, case in by_name.items()}, inputs.rules, inputs.histories)
    decisions = plan.decisions(inputs.run, cases, drafts, inputs.rules)
    return RunOutcome(
        run=inputs.run,
        forecasts=view.forecasts,
        traces={name: _trace(rules) for name, rules in judged.items()},
        proposals={case.entry.name: case.proposal for case in cases if case.proposal is not None},
        decisions=decisions,
        rule_states={f"{service}/{name}": c.state for service, rules in judged.items() for name, c in rules.items()},
        standings=_remember(standings, cases, inputs.rules, inputs.now),
        looks=view.looks,
        notices=tuple(_notices(inputs.rules, judged)),
        names=view.names,
        numbers=view.numbers,
        approvals=tuple(approvals.questions(cases, decisions, inputs.approvals, inputs.rules)),
    )


def clinic_zone(snapshots: tuple[Snapshot, ...]) -> str:
    """The zone of the first location that any of these snapshots shows, newest first; UTC where none does."""
    for snapshot in snapshots:
        if isinstance(snapshot.diaries, Diaries) and snapshot.diaries.locations:
            return snapshot.diaries.locations[0].zone
    return "UTC"


def state_in_force(inputs: RunInputs, campaign: str) -> State | None:
    """What a run goes by as the campaign's present state; None where its platform did not show it."""
    seen = inputs.snapshot.campaigns.get(campaign)
    return None if seen is None else _in_force(seen, _meet(_eligible(inputs))[campaign], inputs.now)


# --- propose ------------------------------------------------------------------------------------------------------------


def judge(inputs: RunInputs, asks: Mapping[str, Ask]) -> Judged:
    """Hold each rule against each service it concerns, once."""
    local = inputs.now.astimezone(ZoneInfo(clinic_zone((inputs.snapshot, *inputs.baselines))))
    judged: Judged = {name: {} for name in inputs.rules.services}
    for rule in inputs.rules.rules:
        awake = rule.active is None or within(rule.active, local, inputs.holidays)
        for service in dict.fromkeys(inputs.rules.campaigns[name].service for name in rule.campaigns):
            state = inputs.rule_states.get(f"{service}/{rule.name}", RuleState())
            judged[service][rule.name] = consider(rule, asks[service], state, inputs.now, awake=awake)
    return judged


def _notices(rules: RuleSet, judged: Judged) -> Iterator[Notice]:
    for service, found in judged.items():
        for rule in rules.rules:
            if rule.notify is not None and rule.name in found and found[rule.name].turned:
                yield Notice(rule.notify, rule.name, service, because(rule.name, found[rule.name]))


def _trace(rules: Mapping[str, Considered]) -> tuple[TraceLine, ...]:
    return tuple(
        TraceLine(name, wording.comparison(look.compare), look.reading, look.truth)
        for name, considered in rules.items()
        for look in considered.looks
    )


# --- decide -------------------------------------------------------------------------------------------------------------


def _eligible(inputs: RunInputs) -> RunInputs:
    """The inputs with those campaigns ineligible whose shared budget these rules do not let us change."""
    campaigns = sharing.judged(inputs.snapshot.campaigns, inputs.rules.campaigns)
    return replace(inputs, snapshot=replace(inputs.snapshot, campaigns=campaigns))


def _meet(inputs: RunInputs) -> dict[str, Standing]:
    """What is remembered of each campaign, after comparing it with what is shown; those that left are not forgotten."""
    governed = {people.identity(entry.platform, entry.id) for entry in inputs.rules.campaigns.values()}
    found = {name: standing for name, standing in inputs.standings.items() if standing.of not in governed}
    kin = _by_identity(inputs.standings)
    for name, entry in inputs.rules.campaigns.items():
        me = people.identity(entry.platform, entry.id)
        named = {name: inputs.standings[name]} if name in inputs.standings else {}
        standing = people.recall(kin.get(me, {}) | named, name, me)
        seen = inputs.snapshot.campaigns.get(name)
        if isinstance(seen, Campaign) and not seen.ineligible:
            shown = division.as_shown(standing, seen, inputs.now)
            standing = division.divided(people.meet(standing, shown, entry, inputs.now), seen, inputs.now)
            standing = histories.learnt(standing, inputs.histories.get(name), shown, inputs.now)
        found |= people.displaced(inputs.standings, entry) | {name: standing}
    return found


def _by_identity(standings: Mapping[str, Standing]) -> dict[str, dict[str, Standing]]:
    found: dict[str, dict[str, Standing]] = {}
    for name, standing in standings.items():
        found.setdefault(standing.of, {})[name] = standing
    return found


def _case(
    inputs: RunInputs,
    entry: CampaignEntry,
    view: Outlook,
    judged: Judged,
    standing: Standing,
    clinic: Circumstances,
) -> Case:
    seen = inputs.snapshot.campaigns.get(entry.name) or Unreadable(entry.platform, "it was not asked about this campaign")
    in_force = _in_force(seen, standing, inputs.now)
    considered = [(rule, judged[entry.service][rule.name]) for rule in inputs.rules.rules if entry.name in rule.campaigns]
    proposal = None
    if isinstance(seen, Campaign) and in_force is not None:
        proposal = propose(entry, seen, in_force, considered, view.worth)
    found = Case(
        clinic=clinic,
        entry=_in_units(entry, seen),
        seen=seen,
        standing=standing,
        in_force=in_force,
        proposal=proposal,
        open_slots=view.asks[entry.service](Measure(Metric.OPEN_SLOTS)),
        stabilise=max(_raise_windows(considered, entry.guardrails.stabilise.up)),
    )
    asked = approvals.reviewed(inputs.approvals.get(entry.name), found, inputs.rules)
    return replace(found, approval=asked) if asked is not None and asked.answer in approvals.STANDING else found


def _in_units(entry: CampaignEntry, seen: Campaign | Unreadable) -> CampaignEntry:
    """The entry with the budgets that its platform can hold: whatever a guardrail makes of one of them can be written."""
    if isinstance(seen, Unreadable):
        return entry
    base, floor, ceiling = (round_down(amount, seen.unit) for amount in (entry.base, entry.floor, entry.ceiling))
    if (base, floor, ceiling) == (entry.base, entry.floor, entry.ceiling):
        return entry
    return replace(entry, base=base, floor=floor, ceiling=ceiling)


def _in_force(seen: Campaign | Unreadable, standing: Standing, now: datetime) -> State | None:
    """What the platform shows, or our own last write where it has not got round to showing it."""
    if isinstance(seen, Unreadable):
        return None
    return standing.expected if people.propagating(standing, seen.state, now) else division.as_shown(standing, seen, now)


def _raise_windows(considered: Iterable[tuple[Rule, Considered]], usual: timedelta) -> Iterator[timedelta]:
    """How long each rule that may be deciding has a raise wait: its own window, or the usual one."""
    for rule, result in considered:
        if any(action is not None for action in result.outcomes):
            yield usual if rule.stabilise is None else rule.stabilise
        if None not in result.outcomes:
            return
    yield usual


def _circumstances(inputs: RunInputs) -> Circumstances:
    diaries = inputs.snapshot.diaries
    return Circumstances(
        slug=inputs.clinic,
        now=inputs.now,
        zone=clinic_zone((inputs.snapshot, *inputs.baselines)),
        currency=inputs.rules.currency,
        mode=inputs.rules.mode,
        holds=tuple(admission.counted(hold, inputs.rules) for hold in inputs.holds),
        kill_switch=inputs.kill_switch,
        unreadable=diaries.message if isinstance(diaries, Unreadable) else None,
        unreadable_since=inputs.cliniko_unreadable_since,
        holidays=inputs.holidays,
    )


def _remember(standings: Mapping[str, Standing], cases: list[Case], rules: RuleSet, now: datetime) -> dict[str, Standing]:
    """Standings with this run's wishes added: the desired state where there is one, else what is in force."""
    remembered, patient = dict(standings), [rule for rule in rules.rules if rule.stabilise is not None]
    for case in cases:
        wish = case.proposal.target if case.proposal and case.proposal.target else case.in_force
        if wish is not None:
            window = _longest_window(case, patient)
            remembered[case.entry.name] = people.wanted(standings[case.entry.name], wish, window, now)
    for case in cases:
        name, base = case.entry.name, case.entry.base
        if remembered[name].base is None or (isinstance(case.seen, Campaign) and remembered[name].base != base):
            remembered[name] = replace(remembered[name], base=base)
    return left.marked(remembered, rules, now)


def _longest_window(case: Case, patient: Sequence[Rule]) -> timedelta:
    """How far back stabilising may look for a campaign, whichever rule decides; `patient` are those with their own window."""
    own = (rule.stabilise for rule in patient if rule.stabilise is not None and case.entry.name in rule.campaigns)
    return max(case.rails.stabilise.up, case.rails.stabilise.down, *own)
