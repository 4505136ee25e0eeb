"""Months of campaigns that spend and services that fill, in fractions of a second, with the truth beside what is seen.

Delivery differs by campaign, weekday, day and hour, over- and underspends, hangs together from day to day and between
campaigns, and answers to a budget less than in proportion. Platforms report late, take back clicks and begin each month at
nothing; runs fail, Cliniko and campaigns cannot be read for hours, somebody takes a campaign into his own hands. Ads bring
bookings, patients cancel, slots pass unsold. A simple rule pauses or cuts while a service is full and raises while it is
slack. What the same draws would have spent at base budgets is known here, and nowhere else. The same seed gives the same
months.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import exp, pi, sin
from zoneinfo import ZoneInfo

from service.core.days import HORIZON
from service.core.reports.seen import NEARLY_FULL, RUN_TO_RUN, CampaignSeen, RunSeen, ServiceSeen

HOUR = timedelta(hours=1)
DAY_HOURS = 24
OPENS, CLOSES = 8, 18
"""The local hours in which appointments begin, an hour each."""

ZONE = "Australia/Sydney"
ZONES = (ZONE, ZONE, "UTC", "America/Los_Angeles")
"""Where ad accounts count their days."""

PLATFORMS = {"google": (2.0, 3.0), "meta": (1.75, 0.25)}
"""How far a day's spend may exceed the highest budget of the day, and how many hours late it is told at most."""

LEAD = 2
"""Hours before which an appointment must be booked."""

LATEST_FULL, LATEST_SLACK = 88.0, 70.0
"""A restraint ends below the first, a raise at the second utilisation."""

SLACK = 60.0
COOLING = 6


@dataclass(frozen=True, slots=True)
class Truth:
    """What really was of one campaign, over the hours that were seen: spend avoided while full and moved by raises; and all."""

    avoided: float
    moved: float
    spent: float


@dataclass(frozen=True, slots=True)
class Lived:
    """A clinic's months: what runs saw, and the truth of the last `days` of them. `booked` is bookings less cancellations."""

    runs: tuple[RunSeen, ...]
    since: datetime
    before: datetime
    campaigns: dict[str, Truth]
    booked: dict[str, int]


@dataclass(slots=True)
class _Campaign:
    """One campaign: `base_spend` by hour is what it would spend untouched, `spend` what it does, from the first hour on."""

    name: str
    service: str
    platform: str
    zone: ZoneInfo
    base: float
    elasticity: float
    cuts_to: float
    base_spend: list[float]
    days: list[date]
    budget: float
    running: bool = True
    ours: bool = False
    hand_until: int = -1
    changed: int = -COOLING
    spend: list[float] = field(default_factory=list)
    sums: list[float] = field(default_factory=lambda: [0.0])
    seen: dict[int, tuple[bool, bool, float]] = field(default_factory=dict)
    told: float = 0.0
    lag: float = 1.5


@dataclass(slots=True)
class _Service:
    """One service: how many can be booked by local day and hour from `OPENS` on, and what becomes of it.

    `organic` bookings an hour come without ads, in a `wave` of a height, a length in days and a beginning.
    """

    name: str
    staff: int
    free: dict[date, list[int]]
    organic: float
    wave: tuple[float, float, float]
    cancelling: float
    per_spend: float = 0.0
    seen: dict[int, bool] = field(default_factory=dict)
    net: list[int] = field(default_factory=list)


def lived(seed: int, days: int = 30) -> Lived:
    """A clinic's last `days`, and the 10 to 50 days of history before them."""
    return _Months(seed, days).lived()


class _Months:
    """One clinic as time passes."""

    def __init__(self, seed: int, days: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - a simulation
        self.history = self.chance.randint(10, 50)
        self.days = days
        first = date(2026, 1, 10) + timedelta(days=self.chance.randrange(300))
        self.begins = datetime.combine(first, datetime.min.time(), ZoneInfo(ZONE)).astimezone(UTC)
        self.hours = (self.history + days) * DAY_HOURS + 6
        local = ZoneInfo(ZONE)
        self.local = [(self.begins + k * HOUR).astimezone(local) for k in range(self.hours + 1)]
        self.services = [self._service(n) for n in range(self.chance.randint(1, 3))]
        shared = {platform: self._wander(0.12, 0.5) for platform in PLATFORMS}
        zones = {platform: ZoneInfo(self.chance.choice(ZONES)) for platform in PLATFORMS}
        self.campaigns = [
            self._campaign(service, platform, n, shared[platform], zones[platform])
            for service in self.services
            for platform in PLATFORMS
            for n in range(self.chance.randint(1, 2))
        ]
        self.unread = self._outages(6, 12)
        self.missed = self._outages(5, 3)
        self.unread_platform = {platform: self._outages(2, 6) for platform in PLATFORMS}

    # --- drawn beforehand -----------------------------------------------------------------------------------------------

    def _outages(self, most: int, hours: int) -> set[int]:
        starts = [self.chance.randrange(self.hours) for _ in range(self.chance.randint(0, most))]
        return {start + n for start in starts for n in range(self.chance.randint(1, hours))}

    def _wander(self, sd: float, keep: float) -> list[float]:
        """A value for each day that remembers the day before."""
        found, value = [], self.chance.gauss(0, sd)
        for _ in range(self.history + self.days + 4):
            found.append(value)
            value = keep * value + self.chance.gauss(0, sd * (1 - keep * keep) ** 0.5)
        return found

    def _service(self, n: int) -> _Service:
        staff = self.chance.randint(1, 5)
        first = self.local[0].date()
        days = [first + timedelta(days=k) for k in range(-1, self.history + self.days + HORIZON + 3)]
        free = {day: [staff * (day.weekday() < 5)] * (CLOSES - OPENS) for day in days}
        load = staff * (CLOSES - OPENS) * 5 / 7 / 12  # bookings in each of 12 waking hours that fill it exactly
        wave = (self.chance.uniform(0.2, 0.5), self.chance.uniform(20, 45), self.chance.uniform(0, 2 * pi))
        return _Service(
            f"service-{n}", staff, free, load * self.chance.uniform(0.4, 1.1), wave, self.chance.uniform(0.0005, 0.003)
        )

    def _campaign(self, service: _Service, platform: str, n: int, shared: list[float], zone: ZoneInfo) -> _Campaign:
        chance, base = self.chance, round(self.chance.uniform(20, 100), 2)
        level, own = 0.85 * exp(chance.gauss(0, 0.2)), self._wander(chance.uniform(0.1, 0.3), 0.4)
        weekday = [exp(chance.gauss(0, 0.1)) for _ in range(7)]
        peak = chance.uniform(10, 16)
        days = [(self.begins + k * HOUR).astimezone(zone) for k in range(self.hours)]
        shape = [max(0.1, 1 + 0.9 * sin(pi * (hour - peak + 6) / 12)) for hour in range(24)]
        spend, spent, cap = [], 0.0, PLATFORMS[platform][0] * base
        for k, there in enumerate(days):
            day = (there.date() - days[0].date()).days
            spent = 0.0 if k and there.date() != days[k - 1].date() else spent
            ratio = level * weekday[there.weekday()] * exp(shared[day] + own[day])
            now = base * ratio * shape[there.hour] / sum(shape) * chance.gammavariate(3, 1 / 3)
            spend.append(min(now, max(cap - spent, 0.0)))
            spent += spend[-1]
        service.per_spend += 0.25 * service.staff * (CLOSES - OPENS) * 5 / 7 / base / 3 * chance.uniform(0.5, 1.5)
        return _Campaign(
            f"{service.name}-{platform}-{n}", service.name, platform, zone, base,
            1.0 if chance.random() < 0.25 else chance.uniform(0.4, 1.0),
            0.0 if chance.random() < 0.7 else 0.3, spend, [each.date() for each in days], base,
        )  # fmt: skip

    # --- as time passes -------------------------------------------------------------------------------------------------

    def lived(self) -> Lived:
        runs = []
        for k in range(self.hours):
            if k not in self.missed:
                runs.append(self._run(k))
            for campaign in self.campaigns:
                self._spend(campaign, k)
            for service in self.services:
                service.net.append(self._fill(service, k))
        first, last = self.history * DAY_HOURS, (self.history + self.days) * DAY_HOURS
        truth = {each.name: self._truth(each, first, last) for each in self.campaigns}
        booked = {each.name: sum(each.net[first:last]) for each in self.services}
        return Lived(tuple(runs), self.begins + first * HOUR, self.begins + last * HOUR, truth, booked)

    def _run(self, k: int) -> RunSeen:
        services = {} if k in self.unread else {each.name: self._look(each, k) for each in self.services}
        campaigns, months = [], []
        for each in self.campaigns:
            told = self._told(each, k)
            campaigns.append(self._read(each, k))
            months.append(None if campaigns[-1].running is None else f"{told:.2f}")
            seen = services.get(each.service)
            if seen is not None and campaigns[-1].running is not None:
                self._govern(each, seen, k)
        return RunSeen(self.begins + k * HOUR, tuple(campaigns), tuple(months), tuple(services.values()))

    def _read(self, each: _Campaign, k: int) -> CampaignSeen:
        if self.chance.random() < 0.0004 and each.hand_until < k:
            each.hand_until, each.running, each.ours = k + self.chance.randint(24, 120), True, False
            each.budget = round(each.base * self.chance.choice((0.7, 1.2, 1.5)), 2)
        elif each.hand_until == k:
            each.budget = each.base
        same = (each.platform, each.name, each.name, each.service, f"{each.base:.2f}", str(each.zone))
        if k in self.unread_platform[each.platform]:
            return CampaignSeen(*same, ours=False, running=None, budget=None)
        each.seen[k] = (each.ours and each.hand_until <= k, each.running, each.budget)
        return CampaignSeen(*same, each.seen[k][0], each.running, f"{each.budget:.2f}")

    def _told(self, each: _Campaign, k: int) -> float:
        """What the month has cost as far as it is told by now."""
        latest = PLATFORMS[each.platform][1]
        each.lag = min(max(each.lag + self.chance.gauss(0, latest / 5), 0.1 * latest), latest)
        there = (self.begins + k * HOUR).astimezone(each.zone)
        begins = max(0, k - ((there.day - 1) * 24 + there.hour))
        until = k - each.lag
        whole = int(until) if until >= 0 else 0
        known = each.sums[whole] - each.sums[begins] if whole > begins else 0.0
        known += each.spend[whole] * (until - whole) if begins <= whole < len(each.spend) and until > whole else 0.0
        each.told = max(known, each.told) if begins < k - 1 and there.day > 1 else known
        doubted = 0.015 * (each.sums[k] - each.sums[max(begins, k - there.hour)]) if there.day % 3 == 0 else 0.0
        return each.told + doubted

    def _look(self, each: _Service, k: int) -> ServiceSeen:
        now = self.local[k]
        days = [now.date() + timedelta(days=n) for n in range(HORIZON)]
        first = max(now.hour + LEAD - OPENS, 0)
        later = max(now.hour + LEAD + RUN_TO_RUN // 3600 - OPENS, 0)
        low = [sum(each.free[days[0]][first:]), *(sum(each.free[day]) for day in days[1:])]
        staying = [sum(each.free[days[0]][later:]), *low[1:]]
        slots = [each.staff * (CLOSES - OPENS) * (day.weekday() < 5) for day in days]
        sellable = sum(slots[1:]) + (slots[0] and each.staff * max(0, CLOSES - OPENS - first))
        busy = 100 * (1 - sum(low) / sellable)
        full = sum(low) == 0 or busy >= NEARLY_FULL
        each.seen[k] = full
        working = [n * 60 for n in slots]
        return ServiceSeen(each.name, days[0].toordinal(), low, low, staying, working, full, round(busy, 1), round(busy, 1))

    def _govern(self, each: _Campaign, seen: ServiceSeen, k: int) -> None:
        if each.hand_until > k or k - each.changed < COOLING or seen.least is None:
            return
        now = each.budget if each.running else 0.0
        wish = now
        if seen.full:
            wish = each.cuts_to * each.base
        elif now < each.base and seen.least < LATEST_FULL:
            wish = each.base
        elif now == each.base and seen.least < SLACK:
            wish = 1.3 * each.base
        elif now > each.base and seen.least >= LATEST_SLACK:
            wish = each.base
        if round(wish, 2) != now:
            each.running, each.budget = wish > 0, round(wish, 2) if wish > 0 else each.base
            each.ours, each.changed = True, k

    def _spend(self, each: _Campaign, k: int) -> None:
        share = (each.budget / each.base) ** each.elasticity if each.running else 0.0
        each.spend.append(each.base_spend[k] * share)
        each.sums.append(each.sums[-1] + each.spend[-1])

    def _fill(self, each: _Service, k: int) -> int:
        """Bookings less cancellations of an hour, of what could still be booked."""
        now = self.local[k]
        if not 7 <= now.hour < 21:
            return 0
        spent = sum(campaign.spend[k] for campaign in self.campaigns if campaign.service == each.name)
        days = [now.date() + timedelta(days=n) for n in range(HORIZON)]
        height, length, begun = each.wave
        organic = each.organic * (1 + height * sin(2 * pi * k / 24 / length + begun))
        net = sum(self._book(each, days, now.hour) for _ in range(self._poisson(organic + each.per_spend * spent)))
        taken = sum(each.staff * (CLOSES - OPENS) - sum(each.free[day]) for day in days[1:] if day.weekday() < 5)
        return net - sum(self._cancel(each, days) for _ in range(self._poisson(taken * each.cancelling)))

    def _book(self, each: _Service, days: list[date], hour: int) -> int:
        """Somebody wants an appointment, rather soon than late, and takes the next that there is."""
        wanted = min(int(self.chance.expovariate(0.25)), HORIZON - 1)
        for day in (*days[wanted:], *days[:wanted]):
            after = max(hour + LEAD + 1 - OPENS, 0) if day == days[0] else 0
            open_ = [n for n in range(after, CLOSES - OPENS) if each.free[day][n] > 0]
            if open_:
                each.free[day][self.chance.choice(open_)] -= 1
                return 1
        return 0

    def _cancel(self, each: _Service, days: list[date]) -> int:
        """Some appointment of the coming days is cancelled."""
        day, n = self.chance.choice(days[1:]), self.chance.randrange(CLOSES - OPENS)
        if day.weekday() > 4 or each.free[day][n] == each.staff:
            return 0
        each.free[day][n] += 1
        return 1

    def _poisson(self, mean: float) -> int:
        count, left = 0, exp(-mean)
        product = self.chance.random()
        while product > left:
            count += 1
            product *= self.chance.random()
        return count

    # --- the truth ------------------------------------------------------------------------------------------------------

    def _truth(self, each: _Campaign, first: int, last: int) -> Truth:
        full = {service.name: service.seen for service in self.services}[each.service]
        found: defaultdict[str, float] = defaultdict(float)
        read = sorted(each.seen)
        for begins, ends in pairwise(read):
            ours, running, budget = each.seen[ends]
            budget = budget if running else 0.0
            for k in range(max(begins, first), min(ends, last)) if ends - begins <= 2 and ours else ():
                if budget < each.base and full.get(begins):
                    found["avoided"] += each.base_spend[k] - each.spend[k]
                if budget > each.base:
                    found["moved"] += each.spend[k] - each.base_spend[k]
        return Truth(found["avoided"], found["moved"], sum(each.spend[first:last]))
