"""A long walk of an adversary through a clinic's hours, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain, repeat
from random import Random

from service.core.model import State
from service.core.rules.language import RuleSet
from tests.core.decide.books import Line
from tests.core.decide.clerks import EDITS, made_up, shipped_file
from tests.core.decide.hops import Hour, Thresholds, hour, thresholds
from tests.core.decide.ordeal import Ordeal, me
from tests.core.worlds import DATES, ZONES, seeded

HOUR = timedelta(hours=1)
STEPS = [*(HOUR,) * 30, timedelta(minutes=10), timedelta(minutes=40), 4 * HOUR, 9 * HOUR]
"""From one run to the next: most an hour apart, some called by hand, some missed."""


def walk(seed: int, ticks: int) -> Walk:
    """So many campaign-hours of one seed."""
    chance = seeded(seed)
    rules = shipped_file(chance) if seed % 3 == 0 else made_up(chance)
    start = (
        chance.choice(DATES) + timedelta(hours=chance.randrange(24))
        if chance.random() < 0.8
        else datetime(2026, 1, 1, tzinfo=UTC)
    )
    lived = Walk(Ordeal(rules, start, chance.choice(ZONES)), chance)
    lived.live(ticks)
    return lived


@dataclass(slots=True)
class Walk:
    """One clinic's walk: the file it began with comes back now and then."""

    clinic: Ordeal
    chance: Random
    first: RuleSet = field(init=False)
    made: list[Line] = field(default_factory=list)
    _at: Thresholds = field(init=False)
    _hours: Iterator[Hour] = field(default_factory=lambda: iter(()))

    def __post_init__(self) -> None:
        self.first = self.clinic.rules
        self._at = thresholds(self.first)

    def live(self, ticks: int) -> None:
        """Until so many campaign-hours are over."""
        while self.clinic.ticks < ticks:
            self._people()
            luck = self.chance.random()
            blind = [name for name in self.clinic.rules.campaigns if self.chance.random() < 0.01]
            self.made += self.clinic.run(self._next(), down=luck < 0.01, blind=blind, lag=luck > 0.7)
            self.clinic.now += self.chance.choice(STEPS)

    # --- what can be seen ---------------------------------------------------------------------------------------------------

    def _next(self) -> Hour:
        """The next hour of the present mood, or of another."""
        found = next(self._hours, None)
        if found is None:
            self._hours = self._mood()
            found = next(self._hours)
        return found

    def _mood(self) -> Iterator[Hour]:
        """To and fro between two hours, one hour that lasts and then turns, the most harmful of a few, or anything."""
        one, other, count = self._any(), self._any(), self.chance.randint(2, 30)
        kind = self.chance.randrange(4)
        if kind == 0:
            return chain.from_iterable(repeat((one, other), count))
        if kind == 1:
            return chain(repeat(one, count), repeat(other, self.chance.randint(1, 4)))
        return (self._worst() if kind == 2 else self._any() for _ in range(count // 2))

    def _any(self) -> Hour:
        return hour(self.clinic.rules, self._at, self.chance, self.chance.choice([1.0, 0.9, 0.6]))

    def _worst(self) -> Hour:
        """Of a few hours the one that has most done."""
        return max((self._any() for _ in range(3)), key=lambda seen: len(self.clinic.foresee(seen)))

    # --- what people do -----------------------------------------------------------------------------------------------------

    def _people(self) -> None:
        luck, name = self.chance.random(), self.chance.choice(list(self.clinic.rules.campaigns))
        if luck < 0.006:
            self._meddle(name)
        elif luck < 0.02:
            self.clinic.readopt(name)
        elif luck < 0.022:
            self.clinic.hold(self.chance.choice([name, None]), self.clinic.now + self.chance.choice([1, 30]) * HOUR)
        elif luck < 0.025:
            self._edit()

    def _meddle(self, name: str) -> None:
        entry = self.clinic.rules.campaigns[name]
        state = self.clinic.campaigns.get(me(entry), State(running=True, budget=entry.base))
        other = Decimal(self.chance.randrange(100, 20000)) / 100
        self.clinic.meddle(
            name, self.chance.choice([State(not state.running, state.budget), State(running=True, budget=other)])
        )
        if self.chance.random() < 0.5:
            self.clinic.readopt(name)

    def _edit(self) -> None:
        """The file is edited, or put back as it was first."""
        edit = self.chance.choice(EDITS)
        self.clinic.rules = self.first if self.chance.random() < 0.25 else edit(self.clinic.rules, self.chance)
        self._hours = iter(())
