"""Money: `Decimal` in major units of one currency, never a float, always a multiple of what the platform can step by. Pure."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal


def round_down(amount: Decimal, unit: Decimal) -> Decimal:
    """The largest multiple of `unit` that is not above `amount`, written with the unit's digits."""
    return ((amount / unit).to_integral_value(rounding=ROUND_DOWN) * unit).quantize(unit)


def percent_of(base: Decimal, percent: Decimal) -> Decimal:
    """`percent`% of `base`, unrounded."""
    return base * percent / 100


def shown(amount: Decimal | None, currency: str) -> str:
    """`60.00 AUD`; `no daily budget` for None."""
    return "no daily budget" if amount is None else f"{amount:,f} {currency}"
