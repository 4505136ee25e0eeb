"""Clinics whose bookings and cancellations arrive by chance.

Written without a look at the booking-pace model: nothing here is additive, smoothed or shrunk. People ask for a day from
thirteen days ahead on, on some weekdays more than on others, find it full and go elsewhere, or cancel. Every world is the
same for the same seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from service.core.pace import Look

FIRST = date(2026, 1, 5)
"""Day 0 of every world, a Monday."""

AHEAD = 14


@dataclass(frozen=True, slots=True)
class Line:
    """One service at one location: what it can seat per weekday, who asks for it, and how.

    `demand` is how many people a weekday's places are asked for over the fourteen days before; `lead` how these requests
    spread over the days ahead; `asking` how they spread over the weekdays of the asking; `early` the share of places gone
    before the window opens; `cancelling` the chance per day that a booking is cancelled. `burst` above 1 makes requests come
    in clusters. `masked` days ahead are hidden by lead time. `pull` says how much of the demand answers to advertising.
    """

    service: str
    location: str
    places: tuple[int, ...]
    demand: tuple[float, ...]
    lead: tuple[float, ...]
    asking: tuple[float, ...]
    early: float
    cancelling: float
    burst: float = 1.0
    masked: int = 0
    pull: float = 0.0


@dataclass(frozen=True, slots=True)
class World:
    """A clinic over time. Days are numbers, day 0 is `FIRST`; `mood` multiplies what is asked for on a day."""

    kind: str
    seed: int
    lines: tuple[Line, ...]
    mood: tuple[float, ...]
    closed: frozenset[int] = frozenset()
    away: Mapping[tuple[int, int], int] = field(default_factory=dict)
    staffed: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    missed: frozenset[int] = frozenset()

    @property
    def days(self) -> int:
        """How many days the world lasts."""
        return len(self.mood)

    def places(self, line: int, day: int) -> int:
        """How many appointments the roster of a day holds; 0 is closed."""
        rostered = self.lines[line].places[day % 7]
        if day in self.closed or not rostered:
            return 0
        since, more = self.staffed.get(line, (self.days, 0))
        return max(rostered + (more if day >= since else 0) - self.away.get((line, day), 0), 0)

    def rate(self, line: int, day: int, lead: int) -> float:
        """How many people are expected to ask for `day` during the local day that is `lead` days before it."""
        one, asked_on = self.lines[line], day - lead
        mood = self.mood[max(asked_on, 0)] * (0.25 if asked_on in self.closed else 1.0)
        return one.demand[day % 7] * one.lead[lead] * one.asking[asked_on % 7] * mood


def poisson(chance: Random, mean: float) -> int:
    """A Poisson number, by multiplying uniform ones (Knuth)."""
    limit, count, product = math.exp(-mean), 0, chance.random()
    while product > limit:
        count, product = count + 1, product * chance.random()
    return count


def _asked(chance: Random, mean: float, burst: float) -> int:
    """Requests of one day: Poisson, or negative binomial with variance `burst` times the mean."""
    if burst > 1 and mean > 0:
        return poisson(chance, chance.gammavariate(mean / (burst - 1), burst - 1))
    return poisson(chance, mean)


def _binomial(chance: Random, trials: int, share: float) -> int:
    return sum(chance.random() < share for _ in range(trials))


class Clinic:
    """A world as it comes to pass, a local day at a time."""

    def __init__(self, world: World) -> None:
        self.world, self.chance, self.today = world, Random(world.seed), 0  # noqa: S311 - a simulation
        self.free: list[dict[int, int]] = [{} for _ in world.lines]
        for line in range(len(world.lines)):
            for day in range(AHEAD):
                self._enter(line, day)
                for lead in range(AHEAD - 1, day, -1):
                    self._live(line, day, lead, 1.0, 1)

    def openings(self, line: int) -> tuple[int | None, ...]:
        """What is open at the start of today, by days ahead; None where closed or hidden by lead time."""
        free, hidden = self.free[line], self.world.lines[line].masked
        days = range(self.today, self.today + AHEAD)
        return tuple(free[d] if self.world.places(line, d) and d - self.today >= hidden else None for d in days)

    def looks(self) -> tuple[Look, ...]:
        """Today's looks."""
        day = FIRST + timedelta(days=self.today)
        return tuple(Look(one.service, one.location, day, self.openings(n)) for n, one in enumerate(self.world.lines))

    def pass_day(self) -> None:
        """Let today happen and begin tomorrow."""
        self.pass_part(1, [1.0] * len(self.world.lines))
        self.begin()

    def pass_part(self, parts: int, ads: Sequence[float]) -> None:
        """Let one of `parts` equal parts of today happen, `ads` times as much advertising as usual for each line."""
        for line, much in enumerate(ads):
            pull = self.world.lines[line].pull
            for lead in range(AHEAD):
                self._live(line, self.today + lead, lead, 1 - pull + pull * much, parts)

    def begin(self) -> None:
        """Begin tomorrow."""
        for line in range(len(self.world.lines)):
            del self.free[line][self.today]
            self._enter(line, self.today + AHEAD)
        self.today += 1

    def _enter(self, line: int, day: int) -> None:
        places = self.world.places(line, day)
        self.free[line][day] = places - _binomial(self.chance, places, self.world.lines[line].early)

    def _live(self, line: int, day: int, lead: int, drawn: float, parts: int) -> None:
        one, free, places = self.world.lines[line], self.free[line], self.world.places(line, day)
        if places:
            cancelling = 1 - (1 - one.cancelling) ** (1 / parts)
            freed = free[day] + _binomial(self.chance, places - free[day], cancelling)
            rate = self.world.rate(line, day, lead) * drawn / parts
            free[day] = max(freed - _asked(self.chance, rate, one.burst), 0)


def lived(world: World, days: int) -> Iterator[tuple[Look, ...]]:
    """The looks of days 0 .. `days` - 1; a missed day yields none."""
    clinic = Clinic(world)
    for _ in range(days):
        yield () if clinic.today in world.missed else clinic.looks()
        clinic.pass_day()
