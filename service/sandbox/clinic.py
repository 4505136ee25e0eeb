"""One Cliniko account as it really is: people, hours, appointments, settings, and the online starts that follow from them.

The slot engine walks a minute grid on purpose: it shares no arithmetic with `service.core.capacity`, which is tested
against it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
SEGMENT_ENDS = (12 * 60, 17 * 60, 24 * 60)
"""Cliniko's day segments end at 12:00, 17:00 and midnight, local."""


@dataclass(slots=True)
class Business:
    """A place: `zone` is its IANA time zone."""

    id: str
    name: str
    zone: str
    online: bool = True


@dataclass(slots=True)
class Type:
    """An appointment type; durations in minutes, lead in hours (None: the account's)."""

    id: str
    name: str
    minutes: int
    lead_hours: int | None = None
    max_attendees: int = 1
    online: bool = True
    archived: bool = False


@dataclass(slots=True)
class Person:
    """A practitioner (or equipment modelled as one) with the types it offers and its default type."""

    id: str
    name: str
    types: list[str]
    default_type: str | None
    online: bool = True
    active: bool = True


@dataclass(slots=True)
class Hours:
    """A window of the weekly template; `weekday` as Python's (Monday 0), minutes after local midnight."""

    business: str
    person: str
    weekday: int
    starts: int
    ends: int


@dataclass(slots=True)
class Span:
    """A stretch of somebody's diary in UTC: an appointment, a block or extra hours. `notes` is bait: it must never leave."""

    person: str
    starts: datetime
    ends: datetime
    business: str | None = None
    notes: str = ""


@dataclass(slots=True)
class BookingSettings:
    """Account-wide online-booking settings; a cap or limit of None is unlimited."""

    enabled: bool = True
    lead_hours: int = 0
    segment_cap: int | None = None
    daily_limit: int | None = None


@dataclass(slots=True)
class Clinic:
    """One Cliniko account."""

    slug: str
    name: str
    api_key: str
    zone: str
    settings: BookingSettings = field(default_factory=BookingSettings)
    businesses: dict[str, Business] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    types: dict[str, Type] = field(default_factory=dict)
    hours: list[Hours] = field(default_factory=list)
    extra: list[Span] = field(default_factory=list)
    unavailable: list[Span] = field(default_factory=list)
    appointments: list[Span] = field(default_factory=list)
    day_scheme: Literal["iso", "sunday0", "monday0"] = "sunday0"

    def places_of(self, person: str) -> list[str]:
        """The businesses at which a practitioner has template hours, in id order."""
        return sorted({hours.business for hours in self.hours if hours.person == person})

    def working(self, business: str, person: str, day: date) -> list[tuple[datetime, datetime]]:
        """Rostered time of one local day as UTC stretches: template + extra - unavailable, to the minute."""
        weekday = day.weekday()
        windows = tuple(
            (h.starts, h.ends) for h in self.hours if h.person == person and h.business == business and h.weekday == weekday
        )
        return list(_working(
            self.businesses[business].zone, day, windows,
            _spans(self.extra, person, business), _spans(self.unavailable, person, business),
        ))  # fmt: skip

    def starts(self, business: str, person: str, type_: str, first: date, last: date, now: datetime) -> list[datetime] | None:
        """The online starts of local days [first, last], ascending UTC; None where the real endpoint answers 404."""
        if not self._sold(business, person, type_):
            return None
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return [start for day in days for start in self._starts_of_day(business, person, type_, day, now)]

    def _sold(self, business: str, person: str, type_: str) -> bool:
        place, who, what = self.businesses.get(business), self.people.get(person), self.types.get(type_)
        return bool(
            self.settings.enabled
            and place and place.online
            and who and who.online and who.active and type_ in who.types
            and what and what.online and not what.archived
            and business in self.places_of(person)
        )  # fmt: skip

    def _starts_of_day(self, business: str, person: str, type_: str, day: date, now: datetime) -> list[datetime]:
        what, who = self.types[type_], self.people[person]
        lead = what.lead_hours if what.lead_hours is not None else self.settings.lead_hours
        earliest = now + timedelta(hours=lead)
        step, length = self._grid(who) * MINUTE, what.minutes * MINUTE
        busy = [span for span in self.appointments if span.person == person]
        found: list[datetime] = []
        for opens, closes in self.working(business, person, day):
            start = opens
            while start + length <= closes:
                if start >= earliest and not any(span.starts < start + length and start < span.ends for span in busy):
                    found.append(start)
                start += step
        return self._shown(business, day, found)

    def _grid(self, who: Person) -> int:
        default = who.default_type or min(who.types, key=lambda id_: (self.types[id_].name, id_))
        return self.types[default].minutes

    def _shown(self, business: str, day: date, starts: list[datetime]) -> list[datetime]:
        limit, cap = self.settings.daily_limit, self.settings.segment_cap
        if limit is not None and self._booked_on(business, day) >= limit:
            return []
        if cap is None:
            return starts
        zone = ZoneInfo(self.businesses[business].zone)
        counts: dict[int, int] = {}
        shown = []
        for start in starts:
            local = start.astimezone(zone)
            segment = next(n for n, end in enumerate(SEGMENT_ENDS) if local.hour * 60 + local.minute < end)
            counts[segment] = counts.get(segment, 0) + 1
            if counts[segment] <= cap:
                shown.append(start)
        return shown

    def _booked_on(self, business: str, day: date) -> int:
        zone = ZoneInfo(self.businesses[business].zone)
        return sum(span.starts.astimezone(zone).date() == day for span in self.appointments)


def _spans(spans: list[Span], person: str, business: str) -> tuple[tuple[datetime, datetime], ...]:
    return tuple((s.starts, s.ends) for s in spans if s.person == person and s.business in {None, business})


@lru_cache(maxsize=20_000)
def _working(
    zone: str,
    day: date,
    windows: tuple[tuple[int, int], ...],
    extra: tuple[tuple[datetime, datetime], ...],
    unavailable: tuple[tuple[datetime, datetime], ...],
) -> tuple[tuple[datetime, datetime], ...]:
    """Walk every UTC minute of a local day: 1,380, 1,440 or 1,500 of them."""
    local = ZoneInfo(zone)
    minute = datetime.combine(day, time(), local).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), local).astimezone(UTC)
    found: list[tuple[datetime, datetime]] = []
    while minute < end:
        there = minute.astimezone(local)
        clock = there.hour * 60 + there.minute
        on = any(a <= clock < b for a, b in windows) or any(a <= minute < b for a, b in extra)
        if on and not any(a <= minute < b for a, b in unavailable):
            if found and found[-1][1] == minute:
                found[-1] = (found[-1][0], minute + MINUTE)
            else:
                found.append((minute, minute + MINUTE))
        minute += MINUTE
    return tuple(found)
