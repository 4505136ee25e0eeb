"""Kleene's tables, and comparisons of bounds against every number inside them."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.logic import UNBOUNDED, Bounds, Truth, every, negate, some

T, F, U = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
TABLE_AND = {(T, T): T, (T, F): F, (T, U): U, (F, T): F, (F, F): F, (F, U): F, (U, T): U, (U, F): F, (U, U): U}
TABLE_OR = {(T, T): T, (T, F): T, (T, U): T, (F, T): T, (F, F): F, (F, U): U, (U, T): T, (U, F): U, (U, U): U}

TESTS: dict[str, tuple[Callable[[Bounds, float], Truth], Callable[[float, float], bool]]] = {
    "at_least": (Bounds.at_least, lambda value, threshold: value >= threshold),
    "at_most": (Bounds.at_most, lambda value, threshold: value <= threshold),
    "above": (Bounds.above, lambda value, threshold: value > threshold),
    "below": (Bounds.below, lambda value, threshold: value < threshold),
}
ENDS = st.lists(st.integers(-4, 4), min_size=2, max_size=2).map(sorted)
NUMBERS = [n / 2 for n in range(-8, 9)]


def completions(value: Bounds) -> list[float]:
    return [number for number in NUMBERS if value.low <= number <= value.high]


def verdict(answers: set[bool]) -> Truth:
    return {frozenset({True}): T, frozenset({False}): F}.get(frozenset(answers), U)


@pytest.mark.parametrize(("pair", "result"), TABLE_AND.items())
def test_kleene_and(pair: tuple[Truth, Truth], result: Truth) -> None:
    assert every(pair) is result


@pytest.mark.parametrize(("pair", "result"), TABLE_OR.items())
def test_kleene_or(pair: tuple[Truth, Truth], result: Truth) -> None:
    assert some(pair) is result


def test_kleene_not_and_de_morgan() -> None:
    assert [negate(value) for value in (T, F, U)] == [F, T, U]
    for left, right in product(Truth, repeat=2):
        assert negate(every((left, right))) is some((negate(left), negate(right)))


def test_nothing_at_all_is_true_for_and_and_false_for_or() -> None:
    assert (every(()), some(())) == (T, F)


@given(ENDS, st.sampled_from(sorted(TESTS)), st.sampled_from(NUMBERS))
def test_a_comparison_is_true_on_all_completions_false_on_none_else_unknown(ends: list[int], op: str, limit: float) -> None:
    value = Bounds(None, *ends)
    ours, plain = TESTS[op]
    assert ours(value, limit) is verdict({plain(number, limit) for number in completions(value)})


@given(ENDS, ENDS)
def test_between_includes_its_ends(ends: list[int], limits: list[int]) -> None:
    value, (lowest, highest) = Bounds(None, *ends), limits
    assert value.between(lowest, highest) is verdict({lowest <= number <= highest for number in completions(value)})


def test_an_undefined_number_compares_with_nothing() -> None:
    assert {UNBOUNDED.at_least(0), UNBOUNDED.at_most(0), UNBOUNDED.above(0), UNBOUNDED.below(0)} == {U}


def test_at_least_within_and_unbounded_above_is_certain_below_its_low_end() -> None:
    none_in_the_window = Bounds(14, 14, math.inf)
    assert none_in_the_window.at_least(3) is T
    assert none_in_the_window.at_most(1) is F
    assert none_in_the_window.at_least(20) is U


@pytest.mark.parametrize("wrong", [(None, 2, 1), (3, 1, 2), (0, 1, 2), (None, math.nan, 1)])
def test_bounds_out_of_order_are_refused(wrong: tuple[float | None, float, float]) -> None:
    with pytest.raises(ValueError, match="out of order"):
        Bounds(*wrong)
