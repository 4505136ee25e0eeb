"""The first rule that matches decides, and what is not known never moves spend further than the truth could justify."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.decide.model import Proposal, Reading, RuleState
from service.core.decide.proposals import position, propose, share_of
from service.core.logic import UNBOUNDED, Bounds
from service.core.model import Reason, State
from service.core.rules.evaluate import Considered, consider
from service.core.rules.language import (
    Action,
    All,
    Amount,
    Any,
    Bands,
    Compare,
    Condition,
    CostPerBooking,
    Measure,
    Metric,
    Named,
    NamedBudget,
    Not,
    Op,
    Pause,
    Percent,
    Rule,
    Step,
)
from tests.core.decide.made import ENTRY, HOUR, NOON, at, paused, seen

Judged = Sequence[tuple[Rule, Considered]]


def rule(name: str, *outcomes: Action | None, cause: Reason | None = None) -> tuple[Rule, Considered]:
    return Rule(name, (ENTRY.name,)), Considered(outcomes, RuleState(), cause=cause)


def pct(percent: int) -> Percent:
    return Percent(Decimal(percent))


def proposed(judged: Judged, here: State | None = None, worth: Reading | None = None) -> Proposal:
    here = here or at(60)
    return propose(ENTRY, seen(here), here, judged, lambda *_: worth or Reading(Bounds.exactly(0)))


# --- by hand ------------------------------------------------------------------------------------------------------------

FULL, EMPTY = rule("Full", Pause()), rule("Empty", pct(130))
MAYBE_FULL = rule("Full", Pause(), None, cause=Reason.DATA_INCOMPLETE)
NOT_FULL = rule("Full", None)


@pytest.mark.parametrize(
    ("judged", "here", "target", "by"),
    [
        pytest.param([FULL, EMPTY], at(60), paused(), "Full", id="the first that matches decides"),
        pytest.param([NOT_FULL, EMPTY], at(60), at(78), "Empty", id="one that does not match is passed over"),
        pytest.param([NOT_FULL], at(78), at(60), None, id="nothing matched: base"),
        pytest.param([NOT_FULL], paused(), at(60), None, id="nothing matched: running"),
        pytest.param([MAYBE_FULL, rule("Cut", pct(50))], at(60), at(30), "Cut", id="unknown: the smallest of the cuts"),
        pytest.param([MAYBE_FULL, rule("Cut", pct(50))], paused(), None, None, id="unknown: one may be what is in force"),
        pytest.param([MAYBE_FULL, EMPTY], at(60), None, None, id="unknown: a cut or a raise is neither"),
        pytest.param([MAYBE_FULL], at(78), at(60), None, id="unknown: at least back to base"),
        pytest.param([rule("Full", Pause(), pct(0))], at(60), at(0), "Full", id="unknown: a pause is below any budget"),
        pytest.param([rule("Ladder", pct(100), pct(130))], at(30), at(60), "Ladder", id="unknown: the smallest of the raises"),
        pytest.param([rule("Ladder", pct(100), pct(100))], at(30), at(60), "Ladder", id="unknown, but all the same"),
    ],
)
def test_what_is_proposed(judged: Judged, here: State, target: State | None, by: str | None) -> None:
    found = proposed(judged, here)
    assert (found.target, found.rule) == (target, by)


def test_rules_below_that_would_have_matched_are_overruled() -> None:
    judged = [NOT_FULL, FULL, EMPTY, rule("Unsure", pct(50), None), rule("Last", pct(90))]
    assert proposed(judged).overruled == ("Empty", "Last")


def test_with_an_unknown_rule_those_that_were_asked_are_not_overruled() -> None:
    assert proposed([MAYBE_FULL, rule("Cut", pct(50)), rule("Last", pct(90))]).overruled == ("Last",)


def test_the_sentence_says_what_it_cannot_tell_apart() -> None:
    found = proposed([MAYBE_FULL, EMPTY])
    assert found.cause is Reason.DATA_INCOMPLETE
    assert "“Full”" in found.sentence
    assert "“Empty”" in found.sentence


def compared(metric: Metric, op: Op, threshold: int) -> Compare:
    return Compare(Measure(metric), op, Decimal(threshold))


ROOM = All((
    Not(compared(Metric.UTILISATION, Op.AT_LEAST, 95)),
    Any((compared(Metric.OPEN_SLOTS, Op.AT_LEAST, 5), Not(compared(Metric.FULL_DAYS, Op.AT_LEAST, 2)))),
))  # fmt: skip


def sentence(decider: Rule, readings: Mapping[Metric, float], state: RuleState | None = None) -> str:
    found = consider(decider, lambda asked: Reading(Bounds.exactly(readings[asked.metric])), state or RuleState(), NOON)
    return proposed([(decider, found)]).sentence


def test_what_stands_under_not_is_a_reason_where_it_fails_and_reads_as_what_holds() -> None:
    room = Rule("Room", (ENTRY.name,), when=ROOM, then=pct(120))
    said = sentence(room, {Metric.UTILISATION: 70, Metric.OPEN_SLOTS: 9, Metric.FULL_DAYS: 4})
    assert said == "“Room”: utilisation over 14 days is 70% (below 95%), open slots over 14 days is 9 (at least 5)"
    said = sentence(room, {Metric.UTILISATION: 70, Metric.OPEN_SLOTS: 4, Metric.FULL_DAYS: 1})
    assert said == "“Room”: utilisation over 14 days is 70% (below 95%), full days over 14 days is 1 (below 2)"


def test_a_latch_says_what_its_until_waits_for_under_not_too() -> None:
    full = compared(Metric.UTILISATION, Op.AT_LEAST, 95)
    latch = Rule("Full", (ENTRY.name,), when=full, until=Not(replace(full, threshold=Decimal(88))), then=Pause())
    said = sentence(latch, {Metric.UTILISATION: 91}, RuleState(on_since=NOON - HOUR))
    assert said == "“Full” stays on until its `until` holds (utilisation over 14 days is 91% (below 88%))"


def test_otherwise_is_reasoned_by_the_step_that_fails() -> None:
    steps = (Step(Op.AT_LEAST, Decimal(90), NamedBudget(Named.FLOOR)), Step(None, None, pct(130)))
    ladder = Rule("Ladder", (ENTRY.name,), bands=Bands(Measure(Metric.UTILISATION), Decimal(8), steps))
    assert sentence(ladder, {Metric.UTILISATION: 40}) == "“Ladder”: utilisation over 14 days is 40% (below 90%)"


@pytest.mark.parametrize("cause", [Reason.CLOSED, Reason.LEAD_TIME, Reason.NOT_SOLD_ONLINE, Reason.CLINIKO_UNREADABLE])
def test_nothing_moves_on_a_metric_that_has_no_value(cause: Reason) -> None:
    judged = [
        rule("New", pct(30), None, cause=Reason.NO_HISTORY),
        rule("Full", Pause(), None, cause=cause),
        rule("Cut", pct(50)),
    ]
    found = proposed(judged)
    assert (found.target, found.cause) == (None, cause)


def test_budgets_are_rounded_down_to_what_the_platform_can_step_by() -> None:
    campaign = replace(seen(at(60)), unit=Decimal(1))
    found = propose(ENTRY, campaign, at(60), [rule("Odd", Amount(Decimal("33.99")))], lambda *_: Reading(UNBOUNDED))
    assert found.target == at(33)


@pytest.mark.parametrize(
    ("action", "budget"),
    [
        (NamedBudget(Named.FLOOR), 10),
        (NamedBudget(Named.BASE), 60),
        (NamedBudget(Named.CEILING), 120),
        (Amount(Decimal("35.00")), 35),
        (pct(130), 78),
    ],
)
def test_budgets_by_name_amount_and_percentage(action: Action, budget: int) -> None:
    assert proposed([rule("Rule", action)]).target == at(budget)


WORTH = rule("Fill", CostPerBooking(Decimal(45)))


@pytest.mark.parametrize(
    ("worth", "here", "target", "cause"),
    [
        pytest.param(Reading(Bounds.exactly(48.239)), at(60), at("48.23"), None, id="known"),
        pytest.param(Reading(Bounds(None, 20, 40), Reason.DATA_INCOMPLETE), at(60), at(40), Reason.DATA_INCOMPLETE, id="cut"),
        pytest.param(Reading(Bounds(None, 20, 80), Reason.DATA_INCOMPLETE), at(60), None, Reason.DATA_INCOMPLETE, id="either"),
        pytest.param(Reading(Bounds(None, 130, 900), Reason.DATA_INCOMPLETE), at(60), at(120), None, id="beyond the ceiling"),
        pytest.param(
            Reading(Bounds(None, 0, float("inf")), Reason.NOT_SOLD_ONLINE), at(60), None, Reason.NOT_SOLD_ONLINE, id="not sold"
        ),
    ],
)
def test_what_filling_openings_is_worth(worth: Reading, here: State, target: State | None, cause: Reason | None) -> None:
    found = proposed([WORTH], here, worth)
    assert (found.target, found.cause) == (target, cause)


def test_a_services_money_is_split_over_its_campaigns_by_base_budget() -> None:
    entries = {name: replace(ENTRY, name=name, base=Decimal(base)) for name, base in (("a", 60), ("b", 40))}
    other = replace(ENTRY, name="c", service="podiatry")
    assert share_of({**entries, "c": other}, entries["b"]) == Decimal("0.4")


# --- the property -------------------------------------------------------------------------------------------------------

METRICS = (Metric.UTILISATION, Metric.OPEN_SLOTS)
NUMBERS = st.integers(0, 4)


def compares() -> st.SearchStrategy[Condition]:
    ops = st.sampled_from([Op.AT_LEAST, Op.AT_MOST, Op.ABOVE, Op.BELOW])
    plain: st.SearchStrategy[Condition] = st.builds(
        lambda metric, op, threshold: Compare(Measure(metric), op, Decimal(threshold)), st.sampled_from(METRICS), ops, NUMBERS
    )
    return st.one_of(plain, plain.map(Not))


ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.just(Pause()), st.sampled_from([30, 60, 100, 130, 200]).map(pct),
    st.sampled_from(list(Named)).map(NamedBudget), st.just(CostPerBooking(Decimal(45))),
)  # fmt: skip
LADDERS = st.builds(
    lambda metric, margin, steps, rest: Bands(
        Measure(metric),
        Decimal(margin),
        (*(Step(op, Decimal(n), action) for op, n, action in steps), *(Step(None, None, action) for action in rest)),
    ),
    st.sampled_from(METRICS), st.integers(0, 2),
    st.lists(st.tuples(st.sampled_from([Op.AT_LEAST, Op.BELOW]), NUMBERS, ACTIONS), min_size=1, max_size=3),
    st.lists(ACTIONS, max_size=1),
)  # fmt: skip
RULES = st.one_of(
    st.builds(
        lambda when, wait, until, then: Rule("", (ENTRY.name,), when=when, hold_for=wait, until=until, then=then),
        st.none() | compares(), st.sampled_from([timedelta(0), 2 * HOUR]), st.none() | compares(), ACTIONS,
    ),
    LADDERS.map(lambda bands: Rule("", (ENTRY.name,), bands=bands)),
)  # fmt: skip


def earliest(*instants: datetime | None) -> datetime | None:
    return min((instant for instant in instants if instant), default=None)


SINCE = st.sampled_from([None, NOON - HOUR, NOON - 2 * HOUR, NOON - 5 * HOUR])
STATES = st.builds(
    RuleState,
    true_since=SINCE, maybe_since=SINCE, on_since=SINCE,
    band=st.sampled_from([None, "at_least 90", "at_least 55", "otherwise"]),
    seen_at=st.sampled_from([NOON - HOUR, NOON - 4 * HOUR]),
).map(lambda state: replace(state, maybe_since=earliest(state.true_since, state.maybe_since)))  # fmt: skip
ENDS = st.tuples(NUMBERS, NUMBERS).map(sorted)
WORTHS = st.tuples(st.sampled_from([0, 20, 50, 70, 200]), st.sampled_from([0, 20, 50, 70, 200])).map(sorted)
HERE = st.one_of(st.sampled_from([10, 30, 36, 60, 78, 120]).map(at), st.just(paused()))


@dataclass(frozen=True, slots=True)
class World:
    """What is known of one moment: ends of each metric, of what openings are worth, and each rule with its memory."""

    metrics: dict[Metric, list[int]]
    worth: list[int]
    rules: list[tuple[Rule, RuleState]]
    here: State

    def proposal(self, metrics: dict[Metric, Bounds], worth: Bounds, *, held_all_along: bool) -> Proposal:
        judged = []
        for one, state in self.rules:
            remembered = replace(state, true_since=state.maybe_since, seen_at=NOON - HOUR) if held_all_along else state
            judged.append((one, consider(one, lambda measure: _reading(metrics[measure.metric]), remembered, NOON)))
        return propose(ENTRY, seen(self.here), self.here, judged, lambda *_: _reading(worth))

    def observed(self) -> Proposal:
        metrics = {metric: Bounds(None, *ends) for metric, ends in self.metrics.items()}
        return self.proposal(metrics, Bounds(None, *self.worth), held_all_along=False)

    def completions(self) -> list[Proposal]:
        """What would be proposed if everything were known, for every way it could turn out."""
        halves = [[n / 2 for n in range(2 * low, 2 * high + 1)] for low, high in self.metrics.values()]
        found = []
        for values in product(*halves):
            metrics = {metric: Bounds.exactly(value) for metric, value in zip(self.metrics, values, strict=True)}
            for worth, held in product({*self.worth, sum(self.worth) / 2}, (False, True)):
                found.append(self.proposal(metrics, Bounds.exactly(worth), held_all_along=held))
        return found


def _reading(bounds: Bounds) -> Reading:
    return Reading(bounds, None if bounds.exact else Reason.DATA_INCOMPLETE)


WORLDS = st.builds(
    lambda metrics, worth, rules, here: World(
        metrics, worth, [(replace(one, name=f"rule {n}"), state) for n, (one, state) in enumerate(rules)], here
    ),
    st.fixed_dictionaries(dict.fromkeys(METRICS, ENDS)), WORTHS,
    st.lists(st.tuples(RULES, STATES), max_size=4), HERE,
)  # fmt: skip


@given(WORLDS)
def test_bad_data_never_moves_spend_further_than_or_against_what_the_truth_could_justify(world: World) -> None:
    proposal, here = world.observed(), position(world.here)
    if proposal.target is None:
        return
    wish = position(proposal.target)
    for possible in world.completions():
        if possible.target is not None:
            truth = position(possible.target)
            assert truth >= wish if wish > here else truth <= wish if wish < here else truth == here
        else:
            assert wish == here


@given(WORLDS)
def test_what_is_fully_known_is_certain_whatever_the_rules(world: World) -> None:
    sure = [(one, replace(state, maybe_since=state.true_since)) for one, state in world.rules]
    exact = replace(
        world, metrics={m: [ends[0]] * 2 for m, ends in world.metrics.items()}, worth=[world.worth[0]] * 2,
        rules=[(one, replace(state, seen_at=NOON - HOUR)) for one, state in sure],
    )  # fmt: skip
    found = exact.observed()
    assert found.certain
    assert found.target is not None


def test_the_sentence_of_a_priced_budget_names_the_price_and_the_worth() -> None:
    found = proposed([WORTH], State(running=True, budget=Decimal("60.00")), Reading(Bounds.exactly(38.571)))
    assert "over 14 days are worth 38.57 a day to this campaign at 45 per booking" in found.sentence
