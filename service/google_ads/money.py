"""Money at the border: `Decimal` in major units on our side, int64 micros on Google's.

One unit of a currency is 1,000,000 micros, and a budget must be a multiple of the currency's billable unit
(`currency_constant.billable_unit_micros`; else `CampaignBudgetError.NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT`). The SDK
truncates floats in silence, so none ever gets here. Pure.
"""

from __future__ import annotations

from decimal import Decimal

MICRO_DIGITS = 6


def unit_of(billable_unit_micros: int) -> Decimal:
    """The smallest step of a budget in major units: 10,000 micros are `0.01`, 1,000,000 are `1`."""
    _checked(billable_unit_micros)
    if billable_unit_micros <= 0:
        raise ValueError(f"a billable unit of {billable_unit_micros} micros")
    unit = Decimal(billable_unit_micros).scaleb(-MICRO_DIGITS).normalize()
    return unit.quantize(Decimal(1)) if unit == unit.to_integral_value() else unit  # 10, not 1E+1


def from_micros(micros: int, unit: Decimal) -> Decimal:
    """An amount in major units, written with the currency's digits unless it is finer than the unit; never rounded."""
    exact = Decimal(_checked(micros)).scaleb(-MICRO_DIGITS)
    written = exact.quantize(unit)
    return written if written == exact else exact.normalize()


def to_micros(amount: Decimal, unit: Decimal) -> int:
    """An amount as micros, rounded down to the unit so that nothing costs more than was decided.

    Raises ValueError for an amount that is not a finite, non-negative number.
    """
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"not an amount of money: {amount}")
    return _checked(int(amount // unit) * exact_micros(unit))


def exact_micros(amount: Decimal) -> int:
    """An amount as micros, unrounded. Raises ValueError if it is finer than a micro."""
    micros = amount.scaleb(MICRO_DIGITS)
    if micros != int(micros):
        raise ValueError(f"finer than a micro: {amount}")
    return _checked(int(micros))


def _checked(micros: int) -> int:
    """Refuse what only looks like an int: the SDK would take a bool, and a float without complaint."""
    if type(micros) is not int:
        raise TypeError(f"micros are int, not {type(micros).__name__}")
    return micros
