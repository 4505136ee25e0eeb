"""How far the model has been off, and so how far it may be: past errors of predictions made before their days came. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist

from service.core.days import HORIZON
from service.core.pace.learn import WEEK, Learner
from service.core.pace.looks import finals
from service.core.pace.model import BUCKETS, LEVELS, WINDOWS, spread

PRIOR = 5.0
"""How many past errors weigh as much as what the steps of the days between let expect."""

LEAST = 0.01
"""The least that a step can be expected to be off by, squared: nothing is certain because it has never changed."""

SWING = 40.0
"""How many past errors weigh as much as a weekday being as uncertain as any other."""

DRAWS = 20
"""How many draws from a normal distribution stand beside past errors: where these are few, they are most of the spread."""

_DRAWN = tuple(NormalDist().inv_cdf((n + 0.5) / DRAWS) for n in range(DRAWS))


Errors = dict[int, list[tuple[int, float, float]]]
"""By the day of the look: (days ahead, what was expected, how much more came)."""


@dataclass(frozen=True, slots=True)
class Missed:
    """The past errors of one service at one location; `variance` and `swing` as in `model.Place`.

    `relative` are the errors in units of their expected size, by bucket of days ahead. `sums`, by the day of the look, are
    the errors added up from the first day on and the variance to be expected of that sum, by days ahead, and the first of
    the coming days that was predicted and has no final value.
    """

    variance: tuple[float, ...]
    swing: tuple[float, ...]
    relative: tuple[list[float], ...]
    sums: dict[int, tuple[list[float], list[float], int]]


def missed(learner: Learner) -> Missed:
    """What the predictions made in the course of learning were off by."""
    came = finals(dict(learner.rows))
    errors: Errors = {}
    until = {}
    for day, row in learner.predicted.items():
        predicted = [(n, mean, came.get(day + n)) for n, mean in enumerate(row) if n and mean is not None]
        errors[day] = [(n, mean, value - mean) for n, mean, value in predicted if value is not None]
        until[day] = next((n for n, _, value in predicted if value is None), HORIZON)
    variance = _variance(learner.usual, errors)
    swing = _swing(errors, variance)
    relative: tuple[list[float], ...] = tuple([] for _ in range(max(BUCKETS) + 1))
    sums = {}
    for day, found in errors.items():
        off, expected = [0.0] * HORIZON, [0.0] * HORIZON
        for n, mean, error in found:
            size = spread(variance[n] * swing[(day + n - 1) % WEEK], mean)
            off[n], expected[n] = error, size
            relative[BUCKETS[n]].append(error / math.sqrt(size))
        sums[day] = list(accumulate(off)), list(accumulate(expected)), until[day]
    return Missed(variance, swing, relative, sums)


def _variance(step: float, errors: Errors) -> tuple[float, ...]:
    """The mean square of errors by days ahead, each with its neighbours, and where they are few of so many steps."""
    squares, counts = [0.0] * (HORIZON + 1), [0] * (HORIZON + 1)
    for found in errors.values():
        for ahead, _, error in found:
            squares[ahead] += error * error
            counts[ahead] += 1
    return 0.0, *(
        (PRIOR * max(step, LEAST) * n + sum(squares[n - 1 : n + 2])) / (PRIOR + sum(counts[n - 1 : n + 2]))
        for n in range(1, HORIZON)
    )


def _swing(errors: Errors, variance: Sequence[float]) -> tuple[float, ...]:
    """How much more uncertain each weekday is than the usual."""
    above, below = [SWING] * WEEK, [SWING] * WEEK
    for day, found in errors.items():
        for ahead, _, error in found:
            weekday = (day + ahead - 1) % WEEK
            above[weekday] += error * error / variance[ahead]
            below[weekday] += 1
    return tuple(a / b for a, b in zip(above, below, strict=True))


def by_bucket(places: Sequence[Missed]) -> list[list[float]]:
    """Errors of single days in units of their expected size, by bucket of days ahead."""
    return [[error for place in places for error in place.relative[n]] for n in range(max(BUCKETS) + 1)]


def by_window(places: Sequence[Missed]) -> list[list[float]]:
    """Errors of one service's sums over its first days, all locations together, in units of their expected size.

    Days that err together, as when demand turns, make these large: that is why sums have a spread of their own.
    """
    found: list[list[float]] = [[] for _ in WINDOWS]
    for day in sorted({day for place in places for day in place.sums}):
        these = [place.sums[day] for place in places if day in place.sums]
        until = min(unknown for _, _, unknown in these)
        for n, window in enumerate(WINDOWS):
            variance = sum(expected[window - 1] for _, expected, _ in these)
            if window <= until and variance:
                found[n].append(sum(off[window - 1] for off, _, _ in these) / math.sqrt(variance))
    return found


def quantiles(values: Sequence[float], alike: int) -> tuple[float, ...]:
    """A sample's quantiles at `LEVELS`, set as far out as conformal prediction sets them for so many values.

    `alike` values are counted as one: errors of one coming day at several distances, and of sums that share days, are alike.
    """
    ordered = sorted([*values, *_DRAWN])
    count, last = len(values) / alike + DRAWS, len(ordered) - 1
    found = []
    for level in LEVELS:
        further = 0.5 + (level - 0.5) * (1 + 1 / count)
        place = min(max(further * len(ordered) - 0.5, 0.0), last)
        n = min(int(place), last - 1)
        found.append(round(ordered[n] + (place - n) * (ordered[n + 1] - ordered[n]), 3))
    return tuple(found)
