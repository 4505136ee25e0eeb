"""How far a metric swings: between its lowest and highest reading of a day, the last of the day before included. Pure.

The midnight at which the fortnight moves on by a day is in one of these windows, whatever the clinic's zone. The median over
days is taken, so that a holiday or an outage counts as one day and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from statistics import median

READINGS = 6
"""So many readings make a day."""

DAYS = 7
"""So many days make a habit."""


def swing(readings: Iterable[tuple[datetime, float]]) -> float | None:
    """How far a metric moved within a day on half of the days; None with too few readings to tell. They may come unsorted."""
    found = list(_spreads(sorted(readings)))
    return median(found) if len(found) >= DAYS else None


def _spreads(readings: list[tuple[datetime, float]]) -> Iterator[float]:
    before: list[float] = []
    for _, readings_of_day in groupby(readings, key=lambda reading: reading[0].date()):
        day = [value for _, value in readings_of_day]
        if len(day) >= READINGS:
            yield max(before + day) - min(before + day)
        before = day[-1:]
