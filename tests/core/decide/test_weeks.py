"""Whatever a week brings, what is applied stays within its limits.

Random weeks of one service and two campaigns under the shipped rules and random guardrails: diaries that fill up, empty and
go dark, runs that are missed, and people who edit campaigns. Each decision to apply is carried out and remembered at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest

from service.core.decide.model import Change, Decision, RuleState, RunInputs, Standing
from service.core.decide.people import adopt, changed
from service.core.decide.proposals import position
from service.core.engine import conclude
from service.core.model import Campaign, Diaries, Mode, Snapshot, State, Unreadable, Unseen, Verdict
from service.core.rules.language import CampaignEntry, EditBudget, Guardrails, MaxStep, RaiseAndCut, RuleSet
from tests.core.made import MONDAY, NOW, OFFSET, SERVICE, ZONE, at, diaries
from tests.core.worlds import seeded
from tests.support import CENT, shipped

SEEDS = [*range(3), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(3, 150))]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(slots=True)
class Made:
    """One applied change with what was known when it was made."""

    decision: Decision
    nothing_to_book: bool
    by_rule: str | None


@dataclass(slots=True)
class Week:
    """A clinic through one random week."""

    rules: RuleSet
    chance: Random
    now: datetime = NOW
    campaigns: dict[str, State] = field(default_factory=dict)
    standings: dict[str, Standing] = field(default_factory=dict)
    states: dict[str, RuleState] = field(default_factory=dict)
    past: list[Snapshot] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    share_open: float = 0.3

    def live(self) -> None:
        """Seven days of runs, most an hour apart."""
        self.campaigns = {entry.name: State(True, entry.base) for entry in self.rules.campaigns.values()}
        while self.now < NOW + 7 * DAY:
            self.run()
            self.now += self.chance.choice([HOUR] * 8 + [timedelta(minutes=20), 4 * HOUR])
            if self.chance.random() < 0.06:
                self.share_open = self.chance.choice([0, 0, 0.05, 0.15, 0.5, 0.95])
            if self.chance.random() < 0.01:
                self.meddle(self.chance.choice(list(self.campaigns)))

    def meddle(self, name: str) -> None:
        """A person edits a campaign, and sometimes hands it back."""
        state = self.campaigns[name]
        self.campaigns[name] = self.chance.choice([replace(state, running=not state.running), State(True, Decimal(64))])
        if self.chance.random() < 0.7:
            self.standings[name] = adopt(self.standings[name], self.campaigns[name], self.now)

    def read(self) -> Diaries | Unreadable:
        """What Cliniko shows now."""
        luck, today = self.chance.random(), (self.now + OFFSET).date()
        if luck < 0.03:
            return Unreadable("cliniko", "it did not answer")
        first = (today - MONDAY).days
        free = [
            at(first + n, f"{hour:02}:00") for n in range(14) for hour in (9, 10, 11) if self.chance.random() < self.share_open
        ]
        shown = Unseen.FAILED if luck < 0.08 else [start for start in free if start > self.now]
        return diaries({("city", "ana", "first"): shown}, today=today)

    def run(self) -> None:
        seen: dict[str, Campaign | Unreadable] = {
            name: Campaign(entry.platform, entry.id, name, self.campaigns[name], "AUD", CENT)
            for name, entry in self.rules.campaigns.items()
        }
        snapshot = Snapshot("random", self.now, self.read(), seen)
        baselines = [old for old in self.past if 24 * HOUR <= self.now - old.taken_at <= 27 * HOUR]
        inputs = RunInputs(
            run=self.now.isoformat(), clinic="random", now=self.now, engine="test", rules=self.rules, snapshot=snapshot,
            baselines=tuple(reversed(baselines)), rule_states=self.states, standings=self.standings,
        )  # fmt: skip
        outcome = conclude(inputs)
        self.past.append(snapshot)
        assert [decision.campaign for decision in outcome.decisions] == list(self.rules.campaigns)
        before, self.states, self.standings = self.standings, outcome.rule_states, dict(outcome.standings)
        empty = outcome.forecasts["physio"].metrics["open_slots"].bounds.high == 0
        for decision in outcome.decisions:
            if decision.verdict is Verdict.APPLY:
                self.made.append(Made(decision, empty, before.get(decision.campaign, Standing()).by_rule))
                self.apply(decision)

    def apply(self, decision: Decision) -> None:
        assert decision.before == self.campaigns[decision.campaign]
        assert decision.after is not None
        standing = self.standings[decision.campaign]
        assert standing.stood_down is None, "people win"
        change = Change(
            "id", decision.id, decision.run, decision.clinic, decision.campaign, decision.platform, decision.platform_id,
            decision.before, decision.after,
        )  # fmt: skip
        self.campaigns[decision.campaign] = decision.after
        self.standings[decision.campaign] = changed(standing, change, decision.after, decision.rule, self.now)


def week(seed: int) -> Week:
    """A week under the shipped physiotherapy rules, with guardrails of all kinds."""
    chance = seeded(seed)
    rails = Guardrails(
        stabilise=RaiseAndCut(chance.choice([0, 2, 24]) * HOUR, chance.choice([0, 0, 3]) * HOUR),
        max_step=MaxStep(Decimal(chance.choice([10, 50])), Decimal(chance.choice([20, 100]))),
        dead_band=Decimal(chance.choice([0, 5])),
        cooldown=chance.choice([2, 6, 12]) * HOUR,
        max_changes_per_day=chance.choice([1, 2, 3]),
        edit_budget=EditBudget(chance.choice([2, 10, 50]), chance.choice([2, 7]) * DAY),
    )
    file = shipped("harbour-physio")
    names = ("physio-search", "physio-social")
    entries = {name: replace(file.campaigns[name], base=Decimal(60), guardrails=rails) for name in names}
    rules = tuple(rule for rule in file.rules if names[0] in rule.campaigns)
    return Week(
        replace(file, clinic="random", mode=Mode.ENFORCE, services={"physio": SERVICE}, campaigns=entries, rules=rules), chance
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_applied_stays_within_the_limits(seed: int) -> None:
    lived = week(seed)
    lived.live()
    for name, entry in lived.rules.campaigns.items():
        made = [one for one in lived.made if one.decision.campaign == name]
        for n, one in enumerate(made):
            within_limits(one.decision, entry)
            often_enough(one, [earlier.decision for earlier in made[:n]], entry)


def within_limits(decision: Decision, entry: CampaignEntry) -> None:
    """The budget lies within [floor, ceiling], and no raise is above `max_step` but one back to base or up to the floor."""
    before, after = decision.before, decision.after
    assert before is not None
    assert after is not None
    if not after.running:
        return
    assert after.budget is not None
    assert before.budget is not None
    assert entry.floor <= after.budget <= entry.ceiling
    step = entry.base * entry.guardrails.max_step.up / 100
    assert after.budget - before.budget <= step or after.budget in {entry.base, entry.floor}


def often_enough(one: Made, earlier: list[Decision], entry: CampaignEntry) -> None:
    """No change within the cooldown or above the daily number, but for the two exempt moves, once a day each."""
    decision, rails = one.decision, entry.guardrails
    rested = not earlier or decision.at - earlier[-1].at >= rails.cooldown
    today = [old for old in earlier if local_day(old.at) == local_day(decision.at)]
    if rested and len(today) < rails.max_changes_per_day:
        return
    assert decision.before is not None
    assert decision.after is not None
    recent = [old for old in earlier if decision.at - old.at < DAY]
    up = position(decision.after) > position(decision.before)
    if up:
        assert position(decision.after) <= (1, entry.base)
        assert decision.rule != one.by_rule
        assert not any(is_raise(old) for old in recent)
    else:
        assert one.nothing_to_book
        assert decision.after == State(True, entry.floor)
        assert not any(old.after == decision.after for old in recent)


def local_day(instant: datetime) -> object:
    return instant.astimezone(ZoneInfo(ZONE)).date()


def is_raise(decision: Decision) -> bool:
    assert decision.before is not None
    assert decision.after is not None
    return position(decision.after) > position(decision.before)


@pytest.mark.soak
def test_the_random_weeks_do_bring_pauses_raises_and_exempt_moves() -> None:
    weeks = [week(seed) for seed in range(6)]
    for lived in weeks:
        lived.live()
    made = [one.decision for lived in weeks for one in lived.made]
    assert any(one.after is not None and not one.after.running for one in made)
    assert any(is_raise(one) for one in made)
    assert any(exempt(lived) for lived in weeks)


def exempt(lived: Week) -> bool:
    """Whether any change came within the cooldown of the one before."""
    for name, entry in lived.rules.campaigns.items():
        made = [one.decision.at for one in lived.made if one.decision.campaign == name]
        if any(later - sooner < entry.guardrails.cooldown for sooner, later in pairwise(made)):
            return True
    return False
