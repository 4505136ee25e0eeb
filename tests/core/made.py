"""Readings of Cliniko made by hand: one place in Brisbane (no summer time), and it is six on a Monday morning there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial

from service.core.capacity import Capacity, capacity
from service.core.decide.model import UNLEARNT
from service.core.diary_day import DiaryDay
from service.core.expectation import expectation
from service.core.metrics import Earlier, Seen, asking
from service.core.model import (
    AppointmentType,
    Block,
    Diaries,
    Location,
    Offer,
    OnlineBookings,
    Practitioner,
    Probe,
    Unseen,
    WeeklyHours,
)
from service.core.observation import Observation
from service.core.pace import Pace
from service.core.rules.language import Measure, Metric, Service

ZONE = "Australia/Brisbane"
OFFSET = timedelta(hours=10)
MONDAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
SERVICE = Service("physio", ("First", "Standard"))
FIRST = AppointmentType("first", "First", timedelta(minutes=60), None, group=False, online=True)
STANDARD = AppointmentType("standard", "Standard", timedelta(minutes=30), None, group=False, online=True)
ANA, BEN = (Practitioner(name, name.title(), online=True) for name in ("ana", "ben"))
CITY, QUAY = (Location(name, name.title(), ZONE, online=True) for name in ("city", "quay"))
OPEN = OnlineBookings(enabled=True, lead=timedelta(0), segment_cap=None, daily_limit=None)

Shown = Sequence[datetime] | Unseen


def at(day: int, clock: str) -> datetime:
    """A wall-clock time in Brisbane, `day` days after the Monday."""
    return datetime.combine(MONDAY + timedelta(days=day), time.fromisoformat(clock), UTC) - OFFSET


def every(minutes: int, day: int, first: str, last: str) -> list[datetime]:
    """Starts that many minutes apart, the last one included."""
    start, found = at(day, first), []
    while start <= at(day, last):
        found.append(start)
        start += timedelta(minutes=minutes)
    return found


def weekly(person: str, place: str, *windows: tuple[int, str, str]) -> list[WeeklyHours]:
    """Template windows as (weekday with Monday 0, from, to)."""
    return [WeeklyHours(place, person, (day + 1) % 7, _minutes(a), _minutes(b)) for day, a, b in windows]


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def office(person: str = "ana", place: str = "city", days: Iterable[int] = range(5)) -> list[WeeklyHours]:
    """Nine to twelve on these weekdays: three hours a day, all before Cliniko's first segment ends."""
    return weekly(person, place, *((day, "09:00", "12:00") for day in days))


def probes(offer: Offer, shown: Shown, today: date = MONDAY) -> tuple[Probe, ...]:
    """The two answers about one offer: the same thing happens to both."""
    windows = [(today, today + timedelta(days=6)), (today + timedelta(days=7), today + timedelta(days=13))]
    if isinstance(shown, Unseen):
        return tuple(Probe(offer, first, last, None, shown) for first, last in windows)
    local = [(start, (start + OFFSET).date()) for start in sorted(shown)]
    return tuple(
        Probe(offer, first, last, tuple(start for start, day in local if first <= day <= last)) for first, last in windows
    )


def diaries(
    shown: Mapping[tuple[str, str, str], Shown],
    hours: Sequence[WeeklyHours] | None = None,
    *,
    types: Sequence[AppointmentType] = (FIRST, STANDARD),
    bookings: OnlineBookings = OPEN,
    extra: Sequence[Block] = (),
    unavailable: Sequence[Block] = (),
    practitioners: Sequence[Practitioner] = (ANA, BEN),
    today: date = MONDAY,
) -> Diaries:
    """A reading in which exactly the (place, person, type) triples of `shown` are offered."""
    offers = {Offer(*key): starts for key, starts in shown.items()}
    return Diaries(
        bookings=bookings,
        locations=(CITY, QUAY),
        practitioners=tuple(practitioners),
        types=tuple(types),
        offers=tuple(offers),
        hours=tuple(office() if hours is None else hours),
        extra=tuple(extra),
        unavailable=tuple(unavailable),
        probes=tuple(probe for offer, starts in offers.items() for probe in probes(offer, starts, today)),
    )


def alone(shown: Shown, hours: Sequence[WeeklyHours] | None = None, **more: object) -> Diaries:
    """Ana at the city, and her first appointments."""
    return replace(diaries({("city", "ana", "first"): shown}, hours), **more)  # type: ignore[arg-type] # fields of Diaries


def lead(hours: float, **more: object) -> OnlineBookings:
    """Account settings with this lead time."""
    return replace(OPEN, lead=timedelta(hours=hours), **more)  # type: ignore[arg-type] # fields of OnlineBookings


def sold(reading: Diaries, service: Service = SERVICE, now: datetime = NOW) -> Capacity:
    """The capacity that this reading shows."""
    return capacity(Observation.of(reading, now), service)


def only_day(reading: Diaries, index: int = 0, now: datetime = NOW) -> DiaryDay:
    """One day of the only diary of a reading."""
    (diary,) = sold(reading, now=now).diaries
    return diary.days[index]


def seen(
    reading: Diaries,
    now: datetime = NOW,
    earlier: Sequence[tuple[datetime, Diaries]] = (),
    service: Service = SERVICE,
    pace: Pace = UNLEARNT,
) -> Seen:
    """What metrics are computed from; earlier readings newest first."""
    before = tuple(Earlier(when, cache(partial(sold, old, service, when))) for when, old in earlier)
    found = sold(reading, service, now)
    return Seen(now, found, expectation(Observation.of(reading, now), found, pace), before)


def known(view: Seen, metric: Metric, within: int = 14, since: timedelta = timedelta(hours=24)) -> tuple[float | None, ...]:
    """A metric's (estimate, low, high)."""
    bounds = asking(view)(Measure(metric, within, since)).bounds
    return bounds.estimate, bounds.low, bounds.high
