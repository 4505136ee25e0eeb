"""What rules may ask at each moment of a backtest, computed once for all files that ask of the same services.

It sees what a run of then would have seen: its own reading, those before it that its rules compare with, and the booking
pace as it could be known. That is fitted anew with each day's looks, from those before the period and the period's own; and
only where a rule asks for what is expected. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from service.core.comparing import compared
from service.core.decide.model import UNLEARNT
from service.core.expectation import look_key
from service.core.outlook import Prospect, prospect, sights
from service.core.pace import Look, Pace, fit
from service.core.rules.language import CostPerBooking, Metric, RuleSet, Service
from service.core.rules.walk import look_backs, measures
from service.core.sighting import Sighting

EXPECTATIONS = {Metric.EXPECTED_OPEN_SLOTS, Metric.EXPECTED_UTILISATION}


def backs_of(rules: RuleSet) -> tuple[timedelta, ...]:
    """How far back the rules of a file compare."""
    return tuple(sorted(look_backs(rules)))


def asks_what_is_expected(rules: RuleSet) -> bool:
    """Whether any rule depends on the booking pace."""
    actions = [rule.then for rule in rules.rules]
    actions += [step.action for rule in rules.rules if rule.bands is not None for step in rule.bands.steps]
    named = any(measure.metric in EXPECTATIONS for measure in measures(rules))
    return named or any(isinstance(action, CostPerBooking) for action in actions)


@dataclass(slots=True)
class Seeing:
    """The moments as they are seen for some services, compared with what was seen so long before as `backs` says.

    `expecting`: somebody asks for what is expected. The prospect of the present moment is kept until the next comes.
    """

    services: dict[str, Service]
    backs: tuple[timedelta, ...]
    expecting: bool = False
    now: Prospect | None = None
    _looks: list[Look] = field(default_factory=list)
    _looked: dict[str, date] = field(default_factory=dict)
    _pace: Pace | None = None

    @classmethod
    def of(cls, rules: RuleSet) -> Seeing:
        """For a file by itself."""
        return cls(rules.services, backs_of(rules))

    def serves(self, rules: RuleSet) -> bool:
        """Whether it sees just what a file asks for."""
        return (self.services, self.backs) == (rules.services, backs_of(rules))

    def expect(self, looks: Iterable[Look]) -> None:
        """From now on what is expected is asked for too; `looks` are those from before the period."""
        if not self.expecting:
            self.expecting = True
            self._learn(looks)

    def look(self, at: datetime, present: Sighting | None, past: Sequence[Sighting]) -> Prospect:
        """See a moment; `past` are the readable sightings before it, oldest first."""
        before = past[::-1]
        bare = {each.at for each in (present, *before) if each is not None and each.bare}
        places = compared(at, [each.at for each in before], self.backs, bare)
        seen = sights(present, [before[n] for n in places])
        self.now = prospect(self.services, seen, self._fitted() if self.expecting else None)
        if self.expecting:
            self._learn(list(self.now.looks(self._looked)))
        return self.now

    def _learn(self, looks: Iterable[Look]) -> None:
        """Add looks that are the first of their day."""
        for look in looks:
            key = look_key(look.service, look.location)
            self._looked[key] = max(look.day, self._looked.get(key, look.day))
            self._looks.append(look)
            self._pace = None

    def _fitted(self) -> Pace:
        if self._pace is None:
            self._pace = fit(self._looks, max(self._looked.values())) if self._looked else UNLEARNT
        return self._pace
