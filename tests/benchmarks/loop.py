"""A governor whose forecast moves the demand that it forecasts.

Advertising follows the openings expected to stay unfilled, as `cost_per_booking` does and as fast as the guardrails could
ever let it: four runs a day, half of base up or any way down at each, no move of less than a twentieth. Advertising draws
bookings, bookings are looked at, looks become the forecast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from statistics import fmean

from service.core.logic import Bounds
from service.core.pace import Ahead, Look, Pace, expected, fit, outlook
from tests.benchmarks.demand import AHEAD, FIRST, Clinic, World

HISTORY = 56
RUNS_A_DAY = 4
FLOOR, CEILING, STEP, DEAD_BAND = 0.25, 2.0, 0.5, 0.05


@dataclass(frozen=True, slots=True)
class Course:
    """How it went: each service's budget (base is 1) at every run, and (expected, came) three to thirteen days ahead."""

    budgets: dict[str, list[float]]
    forecasts: list[tuple[float, float]]


def course(world: World, *, answered: bool, haste: float = 1.0, late: int = 0) -> Course:
    """Eight weeks on after eight weeks at base. Unless `answered`, budgets are only written down: advertising stays at base.

    `haste` above 1 spends that many times as much for each opening more or less than at the start, and
    `late` answers what was expected so many days before.
    """
    governor = _Governor(world, haste, late)
    for _ in range(HISTORY):
        governor.look()
        governor.clinic.pass_day()
    for _ in range(world.days - HISTORY - AHEAD):
        governor.look()
        governor.day(answered=answered)
    return Course(governor.budgets, list(governor.scored()))


class _Governor:
    def __init__(self, world: World, haste: float, late: int) -> None:
        self.world, self.clinic, self.haste = world, Clinic(world), haste
        self.late = late * RUNS_A_DAY
        self.expected: dict[str, list[float]] = {line.service: [] for line in world.lines}
        self.looks: list[Look] = []
        self.seen: list[dict[int, tuple[float | None, ...]]] = [{} for _ in world.lines]
        self.means: list[dict[tuple[int, int], float]] = [{} for _ in world.lines]
        self.at_base: dict[str, float] = {}
        self.budgets: dict[str, list[float]] = {line.service: [] for line in world.lines}

    def look(self) -> None:
        looks = self.clinic.looks()
        self.looks = [*self.looks, *looks][-70 * len(looks) :]
        for line, look in enumerate(looks):
            self.seen[line][self.clinic.today] = look.openings

    def day(self, *, answered: bool) -> None:
        pace = fit(self.looks, FIRST + timedelta(days=self.clinic.today))
        for line, one in enumerate(self.world.lines):
            for day in self._ahead(line, 0.0):
                found = outlook(pace, one.service, day)
                if found and day.ahead >= 3:
                    self.means[line][self.clinic.today, day.ahead] = found.mean
        for part in range(RUNS_A_DAY):
            for service, budgets in self.budgets.items():
                budgets.append(self._budget(pace, service, budgets[-1] if budgets else 1.0, part / RUNS_A_DAY))
            ads = [self.budgets[line.service][-1] if answered else 1.0 for line in self.world.lines]
            self.clinic.pass_part(RUNS_A_DAY, ads)
        self.clinic.begin()

    def _budget(self, pace: Pace, service: str, now: float, elapsed: float) -> float:
        lines = [n for n, line in enumerate(self.world.lines) if line.service == service]
        days = [day for line in lines for day in self._ahead(line, elapsed)]
        left = expected(pace, service, days, AHEAD).openings.estimate or 0.0
        seen = self.expected[service]
        seen.append(left)
        at_base = self.at_base.setdefault(service, max(left, 1.0))
        answer = seen[max(len(seen) - 1 - self.late, 0)]
        wanted = min(max(1 + self.haste * (answer / at_base - 1), FLOOR), CEILING)
        after = min(wanted, now + STEP)
        return after if abs(after - now) >= DEAD_BAND else now

    def _ahead(self, line: int, elapsed: float) -> Iterator[Ahead]:
        today = self.clinic.today
        for ahead, openings in enumerate(self.clinic.openings(line)):
            if openings is not None:
                day, most = FIRST + timedelta(days=today + ahead), self.world.places(line, today + ahead)
                yield Ahead(self.world.lines[line].location, day, ahead, Bounds.exactly(openings), elapsed=elapsed, most=most)

    def scored(self) -> Iterator[tuple[float, float]]:
        for line, means in enumerate(self.means):
            masked = self.world.lines[line].masked
            for (day, ahead), mean in means.items():
                came = self.seen[line].get(day + ahead - masked, (None,) * AHEAD)[masked]
                if came is not None:
                    yield mean, came


# --- does it chase its own tail? ----------------------------------------------------------------------------------------


def reversals(budgets: Sequence[float]) -> int:
    """How often a budget that had risen fell, or the other way round."""
    moves = [after - before for before, after in pairwise(budgets) if after != before]
    return sum(a * b < 0 for a, b in pairwise(moves))


def swing(budgets: Sequence[float]) -> float:
    """The mean square of a budget about its mean."""
    mean = fmean(budgets)
    return fmean((budget - mean) ** 2 for budget in budgets)


def wape(pairs: Sequence[tuple[float, float]]) -> float:
    """The sum of errors for the sum of what came."""
    return sum(abs(mean - came) for mean, came in pairs) / sum(came for _, came in pairs)
