"""Decimal to micros and back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.google_ads.money import exact_micros, from_micros, to_micros, unit_of

CENT, YEN = Decimal("0.01"), Decimal(1)


@pytest.mark.parametrize(
    ("micros", "written"), [(10_000, "0.01"), (50_000, "0.05"), (1_000_000, "1"), (10_000_000, "10"), (1_000, "0.001")]
)
def test_a_billable_unit_is_written_in_major_units(micros: int, written: str) -> None:
    assert str(unit_of(micros)) == written


@pytest.mark.parametrize(
    ("amount", "unit", "micros"),
    [
        ("33.51", CENT, 33_510_000),
        ("33.519", CENT, 33_510_000),
        ("12.999", YEN, 12_000_000),
        ("0.009", CENT, 0),
        ("7.47", Decimal("0.05"), 7_450_000),
    ],
)
def test_amounts_are_rounded_down_to_the_unit(amount: str, unit: Decimal, micros: int) -> None:
    assert to_micros(Decimal(amount), unit) == micros


def test_amounts_are_shown_with_the_digits_of_the_currency() -> None:
    assert str(from_micros(60_000_000, CENT)) == "60.00"
    assert str(from_micros(60_000_000, YEN)) == "60"
    assert str(from_micros(12_345_678, CENT)) == "12.345678"


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-0.01"])
def test_what_is_no_amount_of_money_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        to_micros(Decimal(amount), CENT)


@pytest.mark.parametrize("value", [1.0, True, Decimal(1), "1"])
def test_only_an_int_is_micros(value: Any) -> None:
    with pytest.raises(TypeError, match="micros are int"):
        from_micros(value, CENT)


def test_what_is_finer_than_a_micro_or_no_unit_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="finer"):
        exact_micros(Decimal("0.0000001"))
    with pytest.raises(ValueError, match="billable unit"):
        unit_of(0)


@given(micros=st.integers(0, 10**15), unit=st.sampled_from([CENT, YEN, Decimal("0.05"), Decimal("0.001")]))
def test_micros_survive_the_way_there_and_back(micros: int, unit: Decimal) -> None:
    assert exact_micros(from_micros(micros, unit)) == micros
    written = to_micros(from_micros(micros, unit), unit)
    assert written % exact_micros(unit) == 0
    assert 0 <= micros - written < exact_micros(unit)
