"""A clinic invented from a rule file, and months of it in seconds: for trying rules before there is any history.

It sells exactly what the file's services name. Patients book about as fast as diaries open up, in waves of some weeks, so
that every service is slack at times and sold out at others; some cancel, and now and then a practitioner's week falls
through. The same seed gives the same months.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from math import sin, tau
from zoneinfo import ZoneInfo

from service.core.days import horizon
from service.core.model import Diaries, Offer, Probe
from service.core.rules.language import Service
from service.sandbox.clinic import BookingSettings, Business, Clinic, Hours, Person, Span, Type
from service.sandbox.minutes import MINUTE
from service.sandbox.reading import reference, sold

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONE = "Australia/Sydney"
MINUTES = (45, 30, 60)
"""How long appointment types take, in turn."""

STAFF = 3
"""How many practitioners a service has whose file names none."""

AWAKE = range(8, 20)
"""The local hours in which patients book and cancel."""

PATIENTS = (0.68, 0.32)
"""How many patients book a practitioner in an hour of the day: on average, and how much more or less in a wave; for
appointments that take as long as the first of `MINUTES`."""

WAVE = timedelta(days=37)
CANCELLING = 0.06
"""The chance of a cancellation per practitioner and hour."""

FALLS_THROUGH = 0.0015
"""The chance, per practitioner and hour, that most of the coming week is cancelled."""


@dataclass(slots=True)
class Invented:
    """The clinic as time passes, read every hour. `_shown` keeps starts by offer and day until somebody books or cancels.

    `patients` is as `PATIENTS`; without waves, the second of them 0, demand is the same all the time.
    """

    services: Sequence[Service]
    now: datetime
    seed: int = 1
    patients: tuple[float, float] = PATIENTS
    clinic: Clinic = field(init=False)
    _listed: Diaries = field(init=False)
    _offers: tuple[Offer, ...] = field(init=False)
    _chance: random.Random = field(init=False)
    _shown: dict[tuple[Offer, date], tuple[datetime, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clinic = invented(self.services)
        self._listed = reference(self.clinic)
        self._offers = sold(self._listed, self.services)
        self._chance = random.Random(self.seed)  # noqa: S311 - a simulation
        for person in self.clinic.people:
            for _ in range(60):
                self._book(person)

    def hours(self, count: int) -> Iterator[tuple[datetime, Diaries]]:
        """So many hours: what a reading at each full hour shows."""
        for _ in range(count):
            yield self.now, self.read()
            self._live()
            self.now += HOUR

    def read(self) -> Diaries:
        """What a faultless reading shows now."""
        days = horizon(self.now, ZONE)
        weeks = (days[:7], days[7:])
        return replace(self._listed, probes=tuple(self._probe(offer, week) for offer in self._offers for week in weeks))

    def _probe(self, offer: Offer, days: Sequence[date]) -> Probe:
        earliest = self.now + timedelta(hours=self.clinic.settings.lead_hours)
        starts = tuple(start for day in days for start in self._starts(offer, day) if start >= earliest)
        return Probe(offer, days[0], days[-1], starts)

    def _starts(self, offer: Offer, day: date) -> tuple[datetime, ...]:
        """The starts of a day, were it still to come."""
        if (offer, day) not in self._shown:
            before = datetime.combine(day - DAY, time(), UTC)
            found = self.clinic.starts(offer.location, offer.practitioner, offer.type, day, day, before)
            self._shown[offer, day] = tuple(found or ())
        return self._shown[offer, day]

    # --- life ---------------------------------------------------------------------------------------------------------------

    def _live(self) -> None:
        local = self.now.astimezone(ZoneInfo(ZONE))
        if local.hour not in AWAKE:
            return
        if local.hour == AWAKE[0]:
            self._forget(local.date())
        for n, person in enumerate(self.clinic.people):
            for _ in range(int(self._patients(person) + self._chance.random())):
                self._book(person)
            if self._chance.random() < CANCELLING:
                self._cancel(person, 1)
            if self._chance.random() < FALLS_THROUGH:
                self._cancel(person, 12 + n % 5)

    def _patients(self, person: str) -> float:
        """How many book in this hour, by the service's own waves; short appointments fill a day as fast as long ones do."""
        mean, swing = self.patients
        first = self.clinic.types[self.clinic.people[person].types[0]]
        begun = list(self.clinic.types).index(first.id) / len(self.clinic.types)
        wave = sin(tau * (self.now.timestamp() / WAVE.total_seconds() + begun))
        return (mean + swing * wave) * MINUTES[0] / first.minutes

    def _book(self, person: str) -> None:
        """Somebody books, rather soon than late."""
        offer = self._chance.choice([offer for offer in self._offers if offer.practitioner == person])
        earliest = self.now + timedelta(hours=self.clinic.settings.lead_hours)
        free = [start for day in horizon(self.now, ZONE) for start in self._starts(offer, day) if start >= earliest]
        if free:
            start = free[int(len(free) * self._chance.random() ** 1.5)]
            length = self.clinic.types[offer.type].minutes * MINUTE
            self.clinic.appointments.append(Span(person, start, start + length, offer.location, notes="Jane Patient"))
            self._changed(person, [start])

    def _cancel(self, person: str, count: int) -> None:
        soon, late = self.now + DAY / 2, self.now + 7 * DAY
        week = [each for each in self.clinic.appointments if each.person == person and soon < each.starts < late]
        gone = self._chance.sample(week, min(count, len(week)))
        self.clinic.appointments = [each for each in self.clinic.appointments if each not in gone]
        self._changed(person, (each.starts for each in gone))

    def _changed(self, person: str, starts: Iterable[datetime]) -> None:
        days = {start.astimezone(ZoneInfo(ZONE)).date() for start in starts}
        for offer in self._offers:
            if offer.practitioner == person:
                for day in days:
                    self._shown.pop((offer, day), None)

    def _forget(self, today: date) -> None:
        """What is over concerns nobody any more."""
        self.clinic.appointments = [each for each in self.clinic.appointments if each.ends > self.now - DAY]
        self._shown = {key: starts for key, starts in self._shown.items() if key[1] >= today}


# --- the clinic ---------------------------------------------------------------------------------------------------------


def invented(services: Sequence[Service]) -> Clinic:
    """A clinic with the types, locations and practitioners that these services name, and invented ones where they name none."""
    clinic = Clinic("invented", "Invented", "no-key", ZONE, BookingSettings(lead_hours=2))
    places = dict.fromkeys(name for service in services for name in service.locations or ()) or {"Main Street": None}
    clinic.businesses = {f"7{n}": Business(f"7{n}", name, ZONE) for n, name in enumerate(places, 1)}
    types = dict.fromkeys(name for service in services for name in service.appointment_types)
    clinic.types = {f"8{n}": Type(f"8{n}", name, MINUTES[n % 3]) for n, name in enumerate(types)}
    for service in services:
        names = service.practitioners or [f"Practitioner {n} for {service.name}" for n in range(1, STAFF + 1)]
        for n, name in enumerate(names):
            _join(clinic, service, name, n)
    return clinic


def _join(clinic: Clinic, service: Service, name: str, n: int) -> None:
    """Have somebody sell a service too, at one of its locations."""
    sells = [type_.id for type_ in clinic.types.values() if type_.name in service.appointment_types]
    known = next((person for person in clinic.people.values() if person.name == name), None)
    if known is not None:
        known.types += [type_ for type_ in sells if type_ not in known.types]
        return
    person = Person(f"9{len(clinic.people) + 1}", name, sells, default_type=sells[0])
    clinic.people[person.id] = person
    places = [b.id for b in clinic.businesses.values() if service.locations is None or b.name in service.locations]
    for weekday in range(5):
        for starts, ends in ((8 * 60, 12 * 60), (13 * 60, 17 * 60)):
            clinic.hours.append(Hours(places[n % len(places)], person.id, weekday, starts, ends))
