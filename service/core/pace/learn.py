"""Learning the booking pace from looks, in the order of their days.

Two looks a day apart show, for each coming day, how many openings were cancelled less how many were booked: one step of
pick-up (the "advanced" pick-up, which learns from days that are still to come). Steps are averaged per weekday and days
ahead. Plain additive averages did not come near what can be known, in five ways, and each has its answer:

- A weekday's step at one distance is seen once a week. It is shrunk to the product of what that distance, that weekday and
  that day of booking usually do, and this where thin to the share of openings the service, and the clinic, usually lose.
- Demand moves faster than eight weeks of averages. One number per place, the level, multiplies every step; it follows the
  evidence of all days ahead at once (a scalar Kalman filter: Kalman, "A new approach to linear filtering and prediction
  problems", 1960) by as much as that evidence can carry, so a busy place is followed in days and a quiet one in weeks.
- A full day cannot lose what it has not got: days with more openings than usual lose more than others, days with fewer
  less. `pull` is by how much, by regression; it also makes the pick-up partly proportional.
- Steps that add up to no more than chance are not believed, so that a quiet or a young place is left as it is.
- One odd day, a practitioner joining or the roster changing, is no pace: a step counts no further from what was expected
  than `ODD` times what is usual.

Computed from its arguments alone: every look is predicted with what the weeks before taught.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from service.core.days import HORIZON
from service.core.pace.looks import History, Row

WEEK = 7
GAP = 6
"""The most days between two looks that still show a step, which is then shared evenly among the days between."""

FADING = 0.95
"""How much an observation counts a week later."""

STEPS = 5.0
"""How many steps at one distance weigh as much as the service's usual share."""

FACTOR = 40.0
"""How many average steps weigh as much as a weekday being like any other."""

CELL = 10.0
"""How many weeks of one weekday and distance weigh as much as the product of the two."""

CHANCE = 2.0
"""How much further than independent chance a whole way of steps can be off: days err together."""

SHARE = 30.0
"""How many openings seen weigh as much as the next wider circle's share: the service's, the clinic's, none lost."""

PULLED = (20.0, 60.0)
"""How many squared openings weigh as much as no pull, for the clinic, and as much as the clinic's pull, for a place."""

STRONGEST = 0.5
REACH = (0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2)
"""The strongest pull per step; and, by days ahead, the group of distances that share one."""

WANDER = 0.002
UNSURE = 0.03
LEVELS = (0.25, 4.0)
"""The level: the variance it gains a day, the variance it starts with, and how far it goes."""

ODD = 3.0
"""How many times its usual error (and one opening) a step may be off and still count in full."""

USUAL = 0.05
"""How much one look's steps count in what is usual."""

ENOUGH = 7
"""How many looks a place must have before anything is predicted from them: a step for every day of the week."""

CELLS = tuple(tuple((day + n) % WEEK * HORIZON + n for n in range(HORIZON)) for day in range(WEEK))
"""[weekday of the look][days ahead] -> where that weekday and distance are in a table."""

TARGETS = tuple((day, n, day * HORIZON + n, (day - n) % WEEK) for day in range(WEEK) for n in range(1, HORIZON))
"""(weekday, days ahead, where the two are in a table, weekday of the booking)."""

Table = list[float]
"""Weekday x days ahead, flat."""


def weekday(ordinal: int) -> int:
    """Monday is 0."""
    return (ordinal - 1) % WEEK


def _table() -> Table:
    return [0.0] * (WEEK * HORIZON)


def _by_distance(table: Table) -> Table:
    return [sum(table[n::HORIZON]) for n in range(HORIZON)]


@dataclass(slots=True)
class Learner:
    """One service at one location while it is learnt: sums of what was seen, and what they came to at the last week's end.

    Sums: `steps` and `weights` make the mean step, `openings` and `counts` the usual openings, `moments` (above usual x step,
    above usual squared) the pull. `level` is what demand is now of what the steps were learnt at, `doubt` its variance,
    `usual` the mean square of what one step is off by. The rest is what they came to: of `x` openings at a distance `kept` are
    left, times x, and `level` x `moving` + `still` are added; `predicted` is what that came to at each look, by its day.
    """

    service: str
    location: str
    rows: Sequence[tuple[int, Row]]
    at: int = 0
    steps: Table = field(default_factory=_table)
    weights: Table = field(default_factory=_table)
    openings: Table = field(default_factory=_table)
    counts: Table = field(default_factory=_table)
    level: float = 1.0
    doubt: float = UNSURE
    usual: float = 4.0
    moments: list[list[float]] = field(default_factory=lambda: [[0.0, 0.0] for _ in range(3)])
    step: Table = field(default_factory=_table)
    mean: Table = field(default_factory=_table)
    pull: Table = field(default_factory=lambda: [0.0] * HORIZON)
    ready: bool = False
    kept: Table = field(default_factory=lambda: [1.0] * HORIZON)
    moving: Table = field(default_factory=_table)
    still: Table = field(default_factory=_table)
    predicted: dict[int, list[float | None]] = field(default_factory=dict)

    def live(self, until: int) -> None:
        """Predict and then learn from the looks before the day `until`."""
        while self.at < len(self.rows) and self.rows[self.at][0] < until:
            day, row = self.rows[self.at]
            if self.at:
                before, earlier = self.rows[self.at - 1]
                if day - before <= GAP:
                    self._learn(_steps(weekday(before), earlier, row, day - before), day - before)
            if self.ready:
                self.predicted[day] = self._predict(CELLS[weekday(day)], row)
            self.at += 1

    def shift(self, cell: int) -> float:
        """What is added to the kept openings of one weekday and distance."""
        return self.level * self.moving[cell] + self.still[cell]

    def _predict(self, cells: Sequence[int], row: Row) -> list[float | None]:
        level, moving, still = self.level, self.moving, self.still
        return [
            None if x is None else max(kept * x + level * moving[cell] + still[cell], 0.0)
            for x, kept, cell in zip(row, self.kept, cells, strict=True)
        ]

    def _learn(self, steps: Iterable[tuple[int, int, float, float]], gap: int) -> None:
        """One step of every coming day: its cell, its distance, the openings before, and how many came or went."""
        level, step, mean, pull, ready = self.level, self.step, self.mean, self.pull, self.ready
        sums, weights, openings, counts = self.steps, self.weights, self.openings, self.counts
        limit = ODD * math.sqrt(self.usual) + 1
        count, missed, usual, squares = 0, 0.0, 0.0, 0.0
        for cell, ahead, before, came in steps:
            above = before - mean[cell] if ready and gap == 1 else 0.0
            error = came - level * step[cell] + pull[ahead] * above
            if not -limit <= error <= limit:
                error = math.copysign(limit, error)
            sums[cell] += level * (error + level * step[cell])
            weights[cell] += level * level
            openings[cell] += before
            counts[cell] += 1
            moments = self.moments[REACH[ahead]]
            moments[0] += above * (error - pull[ahead] * above)
            moments[1] += above * above
            count, missed, usual, squares = count + 1, missed + error, usual + step[cell], squares + error * error
        if count:
            self.usual += max(USUAL, 1 / self.at) * (squares / count - self.usual)
        if count and ready:
            self._follow(missed, usual, max(count * self.usual, 0.05))

    def _follow(self, missed: float, usual: float, noise: float) -> None:
        """Move the level by what all days ahead together say of it."""
        self.doubt += WANDER
        gain = self.doubt * usual / (usual * usual * self.doubt + noise)
        self.level = min(max(self.level + gain * missed, LEVELS[0]), LEVELS[1])
        self.doubt *= 1 - gain * usual

    def fade(self) -> None:
        """A week has passed."""
        for name in ("steps", "weights", "openings", "counts"):
            setattr(self, name, [FADING * x for x in getattr(self, name)])
        self.moments = [[FADING * x for x in pair] for pair in self.moments]

    def settle(self, lost: Sequence[float], pulls: Sequence[float]) -> None:
        """What the week taught, given what share the service loses at each distance and the clinic's pulls."""
        seen = _by_distance(self.counts)
        typical = [total / n if n else 0.0 for total, n in zip(_by_distance(self.openings), seen, strict=True)]
        sums = zip(_by_distance(self.steps), _by_distance(self.weights), lost, typical, strict=True)
        curve = [(total + STEPS * share * x) / (n + STEPS) for total, n, share, x in sums]
        self.step = self._cells(self._believed(curve))
        self.mean = [
            total / n if n else typical[i % HORIZON]
            for i, (total, n) in enumerate(zip(self.openings, self.counts, strict=True))
        ]
        ways = [(PULLED[1] * pulls[n] - xy) / (xx + PULLED[1]) for n, (xy, xx) in enumerate(self.moments)]
        self.pull = [min(max(ways[REACH[n]], 0.0), STRONGEST) if n and seen[n] else 0.0 for n in range(HORIZON)]
        self.ready = self.at >= ENOUGH
        self._chain()

    def _believed(self, curve: Table) -> Table:
        """Steps that come to no more than chance would make of so few days are no pace (positive-part James-Stein)."""
        chance = CHANCE * self.usual * (HORIZON - 1) ** 2 / max(sum(self.weights), 1.0)
        share = max(1 - chance / (sum(curve) ** 2 + 1e-9), 0.0)
        return [share * step for step in curve]

    def _cells(self, curve: Table) -> Table:
        """The usual step of each weekday and distance."""
        evenly = FACTOR * sum(step * step for step in curve) / (HORIZON - 1) + 1e-9
        by_day = self._factors([(day, cell, curve[n]) for day, n, cell, _ in TARGETS], evenly)
        by_booking = self._factors([(booked, cell, curve[n] * by_day[day]) for day, n, cell, booked in TARGETS], evenly)
        found = _table()
        for day, n, cell, booked in TARGETS:
            product = curve[n] * by_day[day] * by_booking[booked]
            found[cell] = (self.steps[cell] + CELL * product) / (self.weights[cell] + CELL)
        return found

    def _factors(self, of: Iterable[tuple[int, int, float]], evenly: float) -> list[float]:
        """How each of seven days differs from the rest, by weighted least squares, shrunk to not at all."""
        above, below = [evenly] * WEEK, [evenly] * WEEK
        for day, cell, usual in of:
            above[day] += usual * self.steps[cell]
            below[day] += usual * usual * self.weights[cell]
        return [max(a / b, 0.0) for a, b in zip(above, below, strict=True)]

    def _chain(self) -> None:
        """From steps to the whole way: what is kept of an opening, and what comes or goes until its day."""
        for n in range(1, HORIZON):
            self.kept[n] = self.kept[n - 1] * (1 - self.pull[n])
        pulled = [0.0] + [self.kept[n - 1] * self.pull[n] for n in range(1, HORIZON)]
        for day in range(0, WEEK * HORIZON, HORIZON):
            moving = still = 0.0
            for n in range(1, HORIZON):
                cell = day + n
                self.moving[cell] = moving = moving + self.kept[n - 1] * self.step[cell]
                self.still[cell] = still = still + pulled[n] * self.mean[cell]


def _steps(day: int, earlier: Row, later: Row, gap: int) -> Iterator[tuple[int, int, float, float]]:
    """(Cell, days ahead, openings before, how many came) of each step between two looks; a longer gap's are alike."""
    cells = CELLS[day]
    for ahead, (before, after) in enumerate(zip(earlier[gap:], later, strict=False), gap):
        if before is not None and after is not None:
            for n in range(gap):
                yield cells[ahead] - n, ahead - n, before, (after - before) / gap


def learnt(history: History, first: int, last: int) -> list[Learner]:
    """Everybody's pace after the day `last`, learnt week by week from the day `first` on."""
    found = [Learner(service, location, list(rows.items())) for (service, location), rows in history.items()]
    for week in range(first, last + 1, WEEK):
        for one in found:
            one.live(week + WEEK)
        settle(found)
        if week + WEEK <= last:
            for one in found:
                one.fade()
    return found


def settle(learners: Sequence[Learner]) -> None:
    """What a week taught: first the clinic's and the services' ways, then each place's."""
    everywhere = _lost(learners, [0.0] * HORIZON)
    services: dict[str, list[Learner]] = {one.service: [] for one in learners}
    for one in learners:
        services[one.service].append(one)
    lost = {name: _lost(places, everywhere) for name, places in services.items()}
    sums = [
        [sum(column) for column in zip(*moments, strict=True)]
        for moments in zip(*(one.moments for one in learners), strict=True)
    ]
    pulls = [min(max(-xy / (xx + PULLED[0]), 0.0), STRONGEST) for xy, xx in sums]
    for one in learners:
        one.settle(lost[one.service], pulls)


def _lost(learners: Sequence[Learner], wider: Sequence[float]) -> Table:
    """What share of openings a step takes, by distance: negative where they are lost."""
    steps = [sum(column) for column in zip(*(_by_distance(one.steps) for one in learners), strict=True)]
    openings = [sum(column) for column in zip(*(_by_distance(one.openings) for one in learners), strict=True)]
    return [(step + SHARE * share) / (seen + SHARE) for step, seen, share in zip(steps, openings, wider, strict=True)]
