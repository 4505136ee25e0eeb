"""Whatever metrics do and people do to each other, no campaign is changed more often, or further, than its limits say.

The metrics are an adversary's: each hour anywhere, on a threshold or just beside it, wide open, or unseen. Rules, guardrails
and what is remembered are the real ones; the counting is the books' own, who refuse a change that breaks a limit (`books`).
Only the two moves that are never refused may come sooner, each once in 24 hours.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from service.core.model import State
from service.core.rules.language import RuleSet
from service.rulefiles.source import check
from tests.core.decide.books import BACK, FLOOR, Line
from tests.core.decide.clerks import EDITS, PACKS, SHIPPED, Edit, enforced, made_up
from tests.core.decide.hops import hour, thresholds
from tests.core.decide.ordeal import Ordeal, me
from tests.core.decide.spite import STEPS, walk
from tests.core.worlds import DATES, ZONES, seeded
from tests.rulefiles.generated import files, written
from tests.support import shipped

# --- a long walk --------------------------------------------------------------------------------------------------------

SHORT, LONG = 800, 10_000
"""Campaign-hours of one seed; the long form is a million of them."""

WALKS = [*((seed, SHORT) for seed in range(6)), *(pytest.param(seed, LONG, marks=pytest.mark.soak) for seed in range(100))]


@pytest.mark.parametrize(("seed", "ticks"), WALKS)
def test_an_adversary_never_has_a_campaign_changed_beyond_its_limits(seed: int, ticks: int) -> None:
    lived = walk(seed, ticks)
    assert lived.clinic.ticks >= ticks


@pytest.mark.soak
def test_the_adversary_brings_everything_about() -> None:
    """The limits are reached in every way, so that staying within them means something."""
    made = [line for seed in range(6) for line in walk(seed, SHORT).made]
    assert {limit for line in made for limit in line.breaks} == {"cooldown", "max_changes_per_day", "edit_budget"}
    assert Counter(line.freely for line in made).keys() == {"", FLOOR, BACK}
    assert any(pauses(line) for line in made)
    assert any(not line.before.running for line in made)
    assert any(not line.edit for line in made)


def pauses(line: Line) -> bool:
    return line.before.running and not line.after.running


# --- the state machine --------------------------------------------------------------------------------------------------

seeds = st.integers(0, 2**20)
rule_files = st.one_of(
    st.sampled_from(SHIPPED).map(shipped),
    seeds.map(lambda seed: made_up(seeded(seed))),
    files().map(lambda data: check(written(data), "quay.yaml", PACKS)),
).map(enforced)


class Adversary(RuleBasedStateMachine):
    """An hour after the other, in any order: what is seen, and what people do."""

    clinic: Ordeal
    first: RuleSet

    @initialize(rules=rule_files, start=st.sampled_from(DATES), after=st.integers(0, 47), zone=st.sampled_from(ZONES))
    def begin(self, rules: RuleSet, start: datetime, after: int, zone: str) -> None:
        self.first = rules
        self.clinic = Ordeal(rules, start + timedelta(hours=after), zone)

    @rule(seed=seeds, count=st.sampled_from([1, 1, 2, 5, 30]), sight=st.sampled_from([1.0, 0.6]), lag=st.booleans())
    def hours_alike(self, seed: int, count: int, sight: float, *, lag: bool) -> None:
        self.hours([seed], count, sight, lag=lag)

    @rule(some=st.lists(seeds, min_size=2, max_size=2), count=st.sampled_from([2, 6, 20]), sight=st.sampled_from([1.0, 0.6]))
    def hours_to_and_fro(self, some: list[int], count: int, sight: float) -> None:
        self.hours(some, count, sight, lag=False)

    def hours(self, some: list[int], count: int, sight: float, *, lag: bool) -> None:
        at = thresholds(self.first)
        moments = [hour(self.clinic.rules, at, seeded(seed), sight) for seed in some]
        for n in range(count):
            self.clinic.run(moments[n % len(moments)], lag=lag)
            self.clinic.now += timedelta(hours=1)

    @rule(seed=seeds, step=st.sampled_from(STEPS))
    def a_run_and_then_a_gap(self, seed: int, step: timedelta) -> None:
        self.clinic.run(hour(self.clinic.rules, thresholds(self.first), seeded(seed), 0.9))
        self.clinic.now += step

    @rule(count=st.sampled_from([1, 3, 30]), seed=seeds)
    def cliniko_is_down(self, count: int, seed: int) -> None:
        for _ in range(count):
            self.clinic.run(hour(self.clinic.rules, thresholds(self.first), seeded(seed), 1.0), down=True)
            self.clinic.now += timedelta(hours=1)

    @rule(which=st.integers(0, 9), cents=st.integers(100, 20000), running=st.booleans(), handed_back=st.booleans())
    def somebody_edits_a_campaign(self, which: int, cents: int, *, running: bool, handed_back: bool) -> None:
        name = self.campaign(which)
        self.clinic.meddle(name, State(running, Decimal(cents) / 100))
        if handed_back:
            self.clinic.readopt(name)

    @precondition(lambda self: self.clinic.campaigns)
    @rule(which=st.integers(0, 9))
    def somebody_readopts(self, which: int) -> None:
        if me(self.clinic.rules.campaigns[self.campaign(which)]) in self.clinic.campaigns:
            self.clinic.readopt(self.campaign(which))

    @rule(which=st.integers(0, 9), everything=st.booleans(), hours=st.sampled_from([1, 30]))
    def somebody_holds(self, which: int, hours: int, *, everything: bool) -> None:
        self.clinic.hold(None if everything else self.campaign(which), self.clinic.now + timedelta(hours=hours))

    @rule()
    def the_holds_are_ended(self) -> None:
        self.clinic.unhold()

    @rule(edit=st.sampled_from(EDITS), seed=seeds)
    def the_file_is_edited(self, edit: Edit, seed: int) -> None:
        self.clinic.rules = edit(self.clinic.rules, seeded(seed))

    @rule()
    def the_file_is_put_back(self) -> None:
        self.clinic.rules = self.first

    def campaign(self, which: int) -> str:
        names = list(self.clinic.rules.campaigns)
        return names[which % len(names)]


def adversaries(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Adversary,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, suppress_health_check=list(HealthCheck), deadline=None
        ),
    )


def test_whatever_happens_in_whatever_order_the_limits_hold() -> None:
    adversaries(25, 20)


@pytest.mark.soak
def test_whatever_happens_in_whatever_order_the_limits_hold_for_long() -> None:
    adversaries(1000, 60)
