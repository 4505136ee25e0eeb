"""How good the expectations have been: each is scored when its day comes, against openings staying as they were.

WAPE, the sum of absolute errors for the sum of what came, is the error in openings that many small days cannot blow up
(Kolassa and Schuetz, "Advantages of the MAD/mean ratio over the MAPE", 2007). Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from service.core.days import HORIZON
from service.core.pace.looks import Look, finals, history

DISTANCES = ((1, 2), (3, 6), (7, 13))
"""The horizon buckets that are scored, in days ahead, both ends included."""

FEW = 30
"""Up to how many scored days a verdict says that it is too early to tell."""


@dataclass(frozen=True, slots=True)
class Score:
    """One service's (None: all services') expectations `first` to `last` days ahead, over `count` days that came.

    `wape` and `naive_wape` are shares (0.25 is 25%), None where nothing was left open; the naive one expects openings to stay
    as they are. `bias` is how many openings a day too many (too few: negative) were expected, `coverage` the share of days
    within the 80% band.
    """

    service: str | None
    first: int
    last: int
    count: int
    wape: float | None
    naive_wape: float | None
    bias: float
    coverage: float

    @property
    def gain(self) -> float | None:
        """How much smaller than the naive's the errors were, as a share; None where the naive was never wrong."""
        return 1 - self.wape / self.naive_wape if self.wape is not None and self.naive_wape else None

    @property
    def verdict(self) -> str:
        """The score in a sentence."""
        name = self.service or "All services"
        if self.count <= FEW:
            return f"{name}: too early to tell, {self.count} expected days have come so far."
        if self.wape is None:
            return f"{name}: nothing was left open on the {self.count} days that came; {self._leaning}."
        return f"{name}: off by {self.wape:.0%} of the openings left over {self.count} days, {self._compared}; {self._leaning}."

    @property
    def _compared(self) -> str:
        if self.gain is None or abs(self.gain) < 0.01:
            return "as much as if openings stayed as they are"
        return f"{abs(self.gain):.0%} {'less' if self.gain > 0 else 'more'} than if openings stayed as they are"

    @property
    def _leaning(self) -> str:
        way = "too many" if self.bias > 0 else "too few"
        leaning = f"{abs(self.bias):.1f} a day {way}" if abs(self.bias) >= 0.05 else "leaning neither way"
        return f"{leaning}, {self.coverage:.0%} within the 80% band"


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of a clinic: all services together, then each; each in total, then by days ahead. None that is empty."""

    lines: tuple[Score, ...]

    @property
    def totals(self) -> tuple[Score, ...]:
        """One line for all services together and for each."""
        return tuple(line for line in self.lines if (line.first, line.last) == TOTAL)


TOTAL = (DISTANCES[0][0], DISTANCES[-1][1])

_Scored = tuple[int, float, float, float, bool]
"""Days ahead, openings at the look, expected, came, whether within the band."""


def scored(looks: Iterable[Look]) -> Scores:
    """The scores of all expectations that these looks hold and whose days came, in any order of the looks."""
    services: dict[str, list[_Scored]] = {}
    for service, found in _scored(list(looks)):
        services.setdefault(service, []).append(found)
    everything = [found for each in services.values() for found in each]
    named = [(None, everything), *sorted(services.items())] if everything else []
    return Scores(
        tuple(
            _score(service, first, last, these)
            for service, all_ in named
            for first, last in (TOTAL, *DISTANCES)
            if (these := [found for found in all_ if first <= found[0] <= last])
        )
    )


def _scored(looks: Sequence[Look]) -> Iterator[tuple[str, _Scored]]:
    days = [look.day.toordinal() for look in looks]
    came = {place: finals(rows) for place, rows in history(looks, min(days, default=0), max(days, default=0)).items()}
    for look, day in zip(looks, days, strict=True):
        for ahead, (now, outlook) in enumerate(zip(look.openings[:HORIZON], look.outlook, strict=False)):
            value = came.get((look.service, look.location), {}).get(day + ahead)
            if ahead and outlook and now is not None and value is not None and math.isfinite(outlook.mean):
                yield look.service, (ahead, now, outlook.mean, value, outlook.low <= value <= outlook.high)


def _score(service: str | None, first: int, last: int, found: Sequence[_Scored]) -> Score:
    """With sums that do not depend on the order of looks."""
    came = math.fsum(value for _, _, _, value, _ in found)
    off = math.fsum(abs(mean - value) for _, _, mean, value, _ in found)
    naive = math.fsum(abs(now - value) for _, now, _, value, _ in found)
    return Score(
        service=service,
        first=first,
        last=last,
        count=len(found),
        wape=off / came if came else None,
        naive_wape=naive / came if came else None,
        bias=math.fsum(mean - value for _, _, mean, value, _ in found) / len(found),
        coverage=sum(within for *_, within in found) / len(found),
    )
