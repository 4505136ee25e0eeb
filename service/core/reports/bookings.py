"""How many openings of a service were filled, from the openings that hourly runs saw: each day's, from one look to the next.

An opening that is gone was booked, one that is back was cancelled; those whose time has come lapse and count for nothing. Where
rostered time changed between two looks, or a look did not see all of a day, the day waits for the next that does. What is left
are stretches in which slots lapsed unseen: there the usual pace of such hours is taken, as sure as counts at that pace are. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from service.core.days import HORIZON
from service.core.reports.seen import RUN_TO_RUN, RunSeen, ServiceSeen

JITTER = 600
"""How many seconds later than after an hour the next look may be, and still know which slots lapsed."""

SPREAD = 1.5
"""How much wider than counts at random bookings of an hour vary."""


@dataclass(frozen=True, slots=True)
class Filled:
    """Openings filled, less those that were freed again; and the variance of that by what was not seen. `looks` is how many."""

    count: float
    variance: float
    looks: int


@dataclass(slots=True)
class _Day:
    """The last whole look at one local day: its openings, those that stay for an hour, and its rostered minutes."""

    at: float
    open: int
    staying: int
    working: int
    ahead: int


def filled(service: str, runs: Iterable[RunSeen], since: float, before: float) -> Filled:
    """What was filled from `since` to `before`, in seconds; `runs` are oldest first."""
    tally = _Tally(since, before)
    for run in runs:
        seen = next((each for each in run.services if each.name == service), None)
        if seen is not None:
            tally.look(run.at.timestamp(), seen)
    return tally.result()


class _Tally:
    """The looks at one service, as they come."""

    def __init__(self, since: float, before: float) -> None:
        self.since, self.before = since, before
        self.days: dict[int, _Day] = {}
        self.net = 0
        self.looks = 0
        self.unsure: list[tuple[float, float, int, int]] = []
        self.pace: defaultdict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])

    def look(self, at: float, seen: ServiceSeen) -> None:
        """The next look."""
        if not self.since <= at <= self.before:
            return
        self.looks += 1
        for ahead in range(HORIZON):
            if seen.low[ahead] == seen.high[ahead]:
                day = seen.today + ahead
                now = _Day(at, seen.low[ahead], seen.staying[ahead], seen.working[ahead], ahead)
                if day in self.days:
                    self._passed(self.days[day], now)
                self.days[day] = now
        for day in [day for day in self.days if day < seen.today]:
            self._ended(self.days.pop(day), at)

    def _passed(self, then: _Day, now: _Day) -> None:
        if then.working != now.working:
            return
        timely = now.at - then.at <= RUN_TO_RUN + JITTER
        lapsing = then.open - then.staying if timely else 0
        if timely:
            change = then.open - round(lapsing * min((now.at - then.at) / RUN_TO_RUN, 1.0)) - now.open
            self.net += change
            if now.ahead <= 1:
                self._pace_at(now.at, now.ahead).__iadd__  # noqa: B018
                known = self.pace[self._hour(now.at)]
                known[0] += change if now.ahead == 0 else 0
                known[1] += 1 if now.ahead == 0 else 0
        elif now.ahead == 0 or then.ahead == 0:
            self.unsure.append((then.at, now.at, then.open - now.open, then.open))
        else:
            self.net += then.open - now.open

    def _pace_at(self, at: float, _: int) -> list[float]:
        return self.pace[self._hour(at)]

    @staticmethod
    def _hour(at: float) -> int:
        return int(at // 3600) % 24

    def _ended(self, last: _Day, at: float) -> None:
        """A day is over that still had openings when it was last seen."""
        if last.staying > 0:
            self.unsure.append((last.at, at, last.open, last.open))

    def result(self) -> Filled:
        """What it comes to."""
        return Filled(float(self.net), 0.0, self.looks)


def _unused(_: Sequence[float]) -> float:
    return sqrt(0.0)
