"""What is not seen never moves spend against, or further than, what the truth would: whatever the truth turns out to be.

Hours in which a part of the metrics is known within bounds or not at all go through the real rules and guardrails, for several
hours on end; beside them goes the truth, one completion for each hour, with a memory of its own. At every hour both start from
what is in force, and what is done about the hour as it was seen must lie between that and what the truth would have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.decide.model import Decision, RuleState, RunInputs, RunOutcome, Standing, change_of
from service.core.decide.people import changed
from service.core.engine import _raise_windows, decide
from service.core.model import Campaign, Snapshot, State, Unreadable, Verdict
from service.core.outlook import Outlook
from service.core.rules.evaluate import Considered
from service.core.rules.language import CampaignEntry, EditBudget, Guardrails, MaxStep, Percent, RaiseAndCut, Rule, RuleSet
from service.rulefiles.source import check
from tests.core.decide.clerks import PACKS, enforced, made_up, shipped_file
from tests.core.decide.completions import completed
from tests.core.decide.hops import Hour, Thresholds, hour, thresholds
from tests.core.decide.ordeal import CENT, read_in
from tests.core.worlds import DATES, seeded
from tests.rulefiles.generated import files, written

HOUR = timedelta(hours=1)
TRUTHS = 5
"""How many truths go beside one course."""

DONE = {Verdict.APPLY, Verdict.AWAIT_APPROVAL}
States = dict[str, RuleState]


def lenient(rules: RuleSet, chance: Random) -> RuleSet:
    """Guardrails that only shorten moves: those that ration them may refuse the truth's, and then anything is beyond it."""
    rails = Guardrails(
        stabilise=RaiseAndCut(chance.choice([0, 0, 2]) * HOUR, chance.choice([0, 0, 2]) * HOUR),
        max_step=MaxStep(Decimal(chance.choice([10, 1000])), Decimal(chance.choice([20, 100]))),
        dead_band=Decimal(chance.choice([0, 5])),
        cooldown=timedelta(0),
        max_changes_per_day=24 * 60,
        edit_budget=EditBudget(10**6, timedelta(days=1)),
        blast_radius=Decimal(100),
    )
    entries = {name: replace(entry, guardrails=rails, protect=False) for name, entry in rules.campaigns.items()}
    return replace(rules, campaigns=entries, guardrails=rails, daily_cap=None, monthly_cap=None)


@dataclass(slots=True)
class Course:
    """A clinic as it is seen, hour after hour; `truths` are memories of what may be true, each with its own chance."""

    rules: RuleSet
    chance: Random
    now: datetime
    memory: States = field(default_factory=dict)
    truths: list[States] = field(default_factory=list)
    campaigns: dict[str, State] = field(default_factory=dict)
    standings: dict[str, Standing] = field(default_factory=dict)
    moves: int = 0
    unsure: int = 0

    def live(self, hours: int) -> None:
        """So many runs, most an hour apart."""
        at, sight = thresholds(self.rules), self.chance.choice([0.2, 0.5, 0.8])
        self.memory = dict(_memory(self.rules, self.chance, self.now))
        self.truths = [dict(self.memory) for _ in range(TRUTHS)]
        self.campaigns = {name: _anywhere(entry, self.chance) for name, entry in self.rules.campaigns.items()}
        seen = hour(self.rules, at, self.chance, sight)
        for _ in range(hours):
            self._run(seen, at)
            self.now += self.chance.choice([HOUR, HOUR, HOUR, 2 * HOUR, 5 * HOUR])
            seen = seen if self.chance.random() < 0.3 else hour(self.rules, at, self.chance, sight)

    def _run(self, seen: Hour, at: Thresholds) -> None:
        self.standings = {name: _standing(self.standings.get(name), state) for name, state in self.campaigns.items()}
        found = self._concluded(seen, self.memory)
        for n, memory in enumerate(self.truths):
            true = self._concluded(completed(seen, at, self.chance), memory)
            self.truths[n] = true.rule_states
            self._compare(found, true)
        self.memory, self.standings = found.rule_states, dict(found.standings)
        for decision in found.decisions:
            if decision.verdict in DONE:
                self._carry_out(decision)

    def _concluded(self, seen: Hour, memory: States) -> RunOutcome:
        shown: dict[str, Campaign | Unreadable] = {
            name: Campaign(entry.platform, entry.id, name, self.campaigns[name], self.rules.currency, CENT)
            for name, entry in self.rules.campaigns.items()
        }
        inputs = RunInputs(
            run="run", clinic=self.rules.clinic, now=self.now, engine="test", rules=self.rules, rule_states=memory,
            snapshot=Snapshot(self.rules.clinic, self.now, read_in("Australia/Sydney"), shown), standings=self.standings,
        )  # fmt: skip
        return decide(inputs, Outlook(seen.asks(), seen.worth_of, {}))

    def _compare(self, found: RunOutcome, true: RunOutcome) -> None:
        for name, here in self.campaigns.items():
            wanted, truly = found.proposals[name].target, true.proposals[name].target
            self.unsure += wanted is None
            within(here, wanted or here, truly or here, (name, found.proposals[name], true.proposals[name]))
        for done, would in zip(found.decisions, true.decisions, strict=True):
            here = self.campaigns[done.campaign]
            self.moves += done.after != here
            within(here, done.after or here, would.after or here, (done, would))

    def _carry_out(self, decision: Decision) -> None:
        change, known = change_of(decision), self.standings[decision.campaign]
        self.campaigns[decision.campaign] = change.after
        self.standings[decision.campaign] = changed(known, change, change.after, decision.rule, self.now)


def _anywhere(entry: CampaignEntry, chance: Random) -> State:
    """In force to begin with: any budget a file may ask for, or paused."""
    share = chance.choice([Decimal("0.6"), Decimal(1), Decimal("1.3")])
    budget = chance.choice([entry.floor, entry.ceiling, (entry.base * share).quantize(CENT)])
    return State(chance.random() < 0.75, budget)


def _memory(rules: RuleSet, chance: Random, now: datetime) -> Iterator[tuple[str, RuleState]]:
    """What rules may remember to begin with, all of it for certain."""
    for rule in rules.rules:
        for service in rules.services:
            since = chance.choice([None, now - 2 * HOUR, now - HOUR])
            on = now - HOUR if chance.random() < 0.4 else None
            band = chance.choice([step.key for step in rule.bands.steps]) if rule.bands else None
            yield f"{service}/{rule.name}", RuleState(since, since, on, band, seen_at=now - HOUR)


def _standing(known: Standing | None, state: State) -> Standing:
    return replace(known or Standing(), expected=state, paused_by_us=not state.running)


def within(here: State, done: State, true: State, why: object) -> None:
    """What is done lies between what is in force and what the truth would do."""
    start, reached, end = (spend(state) for state in (here, done, true))
    assert start <= reached <= end or end <= reached <= start, why


def spend(state: State) -> Decimal:
    """What it may spend, any pause below any budget."""
    assert state.budget is not None
    return state.budget if state.running else Decimal(-1)


def course(rules: RuleSet, seed: int, hours: int) -> Course:
    """One course of a file."""
    chance = seeded(seed)
    lived = Course(lenient(enforced(rules), chance), chance, chance.choice(DATES) + timedelta(hours=chance.randrange(200)))
    lived.live(hours)
    return lived


def sensible_file(seed: int) -> RuleSet:
    chance = seeded(seed)
    return shipped_file(chance) if seed % 5 == 0 else made_up(chance)


def courses(first: int, count: int) -> Iterator[Course]:
    return (course(sensible_file(seed), seed, hours=seeded(seed).choice([1, 4, 12])) for seed in range(first, first + count))


MANY = [(0, 60), *(pytest.param(n * 1000, 1000, marks=pytest.mark.soak) for n in range(20))]


@pytest.mark.parametrize(("first", "count"), MANY)
def test_what_is_done_is_never_against_nor_beyond_what_any_truth_would_do(first: int, count: int) -> None:
    lived = list(courses(first, count))
    assert sum(each.moves for each in lived) > count, "there is something to compare"
    assert sum(each.unsure for each in lived) > count


def test_a_raise_waits_as_long_as_any_rule_that_may_be_behind_it_would_have_it_wait() -> None:
    more, usual = Percent(Decimal(130)), 24 * HOUR
    quick = Rule("Quick", (), then=more, stabilise=2 * HOUR), Considered((more,), RuleState())
    maybe = quick[0], Considered((more, None), RuleState())
    slow = Rule("Slow", (), then=more), Considered((more,), RuleState())
    assert max(_raise_windows([quick, slow], usual)) == 2 * HOUR
    assert max(_raise_windows([maybe, slow], usual)) == usual
    assert max(_raise_windows([maybe, quick], usual)) == usual - 22 * HOUR
    assert max(_raise_windows([maybe], usual)) == usual


@given(files().map(lambda data: check(written(data), "quay.yaml", PACKS)), st.integers(0, 2**20))
def test_nor_under_a_rule_file_of_any_shape(rules: RuleSet, seed: int) -> None:
    course(rules, seed, hours=3)
