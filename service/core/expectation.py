"""Where capacity and booking pace meet: what is expected of the coming days, and what each day's first look teaches. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from service.core.capacity import Capacity
from service.core.days import HORIZON
from service.core.diary import Diary
from service.core.diary_day import DiaryDay
from service.core.logic import Bounds
from service.core.model import Unseen
from service.core.observation import Observation
from service.core.pace import Ahead, Expected, Look, Outlook, Pace, expected, outlook
from service.core.tallies import openings_of, total

Cell = list[tuple[Diary, DiaryDay]]
"""Everybody's day at one location on one date."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is expected of one service: its booking pace, and the coming days at each of its locations."""

    service: str
    pace: Pace
    ahead: tuple[Ahead, ...]
    _unfilled: dict[tuple[int, float], Expected] = field(default_factory=dict, compare=False, repr=False)

    def unfilled(self, within: int, confidence: float = 80) -> Expected:
        """Openings that will still be unfilled when their day comes, over the first `within` days."""
        asked = (within, confidence)
        if asked not in self._unfilled:
            self._unfilled[asked] = expected(self.pace, self.service, self.ahead, within, confidence)
        return self._unfilled[asked]

    def outlook(self, day: Ahead) -> Outlook | None:
        """What is expected of one day."""
        return outlook(self.pace, self.service, day)


NOTHING_EXPECTED = Expectation("", Pace(date.min), ())
"""For who asks only what is there now."""


def expectation(seen: Observation, found: Capacity, pace: Pace) -> Expectation:
    """What the booking pace makes of the openings there are now."""
    days: list[Ahead] = []
    for location, cells in _by_place(found).items():
        horizon = seen.roster.days(location)
        begins, ends = horizon[0].span
        elapsed = min(max((seen.now.timestamp() - begins) / (ends - begins), 0.0), 1.0)
        days += [_ahead(location, n, horizon[n].date, cell, elapsed) for n, cell in enumerate(cells)]
    return Expectation(found.service, pace, tuple(days))


def _ahead(location: str, n: int, day: date, cell: Cell, elapsed: float) -> Ahead:
    tally = total(day.tally for _, day in cell)
    return Ahead(
        location=location,
        day=day,
        ahead=n,
        openings=openings_of(tally),
        works=bool(tally.sellable or tally.openings_high),
        elapsed=elapsed,
        most=sum(day.tally.sellable // diary.length for diary, day in cell),
    )


def _by_place(found: Capacity) -> dict[str, list[Cell]]:
    """The diary days of each location, by days ahead."""
    cells: dict[str, list[Cell]] = {place: [[] for _ in range(HORIZON)] for place in sorted({o.location for o in found.offers})}
    for diary in found.diaries:
        for day in diary.days:
            if day.location:
                cells[day.location][day.index].append((diary, day))
    return cells


# --- what there is to learn ---------------------------------------------------------------------------------------------


def looks(seen: Observation, found: Capacity, expects: Expectation, looked: Mapping[str, date]) -> Iterator[Look]:
    """The look at each location, if it is whole and its local day has not been looked at; `looked` is keyed by `look_key`.

    A diary that Cliniko does not offer at all (404) is left out, so that one person's leave does not end all learning; one
    that failed makes the look not whole, and a later run of the same day will have it.
    """
    due = {place for place in {offer.location for offer in found.offers} if _due(seen, found.service, place, looked)}
    if not due:
        return
    absent = {each.practitioner for each in found.diaries if _absent(seen, found, each.practitioner)}
    for location, cells in _by_place(found).items():
        today = seen.roster.days(location)[0].date
        present = [[(diary, day) for diary, day in cell if diary.practitioner not in absent] for cell in cells]
        if location in due and all(_whole(cell) for cell in present):
            openings = tuple(_learnable(day for _, day in cell) for cell in present)
            yield Look(found.service, location, today, openings, _outlooks(expects, location, openings))


def _due(seen: Observation, service: str, location: str, looked: Mapping[str, date]) -> bool:
    known = looked.get(look_key(service, location))
    return known is None or known < seen.roster.days(location)[0].date


def look_key(service: str, location: str) -> str:
    """How looks of a service at a location are known."""
    return f"{service}/{location}"


def _absent(seen: Observation, found: Capacity, practitioner: str) -> bool:
    probes = [probe for offer in found.offers if offer.practitioner == practitioner for probe in seen.probes(offer)]
    return all(probe.unseen is Unseen.NOT_FOUND for probe in probes)


def _whole(cell: Cell) -> bool:
    return all(day.tally.seen == day.tally.sellable for _, day in cell)


def _learnable(days: Iterable[DiaryDay]) -> float | None:
    """A count of openings, where all rostered time can be sold and a cap hides nothing."""
    tally = total(day.tally for day in days)
    if not tally.working or tally.first_sellable != tally.working or tally.openings_low != tally.openings_high:
        return None
    return float(tally.openings_low)


def _outlooks(expects: Expectation, location: str, openings: Sequence[float | None]) -> tuple[Outlook | None, ...]:
    days = {day.ahead: day for day in expects.ahead if day.location == location}
    return tuple(None if count is None else expects.outlook(days[n]) for n, count in enumerate(openings))


# --- a shared diary -----------------------------------------------------------------------------------------------------


def shared(openings: Bounds, found: Capacity, within: int, sharing: Mapping[str, int]) -> Bounds:
    """`openings` of a service with a diary that n services share counting 1/n; `sharing` is n by practitioner."""
    if all(sharing[diary.practitioner] == 1 for diary in found.diaries):
        return openings
    tallies = [(total(day.tally for day in diary.days[:within]), sharing[diary.practitioner]) for diary in found.diaries]
    shares = [_share([(tally.openings_low, n) for tally, n in tallies]), _share([(t.openings_high, n) for t, n in tallies])]
    low, high = openings.low * min(shares), openings.high * max(shares)
    estimate = None if openings.estimate is None else min(max(openings.estimate * shares[0], low), high)
    return Bounds(estimate, low, high)


def _share(counts: Sequence[tuple[int, int]]) -> float:
    """What part of the openings is this service's own; of none, the part that its diaries are."""
    if not (openings := sum(count for count, _ in counts)):
        return sum(1 / n for _, n in counts) / len(counts)
    return sum(count / n for count, n in counts) / openings
