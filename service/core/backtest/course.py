"""One rule file on its way through the period: what it decides is carried out, and remembered as the governor would. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from service.core.backtest.model import Made, Moment, Report, Setting
from service.core.backtest.seeing import asks_what_is_expected
from service.core.backtest.tallies import CampaignTally, Fullness, ServiceTally, Stretch, daily, kind_of
from service.core.decide.model import (
    Decision,
    RuleState,
    RunInputs,
    RunOutcome,
    Standing,
    change_of,
)
from service.core.decide.people import changed, identity
from service.core.engine import clinic_zone, decide
from service.core.model import Campaign, Mode, Snapshot, State, Unreadable, Verdict
from service.core.money import round_down
from service.core.outlook import Prospect
from service.core.rules.currencies import DECIMALS
from service.core.rules.language import CampaignEntry, Measure, Metric, RuleSet

OPEN_SLOTS = Measure(Metric.OPEN_SLOTS)
DONE = frozenset({Verdict.APPLY, Verdict.AWAIT_APPROVAL})


@dataclass(slots=True)
class Course:
    """A rule file, in mode enforce whatever it says, and its campaigns as they are by now."""

    rules: RuleSet
    setting: Setting
    campaigns: dict[str, Campaign] = field(init=False)
    standings: dict[str, Standing] = field(default_factory=dict)
    rule_states: dict[str, RuleState] = field(default_factory=dict)
    fullness: dict[str, Fullness] = field(default_factory=dict)
    _cost: dict[str, Decimal] = field(default_factory=dict)
    _month: date | None = None
    _tallies: dict[str, CampaignTally] = field(init=False)
    _services: dict[str, ServiceTally] = field(init=False)

    def __post_init__(self) -> None:
        self.rules = replace(self.rules, mode=Mode.ENFORCE)
        self.campaigns = {name: self._at_base(entry) for name, entry in self.rules.campaigns.items()}
        self._tallies = {name: CampaignTally(entry) for name, entry in self.rules.campaigns.items()}
        self._services = {name: ServiceTally() for name in self.rules.services}

    def passed(self, stretch: Stretch) -> None:
        """Time has passed since the last run."""
        for name, fullness in self.fullness.items():
            self._services[name].passed(stretch, fullness)
        for name, tally in self._tallies.items():
            state = self.campaigns[name].state
            tally.passed(stretch, state, self.fullness[tally.entry.service])
            self._cost[name] += daily(state) * stretch.days

    def run(
        self, moment: Moment, seen: Prospect, earlier: tuple[Snapshot, ...], unreadable_since: datetime | None
    ) -> RunOutcome:
        """Decide once and carry it out; `earlier` are snapshots, newest first, that the clinic's zone can be known from."""
        snapshot = Snapshot(self.rules.clinic, moment.at, moment.diaries, {})
        self._count_month(moment.at.astimezone(ZoneInfo(clinic_zone((snapshot, *earlier)))))
        inputs = RunInputs(
            run=moment.run,
            clinic=self.rules.clinic,
            now=moment.at,
            engine="",
            rules=self.rules,
            snapshot=replace(snapshot, campaigns=self._shown()),
            baselines=earlier,
            rule_states=self.rule_states,
            standings=self.standings,
            cliniko_unreadable_since=unreadable_since,
            holidays=self.setting.holidays,
        )
        outcome = decide(inputs, seen.outlook(self.rules))
        self.rule_states, self.standings = outcome.rule_states, dict(outcome.standings)
        self.fullness = {name: Fullness.of(ask(OPEN_SLOTS)) for name, ask in seen.asks.items()}
        for decision in outcome.decisions:
            self._tallies[decision.campaign].judged(outcome.proposals.get(decision.campaign), decision)
            if decision.verdict in DONE:
                self._carry_out(decision)
        return outcome

    def _count_month(self, local: datetime) -> None:
        """What each campaign has cost this month: its whole budget, and base before the period began."""
        month, elapsed = local.date().replace(day=1), Decimal(local.day - 1) + Decimal(local.hour) / 24
        if self._month is None:
            self._cost = {name: daily(each.state) * elapsed for name, each in self.campaigns.items()}
        elif month != self._month:
            self._cost = dict.fromkeys(self._cost, Decimal(0))
        self._month = month

    def _shown(self) -> dict[str, Campaign | Unreadable]:
        """The campaigns as their platforms would show them; cost is asked for only where there is a cap on it."""
        if self.rules.monthly_cap is None:
            return dict(self.campaigns)
        return {
            name: replace(each, spent_month=round_down(self._cost[name], each.unit)) for name, each in self.campaigns.items()
        }

    def _carry_out(self, decision: Decision) -> None:
        change = change_of(decision)
        known = changed(self.standings[decision.campaign], change, change.after, decision.rule, decision.at)
        made = Made(
            at=decision.at,
            run=decision.run,
            campaign=decision.campaign,
            kind=kind_of(change.before, change.after),
            before=change.before,
            after=change.after,
            rule=decision.rule,
            reason=decision.reason,
            sentence=decision.sentence,
            significant=known.changes[-1].significant,
            approval=decision.verdict is Verdict.AWAIT_APPROVAL,
        )
        self._tallies[decision.campaign].changes.append(made)
        self.standings[decision.campaign] = known
        self.campaigns[decision.campaign] = replace(self.campaigns[decision.campaign], state=change.after)

    def report(self, zone: str, runs: int, unreadable: int, hours: float) -> Report:
        """What it came to, over so many runs and hours."""
        return Report(
            clinic=self.rules.clinic,
            digest=self.rules.digest,
            currency=self.rules.currency,
            zone=zone,
            first=self.setting.first,
            last=self.setting.last,
            runs=runs,
            unreadable=unreadable,
            hours=round(hours, 2),
            asked_pace=asks_what_is_expected(self.rules),
            campaigns={name: t.report(self.setting, hours, self.campaigns[name].unit) for name, t in self._tallies.items()},
            services={name: tally.report() for name, tally in self._services.items()},
        )

    def _at_base(self, entry: CampaignEntry) -> Campaign:
        currency = self.rules.currency
        usual = Decimal(1).scaleb(-DECIMALS.get(currency, 2))
        unit = self.setting.units.get(identity(entry.platform, entry.id), usual)
        state = State(running=True, budget=round_down(entry.base, unit))
        return Campaign(entry.platform, entry.id, entry.name, state, currency, unit)
