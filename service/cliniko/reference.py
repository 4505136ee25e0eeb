"""An account's reference data: what is read before every run, and what may be some hours old.

Read every time, because between two runs it can change what an hour means, and no later answer would show it:

    settings              a cap, limit or lead time that is not known of turns hidden time into booked time
    practitioners         the default type spaces the starts; a name is what rule files exclude equipment by
    appointment types     duration and lead time: what a start is worth, and from when there can be one
    daily availabilities  hours taken off the roster would count as hours booked
    both kinds of blocks  likewise

Kept for `KEPT`, and read again sooner when anything looks off, because what they would be wrong about shows:

    businesses            one that goes offline or is archived answers 404 at once, a new one is named by hours or by the rule
                          file, and a zone does not change; what does not show is one that is switched on again or renamed
    services              a triple that is gone answers 404 at once, and a new practitioner or type is in the lists above;
                          what does not show is an old practitioner who newly offers an old type. A triple whose answer is
                          derived cannot answer 404, so where any is, this list too is read every time (`current`)

So the price of their age is that some capacity is counted `KEPT` late; none is counted that is not there. "Looks off" is:
other practitioners, types or switches than they were read beside, hours at an unknown business or in another zone than
its own, a service that names an unknown location or has nothing to sell, and (`diaries` sees that) a 404 of a diary that had
none. While those two lists cannot be read the ones at hand serve until they are `OLDEST`; after that, and at once where any
other list cannot be read, the account is unreadable. So it is where the zones of a business and of its hours still disagree:
every hour of the day would be another one. A process that starts knows nothing and reads everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from service.cliniko.access import SYSTEM
from service.cliniko.blocks import expanded, within
from service.cliniko.client import Client, together
from service.cliniko.models import (
    AvailabilityBlock,
    Business,
    DailyAvailability,
    Person,
    Settings,
    Triples,
    Type,
    UnavailableBlock,
    parse,
)
from service.core.days import HORIZON
from service.core.errors import CredentialsError, OutsideError, ProtocolError
from service.core.model import Block, Diaries, OnlineBookings, WeeklyHours
from service.core.offers import fold, sold_offers
from service.core.rules.language import Service

KEPT = timedelta(hours=3)
"""They are one request each in most accounts, of the dozens that a run makes: a longer age would save nothing."""

OLDEST = timedelta(hours=24)

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Hourly:
    """What is read every time."""

    bookings: OnlineBookings
    people: tuple[Person, ...]
    types: tuple[Type, ...]
    daily: tuple[DailyAvailability, ...]
    extra: tuple[AvailabilityBlock, ...]
    unavailable: tuple[UnavailableBlock, ...]

    def marks(self) -> frozenset[object]:
        """What the kept lists have to go with: who and what there is, what is online, and where there are hours."""
        people = {(person.id, person.practitioner().online) for person in self.people}
        types = {(type_.id, type_.appointment_type().online) for type_ in self.types}
        return frozenset(people | types | {each.business for each in self.daily})


@dataclass(frozen=True, slots=True)
class Kept(Generic[M]):
    """A list that may be some hours old."""

    items: tuple[M, ...]
    read_at: datetime

    def within(self, age: timedelta, now: datetime) -> bool:
        """Whether it is younger than that; if a clock was put back, nobody knows."""
        return timedelta(0) <= now - self.read_at < age


@dataclass(frozen=True, slots=True)
class Reading:
    """Reference data as of `at`, and in the core's words, without a probe yet."""

    hourly: Hourly
    places: Kept[Business]
    triples: Kept[Triples]
    at: datetime
    diaries: Diaries

    @classmethod
    def of(cls, hourly: Hourly, places: Kept[Business], triples: Kept[Triples], at: datetime) -> Reading:
        """Put together what was read every time and what was kept."""
        return cls(hourly, places, triples, at, _diaries(hourly, places.items, triples.items, at))

    @property
    def current(self) -> bool:
        """Whether it says who offers what now, so that answers may be derived."""
        return self.triples.read_at == self.at

    @property
    def new(self) -> bool:
        """Whether nothing in it was kept."""
        return self.current and self.places.read_at == self.at

    def torn(self) -> list[str]:
        """The businesses whose clocks differ from those of their weekly hours; two names of one zone do not differ."""
        places = {place.id: place for place in self.places.items}
        zones = dict.fromkeys((each.business, each.time_zone_identifier) for each in self.hourly.daily)
        pairs = [(places[id_], zone) for id_, zone in zones if id_ in places and zone is not None]
        return [place.location().name for place, zone in pairs if not _alike(place.time_zone_identifier, zone, self.at)]


class Library:
    """One account's reference data, read as seldom as is safe. It lives as long as the process."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._places: Kept[Business] | None = None
        self._triples: Kept[Triples] | None = None
        self._marks: frozenset[object] = frozenset()

    async def read(self, services: Sequence[Service], now: datetime, *, current: bool) -> Reading:
        """All of it, who offers what in any case if `current`. Raises the `OutsideError` family: the account is unreadable."""
        hourly, places, triples = await together(
            self._hourly(now),
            self._kept("businesses", Business, self._places, now, KEPT),
            self._kept("services", Triples, self._triples, now, timedelta(0) if current else KEPT),
        )
        reading = self._keep(Reading.of(hourly, places, triples, now))
        if not reading.new and self._looks_off(reading, services):
            reading = await self.again(reading)
        if torn := reading.torn():
            text = f"{', '.join(torn)}: Cliniko names one time zone for the business and another one for its weekly hours"
            raise ProtocolError(SYSTEM, text, code="zones_disagree")
        return reading

    async def again(self, reading: Reading) -> Reading:
        """The same with its kept part read anew, if that is possible."""
        places, triples = await together(
            self._kept("businesses", Business, self._places, reading.at, timedelta(0)),
            self._kept("services", Triples, self._triples, reading.at, timedelta(0)),
        )
        return self._keep(Reading.of(reading.hourly, places, triples, reading.at))

    def _keep(self, reading: Reading) -> Reading:
        self._places, self._triples = reading.places, reading.triples
        if reading.new:
            self._marks = reading.hourly.marks()
        return reading

    def _looks_off(self, reading: Reading, services: Sequence[Service]) -> bool:
        """Whether the kept lists may no longer be right."""
        if reading.hourly.marks() != self._marks or reading.torn():
            return True
        known = {fold(location.name) for location in reading.diaries.locations}
        if any(fold(name) not in known for service in services for name in service.locations or ()):
            return True
        unsold = (not sold_offers(reading.diaries, service) for service in services)
        return reading.hourly.bookings.enabled and any(unsold)

    async def _kept(self, resource: str, model: type[M], at_hand: Kept[M] | None, now: datetime, age: timedelta) -> Kept[M]:
        """A list not older than `age`; an older one, but none of `OLDEST`, if it cannot be read."""
        if at_hand is not None and at_hand.within(age, now):
            return at_hand
        try:
            return Kept(tuple(await self._list(resource, model)), now)
        except CredentialsError:
            raise
        except OutsideError:
            if at_hand is None or not at_hand.within(OLDEST, now):
                raise
            return at_hand

    async def _hourly(self, now: datetime) -> Hourly:
        first, last = _around(now)
        settings, people, types, daily, extra, unavailable = await together(
            self._settings(),
            self._list("practitioners", Person),
            self._list("appointment_types", Type),
            self._list("daily_availabilities", DailyAvailability),
            self._list("availability_blocks", AvailabilityBlock, [_filter("starts_at", "<", last)]),
            self._list("unavailable_blocks", UnavailableBlock, _overlapping(first, last)),
        )
        return Hourly(settings, tuple(people), tuple(types), tuple(daily), tuple(extra), tuple(unavailable))

    async def _settings(self) -> OnlineBookings:
        return parse(Settings, await self._client.one("settings", "/settings/public")).bookings()

    async def _list(self, resource: str, model: type[M], params: Iterable[tuple[str, str]] = ()) -> list[M]:
        return [parse(model, item) for item in await self._client.items(resource, f"/{resource}", params)]


def _diaries(hourly: Hourly, places: Iterable[Business], triples: Iterable[Triples], at: datetime) -> Diaries:
    first, last = _around(at)
    zones = {business.id: business.time_zone_identifier for business in places}
    hours: Iterable[WeeklyHours] = (hours for each in hourly.daily for hours in each.hours())
    away: Iterable[Block | None] = (each.block() for each in hourly.unavailable)
    return Diaries(
        bookings=hourly.bookings,
        locations=_once(business.location() for business in places),
        practitioners=_once(person.practitioner() for person in hourly.people),
        types=_once(type_.appointment_type() for type_ in hourly.types),
        offers=_once(offer for each in triples for offer in each.offers()),
        hours=_once(hours),
        extra=expanded(hourly.extra, zones, first, last),
        unavailable=within((block for block in away if block is not None), first, last),
        probes=(),
    )


def _alike(zone: str, other: str, at: datetime) -> bool:
    """Whether two zones show the same time all through the horizon."""
    if zone == other:
        return True
    first, last = _around(at)
    moments = (first + n * timedelta(days=1) for n in range((last - first).days + 1))
    return all(each.astimezone(ZoneInfo(zone)).utcoffset() == each.astimezone(ZoneInfo(other)).utcoffset() for each in moments)


def _around(now: datetime) -> tuple[datetime, datetime]:
    """The horizon as instants, with a day to spare for zones and for days of 25 hours."""
    return now - timedelta(days=2), now + timedelta(days=HORIZON + 1)


def _overlapping(first: datetime, last: datetime) -> list[tuple[str, str]]:
    """Whatever begins before the end and ends after the beginning: blocks already running included."""
    return [_filter("starts_at", "<", last), _filter("ends_at", ">", first)]


def _filter(name: str, comparison: str, at: datetime) -> tuple[str, str]:
    """A filter; without the brackets Cliniko ignores it silently."""
    return "q[]", f"{name}:{comparison}{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _once(values: Iterable[T]) -> tuple[T, ...]:
    """Each value once, in order of appearance: a list that changes while it is paged can repeat an item."""
    return tuple(dict.fromkeys(values))
