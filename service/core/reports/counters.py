"""What a campaign had spent by any moment, from readings of its platform's month so far.

The figures are late by up to `LATE` hours, are taken back at times, and begin at nothing with each month of the account. A
reading is therefore taken for what was spent by half that time before it, and between readings spend is taken to be even. What
the last hours of a month cost is never told: they are taken for what the same hours of the day before cost, and where more than
a day is missing before a month's end, for what days usually cost before it. Pure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

HOUR = 3600.0
DAY = 24 * HOUR

LATE = {"google": 3 * HOUR, "meta": 0.5 * HOUR}
"""How late spend may be told, in seconds: Google Ads help 2544985, and Meta's quarter of an hour with one to spare."""

BETWEEN = 0.5 * HOUR
"""How far spend between two readings may be from even, in seconds of it."""

LATEST = max(LATE.values())

NEAR_TURN = 0.5 * HOUR
"""How far from a month's turn a reading may be labelled on its wrong side: a run takes a while, and clocks differ."""

FALLEN = 0.1
"""Near a turn, what is down to such a share of what was told before is a new month's."""

USUAL = 7 * DAY
"""From how much time before it is taken what unseen days cost."""


Told = tuple[float, float]
"""A reading: the instant in seconds, and what the month had cost by then."""


@dataclass(frozen=True, slots=True)
class Counter:
    """Spend since the first reading, by the instants at which it is taken to have been spent.

    `late` is by how much readings may be late; `unsure` is from when to when the ends of months were not told, and by how much
    what they were taken for may be off.
    """

    at: tuple[float, ...]
    spent: tuple[float, ...]
    late: float
    unsure: tuple[tuple[float, float, float], ...] = ()

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
        spent, off = self.between(begins, ends), self._untold(begins, ends) + self._taken_back(begins - around, ends + around)
        least = max(self.between(begins + around, ends - around), 0.0) if begins + around < ends - around else 0.0
        return min(least, spent) - off, max(self.between(begins - around, ends + around), spent) + off

    def _untold(self, begins: float, ends: float) -> float:
        return sum(off for first, last, off in self.unsure if first < ends and last > begins)

    def _taken_back(self, begins: float, ends: float) -> float:
        """What readings of that time were less than those before them: nobody knows which hours it belongs to."""
        first, last = bisect_right(self.at, begins), bisect_right(self.at, ends)
        falls = pairwise(self.spent[max(first - 1, 0) : last + 1])
        return sum(max(before - after, 0.0) for before, after in falls)

    def error(self, begins: float, ends: float) -> float:
        """The variance of what was spent from one instant to another, the ends of months between among it."""
        taken_for = sum(off**2 for first, last, off in self.unsure if first < ends and last > begins)
        return self.edge(begins) + self.edge(ends) + taken_for


def counter(readings: Sequence[Told], platform: str, zone: str) -> Counter:
    """The spend that ascending readings tell."""
    if not readings:
        return Counter((), (), 0.0)
    late = LATE.get(platform, LATEST)
    turns = [*month_turns(readings[0][0], readings[-1][0] + NEAR_TURN, zone)]
    total, before = 0.0, readings[0][1]
    at, spent = [readings[0][0] - late / 2], [0.0]
    unsure: list[tuple[float, float, float]] = []
    for instant, month in readings[1:]:
        if turns and _is_new(turns[0], instant, month, before):
            turn = max(each for each in turns if each <= max(instant, turns[0]))
            last, off = _last_hours(at, spent, turn)
            unsure.append((at[-1], turn, off))
            _add(at, spent, turn, total + last)
            total, turns = total + last + month, [each for each in turns if each > turn]
        else:
            total += month - before
        before = month
        _add(at, spent, instant - late / 2, total)
    return Counter(tuple(at), tuple(spent), late, tuple(unsure))


def _is_new(turn: float, instant: float, month: float, before: float) -> bool:
    """Whether a reading is of the month that begins at `turn`; around that instant its fall tells better than its label."""
    if abs(instant - turn) <= NEAR_TURN and before > 0:
        return month <= FALLEN * before
    return instant >= turn


def _add(at: list[float], spent: list[float], instant: float, total: float) -> None:
    """Add a point; one that is not after the last takes its place."""
    if instant <= at[-1]:
        spent[-1] = total
    else:
        at.append(instant)
        spent.append(total)


def _last_hours(at: Sequence[float], spent: Sequence[float], turn: float) -> tuple[float, float]:
    """What the time from the last known spend to the turn of a month cost, and by how much that may be off.

    By the day before; of more than a day nobody saw whether the campaign ran, so that it may be nothing, or twice as much, or
    what the campaign costs when all that is known of it is taken together.
    """
    known, missed = Counter(tuple(at), tuple(spent), 0.0), turn - at[-1]
    if missed <= DAY:
        cost = max(known.between(known.ends - DAY, turn - DAY), 0.0)
        return cost, cost / 2
    cost = _rate(known, max(known.begins, known.ends - USUAL)) * missed
    return cost, max(cost, _rate(known, known.begins) * missed)


def _rate(known: Counter, since: float) -> float:
    """What a second has cost from some instant on."""
    return max(known.between(since, known.ends), 0.0) / (known.ends - since) if known.ends > since else 0.0


def month_turns(begins: float, ends: float, zone: str) -> tuple[float, ...]:
    """The midnights in that time at which an account's months begin."""
    there = ZoneInfo(zone or "UTC")
    first = datetime.fromtimestamp(begins, UTC).astimezone(there)
    return tuple(each for each in _firsts(first.year, first.month, there, ends) if each > begins)


def _firsts(year: int, month: int, zone: ZoneInfo, ends: float) -> Iterator[float]:
    while (at := datetime(year, month, 1, tzinfo=zone).timestamp()) <= ends:
        yield at
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
