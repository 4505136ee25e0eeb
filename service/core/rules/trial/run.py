"""Running a test: hourly runs with the real judging and the real guardrails, on metrics that somebody made up.

As in a backtest every run acts, whatever the file's `mode`, and an approval that would have been asked for counts as given:
so that what is in force later in a series is what would be. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from service.core.decide.model import Decision, Reading, RuleState, RunInputs, RunOutcome, Standing, change_of
from service.core.decide.people import changed, identity
from service.core.decide.proposals import worth_of
from service.core.engine import Judged, decide, judge
from service.core.logic import UNBOUNDED, Bounds
from service.core.metrics import Ask
from service.core.model import Campaign, Diaries, Mode, OnlineBookings, Reason, Snapshot, State, Unreadable, Verdict
from service.core.money import round_down
from service.core.outlook import Outlook
from service.core.rules.budgets import budget_of
from service.core.rules.currencies import DECIMALS
from service.core.rules.evaluate import Considered
from service.core.rules.language import (
    CampaignEntry,
    CostPerBooking,
    Measure,
    Metric,
    Named,
    NamedBudget,
    Rule,
    RuleSet,
)
from service.core.rules.trial.branches import ways
from service.core.rules.trial.model import (
    Branch,
    Budget,
    Check,
    Expectation,
    Given,
    Got,
    NoticeCheck,
    Result,
    Trial,
)
from service.core.rules.trial.words import Outcome, Stage, Start
from service.core.rules.windows import Holidays

HOUR = timedelta(hours=1)
LONG_AGO = timedelta(days=90)
"""Longer than any guardrail looks back."""

DONE = frozenset({Verdict.APPLY, Verdict.AWAIT_APPROVAL})
NOT_ASKED = Reading(UNBOUNDED, Reason.DATA_INCOMPLETE)
NO_COUNT = Reading(Bounds(None, 0, float("inf")), Reason.DATA_INCOMPLETE)
BOOKINGS = OnlineBookings(enabled=True, lead=timedelta(0), segment_cap=None, daily_limit=None)
NOTHING_READ = Diaries(BOOKINGS, (), (), (), (), (), (), (), ())
"""Of a reading only that there is one counts: metrics are given, and the clinic's clock is taken for UTC."""


def run(trial: Trial, rules: RuleSet, holidays: Holidays) -> Result:
    """What comes of a test; `holidays` as in `RunInputs`, over the whole test."""
    course = _Course.of(trial, rules, holidays)
    checks: list[Check] = []
    notices: list[NoticeCheck] = []
    went: set[Branch] = set()
    now = trial.begins
    for step in trial.steps:
        looks = [course.look(step.given, now + n * HOUR) for n in range(step.lasts // HOUR + 1)]
        last, after = _Judged.of(looks[-1]), looks[-1].now - trial.begins
        now = looks[-1].now + HOUR
        checks += [_check(each, last, after) for each in step.expected]
        went |= {branch for each in step.expected for branch in _tried(each.campaign, last)}
        if step.notices is not None:
            told = frozenset(notice.rule for look in looks for notice in look.outcome.notices)
            notices.append(NoticeCheck(step.line, after, step.notices, told))
            went |= {branch for rule in rules.rules if rule.notify for s in rules.services for branch in last.went(rule, s)}
    return Result(trial, tuple(checks), tuple(notices), frozenset(went))


def _tried(campaign: str, last: _Judged) -> Iterator[Branch]:
    """The ways that a campaign's rules went, as far as it depends on them; a rule that only notifies decides nothing."""
    service = last.look.inputs.rules.campaigns[campaign].service
    for rule, _ in last.considered(campaign):
        if rule.then is not None or rule.bands is not None:
            yield from last.went(rule, service)


# --- one run ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Look:
    """One hourly run: what it went by, and what followed."""

    inputs: RunInputs
    asks: Mapping[str, Ask]
    outcome: RunOutcome

    @property
    def now(self) -> datetime:
        """When it is."""
        return self.inputs.now


@dataclass(frozen=True, slots=True)
class _Judged:
    """The last run of a step, with what each rule came to in it."""

    look: _Look
    judged: Judged

    @classmethod
    def of(cls, look: _Look) -> _Judged:
        """Judge once more what the run has judged: decisions do not say it all."""
        return cls(look, judge(look.inputs, look.asks))

    def considered(self, campaign: str) -> Iterator[tuple[Rule, Considered]]:
        """A campaign's rules down to the one that decides: those below it were not asked."""
        rules = self.look.inputs.rules
        judged = self.judged[rules.campaigns[campaign].service]
        for rule in rules.rules:
            if campaign in rule.campaigns:
                found = judged[rule.name]
                yield rule, found
                if None not in found.outcomes:
                    return

    def went(self, rule: Rule, service: str) -> Iterator[Branch]:
        """The ways that a rule went for a service."""
        if rule.name in self.judged[service]:
            before = self.look.inputs.rule_states.get(f"{service}/{rule.name}", RuleState())
            yield from ways(rule, before, self.judged[service][rule.name], self.look.asks[service])


@dataclass(slots=True)
class _Course:
    """A clinic on its way through a test."""

    rules: RuleSet
    holidays: Holidays
    campaigns: dict[str, Campaign]
    standings: dict[str, Standing]
    rule_states: dict[str, RuleState] = field(default_factory=dict)
    unreadable_since: datetime | None = None

    @classmethod
    def of(cls, trial: Trial, rules: RuleSet, holidays: Holidays) -> _Course:
        """The clinic as the test says it is when it begins."""
        begun = {name: trial.starts.get(name, Start.RUNNING) for name in rules.campaigns}
        unit = Decimal(1).scaleb(-DECIMALS.get(rules.currency, 2))
        campaigns = {
            name: Campaign(entry.platform, entry.id, name, _state(begun[name], entry, unit), rules.currency, unit)
            for name, entry in rules.campaigns.items()
        }
        known = {
            name: _standing(campaigns[name].state, entry, trial.begins - LONG_AGO)
            for name, entry in rules.campaigns.items()
            if begun[name] is not Start.PAUSED_BY_PERSON
        }
        return cls(replace(rules, mode=Mode.ENFORCE), holidays, campaigns, known)

    def look(self, given: Given, now: datetime) -> _Look:
        """One run: judge, decide, carry out, remember."""
        self.unreadable_since = (self.unreadable_since or now) if given.unreadable else None
        inputs, view = self._inputs(given, now), _outlook(given, self.rules)
        found = _Look(inputs, view.asks, decide(inputs, view))
        self.rule_states, self.standings = found.outcome.rule_states, dict(found.outcome.standings)
        for decision in found.outcome.decisions:
            if decision.verdict in DONE:
                self._carry_out(decision)
        return found

    def _inputs(self, given: Given, now: datetime) -> RunInputs:
        diaries = Unreadable("cliniko", "the test says so") if given.unreadable else NOTHING_READ
        return RunInputs(
            run=now.isoformat(),
            clinic=self.rules.clinic,
            now=now,
            engine="",
            rules=self.rules,
            snapshot=Snapshot(self.rules.clinic, now, diaries, dict(self.campaigns)),
            rule_states=self.rule_states,
            standings=self.standings,
            cliniko_unreadable_since=self.unreadable_since,
            holidays=dict(self.holidays),
        )

    def _carry_out(self, decision: Decision) -> None:
        change, name = change_of(decision), decision.campaign
        self.standings[name] = changed(self.standings[name], change, change.after, decision.rule, decision.at)
        self.campaigns[name] = replace(self.campaigns[name], state=change.after)


def _state(start: Start | Budget, entry: CampaignEntry, unit: Decimal) -> State:
    running = not isinstance(start, Start) or start is Start.RUNNING
    budget: Budget = NamedBudget(Named.BASE) if isinstance(start, Start) else start
    return State(running=running, budget=round_down(budget_of(budget, entry), unit))


def _standing(state: State, entry: CampaignEntry, since: datetime) -> Standing:
    """As the governor left it long ago."""
    of = identity(entry.platform, entry.id)
    return Standing(expected=state, since=since, paused_by_us=not state.running, of=of, base=entry.base)


def _outlook(given: Given, rules: RuleSet) -> Outlook:
    """What the rules may ask: what is given, and nothing else."""
    asks = {service: _ask(given, service) for service in rules.services}

    def worth(entry: CampaignEntry, action: CostPerBooking) -> Reading:
        slots = asks[entry.service](Measure(Metric.EXPECTED_OPEN_SLOTS, action.within))
        unknown = slots.bounds == UNBOUNDED
        return worth_of(replace(slots, bounds=NO_COUNT.bounds) if unknown else slots, rules.campaigns, entry, action)

    return Outlook(asks, worth, {})


def _ask(given: Given, service: str) -> Ask:
    if given.unreadable:
        return lambda _: Reading(UNBOUNDED, Reason.CLINIKO_UNREADABLE)
    known = given.readings.get(service)
    if known is None:
        return lambda _: NOT_ASKED
    return lambda measure: known.get(measure, NO_COUNT)


# --- what is expected ---------------------------------------------------------------------------------------------------


def _check(expectation: Expectation, last: _Judged, after: timedelta) -> Check:
    got = _wanted(expectation, last.look) if expectation.stage is Stage.WANTED else _done(expectation, last.look)
    wrong = tuple(_wrong(expectation, got, last.look.inputs.rules))
    return Check(expectation, after, got, wrong, tuple(last.considered(expectation.campaign)))


def _wanted(expectation: Expectation, look: _Look) -> Got:
    proposal = look.outcome.proposals[expectation.campaign]
    reason = proposal.cause or (Reason.NO_RULE if proposal.rule is None else Reason.RULE)
    return Got(proposal.target, proposal.rule, reason, proposal.sentence)


def _done(expectation: Expectation, look: _Look) -> Got:
    """A decision; where `keep` is expected and nothing moves, that is what came."""
    decision = next(each for each in look.outcome.decisions if each.campaign == expectation.campaign)
    moved = None if decision.after == decision.before and expectation.then is Outcome.KEEP else decision.after
    return Got(moved, decision.rule, decision.reason, decision.sentence, decision.verdict)


def _wrong(expectation: Expectation, got: Got, rules: RuleSet) -> Iterator[str]:
    """The keys of an expectation that what came differs in."""
    entry = rules.campaigns[expectation.campaign]
    if expectation.then is not None and not _is(expectation.then, got.state, entry, rules.currency):
        yield "then" if isinstance(expectation.then, Outcome) else "budget"
    for key in ("rule", "reason", "verdict"):
        wanted = getattr(expectation, key)
        if wanted is not None and wanted != getattr(got, key):
            yield key


def _is(then: Outcome | Budget, state: State | None, entry: CampaignEntry, currency: str) -> bool:
    if then is Outcome.KEEP:
        return state is None
    if then is Outcome.PAUSE:
        return state is not None and not state.running
    return state == meant(then, entry, currency)


def meant(budget: Budget, entry: CampaignEntry, currency: str) -> State:
    """What an expected budget comes to for a campaign."""
    unit = Decimal(1).scaleb(-DECIMALS.get(currency, 2))
    return State(running=True, budget=round_down(budget_of(budget, entry), unit))
