"""Dividing a total in proportion: exact, and nobody below the minimum."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import RefusedError
from service.core.model import Platform, Share, Shares
from service.core.shares import scaled

CENT = Decimal("0.01")
units = st.sampled_from([CENT, Decimal(1), Decimal("0.05")])


def shares(*amounts: str | int) -> Shares:
    return tuple(Share(str(n), Decimal(amount)) for n, amount in enumerate(amounts))


def amounts(weights: Shares, total: str, least: str = "0", unit: Decimal = CENT) -> list[str]:
    made = scaled(weights, Decimal(total), unit=unit, least=Decimal(least), platform=Platform.META)
    assert [share.id for share in made] == [weight.id for weight in weights]
    return [str(share.budget) for share in made]


@st.composite
def divisions(draw: st.DrawFn) -> tuple[Shares, Decimal, Decimal, Decimal]:
    """Weights, a total that can be divided, the unit, and the least."""
    unit, least = draw(units), draw(st.integers(0, 500))
    weights = draw(st.lists(st.integers(1, 100_000), min_size=1, max_size=20))
    total = draw(st.integers(max(least, 1) * len(weights), 200_000))
    return shares(*(str(weight * unit) for weight in weights)), total * unit, unit, least * unit


@given(divisions())
def test_the_sum_is_exact_and_each_is_a_multiple_of_the_unit_and_no_less_than_the_least(
    made: tuple[Shares, Decimal, Decimal, Decimal],
) -> None:
    weights, total, unit, least = made
    found = scaled(weights, total, unit=unit, least=least, platform=Platform.META)
    assert sum(share.budget for share in found) == total
    assert all(share.budget >= least and share.budget % unit == 0 for share in found)


@given(divisions())
def test_without_a_minimum_nobody_is_a_whole_unit_off_the_exact_proportion(
    made: tuple[Shares, Decimal, Decimal, Decimal],
) -> None:
    weights, total, unit, _ = made
    found = scaled(weights, total, unit=unit, least=Decimal(0), platform=Platform.META)
    whole = sum(Fraction(weight.budget) for weight in weights)
    for weight, share in zip(weights, found, strict=True):
        assert abs(Fraction(share.budget) - Fraction(weight.budget) * Fraction(total) / whole) < Fraction(unit)


@given(divisions())
def test_who_had_more_does_not_get_less(made: tuple[Shares, Decimal, Decimal, Decimal]) -> None:
    weights, total, unit, least = made
    found = scaled(weights, total, unit=unit, least=least, platform=Platform.META)
    ranked = sorted(zip(weights, found, strict=True), key=lambda pair: (pair[0].budget, pair[1].budget))
    assert [share.budget for _, share in ranked] == sorted(share.budget for share in found)


@given(divisions(), st.integers(1, 100_000))
def test_scaled_back_to_what_it_was_it_is_what_it_was(made: tuple[Shares, Decimal, Decimal, Decimal], steps: int) -> None:
    weights, _, unit, _ = made
    whole = sum((weight.budget for weight in weights), Decimal(0))
    assert scaled(weights, whole, unit=unit, least=Decimal(0), platform=Platform.META) == weights
    elsewhere = scaled(weights, steps * unit, unit=unit, least=Decimal(0), platform=Platform.META)
    assert sum(share.budget for share in elsewhere) == steps * unit


@pytest.mark.parametrize(
    ("weights", "total", "least", "expected"),
    [
        (shares("10.00", "30.00"), "24.00", "1", ["6.00", "18.00"]),
        (shares("10.00", "10.00", "10.00"), "10.00", "1", ["3.34", "3.33", "3.33"]),
        (shares("1.00", "39.00"), "20.00", "1.00", ["1.00", "19.00"]),
        (shares("1.00", "1.00", "38.00"), "4.00", "1.00", ["1.00", "1.00", "2.00"]),
        (shares("1.00", "2.00", "97.00"), "3.00", "1.00", ["1.00", "1.00", "1.00"]),
        (shares("5.00"), "7.77", "1.00", ["7.77"]),
        (shares("0", "0"), "3.01", "0", ["1.51", "1.50"]),
    ],
    ids=str,
)
def test_divisions_worked_by_hand(weights: Shares, total: str, least: str, expected: list[str]) -> None:
    assert amounts(weights, total, least) == expected


def test_yen_are_divided_whole() -> None:
    assert amounts(shares(1000, 1000, 1000), "1000", "100", Decimal(1)) == ["334", "333", "333"]


def test_a_minimum_between_two_units_counts_as_the_upper_one() -> None:
    assert amounts(shares(1, 99), "10.00", "1.001") == ["1.01", "8.99"]


def test_too_little_for_all_is_refused_with_the_smallest_total_that_works() -> None:
    with pytest.raises(RefusedError, match=r"among 3 ad sets of at least 1\.00 each; .* works is 3\.00"):
        amounts(shares(1, 1, 1), "2.99", "1.00")
    assert amounts(shares(1, 1, 1), "3.00", "1.00") == ["1.00", "1.00", "1.00"]


@pytest.mark.parametrize(("weights", "total"), [(shares(1, 1), "1.005"), ((), "1.00")], ids=["half a cent", "nobody"])
def test_what_cannot_be_divided_exactly_is_refused(weights: Shares, total: str) -> None:
    with pytest.raises(RefusedError, match="no multiple"):
        amounts(weights, total)
