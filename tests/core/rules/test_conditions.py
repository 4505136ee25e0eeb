"""Conditions in three-valued logic, against every completion of what was not observed."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.decide.model import Reading
from service.core.logic import UNBOUNDED, Bounds, Truth
from service.core.metrics import Ask
from service.core.model import Reason
from service.core.rules.conditions import compare, judge
from service.core.rules.language import All, Any, Compare, Condition, Measure, Metric, Not, Op, one
from service.core.rules.walk import comparisons

METRICS = (Metric.UTILISATION, Metric.OPEN_SLOTS, Metric.SLOTS_OPENED)
Completion = dict[Metric, float]


def is_(metric: Metric, op: Op, threshold: int, upper: int | None = None) -> Compare:
    return Compare(Measure(metric), op, Decimal(threshold), None if upper is None else Decimal(upper))


def answering(readings: dict[Metric, Reading]) -> Ask:
    return lambda measure: readings[measure.metric]


# --- the property -------------------------------------------------------------------------------------------------------

COMPARES: st.SearchStrategy[Condition] = st.builds(
    lambda metric, op, a, b: is_(metric, op, min(a, b), max(a, b) if op is Op.BETWEEN else None),
    st.sampled_from(METRICS), st.sampled_from(list(Op)), st.integers(0, 4), st.integers(0, 4),
)  # fmt: skip
CONDITIONS = st.recursive(
    COMPARES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda terms: All(tuple(terms))),
        st.lists(inner, min_size=1, max_size=3).map(lambda terms: Any(tuple(terms))),
        inner.map(Not),
    ),
    max_leaves=6,
)
BOUNDS = st.tuples(st.integers(0, 4), st.integers(0, 4)).map(lambda ends: Bounds(None, min(ends), max(ends)))


def holds(condition: Condition, value: Completion) -> bool:
    """The same condition on plain numbers, in ordinary logic."""
    match condition:
        case Compare(measure=measure, op=op, threshold=threshold, upper=upper):
            number, limit = value[measure.metric], float(threshold)
            between = upper is not None and limit <= number <= float(upper)
            return {
                Op.AT_LEAST: number >= limit, Op.AT_MOST: number <= limit, Op.ABOVE: number > limit,
                Op.BELOW: number < limit, Op.BETWEEN: between,
            }[op]  # fmt: skip
        case All(terms=terms):
            return all(holds(term, value) for term in terms)
        case Any(terms=terms):
            return any(holds(term, value) for term in terms)
        case Not(term=term):
            return not holds(term, value)


def completions(readings: dict[Metric, Reading]) -> list[Completion]:
    halves = {m: [n / 2 for n in range(int(2 * r.bounds.low), int(2 * r.bounds.high) + 1)] for m, r in readings.items()}
    return [dict(zip(halves, values, strict=True)) for values in product(*halves.values())]


@given(CONDITIONS, st.fixed_dictionaries({metric: BOUNDS.map(Reading) for metric in METRICS}))
def test_true_only_if_every_completion_is_and_false_only_if_none_is(
    condition: Condition, readings: dict[Metric, Reading]
) -> None:
    answers = {holds(condition, value) for value in completions(readings)}
    truth = judge(condition, answering(readings)).truth
    if truth is not Truth.UNKNOWN:
        assert answers == {truth is Truth.TRUE}


@given(CONDITIONS, st.fixed_dictionaries({metric: st.integers(0, 4) for metric in METRICS}))
def test_fully_observed_is_ordinary_logic(condition: Condition, value: dict[Metric, int]) -> None:
    readings = {metric: Reading(Bounds.exactly(number)) for metric, number in value.items()}
    assert judge(condition, answering(readings)).truth is Truth.of(holds(condition, {m: float(n) for m, n in value.items()}))


@given(COMPARES, st.fixed_dictionaries({metric: BOUNDS.map(Reading) for metric in METRICS}))
def test_one_comparison_is_unknown_only_if_both_answers_are_possible(
    condition: Condition, readings: dict[Metric, Reading]
) -> None:
    answers = {holds(condition, value) for value in completions(readings)}
    assert (judge(condition, answering(readings)).truth is Truth.UNKNOWN) == (len(answers) == 2)


# --- causes and traces --------------------------------------------------------------------------------------------------

FULL = is_(Metric.UTILISATION, Op.AT_LEAST, 95)
OPENED = is_(Metric.SLOTS_OPENED, Op.AT_LEAST, 5)
NO_HISTORY = Reading(Bounds(None, 0, float("inf")), Reason.NO_HISTORY)
CLOSED = Reading(UNBOUNDED, Reason.CLOSED)


def test_no_condition_always_holds() -> None:
    assert judge(None, answering({})).truth is Truth.TRUE


def test_every_comparison_is_in_the_trace_though_the_first_decides() -> None:
    readings = {Metric.UTILISATION: Reading(Bounds.exactly(50)), Metric.SLOTS_OPENED: NO_HISTORY}
    judged = judge(All((FULL, Not(OPENED))), answering(readings))
    assert [(look.compare, look.truth) for look in judged.looks] == [(FULL, Truth.FALSE), (OPENED, Truth.UNKNOWN)]
    assert (judged.truth, judged.cause) == (Truth.FALSE, None)


@pytest.mark.parametrize(
    ("first", "second", "cause"),
    [
        pytest.param(NO_HISTORY, Reading(Bounds.exactly(99)), Reason.NO_HISTORY, id="the one that is unknown"),
        pytest.param(NO_HISTORY, CLOSED, Reason.CLOSED, id="undefined goes before not known well enough"),
        pytest.param(Reading(Bounds(None, 0, 9)), Reading(Bounds.exactly(99)), Reason.DATA_INCOMPLETE, id="no cause given"),
    ],
)
def test_an_unknown_condition_says_what_keeps_it_from_being_known(first: Reading, second: Reading, cause: Reason) -> None:
    judged = judge(All((OPENED, FULL)), answering({Metric.SLOTS_OPENED: first, Metric.UTILISATION: second}))
    assert (judged.truth, judged.cause) == (Truth.UNKNOWN, cause)


@given(CONDITIONS, st.fixed_dictionaries({metric: BOUNDS.map(Reading) for metric in METRICS}))
def test_every_line_of_the_trace_is_what_its_comparison_comes_to_alone(
    condition: Condition, readings: dict[Metric, Reading]
) -> None:
    ask = answering(readings)
    looks = judge(condition, ask).looks
    assert [look.compare for look in looks] == list(comparisons(condition))
    assert all(look.truth is judge(look.compare, ask).truth is compare(look.reading, look.compare) for look in looks)


def test_measures_are_one_object_unless_they_are_written_differently() -> None:
    def sure(text: str) -> Measure:
        return one(Measure(Metric.EXPECTED_OPEN_SLOTS, confidence=Decimal(text)))

    assert sure("80") is sure("80")
    assert (sure("80") == sure("80.0"), str(sure("80.0").confidence)) == (True, "80.0")


def test_a_measure_taken_to_another_process_finds_its_reading_there() -> None:
    written = pickle.dumps(Measure(Metric.OPEN_SLOTS, 7)).hex()
    look_up = (
        "import pickle; from service.core.rules.language import Measure, Metric; "
        f"print({{Measure(Metric.OPEN_SLOTS, 7): 5}}[pickle.loads(bytes.fromhex('{written}'))])"
    )
    command = [sys.executable, "-c", look_up]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONHASHSEED": "7"})  # noqa: S603 - our own code
    assert found.stdout == "5\n"
