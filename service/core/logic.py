"""Three-valued logic and numbers known within bounds.

Everything this service measures is a `Bounds`: what we think the number is and the worst and best it can be once what was
not observed is filled in. A condition over bounds is true only if it holds for every completion, false only if it holds for
none, and otherwise unknown (Kleene's strong logic, S. C. Kleene, *Introduction to Metamathematics*, 1952, par. 64). Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Truth(StrEnum):
    """A condition's value: `unknown` when the observed data admit both answers."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, value: bool) -> Truth:
        """Lift a plain boolean."""
        return cls.TRUE if value else cls.FALSE


def negate(value: Truth) -> Truth:
    """Kleene not."""
    return {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE, Truth.UNKNOWN: Truth.UNKNOWN}[value]


def every(values: Iterable[Truth]) -> Truth:
    """Kleene and: false wins, then unknown; true for no values."""
    seen = set(values)
    return next((value for value in (Truth.FALSE, Truth.UNKNOWN) if value in seen), Truth.TRUE)


def some(values: Iterable[Truth]) -> Truth:
    """Kleene or: true wins, then unknown; false for no values."""
    seen = set(values)
    return next((value for value in (Truth.TRUE, Truth.UNKNOWN) if value in seen), Truth.FALSE)


@dataclass(frozen=True, slots=True)
class Bounds:
    """A number with the lowest and highest value it can have once the unobserved is filled in.

    `estimate` is None where nothing was observed to estimate from. `high` may be infinite. Fully observed: all three equal.
    """

    estimate: float | None
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high or (self.estimate is not None and not self.low <= self.estimate <= self.high):
            raise ValueError(f"bounds out of order: {self.low} <= {self.estimate} <= {self.high} does not hold")

    @staticmethod
    def exactly(value: float) -> Bounds:
        """A fully observed number."""
        return _exactly(value)

    @property
    def exact(self) -> bool:
        """Whether nothing unobserved bears on the number."""
        return self.low == self.high

    def at_least(self, threshold: float) -> Truth:
        """Whether the number is `threshold` or more."""
        if self.low >= threshold:
            return Truth.TRUE
        return Truth.FALSE if self.high < threshold else Truth.UNKNOWN

    def at_most(self, threshold: float) -> Truth:
        """Whether the number is `threshold` or less."""
        if self.high <= threshold:
            return Truth.TRUE
        return Truth.FALSE if self.low > threshold else Truth.UNKNOWN

    def above(self, threshold: float) -> Truth:
        """Whether the number is more than `threshold`."""
        return negate(self.at_most(threshold))

    def below(self, threshold: float) -> Truth:
        """Whether the number is less than `threshold`."""
        return negate(self.at_least(threshold))

    def between(self, lowest: float, highest: float) -> Truth:
        """Whether the number lies in [lowest, highest], ends included."""
        return every((self.at_least(lowest), self.at_most(highest)))


@lru_cache(
    maxsize=4096, typed=True
)  # a run has hundreds of them, mostly small counts; typed, because 3 and 3.0 are written apart
def _exactly(value: float) -> Bounds:
    return Bounds(value, value, value)


UNBOUNDED = Bounds(None, -math.inf, math.inf)
"""An undefined number: no comparison with it is ever true or false."""
