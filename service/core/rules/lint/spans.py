"""Stretches of numbers, their ends in or out: what one comparison says of one measure. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Span:
    """The numbers from `low` to `high`; an end that is open is not among them."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    @property
    def empty(self) -> bool:
        """Whether no number is in it."""
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def meet(self, other: Span) -> Span:
        """The numbers in both."""
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, inside = min((self.high, not self.high_open), (other.high, not other.high_open))
        return Span(low, high, low_open, not inside)

    def within(self, other: Span) -> bool:
        """Whether every number of this one is in the other."""
        return self.empty or self.meet(other) == self

    def outside(self) -> tuple[Span, ...]:
        """The numbers not in it: what is below, what is above."""
        if self.empty:
            return (ANY,)
        below = Span(high=self.low, high_open=not self.low_open)
        above = Span(low=self.high, low_open=not self.high_open)
        return tuple(each for each in (below, above) if not math.isinf(each.low) or not math.isinf(each.high))

    def apart(self, other: Span) -> float:
        """How far apart the two are; 0 where they touch or share a number."""
        return max(0.0, other.low - self.high, self.low - other.high)

    def whole(self) -> Span:
        """Its whole numbers, as a span with both ends in."""
        low, high = self.low, self.high
        if not math.isinf(low):
            low = math.floor(low) + 1 if self.low_open else math.ceil(low)
        if not math.isinf(high):
            high = math.ceil(high) - 1 if self.high_open else math.floor(high)
        return replace(self, low=float(low), high=float(high), low_open=False, high_open=False)


ANY = Span()


def at_least(value: float) -> Span:
    """`value` or more."""
    return Span(low=value)


def above(value: float) -> Span:
    """More than `value`."""
    return Span(low=value, low_open=True)


def at_most(value: float) -> Span:
    """`value` or less."""
    return Span(high=value)


def below(value: float) -> Span:
    """Less than `value`."""
    return Span(high=value, high_open=True)
