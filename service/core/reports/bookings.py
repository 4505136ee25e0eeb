"""How many openings of a service were filled, from the openings that hourly runs saw: each day's, from one look to the next.

An opening that is gone was booked, one that is back was cancelled; those whose time has come lapse and count for nothing. A look
that did not see all of a day says nothing of it, and the next that does is compared with the one before. What is left are
stretches in which openings lapsed or rosters changed unseen: there the usual pace of such hours is taken, as sure as counts are.
Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from service.core.days import HORIZON
from service.core.reports.seen import RUN_TO_RUN, RunSeen, ServiceSeen

JITTER = 600
"""How many seconds later than after an hour the next look may be, and still know which openings lapsed."""

LAPSING = 1
"""Up to so many days ahead openings lapse: lead times are rarely longer."""

SPREAD = 1.5
"""How much more the bookings of an hour vary than counts at random."""

FEWEST = 24
"""Looks without which nothing is said."""


@dataclass(frozen=True, slots=True)
class Filled:
    """Openings filled, less those that were freed again, from so many looks; and the variance of that by what was not seen."""

    count: float
    variance: float
    looks: int


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look saw of one local day, `ahead` days on: its openings, those that stay for an hour, its rostered minutes."""

    at: float
    open: int
    staying: int
    working: int
    ahead: int


@dataclass(slots=True)
class _Pace:
    """Openings filled by hour of the day, and how many such hours were seen."""

    filled: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    hours: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))

    def see(self, at: float, count: int) -> None:
        hour = int(at // RUN_TO_RUN) % 24
        self.filled[hour] += count
        self.hours[hour] += 1

    def expected(self, begins: float, ends: float) -> float:
        """What is usual from one instant to another."""
        found = 0.0
        for n in range(int(begins // RUN_TO_RUN), int(ends // RUN_TO_RUN) + 1):
            part = min(ends, (n + 1) * RUN_TO_RUN) - max(begins, n * RUN_TO_RUN)
            found += self.filled[n % 24] / max(self.hours[n % 24], 1) * part / RUN_TO_RUN
        return max(found, 0.0)


@dataclass(slots=True)
class _Tally:
    """The looks at one service so far.

    `late` are the openings that were filled, and that lapsed, on their last day. `gone` are numbers of openings of which nobody
    saw whether they were filled or lapsed; `unseen` stretches of which nobody saw anything; `changed` counts days whose roster did.
    """

    since: float
    before: float
    days: dict[int, _Look] = field(default_factory=dict)
    net: int = 0
    looks: int = 0
    late: list[int] = field(default_factory=lambda: [1, 1])
    gone: list[int] = field(default_factory=list)
    unseen: list[tuple[float, float]] = field(default_factory=list)
    changed: int = 0
    pace: _Pace = field(default_factory=_Pace)
    last: float | None = None

    def look(self, at: float, seen: ServiceSeen) -> None:
        if self.last is None and at - self.since > JITTER:
            self.unseen.append((self.since, at))
        before, self.looks = self.net, self.looks + 1
        for day in [day for day in self.days if day < seen.today]:
            self._ended(self.days.pop(day))
        for ahead in range(HORIZON):
            if seen.low[ahead] == seen.high[ahead]:
                now = _Look(at, seen.low[ahead], seen.staying[ahead], seen.working[ahead], ahead)
                then = self.days.get(seen.today + ahead)
                self.days[seen.today + ahead] = now
                if then is not None:
                    self._passed(then, now)
        if self.last is not None and at - self.last <= RUN_TO_RUN + JITTER:
            self.pace.see(self.last, self.net - before)
        self.last = at

    def _passed(self, then: _Look, now: _Look) -> None:
        took = now.at - then.at
        if then.working != now.working:
            self.changed += 1
        elif took <= RUN_TO_RUN + JITTER:
            lapsed = round((then.open - then.staying) * min(took / RUN_TO_RUN, 1.0))
            self.net += then.open - lapsed - now.open
            if now.ahead == 0:
                self.late[0] += max(then.open - lapsed - now.open, 0)
                self.late[1] += lapsed
        elif now.ahead > LAPSING or now.open >= then.open:
            self.net += then.open - now.open
        else:
            self.gone.append(then.open - now.open)

    def _ended(self, last: _Look) -> None:
        """A day is over; that still had openings when it was last seen, or not."""
        if last.staying > 0:
            self.gone.append(last.staying)

    def result(self) -> Filled:
        if self.last is not None and self.before - self.last > JITTER:
            self.unseen.append((self.last, self.before))
        share = self.late[0] / sum(self.late)
        usual = [self.pace.expected(*each) for each in self.unseen]
        lost = sum(self.gone)
        variance = lost * share * (1 - share) + lost * lost * share * (1 - share) / sum(self.late)
        variance += sum(each + 1 for each in usual) + self.changed
        return Filled(self.net + lost * share + sum(usual), SPREAD * variance, self.looks)


def filled(service: str, runs: Iterable[RunSeen], since: float, before: float) -> Filled | None:
    """What was filled from `since` to `before`, in seconds; `runs` are oldest first. None where too few looks tell."""
    tally = _Tally(since, before)
    for run in runs:
        at = run.at.timestamp()
        seen = next((each for each in run.services if each.name == service), None)
        if seen is not None and since <= at <= before:
            tally.look(at, seen)
    return tally.result() if tally.looks >= FEWEST else None
