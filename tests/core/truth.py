"""What a clinic could really sell, counted minute by minute from the world itself, nothing hidden.

Shares no arithmetic with `service.core.capacity`: sets of minutes instead of spans, dynamic programming instead of greedy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from service.core.rules.language import Service
from service.sandbox.clinic import Clinic, Span, Type

Minutes = set[int]
Spans = set[tuple[int, int]]


@dataclass(slots=True)
class PersonDay:
    """One practitioner's local day: sets of UTC minutes, and the appointments of the first listed type one may book."""

    working: Minutes = field(default_factory=set)
    sellable: Minutes = field(default_factory=set)
    first_sellable: Minutes = field(default_factory=set)
    open: Minutes = field(default_factory=set)
    bookable: Spans = field(default_factory=set)


def bared(clinic: Clinic) -> Clinic:
    """The clinic with nothing hidden: no cap, no limit, days cut at home, and those who answer 404 while on leave answer."""
    people = {id_: replace(person, on_leave=False) for id_, person in clinic.people.items()}
    settings = replace(clinic.settings, segment_cap=None, daily_limit=None)
    return replace(clinic, people=people, settings=settings, days_cut_by="business")


def minute(instant: datetime) -> int:
    return int(instant.timestamp()) // 60


def most(spans: Iterable[tuple[int, int]]) -> int:
    """The most spans that do not overlap, by dynamic programming over their ends."""
    best = {0: 0}
    for start, end in sorted(spans, key=lambda span: span[1]):
        before = max((count for at, count in best.items() if at <= start), default=0)
        best[end] = max(before + 1, *best.values())
    return max(best.values())


def by_day(days: Sequence[PersonDay]) -> list[int]:
    """On which days the most spans that do not overlap begin: one across midnight is in the way of the next morning's."""
    totals = [most(set().union(*(day.bookable for day in days[: n + 1]))) for n in range(len(days))]
    return [after - before for before, after in pairwise([0, *totals])]


class Truth:
    """What `service` could sell at `now`, by practitioner and day."""

    def __init__(self, clinic: Clinic, service: Service, now: datetime) -> None:
        self.clinic, self.service, self.now = clinic, service, now
        self.bare = bared(clinic)
        without = {" ".join(name.lower().split()) for name in service.exclude_practitioners}
        people = [p for p in clinic.people.values() if p.online and p.active and p.name.lower() not in without]
        found = {person.id: self._person(person.id) for person in people}
        self.people = {id_: days for id_, days in found.items() if days is not None}

    def _types(self, person: str) -> list[Type]:
        """The types of the service that somebody can be booked for online, in the service's order."""
        offered = [self.clinic.types[id_] for id_ in self.clinic.people[person].types]
        names = [name.strip().lower() for name in self.service.appointment_types]
        single = [t for t in offered if t.online and not t.archived and t.max_attendees == 1]
        return sorted((t for t in single if t.name.lower() in names), key=lambda t: names.index(t.name.lower()))

    def _places(self, person: str) -> list[str]:
        wanted = self.service.locations
        return [p for p in self.clinic.listed_at(person) if wanted is None or self.clinic.businesses[p].name in wanted]

    def _person(self, person: str) -> list[PersonDay] | None:
        types, places = self._types(person), self._places(person)
        if not types or not places:
            return None
        days = [PersonDay() for _ in range(14)]
        for place in places:
            today = self.now.astimezone(ZoneInfo(self.clinic.businesses[place].zone)).date()
            covered: Minutes = set()
            sellable = [self._add(day, place, person, today + timedelta(days=n), types, covered) for n, day in enumerate(days)]
            for day, minutes in zip(days, sellable, strict=True):
                day.open |= covered & minutes
        return days

    def _add(self, day: PersonDay, place: str, person: str, on: date, types: list[Type], covered: Minutes) -> Minutes:
        """Add a place to a day, and what its starts cover to `covered`; gives what can be sold of it there."""
        leads = [self.clinic.settings.lead_hours if t.lead_hours is None else t.lead_hours for t in types]
        sold_from, first_from = (minute(self.now + timedelta(hours=hours)) for hours in (min(leads), leads[0]))
        working = {m for a, b in self.clinic.working(place, person, on) for m in range(minute(a), minute(b))}
        sellable = {m for m in working if minute_is_sold(m, sold_from, self.now)}
        day.working |= working
        day.sellable |= sellable
        day.first_sellable |= {m for m in working if minute_is_sold(m, first_from, self.now)}
        for type_ in types:
            for start in self.bare.starts(place, person, type_.id, on, on, self.now) or []:
                span = (minute(start), minute(start) + type_.minutes)
                covered |= set(range(*span))
                if type_ is types[0] and not self._limited(place, on):
                    day.bookable.add(span)
        return sellable

    def _limited(self, place: str, on: date) -> bool:
        """Whether the daily limit lets nobody book: then there are no openings, though there may be open time."""
        limit, zone = self.clinic.settings.daily_limit, ZoneInfo(self.clinic.businesses[place].zone)
        booked = sum(span.starts.astimezone(zone).date() == on for span in self.clinic.appointments)
        return limit is not None and booked >= limit

    # --- metrics --------------------------------------------------------------------------------------------------------

    def days(self, within: int) -> list[PersonDay]:
        return [day for days in self.people.values() for day in days[:within]]

    def working_hours(self, within: int) -> float:
        return sum(len(day.working) for day in self.days(within)) / 60

    def sellable_minutes(self, within: int) -> int:
        return sum(len(day.sellable) for day in self.days(within))

    def first_sellable_minutes(self, within: int) -> int:
        return sum(len(day.first_sellable) for day in self.days(within))

    def utilisation(self, within: int) -> float:
        return 100 * (1 - 60 * self.open_hours(within) / self.sellable_minutes(within))

    def open_hours(self, within: int) -> float:
        return sum(len(day.open) for day in self.days(within)) / 60

    def open_slots(self, within: int) -> float:
        return sum(most(set().union(*(day.bookable for day in days[:within]))) for days in self.people.values())

    def days_to_next_opening(self, within: int) -> float:
        return next((n for n in range(within) if any(days[n].bookable for days in self.people.values())), math.inf)

    def full_days(self, within: int) -> float:
        openings = [sum(counts) for counts in zip(*(by_day(days) for days in self.people.values()), strict=True)]
        days = [[days[n] for days in self.people.values()] for n in range(within)]
        return sum(any(d.first_sellable for d in day) and not openings[n] for n, day in enumerate(days))

    def freed(self, cancelled: Iterable[Span], within: int) -> int:
        """Bookable appointments that the cancelled ones were in the way of."""
        total = 0
        for person, days in self.people.items():
            was_busy = {m for s in cancelled if s.person == person for m in range(minute(s.starts), minute(s.ends))}
            total += most(span for day in days[:within] for span in day.bookable if not was_busy.isdisjoint(range(*span)))
        return total


def minute_is_sold(at: int, sold_from: int, now: datetime) -> bool:
    """Whether a minute lies after the lead time (an instant within a minute masks all of it)."""
    return at >= sold_from + bool(now.second)


def slots_opened(now: Truth, then: Truth, within: int) -> int:
    """Openings that fit into what is open now, was rostered at the baseline and was not open then."""
    total = 0
    for person, days in now.people.items():
        if person not in then.people:
            continue
        rostered = {m for day in then.people[person] for m in day.working}
        open_then = {m for day in then.people[person] for m in day.open}
        open_now = {m for day in days[:within] for m in day.open}
        room = (open_now & rostered) - open_then
        bookable = {span for day in days[:within] for span in day.bookable}
        total += most(span for span in bookable if room.issuperset(range(*span)))
    return total
