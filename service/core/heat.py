"""The next fourteen days as a heat map: what of each day is sold, by practitioner, by service or by location.

What is not known has a state of its own: a day that nobody answered for, or whose free time may be hidden behind a cap, must
never look like one that is full or closed. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from service.core.capacity import Capacity, capacity
from service.core.decide.model import RunInputs
from service.core.diary import Diary
from service.core.metrics import Seen
from service.core.model import Offer
from service.core.observation import Observation
from service.core.outlook import seen_by
from service.core.rules.language import Service
from service.core.tallies import Tally, busy, open_time_of


class By(StrEnum):
    """What the rows of a map are."""

    PRACTITIONER = "practitioner"
    SERVICE = "service"
    LOCATION = "location"


class Look(StrEnum):
    """What is known of a day.

    `open`: so many openings. `at_least`: so many and perhaps more, which a cap or a missing answer hides. `full`: rostered, and
    nothing left. `unknown`: rostered, and nothing was seen of it. `too_soon`: it is past, or too soon to be booked online.
    `closed`: nothing rostered.
    """

    OPEN = "open"
    AT_LEAST = "at_least"
    FULL = "full"
    UNKNOWN = "unknown"
    TOO_SOON = "too_soon"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Cell:
    """One local day. `openings` are those that are known; `sold` is the share of sellable time, 0 to 1 (None: not known)."""

    look: Look
    openings: int = 0
    sold: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A practitioner, a service or a location over the horizon."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one service; `dates` are its local days. No rows: it is not sold online."""

    service: str
    dates: tuple[date, ...]
    rows: tuple[Row, ...]


def heat_map(inputs: RunInputs, by: By) -> tuple[Group, ...]:
    """What a run saw, service by service in the order of the rule file; nothing where Cliniko could not be read."""
    found = seen_by(inputs)
    if found.present is None:
        return ()
    views = [(name, view.capacity) for name, view in found.views.items() if isinstance(view, Seen)]
    return tuple(group(found.present, inputs.rules.services[name], seen, by) for name, seen in views)


def group(seen: Observation, service: Service, found: Capacity, by: By) -> Group:
    """The rows of one service, by what a reading showed and what that comes to."""
    return Group(service.name, found.dates, tuple(_rows(seen, service, found, by)) if found.offers else ())


def _rows(seen: Observation, service: Service, found: Capacity, by: By) -> Iterator[Row]:
    match by:
        case By.SERVICE:
            yield _row(service.name, found.days, blind=found.blind)
        case By.PRACTITIONER:
            names = {each.id: each.name for each in seen.diaries.practitioners}
            rows = (
                _row(names.get(each.practitioner, each.practitioner), _tallies(each), blind=_blind(seen, each, found.offers))
                for each in found.diaries
            )
            yield from sorted(rows, key=lambda row: row.name.casefold())
        case By.LOCATION:
            yield from _by_location(seen, service, found)


def _by_location(seen: Observation, service: Service, found: Capacity) -> Iterator[Row]:
    """Each location as if it were the only one; a practitioner of two is counted at both."""
    for place in seen.diaries.locations:
        theirs = tuple(offer for offer in found.offers if offer.location == place.id)
        if theirs:
            there = capacity(replace(seen, diaries=replace(seen.diaries, offers=theirs)), service)
            yield _row(place.name, there.days, blind=there.blind)


def _tallies(diary: Diary) -> list[Tally]:
    return [day.tally for day in diary.days]


def _blind(seen: Observation, diary: Diary, offers: Iterable[Offer]) -> bool:
    """Whether not even the roster tells what somebody could sell: nothing is rostered, and nobody answered, or wrongly."""
    if any(day.working for day in diary.days):
        return False
    theirs = [offer for offer in offers if offer.practitioner == diary.practitioner]
    return bool(diary.contradicted) or not any(seen.answered(offer) for offer in theirs)


def _row(name: str, days: Iterable[Tally], *, blind: bool) -> Row:
    return Row(name, tuple(_cell(day, blind=blind) for day in days))


def _cell(day: Tally, *, blind: bool) -> Cell:
    look = _look(day, blind=blind)
    if look not in {Look.OPEN, Look.AT_LEAST, Look.FULL} or not day.sellable:
        return Cell(look, day.openings_low)
    share = busy(day, open_time_of(day)).estimate
    return Cell(look, day.openings_low, None if share is None else share / 100)


def _look(day: Tally, *, blind: bool) -> Look:
    if day.openings_low:
        return Look.OPEN if day.openings_high == day.openings_low else Look.AT_LEAST
    if day.openings_high or (day.sellable and not day.seen):
        return Look.UNKNOWN
    if not day.working:
        return Look.UNKNOWN if blind else Look.CLOSED
    return Look.FULL if day.sellable else Look.TOO_SOON
