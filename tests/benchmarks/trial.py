"""What the booking-pace model, the naive and the oracle make of simulated clinics, added up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Self

from service.core.logic import Bounds
from service.core.pace import Ahead, Look, expected, fit, outlook
from tests.benchmarks.demand import AHEAD, FIRST, World, lived
from tests.benchmarks.oracle import oracle

HISTORY = 56
ORIGINS = (56, 61, 65, 69, 74)
"""Different weekdays. The steps of `kinds.steps` are at the latest on day 42: more than 14 days before the first."""

NEAREST = 3
BUSY = 5.0
"""Mean openings a day from which on the coverage of bands is held to its limits."""


@dataclass(slots=True)
class Tally:
    """Sums over forecasts: of what came, of absolute errors, and of how often the bands held."""

    count: int = 0
    came: float = 0.0
    model: float = 0.0
    naive: float = 0.0
    oracle: float = 0.0
    busy: int = 0
    covered: int = 0
    sums: int = 0
    at_least: int = 0
    at_most: int = 0

    def __iadd__(self, other: Tally) -> Self:
        for name in Tally.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    @property
    def to_naive(self) -> float:
        """The model's WAPE for the naive's."""
        return self.model / self.naive

    @property
    def to_oracle(self) -> float:
        """The model's WAPE for the oracle's."""
        return self.model / self.oracle

    @property
    def coverage(self) -> float:
        """How much of what came lay in the 80% bands, where mean openings are at least five a day."""
        return self.covered / max(self.busy, 1)

    def row(self, name: str) -> str:
        """A line of the table of figures."""
        wapes = (x / self.came for x in (self.naive, self.oracle, self.model))
        ratios = f"{self.to_naive - 1:+8.1%} {self.to_oracle - 1:+8.1%}"
        bands = f"{self.coverage:8.1%} {self.at_least / max(self.sums, 1):8.1%} {self.at_most / max(self.sums, 1):8.1%}"
        return f"{name:12} {self.count:8,} " + " ".join(f"{x:7.3f}" for x in wapes) + f" {ratios} {bands}"


HEAD = f"{'':12} {'days':>8}" + "".join(f" {name:>7}" for name in ("naive", "oracle", "model"))
HEAD += "".join(f" {name:>8}" for name in ("/naive", "/oracle", "band 80", ">=80%", "<=80%"))


@dataclass(slots=True)
class Lived:
    """A world as it came to pass, with every look taken; `known` is what the oracle knows of (line, day)."""

    world: World
    looks: list[tuple[Look, ...]]
    known: dict[tuple[int, int], list[list[float]]] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World) -> Lived:
        """All days of a world."""
        return cls(world, list(lived(replace(world, missed=frozenset()), world.days)))

    def openings(self, line: int, day: int, ahead: int) -> float | None:
        """What was open of `day`, so many days before it."""
        return self.looks[day - ahead][line].openings[ahead]

    def came(self, line: int, day: int) -> float | None:
        """What was open of `day` when it came, as far as lead time lets it be seen."""
        return self.openings(line, day, self.world.lines[line].masked)

    def oracle(self, line: int, day: int, ahead: int, openings: float) -> float:
        """What the oracle expects."""
        if (line, day) not in self.known:
            self.known[line, day] = oracle(self.world, line, day)
        return self.known[line, day][ahead][int(openings)]

    def seen(self, first: int, last: int) -> list[Look]:
        """The looks that were not missed."""
        return [look for day in range(max(first, 0), last + 1) if day not in self.world.missed for look in self.looks[day]]


def trial(story: Lived, history: int = HISTORY + 1, origins: Iterable[int] = ORIGINS) -> Tally:
    """Forecast from each origin, with looks of so many days, what came of the days ahead."""
    tally = Tally()
    for origin in origins:
        if origin not in story.world.missed:
            tally += _from(story, origin, history)
    return tally


def _from(story: Lived, origin: int, history: int) -> Tally:
    tally, pace = Tally(), fit(story.seen(origin - history + 1, origin), FIRST + timedelta(days=origin))
    coming: dict[str, list[tuple[Ahead, float]]] = {}
    for n, line in enumerate(story.world.lines):
        busy = _mean(story, n, origin) >= BUSY
        for day, came in _ahead(story, n, origin):
            coming.setdefault(line.service, []).append((day, came))
            found = outlook(pace, line.service, day)
            if day.ahead >= NEAREST and found:
                now = day.openings.low
                known = story.oracle(n, origin + day.ahead, day.ahead, now)
                model, naive, best = (abs(x - came) for x in (found.mean, now, known))
                covered = busy and found.low <= came <= found.high
                tally += Tally(1, came, model, naive, best, busy=busy, covered=covered)
    for service, days in coming.items():
        for within in (7, AHEAD):
            total = expected(pace, service, [day for day, _ in days], within, confidence=80)
            came = sum(came for day, came in days if day.ahead < within)
            tally += Tally(sums=1, at_least=came >= total.lower.low, at_most=came <= total.upper.high)
    return tally


def _ahead(story: Lived, line: int, origin: int) -> Iterator[tuple[Ahead, float]]:
    location, places = story.world.lines[line].location, story.world.places
    for ahead in range(AHEAD):
        day = origin + ahead
        now, came = story.openings(line, day, ahead), story.came(line, day)
        if now is not None and came is not None:
            date = FIRST + timedelta(days=day)
            yield Ahead(location, date, ahead, Bounds.exactly(now), most=places(line, day)), came


def _mean(story: Lived, line: int, origin: int) -> float:
    """Mean openings of the days a forecast from here is about, as they are now."""
    now = [x for x in story.looks[origin][line].openings[NEAREST:] if x is not None]
    return sum(now) / max(len(now), 1)
