"""Dividing a total among the parts of a budget in proportion, exactly. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction

from service.core.errors import RefusedError
from service.core.model import Platform, Share, Shares


def scaled(weights: Shares, total: Decimal, *, unit: Decimal, least: Decimal, platform: Platform) -> Shares:
    """`total` in proportion to the amounts of `weights`: multiples of `unit`, none below `least`, their sum exactly `total`.

    What is left over after rounding down goes, a unit each, to those that lost most by it (largest remainder); those whose
    part would be below `least` get that much and the others share the rest. Raises RefusedError where that cannot be done.
    """
    lowest = int((least / unit).to_integral_value(rounding=ROUND_CEILING))
    if total < lowest * unit * len(weights):
        raise RefusedError(
            platform, f"{total} cannot be divided among {len(weights)} ad sets of at least {lowest * unit} each; "
            f"the smallest total that works is {lowest * unit * len(weights)}", code="below_minimum",
        )  # fmt: skip
    if not weights or total % unit:
        raise RefusedError(platform, f"{total} is no multiple of {unit} that could be divided exactly", code="amount")
    amounts = _divided([Fraction(weight.budget) for weight in weights], int(total / unit), lowest)
    return tuple(Share(weight.id, amount * unit) for weight, amount in zip(weights, amounts, strict=True))


def _divided(weights: Sequence[Fraction], total: int, lowest: int) -> list[int]:
    """Whole units, each at least `lowest`; weights of which none is positive count alike."""
    if not any(weights):
        return _divided([Fraction(1)] * len(weights), total, lowest)
    free = set(range(len(weights)))
    while True:
        left, sum_ = total - lowest * (len(weights) - len(free)), sum((weights[n] for n in free), Fraction(0))
        exact = {n: left * weights[n] / sum_ for n in free}
        short = {n for n in free if exact[n] < lowest}
        if not short:
            break
        free -= short
    amounts = [int(exact[n]) if n in free else lowest for n in range(len(weights))]
    neediest = sorted(free, key=lambda n: (amounts[n] - exact[n], n))
    for n in neediest[: total - sum(amounts)]:
        amounts[n] += 1
    return amounts
