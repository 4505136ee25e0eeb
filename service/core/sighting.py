"""A reading of Cliniko with whatever has been computed from it, so that who meets it again need not compute it again.

A run meets its own reading, and those of the runs before that it compares with; a backtest meets each reading many times. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from service.core.capacity import Capacity, capacity
from service.core.doubt import bare, believed, last_shown, settled
from service.core.memo import Memo
from service.core.model import Diaries
from service.core.observation import Observation
from service.core.roster import DayNumbers, day_numbers
from service.core.rules.language import Service


@dataclass(slots=True, eq=False)
class Sighting:
    """What was read at `at`. Sightings of one clinic may share a `memo`: much of a diary is the same an hour later."""

    at: datetime
    diaries: Diaries
    memo: Memo = field(default_factory=Memo)
    _numbers: DayNumbers | None = None
    _observations: dict[bool, Observation] = field(default_factory=dict)
    _capacities: dict[tuple[bool, Service], Capacity] = field(default_factory=dict)
    _counted: tuple[tuple[Sighting | None, Sighting | None], Sighting] | None = None
    _bare: bool | None = None

    @property
    def bare(self) -> bool:
        """Whether it shows no start at all."""
        if self._bare is None:
            self._bare = bare(self.diaries)
        return self._bare

    def counted(self, earlier: Sequence[Sighting]) -> Sighting:
        """The sighting as far as it is believed, by those before it, newest first (`core.doubt`); itself where all of it is."""
        by = settled(self.at, earlier), last_shown(self.at, earlier) if self.bare else None
        if self._counted is None or self._counted[0] != by:
            diaries = believed(self.diaries, self.at, *(None if each is None else each.diaries for each in by))
            self._counted = by, self if diaries == self.diaries else Sighting(self.at, diaries, self.memo)
        return self._counted[1]

    @property
    def numbers(self) -> DayNumbers:
        """What this reading alone tells about how days are numbered."""
        if self._numbers is None:
            self._numbers = day_numbers(self.diaries)
        return self._numbers

    def observation(self, numbers: DayNumbers) -> Observation:
        """The reading, indexed, with days numbered as all readings together tell."""
        reading = numbers.monday_is_zero
        if reading not in self._observations:
            self._observations[reading] = Observation.of(self.diaries, self.at, numbers, self.memo)
        return self._observations[reading]

    def capacity(self, service: Service, numbers: DayNumbers) -> Capacity:
        """What a service could sell by this reading."""
        key = (numbers.monday_is_zero, service)
        if key not in self._capacities:
            self._capacities[key] = capacity(self.observation(numbers), service)
        return self._capacities[key]
