"""What a campaign had spent by any moment, from readings of its platform's month so far.

The figures are late by up to `LATE` hours, are taken back at times, and begin at nothing with each month of the account. A
reading is therefore taken for what was spent by half that time before it, and between readings spend is taken to be even. What
the last hours of a month cost is never told: they are taken for what the same hours of the day before cost. Pure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from zoneinfo import ZoneInfo

HOUR = 3600.0
DAY = 24 * HOUR

LATE = {"google": 3 * HOUR, "meta": 0.5 * HOUR}
"""How late spend may be told, in seconds: Google Ads help 2544985, and Meta's quarter of an hour with one to spare."""

BETWEEN = 0.5 * HOUR
"""How far spend between two readings may be from even, in seconds of it."""

LATEST = max(LATE.values())


Told = tuple[float, float]
"""A reading: the instant in seconds, and what the month had cost by then."""


@dataclass(frozen=True, slots=True)
class Counter:
    """Spend since the first reading, by the instants at which it is taken to have been spent.

    `late` is by how much readings may be late; `unsure` is how much of the spend the ends of months were taken for, by instant.
    """

    at: tuple[float, ...]
    spent: tuple[float, ...]
    late: float
    unsure: tuple[tuple[float, float], ...] = ()

    @property
    def begins(self) -> float:
        """From when on spend is known."""
        return self.at[0] if self.at else 0.0

    @property
    def ends(self) -> float:
        """Until when spend is known."""
        return self.at[-1] if self.at else 0.0

    def by(self, instant: float) -> float:
        """What had been spent by an instant, from `begins` on; nothing is spent outside."""
        n = bisect_right(self.at, instant)
        if n == 0:
            return 0.0
        if n == len(self.at):
            return self.spent[-1]
        before, after = self.at[n - 1], self.at[n]
        return self.spent[n - 1] + (self.spent[n] - self.spent[n - 1]) * (instant - before) / (after - before)

    def between(self, begins: float, ends: float) -> float:
        """What was spent from one instant to another."""
        return self.by(ends) - self.by(begins)

    def edge(self, instant: float) -> float:
        """The variance of what had been spent by an instant: some time around it, as likely any as another."""
        around = (self.late + BETWEEN) / 2
        return (self.by(instant + around) - self.by(instant - around)) ** 2 / 12

    def bounds(self, begins: float, ends: float) -> tuple[float, float]:
        """The least and the most that was spent from one instant to another, however late readings were."""
        around = self.late / 2 + HOUR
        taken_for = sum(amount for at, amount in self.unsure if begins < at <= ends)
        least = max(self.between(begins + around, ends - around), 0.0) - taken_for
        return least, self.between(begins - around, ends + around) + taken_for

    def error(self, begins: float, ends: float) -> float:
        """The variance of what was spent from one instant to another, the ends of months between among it."""
        taken_for = sum(amount**2 for at, amount in self.unsure if begins < at <= ends)
        return self.edge(begins) + self.edge(ends) + taken_for


def counter(readings: Sequence[Told], platform: str, zone: str) -> Counter:
    """The spend that ascending readings tell."""
    if not readings:
        return Counter((), (), 0.0)
    late = LATE.get(platform, LATEST)
    turns = iter((*month_turns(readings[0][0], readings[-1][0], zone), inf))
    turn, total, before = next(turns), 0.0, readings[0][1]
    at, spent = [readings[0][0] - late / 2], [0.0]
    unsure: list[tuple[float, float]] = []
    for instant, month in readings[1:]:
        if instant < turn:
            total += month - before
        else:
            last = _last_hours(at, spent, turn)
            unsure.append((turn, last / 2))
            _add(at, spent, turn, total + last)
            total, turn = total + last + month, next(each for each in turns if each > instant)
        before = month
        _add(at, spent, instant - late / 2, total)
    return Counter(tuple(at), tuple(spent), late, tuple(unsure))


def _add(at: list[float], spent: list[float], instant: float, total: float) -> None:
    """Add a point; one that is not after the last takes its place."""
    if instant <= at[-1]:
        spent[-1] = total
    else:
        at.append(instant)
        spent.append(total)


def _last_hours(at: Sequence[float], spent: Sequence[float], turn: float) -> float:
    """What the time from the last known spend to the turn of a month cost, by the day before."""
    known = Counter(tuple(at), tuple(spent), 0.0)
    return max(known.between(known.ends - DAY, turn - DAY), 0.0)


def month_turns(begins: float, ends: float, zone: str) -> tuple[float, ...]:
    """The midnights in that time at which an account's months begin."""
    there = ZoneInfo(zone or "UTC")
    first = datetime.fromtimestamp(begins, UTC).astimezone(there)
    return tuple(each for each in _firsts(first.year, first.month, there, ends) if each > begins)


def _firsts(year: int, month: int, zone: ZoneInfo, ends: float) -> Iterator[float]:
    while (at := datetime(year, month, 1, tzinfo=zone).timestamp()) <= ends:
        yield at
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
