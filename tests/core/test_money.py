"""Money in multiples of what a platform can step by."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.money import percent_of, round_down, shown

UNITS = st.sampled_from([Decimal("0.01"), Decimal("0.05"), Decimal(1), Decimal("0.001"), Decimal(10)])
AMOUNTS = st.decimals(0, 1_000_000, places=4)


@pytest.mark.parametrize(
    ("amount", "unit", "rounded"),
    [("33.519", "0.01", "33.51"), ("33.519", "1", "33"), ("7.49", "0.05", "7.45"), ("60", "0.01", "60.00"), ("0.9", "1", "0")],
)
def test_amounts_are_rounded_down_and_written_with_the_digits_of_the_unit(amount: str, unit: str, rounded: str) -> None:
    assert str(round_down(Decimal(amount), Decimal(unit))) == rounded


@given(AMOUNTS, UNITS)
def test_the_result_is_a_multiple_never_above_and_less_than_a_unit_below(amount: Decimal, unit: Decimal) -> None:
    rounded = round_down(amount, unit)
    assert rounded % unit == 0
    assert 0 <= amount - rounded < unit
    assert round_down(rounded, unit) == rounded


def test_a_percentage_of_base_is_exact() -> None:
    assert percent_of(Decimal("59.99"), Decimal(130)) == Decimal("77.987")


def test_amounts_as_people_read_them() -> None:
    assert shown(Decimal("1250.00"), "AUD") == "1,250.00 AUD"
    assert shown(Decimal(8000), "JPY") == "8,000 JPY"
    assert shown(None, "AUD") == "no daily budget"
