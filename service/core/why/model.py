"""What people are told about why a campaign is as it is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from service.core.decide.model import Reading
from service.core.model import State
from service.core.rules.conditions import Look
from service.core.rules.language import Measure


@dataclass(frozen=True, slots=True)
class TippingPoint:
    """The smallest change of one metric, everything else as it is, with which the rules want something else of a campaign.

    `change` is in the metric's unit, below 0 for less; a step less of it changes nothing. `before` and `after` are the
    metric's readings. `target` None: the rules cannot tell then, so that the campaign stays as it is. `lasting` is how long
    it has to stay so, because a rule says `for`; 0 where it counts at once.
    """

    measure: Measure
    change: Decimal
    before: Reading
    after: Reading
    target: State | None
    rule: str | None
    lasting: timedelta
    sentence: str


@dataclass(frozen=True, slots=True)
class InTime:
    """What the rules want after so long although no reading changes: a `for` that is served, a time of `active` that begins."""

    after: timedelta
    target: State | None
    rule: str | None
    sentence: str


@dataclass(frozen=True, slots=True)
class OnceKnown:
    """A metric that is not known well enough, and that alone would decide, whatever it turns out to be."""

    measure: Measure
    reading: Reading
    targets: tuple[State, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Tipping:
    """What would have to change for the rules to want something else; `points` with the nearest first."""

    points: tuple[TippingPoint, ...] = ()
    in_time: InTime | None = None
    once_known: tuple[OnceKnown, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of it as people read it."""
        timed = (self.in_time.sentence,) if self.in_time else ()
        return (*(each.sentence for each in self.once_known), *(each.sentence for each in self.points), *timed)


class Part(StrEnum):
    """What a rule has to do with a proposal."""

    DECIDES = "decides"
    OVERRULED = "overruled"
    POSSIBLE = "may decide"
    NO_MATCH = "does not match"
    WAITS = "waits"
    ASLEEP = "not looked at"
    TELLS = "only tells"


@dataclass(frozen=True, slots=True)
class RulePart:
    """One of a campaign's rules: its part in the proposal, why in a sentence, and every comparison that was made for it."""

    rule: str
    part: Part
    sentence: str
    looks: tuple[Look, ...]
