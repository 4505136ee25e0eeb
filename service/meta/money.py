"""Amounts between `Decimal` major units and the integers Meta's budgets are written in. Pure.

The offsets are Meta's own table (Marketing API, "Currencies"), not ISO 4217 exponents: HUF, TWD, COP, CRC and IDR differ
from them, and BHD and JOD have two places here though ISO gives them three. Insights `spend` is in major units already.
"""

from __future__ import annotations

from decimal import Decimal

from service.core.errors import RefusedError

_WHOLE = "CLP COP CRC HUF IDR ISK JPY KRW PYG TWD VND"
_HUNDREDTHS = (
    "AED ARS AUD BDT BGN BHD BOB BRL CAD CHF CNY CZK DKK DZD EGP EUR GBP GTQ HKD HNL HRK ILS INR JOD KES MOP MXN MYR NGN "
    "NIO NOK NZD PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TRY UAH USD UYU VEF VES ZAR"
)
UNITS: dict[str, Decimal] = {
    **dict.fromkeys(_WHOLE.split(), Decimal(1)),
    **dict.fromkeys(_HUNDREDTHS.split(), Decimal("0.01")),
}
"""One minor unit of each currency Meta lists, in major units."""


def unit(currency: str) -> Decimal:
    """One minor unit in major units; `RefusedError` for a currency whose offset nobody documents."""
    try:
        return UNITS[currency]
    except KeyError:
        raise RefusedError(
            "meta", f"Meta does not list a minor unit for {currency or 'no currency'}, so no amount can be read or written",
            code="currency",
        ) from None  # fmt: skip


def from_minor(minor: int, currency: str) -> Decimal:
    """5000 minor units of AUD are 50.00; of JPY, 5000."""
    return minor * unit(currency)


def to_minor(amount: Decimal, currency: str) -> int:
    """The integer to send for `amount`; `RefusedError` unless it is a positive whole number of minor units."""
    step = unit(currency)
    if not amount.is_finite() or amount <= 0 or amount % step:
        raise RefusedError("meta", f"{amount} {currency} is no budget Meta can hold: it must be a positive multiple of {step}",
                           code="amount")  # fmt: skip
    return int(amount / step)
