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
from service.core.metrics import Seen
from service.core.observation import Observation
from service.core.outlook import seen_by
from service.core.rules.language import Service
from service.core.tallies import Tally


class By(StrEnum):
    """What the rows of a map are."""

    PRACTITIONER = "practitioner"
    SERVICE = "service"
    LOCATION = "location"


class Look(StrEnum):
    """What is known of a day.

    `open`: so many openings. `at_least`: so many and perhaps more, which a cap or a missing answer hides. `full`: rostered, and
    nothing left. `unknown`: rostered, and nothing was seen of it. `too_soon`: nothing of it can be booked online any more.
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
            yield _row(service.name, found.days, found)
        case By.PRACTITIONER:
            names = {each.id: each.name for each in seen.diaries.practitioners}
            rows = (
                _row(names.get(each.practitioner, each.practitioner), [day.tally for day in each.days], found)
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
            yield _row(place.name, there.days, found)


def _row(name: str, days: Iterable[Tally], found: Capacity) -> Row:
    return Row(name, tuple(_cell(day, blind=found.blind) for day in days))


def _cell(day: Tally, *, blind: bool) -> Cell:
    look = _look(day, blind=blind)
    known = look in {Look.OPEN, Look.AT_LEAST, Look.FULL} and day.sellable > 0
    return Cell(look, day.openings_low, 1 - (day.open_low + day.open_high) / (2 * day.sellable) if known else None)


def _look(day: Tally, *, blind: bool) -> Look:
    if day.openings_low:
        return Look.OPEN if day.openings_high == day.openings_low else Look.AT_LEAST
    if day.openings_high or (day.sellable and not day.seen):
        return Look.UNKNOWN
    if not day.working:
        return Look.UNKNOWN if blind else Look.CLOSED
    return Look.FULL if day.sellable else Look.TOO_SOON
