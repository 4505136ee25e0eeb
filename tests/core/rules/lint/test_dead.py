"""What lint calls dead is dead: random rules, judged run after run in situations that occur, never prove it wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from service.core.decide.model import RuleState
from service.core.logic import Truth
from service.core.metrics import Ask
from service.core.rules.conditions import judge
from service.core.rules.evaluate import NO_MATCH, Considered, consider
from service.core.rules.language import (
    Action,
    Bands,
    Condition,
    Measure,
    Metric,
    Op,
    Pause,
    Percent,
    Rule,
    RuleSet,
    Step,
)
from service.core.rules.lint.axes import UPPER, axis_of
from service.core.rules.lint.checks import lint
from service.core.rules.lint.model import Check, Finding
from service.core.rules.lint.packs import about_any
from tests.core.rules.lint.situations import of_clinics
from tests.core.rules.lint.test_regions import condition, situation
from tests.core.worlds import seeded

SEEDS = [*range(150), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(150, 750))]
CLINICS = tuple(range(12))
HOUR = timedelta(hours=1)
START = datetime(2026, 3, 2, tzinfo=UTC)
MEASURES = [
    *(Measure(Metric.UTILISATION), Measure(Metric.OPEN_SLOTS), Measure(Metric.OPEN_SLOTS, 7), Measure(Metric.OPEN_HOURS)),
    *(Measure(Metric.DAYS_TO_NEXT_OPENING), Measure(Metric.FULL_DAYS), Measure(Metric.SLOTS_OPENED)),
]
"""Few, so that rules often stand in each other's way."""


def sure(ask: Ask) -> bool:
    """Whether every one of these measures has a value."""
    return all(axis_of(measure) in situation(ask, MEASURES) for measure in MEASURES)


def ruleset(chance: Random, asks: list[Ask]) -> RuleSet:
    found: list[Rule] = []
    for n in range(chance.randint(2, 5)):
        like = chance.choice(found) if found and chance.random() < 0.3 else None
        made = rule(chance, f"Rule {n}", asks)
        found.append(made if like is None else alike(chance, made, like))
    return about_any(found)


def alike(chance: Random, rule: Rule, other: Rule) -> Rule:
    """A rule that is in part the same as one above it."""
    if rule.bands is not None or other.bands is not None:
        return replace(other, name=rule.name)
    kept = {"when": other.when, "until": other.until, "hold_for": other.hold_for}
    same = chance.sample([*kept], chance.randint(1, 3))
    return replace(rule, **{key: value for key, value in kept.items() if key in same})  # type: ignore[arg-type] # its fields


def rule(chance: Random, name: str, asks: list[Ask]) -> Rule:
    def stated(depth: int) -> Condition:
        known = situation(chance.choice(asks), MEASURES)
        return condition(chance, known, MEASURES[: chance.randint(1, len(MEASURES))], depth)

    if chance.random() < 0.3:
        return Rule(name, (), bands=ladder(chance, asks))
    actions: list[Action] = [Pause(), Percent(Decimal(60)), Percent(Decimal(130))]
    action = chance.choice(actions)
    waits, latched = chance.choice([0, 0, 0, 1, 2]) * HOUR, chance.random() < 0.4
    return Rule(name, (), when=stated(chance.randint(0, 2)), until=stated(1) if latched else None, hold_for=waits, then=action)


def ladder(chance: Random, asks: list[Ask]) -> Bands:
    measure = chance.choice(MEASURES[:4])
    falls, known = (
        chance.random() < 0.5,
        [situation(ask, MEASURES)[axis_of(measure, UPPER)] for ask in chance.choices(asks, k=3)],
    )
    marks = sorted({Decimal(str(round(value, 1))) for value in known}, reverse=falls)
    steps = [Step(Op.AT_LEAST if falls else Op.AT_MOST, mark, Percent(Decimal(60 + n))) for n, mark in enumerate(marks)]
    last = [Step(None, None, Percent(Decimal(130)))] if chance.random() < 0.5 else []
    return Bands(measure, Decimal(chance.choice([0, 2, 5])), (*steps, *last))


def lives(rules: RuleSet, asks: list[Ask]) -> Iterator[tuple[Rule, Considered]]:
    """Which rules may decide, run after run, and what they came to; not where a latch above ends and would begin anew."""
    states = {rule.name: RuleState() for rule in rules.rules}
    for n, ask in enumerate(asks):
        found = {rule.name: consider(rule, ask, states[rule.name], START + n * HOUR) for rule in rules.rules}
        for rule in rules.rules:
            considered = found[rule.name]
            if considered.outcomes != (NO_MATCH,):
                yield rule, considered
            if NO_MATCH not in considered.outcomes or _begins_anew(rule, states[rule.name], ask):
                break
        states = {name: considered.state for name, considered in found.items()}


def _begins_anew(rule: Rule, before: RuleState, ask: Ask) -> bool:
    ended = before.on_since is not None and judge(rule.until, ask).truth is Truth.TRUE
    return ended and judge(rule.when, ask).truth is not Truth.FALSE


def refutes(finding: Finding, rule: Rule, considered: Considered) -> bool:
    """Whether that this rule may decide, on the step it remembers, is what a finding says never happens."""
    if finding.place.rule != rule:
        return False
    if finding.check is Check.STEP_NEVER_REACHED and rule.bands is not None:
        step = finding.place.path[-1]
        return isinstance(step, int) and rule.bands.steps[step].key == considered.state.band
    if finding.check is Check.WHEN_NEVER_HOLDS:
        return NO_MATCH not in considered.outcomes
    return finding.check is Check.NEVER_REACHED


def sample(seed: int) -> tuple[RuleSet, list[Ask]]:
    """A rule set, and two hundred runs in situations that change now and then."""
    chance = seeded(seed)
    asks = [ask for ask in of_clinics(CLINICS) if sure(ask)]
    moments = [ask for ask in chance.choices(asks, k=60) for _ in range(chance.randint(1, 5))]
    return ruleset(chance, asks), moments


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.sampled(4)
def test_what_is_called_dead_never_decides(seed: int) -> None:
    rules, moments = sample(seed)
    dead = lint(rules)
    for rule, considered in lives(rules, moments):
        assert not [finding for finding in dead if refutes(finding, rule, considered)], rules.rules


@pytest.mark.parametrize("seed", SEEDS)
def test_an_until_that_is_said_never_to_hold_never_does(seed: int) -> None:
    rules, moments = sample(seed)
    never = [finding.place.rule for finding in lint(rules) if finding.check is Check.UNTIL_NEVER_HOLDS]
    for rule in never:
        assert rule is not None
        assert all(judge(rule.until, ask).truth is not Truth.TRUE for ask in moments)


@pytest.mark.soak
def test_there_is_something_to_prove_wrong() -> None:
    found = [finding.check for seed in range(150) for finding in lint(sample(seed)[0])]
    assert found.count(Check.NEVER_REACHED) >= 20
    assert found.count(Check.STEP_NEVER_REACHED) >= 20
    assert found.count(Check.WHEN_NEVER_HOLDS) >= 10
    assert found.count(Check.UNTIL_NEVER_HOLDS) >= 2
