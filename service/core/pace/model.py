"""The booking pace of one clinic as a value, and what it makes of the openings there are now.

How many openings are left of a coming day is what there is now, less what the days until then usually book, plus what they
usually cancel (additive pick-up: Weatherford and Kimes, "A comparison of forecasting methods for hotel revenue management",
2003). Three completions of what is unobserved go in, three come out; spread around them is the model's own past errors
(conformal prediction: Vovk, Gammerman and Shafer, *Algorithmic Learning in a Random World*, 2005). Pure.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from statistics import NormalDist

from service.core.days import HORIZON
from service.core.logic import Bounds
from service.core.pace.looks import Outlook

LEVELS = tuple(n / 1000 for n in (5, 10, 20, 50, 100, 150, 200, 300, 400, 500, 600, 700, 800, 850, 900, 950, 980, 990, 995))
"""The probabilities at which a spread is kept; between them it is interpolated."""

NORMAL = tuple(round(NormalDist().inv_cdf(level), 3) for level in LEVELS)

BUCKETS = (0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3)
"""By days ahead: the bucket whose past errors a day's band is made of: up to 2 days ahead, 3-6, 7-9, 10-13."""

WINDOWS = (2, 4, 7, 10, 14)
"""How many days the sums cover whose past errors are kept; other sums go by the next longer."""

BAND = (0.1, 0.9)
"""The ends of the 80% band."""


class Rung(StrEnum):
    """What an expectation stands on: the model, openings staying as they are for want of history, or nothing observed."""

    PICKUP = "pickup"
    OPENINGS_NOW = "openings_now"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Place:
    """The pace of one service at one location, by days ahead; `shift` and `swing` by weekday too (Monday first).

    Of `x` openings, `kept[n] * x + shift[w][n]` are expected to be left; `variance[n] * swing[w]` is the mean square of how
    far that was off.
    """

    kept: tuple[float, ...]
    shift: tuple[tuple[float, ...], ...]
    variance: tuple[float, ...]
    swing: tuple[float, ...] = (1.0,) * 7


@dataclass(frozen=True, slots=True)
class ServicePace:
    """The pace of one service. `places` is keyed by location.

    `daily` (by bucket of days ahead) and `sums` (by window) are past errors in units of their expected size, at `LEVELS`.
    """

    rung: Rung
    looked: int
    places: dict[str, Place]
    daily: tuple[tuple[float, ...], ...]
    sums: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Pace:
    """What is known of a clinic's booking pace on the local day `day`, from looks up to that day; keyed by service."""

    day: date
    services: dict[str, ServicePace] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ahead:
    """One coming local day of a service at one location, `ahead` days from its local today (0 .. 13).

    `elapsed` is how much of today has passed there (0 .. 1), `most` how many appointments its roster has room for. A day
    on which the location does not work has nothing to sell, whatever its `openings` say.
    """

    location: str
    day: date
    ahead: int
    openings: Bounds
    works: bool = True
    elapsed: float = 0.0
    most: float = math.inf


@dataclass(frozen=True, slots=True)
class Expected:
    """How many openings will still be unfilled when their days come.

    `lower` and `upper` are the one-sided quantiles at the confidence asked for: the true sum is at least `lower` with that
    confidence, and at most `upper` with that confidence. Bounds are completions of what is unobserved, as ever.
    """

    rung: Rung
    openings: Bounds
    lower: Bounds
    upper: Bounds


# --- forecasting --------------------------------------------------------------------------------------------------------


def expected(pace: Pace, service: str, days: Iterable[Ahead], within: int, confidence: float = 80) -> Expected:
    """The sum over the first `within` days at all locations; `confidence` in %, 50 to 99."""
    known = pace.services.get(service)
    coming = [day for day in days if day.works and day.ahead < within]
    wanted = [_Day(known, day) for day in coming]
    openings = _total([day.bounds for day in wanted])
    learnt = known.rung if known and all(day.location in known.places for day in coming) else Rung.OPENINGS_NOW
    rung = Rung.UNKNOWN if openings.estimate is None else learnt
    if known is None:
        return Expected(rung, openings, openings, openings)
    size = math.sqrt(sum(day.variance for day in wanted))
    levels = known.sums[bisect_left(WINDOWS, min(within, HORIZON))]
    room = sum(day.room for day in wanted)
    lower, upper = (at(levels, share) * size for share in (1 - confidence / 100, confidence / 100))
    return Expected(rung, openings, _moved(openings, min(lower, 0), room), _moved(openings, max(upper, 0), room))


def outlook(pace: Pace, service: str, day: Ahead) -> Outlook | None:
    """What is expected of one day, and the 80% band; None where it does not work or nothing was observed."""
    known = pace.services.get(service)
    found = _Day(known, day)
    mean = found.bounds.estimate
    if mean is None or not day.works:
        return None
    size, levels = math.sqrt(found.variance), known.daily[BUCKETS[day.ahead]] if known else NORMAL
    low, high = (min(max(mean + at(levels, share) * size, 0), found.room) for share in BAND)
    return Outlook(mean, min(low, mean), max(high, mean))


def at(levels: Sequence[float], probability: float) -> float:
    """The quantile of a spread at `probability`, interpolated between `LEVELS`."""
    n = min(max(bisect_left(LEVELS, probability), 1), len(LEVELS) - 1)
    share = min(max((probability - LEVELS[n - 1]) / (LEVELS[n] - LEVELS[n - 1]), 0), 1)
    return levels[n - 1] + share * (levels[n] - levels[n - 1])


def spread(variance: float, mean: float) -> float:
    """The variance around an expectation: what is nearly gone cannot miss by much, whatever is usual."""
    return variance / (1 + variance / (4 * mean + 1)) if mean < math.inf else variance


class _Day:
    """One day's expectation: its bounds, its variance, and what can be open at most."""

    __slots__ = ("bounds", "room", "variance")

    def __init__(self, known: ServicePace | None, day: Ahead) -> None:
        place = known.places.get(day.location) if known else None
        self.room = max(day.most, day.openings.high)
        self.variance = 0.0
        if place is None:
            self.bounds = day.openings
            return
        kept, shift, variance = _between(place, day.day.weekday(), day.ahead, day.elapsed)
        low, estimate, high = (
            None if x is None else self._left(x, kept, shift)
            for x in (day.openings.low, day.openings.estimate, day.openings.high)
        )
        self.bounds = Bounds(estimate, low or 0.0, high or 0.0)
        self.variance = spread(variance, estimate or 0.0)

    def _left(self, x: float, kept: float, shift: float) -> float:
        return min(max(kept * x + shift, 0.0), self.room)


def _between(place: Place, weekday: int, ahead: int, elapsed: float) -> tuple[float, float, float]:
    """The pace from here on: part of today has passed, so a day is between `ahead` and `ahead` - 1 days away."""
    shift, swing = place.shift[weekday], place.swing[weekday]
    if not ahead or not elapsed:
        return place.kept[ahead], shift[ahead], place.variance[ahead] * swing
    nearer, here = ahead - 1, 1 - elapsed
    kept, moved, variance = (here * row[ahead] + elapsed * row[nearer] for row in (place.kept, shift, place.variance))
    return kept, moved, variance * swing


def _total(days: Sequence[Bounds]) -> Bounds:
    """The sum; a day of which nothing was seen is estimated to be like the mean of those that were."""
    low, high = sum(day.low for day in days), sum(day.high for day in days)
    seen = [day.estimate for day in days if day.estimate is not None]
    if days and not seen:
        return Bounds(None, low, high)
    return Bounds(min(max(sum(seen) * len(days) / len(seen), low), high) if seen else 0.0, low, high)


def _moved(openings: Bounds, by: float, room: float) -> Bounds:
    low, high = (min(max(x + by, 0.0), room) for x in (openings.low, openings.high))
    estimate = None if openings.estimate is None else min(max(openings.estimate + by, low), high)
    return Bounds(estimate, low, high)
