"""Random clinics, and readings of them with holes: the more unlike a tidy demonstration the better."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from service.core.model import Diaries, Unseen
from service.core.rules.language import Service
from service.sandbox.clinic import BookingSettings, Business, Clinic, Hours, Person, Span, Type
from tests.support import diaries

ZONES = ["Australia/Sydney", "Australia/Lord_Howe", "Australia/Brisbane", "America/Santiago", "Africa/Cairo", "UTC"]
DATES = [datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 9, 28, tzinfo=UTC), datetime(2026, 6, 10, tzinfo=UTC)]
"""Each zone changes its clocks within two weeks of the first or the second."""

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


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
    """A random clinic; `hiding` allows it caps and daily limits."""
    now = chance.choice(DATES) + chance.randrange(6 * 24 * 60) * MINUTE
    clinic = Clinic("random", "Random", "key-au1", chance.choice(ZONES), _settings(chance, hiding=hiding))
    for n in range(chance.choice([1, 2, 2])):
        clinic.businesses[f"place{n}"] = Business(f"place{n}", f"Place {n}", chance.choice([clinic.zone, *ZONES[:2]]))
    for n in range(3):
        minutes, lead = chance.choice([15, 20, 30, 45, 60, 90]), chance.choice([None, None, None, 0, 1, 24, 72, 336])
        group = 6 if chance.random() < 0.1 else 1
        clinic.types[f"type{n}"] = Type(f"type{n}", f"Type {n}", minutes, lead, group, online=chance.random() < 0.9)
    for n in range(chance.randint(1, 3)):
        _join(clinic, f"person{n}", chance)
    for person in clinic.people:
        _one_offs(clinic, person, now, chance)
    service = Service("service", tuple(chance.sample([t.name for t in clinic.types.values()], chance.randint(1, 3))))
    if chance.random() < 0.3:
        service = replace(service, exclude_practitioners=("Person 0",))
    return Found(clinic, service, now)


def _settings(chance: Random, *, hiding: bool) -> BookingSettings:
    cap = chance.choice([None, 1, 2, 3, 5]) if hiding else None
    limit = chance.choice([None, None, 1, 3, 6]) if hiding else None
    return BookingSettings(lead_hours=chance.choice([0, 0, 1, 4, 24, 48]), segment_cap=cap, daily_limit=limit)


def _join(clinic: Clinic, id_: str, chance: Random) -> None:
    types = chance.sample(list(clinic.types), chance.randint(1, 3))
    default = chance.choice([*types, None])
    clinic.people[id_] = Person(id_, id_.replace("person", "Person "), types, default, online=chance.random() < 0.9)
    for place in clinic.businesses:
        for weekday in range(7):
            opens = chance.randrange(0, 1380, 15)
            if chance.random() < 0.45:
                clinic.hours.append(Hours(place, id_, weekday, opens, min(opens + chance.randrange(15, 300, 5), 1440)))


def _one_offs(clinic: Clinic, person: str, now: datetime, chance: Random) -> None:
    def somewhen(longest: int) -> Span:
        starts = now.replace(hour=0, minute=0) + chance.randrange(-600, 14 * 1440, 5) * MINUTE
        place = chance.choice([*clinic.businesses, None])
        return Span(person, starts, starts + chance.randrange(5, longest, 5) * MINUTE, place)

    clinic.extra += [somewhen(400) for _ in range(chance.randint(0, 3))]
    clinic.unavailable += [somewhen(3000) for _ in range(chance.randint(0, 3))]
    clinic.appointments += book(clinic, person, now, chance, share=chance.choice([0.0, 0.3, 0.7, 1.0]))


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
