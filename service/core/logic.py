"""Three-valued logic and numbers known within bounds.

Everything this service measures is a `Bounds`: what we think the number is and the worst and best it can be once what was
not observed is filled in. A condition over bounds is true only if it holds for every completion, false only if it holds for
none, and otherwise unknown (Kleene's strong logic, S. C. Kleene, *Introduction to Metamathematics*, 1952, par. 64). Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")


class Truth(StrEnum):
    """A condition's value: `unknown` when the observed data admit both answers."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, value: bool) -> Truth:
        """Lift a plain boolean."""
        return cls.TRUE if value else cls.FALSE


TRUE, FALSE, UNKNOWN = Truth
NEGATED = {TRUE: FALSE, FALSE: TRUE, UNKNOWN: UNKNOWN}


def negate(value: Truth) -> Truth:
    """Kleene not."""
    return NEGATED[value]


def every(values: Iterable[Truth]) -> Truth:
    """Kleene and: false wins, then unknown; true for no values."""
    seen = set(values)
    return next((value for value in (FALSE, UNKNOWN) if value in seen), TRUE)


def some(values: Iterable[Truth]) -> Truth:
    """Kleene or: true wins, then unknown; false for no values."""
    seen = set(values)
    return next((value for value in (TRUE, UNKNOWN) if value in seen), FALSE)


def every_of(tests: Sequence[Callable[[T], Truth]]) -> Callable[[T], Truth]:
    """`every` of what tests come to, made once for many subjects; a test is made only while it may matter."""
    return _combined(tests, TRUE, FALSE)


def some_of(tests: Sequence[Callable[[T], Truth]]) -> Callable[[T], Truth]:
    """`some` of what tests come to, in the same way."""
    return _combined(tests, FALSE, TRUE)


def _combined(tests: Sequence[Callable[[T], Truth]], otherwise: Truth, winner: Truth) -> Callable[[T], Truth]:
    def combined(subject: T) -> Truth:
        found = otherwise
        for test in tests:
            value = test(subject)
            if value is winner:
                return value
            if value is not otherwise:
                found = value
        return found

    return combined


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
        return TRUE if self.low >= threshold else FALSE if self.high < threshold else UNKNOWN

    def at_most(self, threshold: float) -> Truth:
        """Whether the number is `threshold` or less."""
        return TRUE if self.high <= threshold else FALSE if self.low > threshold else UNKNOWN

    def above(self, threshold: float) -> Truth:
        """Whether the number is more than `threshold`."""
        return TRUE if self.low > threshold else FALSE if self.high <= threshold else UNKNOWN

    def below(self, threshold: float) -> Truth:
        """Whether the number is less than `threshold`."""
        return TRUE if self.high < threshold else FALSE if self.low >= threshold else UNKNOWN

    def between(self, lowest: float, highest: float) -> Truth:
        """Whether the number lies in [lowest, highest], ends included."""
        if self.low >= lowest and self.high <= highest:
            return TRUE
        return FALSE if self.high < lowest or self.low > highest else UNKNOWN


@lru_cache(
    maxsize=4096, typed=True
)  # a run has hundreds of them, mostly small counts; typed, because 3 and 3.0 are written apart
def _exactly(value: float) -> Bounds:
    return Bounds(value, value, value)


UNBOUNDED = Bounds(None, -math.inf, math.inf)
"""An undefined number: no comparison with it is ever true or false."""
