"""How many openings of a service were filled, from what hourly runs saw: each day's openings, from one look to the next.

An opening that is gone was booked, one that is back was cancelled; those whose time has come lapse and count for nothing. A
look that did not see all of a day says nothing of it, and the next that does is compared with the one before. What is left are
openings that were filled or lapsed while nobody looked: they are divided as such hours usually divide them. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from service.core.days import HORIZON
from service.core.reports.seen import RUN_TO_RUN, RunSeen, ServiceSeen

JITTER = 600
"""How many seconds later than after an hour the next look may be, and still know which openings lapsed."""

LAPSING = 1
"""Up to so many days ahead openings lapse: lead times are rarely longer."""

FEWEST = 24
"""Looks without which nothing is said."""

UNTOLD = 12 * RUN_TO_RUN
"""Seconds at either end of a period without a look from which on nothing is taken for them."""

LEAST = 0.02
"""Of openings at least so many, as a share, are taken to be filled, and to lapse, in an hour: nothing is impossible."""


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


@dataclass(frozen=True, slots=True)
class _Gone:
    """So many openings of a day, `ahead` days on at first, are gone since `begins`; nobody saw whether filled or lapsed."""

    begins: float
    ends: float
    ahead: int
    count: int


@dataclass(slots=True)
class _Hour:
    """What usually becomes of openings in an hour of the day: of so many, so many were filled and lapsed."""

    open: int = 0
    filled: int = 0
    lapsed: int = 0


@dataclass(slots=True)
class _Pace:
    """What usually happens by hour of the day (UTC): to openings of today (0) and tomorrow (1), and in all (`net`, `seen`).

    `midnight` is the hour in which local days turn.
    """

    hours: defaultdict[tuple[int, int], _Hour] = field(default_factory=lambda: defaultdict(_Hour))
    net: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    seen: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    midnight: int = 0

    def expected(self, begins: float, ends: float) -> float:
        """How many openings are usually filled from one instant to another."""
        hours = range(int(begins // RUN_TO_RUN), int(ends // RUN_TO_RUN))
        return max(sum(self.net[n % 24] / max(self.seen[n % 24], 1) for n in hours), 0.0)

    def filled(self, gone: _Gone) -> float:
        """Which share of openings that are gone was filled, as such hours go."""
        filled = lapsed = 0.0
        for ahead, n in self._hours(gone):
            usual = self.hours[ahead, n]
            filled += (usual.filled + LEAST) / (usual.open + 1)
            lapsed += (usual.lapsed + LEAST * (ahead == 0)) / (usual.open + 1)
        return filled / (filled + lapsed) if filled else 0.5

    def _hours(self, gone: _Gone) -> Iterator[tuple[int, int]]:
        ahead = gone.ahead
        for n in range(int(gone.begins // RUN_TO_RUN), int(gone.ends // RUN_TO_RUN)):
            if n % 24 == self.midnight and n * RUN_TO_RUN > gone.begins:
                ahead -= 1
            if ahead < 0:
                return
            yield ahead, n % 24


@dataclass(slots=True)
class _Tally:
    """The looks at one service so far.

    `unseen` are stretches without any look at either end of the period, `late` such after which a day came into sight.
    `doubtful` is the variance by days of which something may be hidden: a roster changed, or openings came back while others
    lapsed.
    """

    since: float
    before: float
    days: dict[int, _Look] = field(default_factory=dict)
    net: int = 0
    looks: int = 0
    gone: list[_Gone] = field(default_factory=list)
    unseen: list[tuple[float, float]] = field(default_factory=list)
    late: list[tuple[float, float]] = field(default_factory=list)
    doubtful: float = 0.0
    pace: _Pace = field(default_factory=_Pace)
    last: tuple[float, int] | None = None

    def look(self, at: float, seen: ServiceSeen) -> None:
        before, self.looks = self.net, self.looks + 1
        for day in [day for day in self.days if day < seen.today]:
            self._ended(self.days.pop(day), at)
        for ahead in range(HORIZON):
            if seen.low[ahead] == seen.high[ahead]:
                now = _Look(at, seen.low[ahead], seen.staying[ahead], seen.working[ahead], ahead)
                then = self.days.get(seen.today + ahead)
                self.days[seen.today + ahead] = now
                if then is not None:
                    self._passed(then, now)
                elif self.last is not None and at - self.last[0] > RUN_TO_RUN + JITTER:
                    self.late.append((self.last[0], at))
        self._noted(at, seen.today, self.net - before)

    def _noted(self, at: float, today: int, count: int) -> None:
        last, self.last = self.last, (at, today)
        if last is None:
            if JITTER < at - self.since <= UNTOLD:
                self.unseen.append((self.since, at))
        elif at - last[0] <= RUN_TO_RUN + JITTER:
            hour = int(last[0] // RUN_TO_RUN) % 24
            self.pace.net[hour] += count
            self.pace.seen[hour] += 1
            if today != last[1]:
                self.pace.midnight = int(at // RUN_TO_RUN) % 24

    def _passed(self, then: _Look, now: _Look) -> None:
        took = now.at - then.at
        if then.working != now.working:
            self.doubtful += 1.0
        elif took <= RUN_TO_RUN + JITTER:
            lapsed = round((then.open - then.staying) * min(took / RUN_TO_RUN, 1.0))
            filled = then.open - lapsed - now.open
            self.net += filled
            if then.ahead <= LAPSING:
                usual = self.pace.hours[then.ahead, int(then.at // RUN_TO_RUN) % 24]
                usual.open += then.open
                usual.filled += max(filled, 0)
                usual.lapsed += lapsed
        elif now.ahead > LAPSING or now.open >= then.open:
            self.net += then.open - now.open
            self.doubtful += 0.1 * (now.ahead <= LAPSING and now.open > 0)
        else:
            self.gone.append(_Gone(then.at, now.at, then.ahead, then.open - now.open))

    def _ended(self, last: _Look, at: float) -> None:
        """A day is over; that still had openings when it was last seen, or not."""
        if last.staying > 0:
            self.gone.append(_Gone(last.at, at, last.ahead, last.staying))

    def result(self) -> Filled:
        if self.last is not None and JITTER < self.before - self.last[0] <= UNTOLD:
            self.unseen.append((self.last[0], self.before))
        count, variance = float(self.net), self.doubtful
        for gone in self.gone:
            share = self.pace.filled(gone)
            count += gone.count * share
            # Openings of one stretch go the same way more often than each by itself, and the share is a guess.
            variance += gone.count * (1 + 0.2 * gone.count) * max(share * (1 - share), 0.03)
        for stretch in self.late:
            usual = self.pace.expected(*stretch) / HORIZON
            count, variance = count + usual, variance + usual + 0.1
        for stretch in self.unseen:
            usual = self.pace.expected(*stretch)
            count, variance = count + usual, variance + usual + 1
        return Filled(count, variance, self.looks)


def filled(service: str, runs: Iterable[RunSeen], since: float, before: float) -> Filled | None:
    """What was filled from `since` to `before`, in seconds; `runs` are oldest first. None where too few looks tell."""
    tally = _Tally(since, before)
    for run in runs:
        at = run.at.timestamp()
        seen = next((each for each in run.services if each.name == service), None)
        if seen is not None and since <= at <= before:
            tally.look(at, seen)
    return tally.result() if tally.looks >= FEWEST else None
