"""Random clinics, and readings of them with holes: the more unlike a tidy demonstration the better.

`found` makes clinics whose truth is well-defined whatever else is odd about them; `hiding` lets them hide free time too, by
caps, limits, leave, and places that do not sell a type. Ids are digits, so that the same clinics can be read over the wire.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random
from typing import Literal

from service.core.model import Diaries, Unseen
from service.core.rules.language import Service
from service.sandbox.clinic import BookingSettings, Business, Clinic, Hours, Person, Reservation, Span, Type
from service.sandbox.minutes import Repeat
from service.sandbox.reading import diaries

SOUTH = ["Australia/Sydney", "Australia/Lord_Howe", "Australia/Brisbane", "America/Santiago", "Pacific/Auckland"]
NORTH = ["Europe/London", "America/New_York", "Africa/Cairo", "Asia/Beirut", "America/Havana", "UTC"]
ZONES = [*SOUTH, *NORTH]
"""Lord Howe changes by half an hour; Santiago, Cairo, Beirut and Havana change at midnight."""

DATES = [
    *(datetime(2026, 2, 28, tzinfo=UTC), datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 4, 18, tzinfo=UTC)),
    *(datetime(2026, 8, 30, tzinfo=UTC), datetime(2026, 9, 21, tzinfo=UTC), datetime(2026, 10, 22, tzinfo=UTC)),
    datetime(2026, 6, 10, tzinfo=UTC),
]
"""Each zone that changes its clocks does so within two weeks of two of these; nobody does in June."""

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
KINDS: tuple[Literal["Daily", "Weekly", "Monthly"], ...] = ("Daily", "Weekly", "Monthly")
MINUTES = [15, 20, 30, 45, 60, 90]


@dataclass(frozen=True, slots=True)
class Found:
    """A random clinic, a service it sells, and a moment."""

    clinic: Clinic
    service: Service
    now: datetime

    def read(self) -> Diaries:
        """A faultless reading."""
        return diaries(self.clinic, (self.service,), self.now)


def seeded(seed: int) -> Random:
    """The same chance every time."""
    return Random(seed)  # noqa: S311 - a simulation


def found(chance: Random, *, hiding: bool) -> Found:
    """A random clinic; `hiding` allows it caps, daily limits, and 404s."""
    now = chance.choice(DATES) + chance.randrange(6 * 24 * 60) * MINUTE
    clinic = Clinic("random", "Random", "MS0x-key-au1", chance.choice(ZONES), _settings(chance, hiding=hiding))
    for n in range(chance.choice([1, 2, 2])):
        zone = chance.choice([clinic.zone, clinic.zone, *chance.sample(ZONES, 2)])
        clinic.businesses[f"10{n}"] = Business(f"10{n}", f"Place {n}", zone)
    for n in range(3):
        lead = chance.choice([None, None, None, 0, 1, 24, 72, 336])
        group, archived = 6 if chance.random() < 0.1 else 1, chance.random() < 0.05
        online = chance.random() < 0.9
        clinic.types[f"30{n}"] = Type(f"30{n}", f"Type {n}", chance.choice(MINUTES), lead, group, online, archived)
    for n in range(chance.randint(1, 3)):
        _join(clinic, f"20{n}", chance)
    for person in clinic.people:
        _one_offs(clinic, person, now, chance)
    if hiding:
        _hide(clinic, chance)
    clinic.day_scheme = chance.choice(["sunday0", "iso"])
    clinic.repeats_as = chance.choice(["rule", "rows", "both"])
    clinic.anchor = chance.choice(["window", "gap"])
    clinic.lists_withdrawn = chance.random() < 0.5
    return Found(clinic, _service(clinic, chance), now)


def _service(clinic: Clinic, chance: Random) -> Service:
    """Some of the types under the names people type, and now and then without somebody or some place."""
    names = chance.sample([type_.name for type_ in clinic.types.values()], chance.randint(1, 3))
    service = Service("service", tuple(chance.choice([name, f" {name.upper()}"]) for name in names))
    if chance.random() < 0.3:
        service = replace(service, exclude_practitioners=("person  0",))
    return replace(service, locations=("Place 0",)) if chance.random() < 0.15 else service


def _settings(chance: Random, *, hiding: bool) -> BookingSettings:
    cap = chance.choice([None, 1, 2, 3, 5]) if hiding else None
    limit = chance.choice([None, None, 1, 3, 6]) if hiding else None
    lead, reservation = chance.choice([0, 0, 1, 4, 24, 48]), chance.choice([0, 10, 30])
    return BookingSettings(lead_hours=lead, segment_cap=cap, daily_limit=limit, reservation_minutes=reservation)


def _join(clinic: Clinic, id_: str, chance: Random) -> None:
    types = chance.sample(list(clinic.types), chance.randint(1, 3))
    name = f"Person {id_[-1]}"
    online, active = chance.random() < 0.9, chance.random() < 0.95
    clinic.people[id_] = Person(id_, name, types, chance.choice([*types, None]), online=online, active=active)
    for place, weekday in product(clinic.businesses, range(7)):
        for _ in range(chance.choice([0, 0, 1, 1, 2])):
            opens = chance.randrange(0, 1380, 15)
            clinic.hours.append(Hours(place, id_, weekday, opens, min(opens + chance.randrange(15, 300, 5), 1440)))


def _one_offs(clinic: Clinic, person: str, now: datetime, chance: Random) -> None:
    def somewhen(longest: int) -> Span:
        starts = now.replace(hour=0, minute=0) + chance.randrange(-600, 14 * 1440, 5) * MINUTE
        place = chance.choice([*clinic.businesses, None])
        return Span(person, starts, starts + chance.randrange(5, longest, 5) * MINUTE, place)

    def again(longest: int) -> Span:
        """Something that began up to three weeks ago and keeps coming back, across midnights and changes of clocks."""
        span = somewhen(longest)
        ago = chance.randrange(21) * DAY
        repeat = Repeat(chance.choice(KINDS), chance.randint(1, 3), chance.randint(1, 12))
        return replace(span, starts=span.starts - ago, ends=span.ends - ago, repeat=repeat)

    clinic.extra += [somewhen(400) for _ in range(chance.randint(0, 3))]
    clinic.extra += [again(600) for _ in range(chance.choice([0, 0, 1]))]
    clinic.unavailable += [somewhen(3000) for _ in range(chance.randint(0, 3))]
    clinic.unavailable += [again(900) for _ in range(chance.choice([0, 0, 1]))]
    withdrawn = replace(somewhen(3000), withdrawn=chance.choice(["archived", "deleted"]))
    clinic.unavailable += [withdrawn for _ in range(chance.randint(0, 1))]
    clinic.appointments += book(clinic, person, now, chance, share=chance.choice([0.0, 0.3, 0.7, 1.0]))
    if clinic.settings.reservation_minutes:
        clinic.reservations += _reserved(clinic, person, now, chance)


def _reserved(clinic: Clinic, person: str, now: datetime, chance: Random) -> list[Reservation]:
    """What somebody is booking, or was, around the present."""
    spans = book(clinic, person, now, chance, share=0.1)
    minutes = clinic.settings.reservation_minutes
    since = [now - chance.randrange(2 * minutes) * MINUTE for _ in spans]
    return [Reservation(span, at, at + minutes * MINUTE, chance.random() < 0.5) for span, at in zip(spans, since, strict=True)]


def _hide(clinic: Clinic, chance: Random) -> None:
    """What answers 404 though it is listed."""
    for person in clinic.people.values():
        person.on_leave = chance.random() < 0.15
        if chance.random() < 0.15:
            person.also_at = tuple(clinic.businesses)
    for place in clinic.businesses.values():
        if chance.random() < 0.15:
            place.types = chance.sample(list(clinic.types), 2)
    if chance.random() < 0.1:
        clinic.anomalies = frozenset({"types_not_offered"})


def book(clinic: Clinic, person: str, now: datetime, chance: Random, share: float) -> list[Span]:
    """Appointments for about `share` of somebody's rostered time, some of them at odd minutes."""
    booked = []
    for place in clinic.places_of(person):
        for n in range(15):
            for opens, closes in clinic.working(place, person, (now + n * DAY).date()):
                at = opens
                while at < closes:
                    ends = at + chance.choice([10, 15, 20, 30, 45, 60]) * MINUTE
                    if chance.random() < share:
                        booked.append(Span(person, at, ends, place))
                    at = ends
    return booked


def with_holes(reading: Diaries, chance: Random, share: float = 0.3) -> Diaries:
    """The same reading with some answers missing."""
    probes = tuple(
        replace(probe, starts=None, unseen=chance.choice(list(Unseen))) if chance.random() < share else probe
        for probe in reading.probes
    )
    return replace(reading, probes=probes)
