"""One Cliniko account as it really is: people, hours, appointments, settings, and the online starts that follow from them.

Whatever is odd about a clinic is data here, with the tidy case as its default: how the grid of starts is anchored, which
zone cuts the days of an answer, how repeats are served, who is on leave, and the anomalies that have been reported of the
real service (Cliniko API issues 99, 199, 248 and 279). The slot engine walks minutes on purpose (`sandbox.minutes`): it
shares no arithmetic with `service.core.capacity`, which is tested against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from service.sandbox.minutes import MINUTE, Repeat, Stretch, fitting, free, gaps, occurrences, segment_of, working

DAY = timedelta(days=1)

Anomaly = Literal["ignores_unavailable", "past_closing", "local_as_utc", "types_not_offered"]
"""What has been reported of the real service: it offers times within unavailable blocks; an appointment that runs past
closing; local times labelled `Z`; times of a type that the practitioner does not offer, where a 404 was due."""


@dataclass(slots=True)
class Business:
    """A place: `zone` is its IANA time zone, `types` what may be booked online there (None: everything)."""

    id: str
    name: str
    zone: str
    online: bool = True
    types: list[str] | None = None


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
    """A practitioner (or equipment modelled as one) with the types it offers and its default type.

    Somebody `on_leave` answers 404 though every switch is on; somebody not `active` is on the list of the inactive only.
    `also_at` are businesses that list the practitioner without any hours there.
    """

    id: str
    name: str
    types: list[str]
    default_type: str | None
    online: bool = True
    active: bool = True
    on_leave: bool = False
    also_at: tuple[str, ...] = ()


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
    """A stretch of somebody's diary in UTC: an appointment, a block or extra hours. `notes` is bait: it must never leave.

    A block may `repeat` by the wall clock of its business; one that was `withdrawn` counts for nothing.
    """

    person: str
    starts: datetime
    ends: datetime
    business: str | None = None
    notes: str = ""
    repeat: Repeat | None = None
    withdrawn: Literal["", "archived", "deleted"] = ""


@dataclass(slots=True)
class Reservation:
    """Somebody is in the middle of booking `span`: it is hidden in [since, until), then an appointment or free again."""

    span: Span
    since: datetime
    until: datetime
    booked: bool = False


@dataclass(slots=True)
class BookingSettings:
    """Account-wide online-booking settings; a cap or limit of None is unlimited."""

    enabled: bool = True
    lead_hours: int = 0
    segment_cap: int | None = None
    daily_limit: int | None = None
    reservation_minutes: int = 10


@dataclass(slots=True)
class Clinic:
    """One Cliniko account, `zone` its own.

    `anchor`: the grid of starts begins where rostered time does ("window"), or again at the end of each appointment ("gap").
    `days_cut_by`: whose midnights cut the days of `available_times`, the business's or the account's; "today" is always the
    account's. `repeats_as`: a repeating block is served as one row with its rule, as a row per occurrence, or both.
    `lists_withdrawn`: archived and deleted blocks are still listed, with the date.
    """

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
    reservations: list[Reservation] = field(default_factory=list)
    day_scheme: Literal["iso", "sunday0", "monday0"] = "sunday0"
    anchor: Literal["window", "gap"] = "window"
    days_cut_by: Literal["business", "account"] = "business"
    repeats_as: Literal["rule", "rows", "both"] = "rule"
    lists_withdrawn: bool = False
    anomalies: frozenset[Anomaly] = frozenset()

    def places_of(self, person: str) -> list[str]:
        """The businesses at which a practitioner has template hours, in id order."""
        return sorted({hours.business for hours in self.hours if hours.person == person})

    def listed_at(self, person: str) -> list[str]:
        """The businesses that `/services` lists a practitioner at: with hours or, now and then, without."""
        return sorted({*self.places_of(person), *self.people[person].also_at})

    def offering(self, business: str, type_: str) -> list[str]:
        """Who `/services` says can be booked for a type at a business."""
        people = self.people.values()
        return [p.id for p in people if p.active and type_ in p.types and business in self.listed_at(p.id)]

    def spread(self, blocks: list[Span], business: str) -> Iterator[Span]:
        """Every occurrence of the blocks that concern a business, by its wall clock."""
        zone = self.businesses[business].zone
        for block in blocks:
            if block.business in {None, business} and not block.withdrawn:
                for starts, ends in occurrences(block.starts, block.ends, block.repeat, zone):
                    yield Span(block.person, starts, ends, block.business)

    def working(self, business: str, person: str, day: date) -> list[Stretch]:
        """Rostered time of one local day as UTC stretches: template + extra - unavailable, to the minute."""
        return list(self._roster(business, person).on(day))

    def starts(self, business: str, person: str, type_: str, first: date, last: date, now: datetime) -> list[datetime] | None:
        """The online starts of days [first, last], ascending UTC; None where the real endpoint answers 404."""
        if not self._sold(business, person, type_):
            return None
        around = 0 if self.days_cut_by == "business" else 1
        days = [first + n * DAY for n in range(-around, (last - first).days + 1 + around)]
        roster = self._roster(business, person)
        if "ignores_unavailable" in self.anomalies:
            roster.away.clear()
        busy, length = self._busy(person, now), self.types[type_].minutes * MINUTE
        earliest = now + timedelta(hours=self._lead(type_))
        found = []
        for day in days:
            fitting = self._fitting(roster.on(day), self.people[person], length, busy)
            found += self._shown(business, day, [start for start in fitting if start >= earliest])
        if self.days_cut_by == "business":
            return found
        return [start for start in found if first <= start.astimezone(ZoneInfo(self.zone)).date() <= last]

    def _sold(self, business: str, person: str, type_: str) -> bool:
        place, who, what = self.businesses.get(business), self.people.get(person), self.types.get(type_)
        return bool(
            self.settings.enabled
            and place and place.online and (place.types is None or type_ in place.types)
            and who and who.online and who.active and not who.on_leave
            and (type_ in who.types or "types_not_offered" in self.anomalies)
            and what and what.online and not what.archived
            and business in self.places_of(person)
        )  # fmt: skip

    def _lead(self, type_: str) -> int:
        own = self.types[type_].lead_hours
        return self.settings.lead_hours if own is None else own

    def _fitting(self, windows: Iterable[Stretch], who: Person, length: timedelta, busy: list[Stretch]) -> Iterator[datetime]:
        """The starts of the grid that are free."""
        step = self._grid(who) * MINUTE
        within = min(step, length) if "past_closing" in self.anomalies else length
        for window in windows:
            near = [each for each in busy if each[0] < window[1] + length and window[0] < each[1]]
            for anchored in gaps(window, busy) if self.anchor == "gap" else [window]:
                yield from (start for start in fitting(anchored, step, within) if free(start, length, near))

    def _roster(self, business: str, person: str) -> _Roster:
        """Somebody's hours and blocks at one business."""
        hours = [h for h in self.hours if h.person == person and h.business == business]
        extra, away = (
            [(s.starts, s.ends) for s in self.spread([block for block in blocks if block.person == person], business)]
            for blocks in (self.extra, self.unavailable)
        )
        return _Roster(self.businesses[business].zone, hours, extra, away)

    def _busy(self, person: str, now: datetime) -> list[Stretch]:
        """Appointments, and what is being booked or was booked at the end of a reservation."""
        held = [r.span for r in self.reservations if r.since <= now and (r.booked or now < r.until)]
        return [(span.starts, span.ends) for span in [*self.appointments, *held] if span.person == person]

    def _grid(self, who: Person) -> int:
        default = who.default_type or min(who.types, key=lambda id_: (self.types[id_].name, id_))
        return self.types[default].minutes

    def _shown(self, business: str, day: date, starts: list[datetime]) -> list[datetime]:
        limit, cap = self.settings.daily_limit, self.settings.segment_cap
        if limit is not None and self._booked_on(business, day) >= limit:
            return []
        if cap is None:
            return starts
        counts: dict[int, int] = {}
        shown = []
        for start in starts:
            segment = segment_of(start, self.businesses[business].zone)
            counts[segment] = counts.get(segment, 0) + 1
            if counts[segment] <= cap:
                shown.append(start)
        return shown

    def _booked_on(self, business: str, day: date) -> int:
        zone = ZoneInfo(self.businesses[business].zone)
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        near = (span.starts for span in self.appointments if abs(span.starts - noon) < 2 * DAY)
        return sum(starts.astimezone(zone).date() == day for starts in near)


@dataclass(slots=True)
class _Roster:
    """Somebody's hours and blocks at one business, repeats expanded."""

    zone: str
    hours: list[Hours]
    extra: list[Stretch]
    away: list[Stretch]

    def on(self, day: date) -> tuple[Stretch, ...]:
        """Rostered time of one local day."""
        windows = tuple((h.starts, h.ends) for h in self.hours if h.weekday == day.weekday())
        return working(self.zone, day, windows, _about(self.extra, day), _about(self.away, day))


def _about(blocks: list[Stretch], day: date) -> tuple[Stretch, ...]:
    """Those that can touch a local day, wherever it is."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return tuple(block for block in blocks if block[0] < noon + 2 * DAY and block[1] > noon - 2 * DAY)
