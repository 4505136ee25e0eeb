"""Clinic-local days as stretches of UTC seconds, right on the two days a year that have 23 or 25 hours. Pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from service.core.intervals import Span, Spans, union

HORIZON = 14
"""How many local days a forecast covers, today included."""

EPOCH = date(1970, 1, 1).toordinal()

DAY_SEGMENTS = (0, 12 * 60, 17 * 60, 24 * 60)
"""Where Cliniko's day segments begin and end, in wall-clock minutes: before 12:00, 12:00-16:59, from 17:00 on."""


def local_date(now: datetime, zone: str) -> date:
    """The date it is in `zone` at `now`."""
    return now.astimezone(ZoneInfo(zone)).date()


def horizon(now: datetime, zone: str, days: int = HORIZON) -> tuple[date, ...]:
    """The local dates today .. today + days - 1."""
    today = local_date(now, zone)
    return tuple(today + timedelta(days=n) for n in range(days))


@dataclass(frozen=True, slots=True)
class Day:
    """One local date: its UTC span, and the pieces of it over which the zone's UTC offset (seconds) is constant."""

    date: date
    span: Span
    pieces: tuple[tuple[Span, int], ...]

    def wall(self, starts: int, ends: int) -> Spans:
        """The time whose wall clock reads within [starts, ends), in minutes after midnight.

        An hour that the clocks skip is not in it, an hour that they repeat is in it twice.
        """
        midnight = (self.date.toordinal() - EPOCH) * 86_400
        found = []
        for (begins, finishes), offset in self.pieces:
            start, end = midnight + starts * 60 - offset, midnight + ends * 60 - offset
            found.append((max(start, begins), min(end, finishes)))
        return union(found)

    def segments(self) -> tuple[Spans, ...]:
        """Cliniko's three day segments."""
        return tuple(self.wall(start, end) for start, end in pairwise(DAY_SEGMENTS))


@lru_cache(maxsize=4096)
def day_of(zone: str, day: date) -> Day:
    """The local date `day` in the IANA zone `zone`."""
    there = ZoneInfo(zone)
    begins, finishes = (_first_second(there, day + timedelta(days=n)) for n in (0, 1))
    before, after = _offset(there, begins), _offset(there, finishes - 1)
    if before == after:
        return Day(day, (begins, finishes), (((begins, finishes), before),))
    change = bisect_right(range(begins, finishes), 0, key=lambda second: int(_offset(there, second) == after)) + begins
    return Day(day, (begins, finishes), (((begins, change), before), ((change, finishes), after)))


def _offset(zone: ZoneInfo, second: int) -> int:
    offset = datetime.fromtimestamp(second, UTC).astimezone(zone).utcoffset()
    return int((offset or timedelta()).total_seconds())


def _first_second(zone: ZoneInfo, day: date) -> int:
    """The first second of a date; where clocks skip midnight, `zoneinfo` maps it to the instant of the change."""
    return int(datetime.combine(day, time(), zone).timestamp())
