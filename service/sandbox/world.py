"""The clinic world: diaries, settings, ad accounts, a clock that can be moved, and faults that can be switched on.

State and the truths that follow from it; the servers beside this module only translate it to their wire formats. The slot
engine walks a minute grid on purpose: it shares no arithmetic with `service.core.capacity`, which is tested against it.
Every public method may be called from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from time import monotonic
from typing import Any, Literal
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
SEGMENT_ENDS = (12 * 60, 17 * 60, 24 * 60)
"""Cliniko's day segments end at 12:00, 17:00 and midnight, local."""


# --- Cliniko ------------------------------------------------------------------------------------------------------------


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


# --- ad accounts --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class GoogleBudget:
    """A campaign budget; micros of the account currency."""

    id: str
    amount_micros: int
    shared: bool = False
    period: str = "DAILY"


@dataclass(slots=True)
class GoogleCampaign:
    """A Google Ads campaign; enum fields hold the API's names."""

    id: str
    name: str
    budget: str
    status: str = "ENABLED"
    channel: str = "SEARCH"
    experiment_type: str = "BASE"
    serving_status: str = "SERVING"
    cost_micros_today: int = 0


@dataclass(slots=True)
class GoogleAccount:
    """A Google Ads client account, reached through the manager `login_customer_id`."""

    customer_id: str
    login_customer_id: str
    currency: str
    zone: str
    billable_unit_micros: int = 10_000
    campaigns: dict[str, GoogleCampaign] = field(default_factory=dict)
    budgets: dict[str, GoogleBudget] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class MetaAdSet:
    """An ad set; budgets are in minor units, None where the campaign holds the budget."""

    id: str
    campaign_id: str
    name: str
    status: str = "ACTIVE"
    daily_budget: int | None = None
    end_time: datetime | None = None


@dataclass(slots=True)
class MetaCampaign:
    """A Meta campaign; budgets are in minor units."""

    id: str
    name: str
    daily_budget: int | None = None
    lifetime_budget: int | None = None
    status: str = "ACTIVE"
    buying_type: str = "AUCTION"
    smart_promotion_type: str | None = None
    updated_time: datetime | None = None
    spend_today: Decimal = Decimal(0)


@dataclass(slots=True)
class MetaAccount:
    """A Meta ad account; `id` is `act_` and digits."""

    id: str
    currency: str
    zone: str
    account_status: int = 1
    min_daily_budget: int = 100
    campaigns: dict[str, MetaCampaign] = field(default_factory=dict)
    ad_sets: dict[str, MetaAdSet] = field(default_factory=dict)
    activities: list[dict[str, Any]] = field(default_factory=list)


# --- the world ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Fault:
    """Something a server does wrong from now on.

    `kind` is one the server of `system` documents; `match` limits it to requests whose path or method contains it; it
    happens `times` times (None: until cleared).
    """

    system: Literal["cliniko", "google", "meta"]
    kind: str
    match: str = ""
    times: int | None = None


@dataclass(slots=True)
class Request:
    """One request a server saw, for tests: which system, what was asked, and when by the world's clock."""

    system: str
    method: str
    path: str
    at: datetime


class World:
    """Everything outside the governor, in one place, behind one lock."""

    def __init__(self, now: datetime) -> None:
        self.lock = threading.RLock()
        self._now = now
        self._ticking_since: float | None = None
        self.clinics: dict[str, Clinic] = {}
        self.google: dict[str, GoogleAccount] = {}
        self.meta: dict[str, MetaAccount] = {}
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.trips: list[str] = []
        """Paths of patient data that were asked for. Anything here is a defect of the service."""

    @property
    def now(self) -> datetime:
        """The world's present, UTC."""
        with self.lock:
            if self._ticking_since is None:
                return self._now
            return self._now + timedelta(seconds=monotonic() - self._ticking_since)

    def clock(self) -> Callable[[], datetime]:
        """A clock to govern by."""
        return lambda: self.now

    def advance(self, by: timedelta) -> datetime:
        """Let time pass and return the new present."""
        with self.lock:
            self._now += by
            return self.now

    def tick(self) -> None:
        """From now on time passes by itself, as fast as ours."""
        with self.lock:
            self._ticking_since = monotonic()

    def saw(self, system: str, method: str, path: str) -> None:
        """Remember a request."""
        with self.lock:
            self.requests.append(Request(system, method, path, self.now))

    def fail(self, fault: Fault) -> None:
        """Switch a fault on."""
        with self.lock:
            self.faults.append(fault)

    def heal(self, system: str | None = None) -> None:
        """Switch off the faults of one system, or all."""
        with self.lock:
            self.faults = [fault for fault in self.faults if system not in {None, fault.system}]

    def fault(self, system: str, path: str) -> Fault | None:
        """The fault to commit for this request, counted as used."""
        with self.lock:
            for fault in self.faults:
                if fault.system == system and fault.match in path and fault.times != 0:
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
            return None

    # --- people doing things --------------------------------------------------------------------------------------------

    def book_out(self, clinic: str, types: list[str], days: int = 14, leave: int = 0) -> int:
        """Book every online start of these types in the coming days but the last `leave`; returns how many were booked."""
        with self.lock:
            account = self.clinics[clinic]
            booked: list[Span] = []
            while taken := _earliest_apart(self._openings(account, types, days)):
                booked += taken
                account.appointments += taken
            booked.sort(key=lambda span: span.starts)
            kept_free = booked[len(booked) - leave :]
            account.appointments = [span for span in account.appointments if span not in kept_free]
            return len(booked) - leave

    def cancel(self, clinic: str, types: list[str], count: int, within_days: int = 7) -> int:
        """Cancel the next `count` appointments of practitioners who offer these types; returns how many there were."""
        with self.lock:
            account = self.clinics[clinic]
            until = self.now + timedelta(days=within_days)
            people = {person.id for person in account.people.values() if set(types) & set(person.types)}
            ahead = sorted(
                (s for s in account.appointments if s.person in people and self.now + timedelta(days=1) < s.starts < until),
                key=lambda span: (span.starts, span.person),
            )[:count]
            account.appointments = [span for span in account.appointments if span not in ahead]
            return len(ahead)

    def edit_google(self, customer_id: str, campaign: str, user: str, **changes: Any) -> None:
        """A person edits a Google campaign in the web interface: `status="PAUSED"` and/or `amount_micros=50_000_000`."""
        with self.lock:
            account = self.google[customer_id]
            item = account.campaigns[campaign]
            if "status" in changes:
                self.log_google(account, "CAMPAIGN", item.id, {"status": (item.status, changes["status"])}, user)
                item.status = changes["status"]
            if "amount_micros" in changes:
                budget = account.budgets[item.budget]
                amounts = (budget.amount_micros, changes["amount_micros"])
                self.log_google(account, "CAMPAIGN_BUDGET", item.id, {"amount_micros": amounts}, user)
                budget.amount_micros = changes["amount_micros"]

    def log_google(
        self,
        account: GoogleAccount,
        resource: str,
        campaign: str,
        fields: dict[str, tuple[Any, Any]],
        user: str,
        client: str = "GOOGLE_ADS_WEB_CLIENT",
    ) -> None:
        """Write a change event: `fields` maps a field to (old, new)."""
        with self.lock:
            account.events.append(
                {
                    "at": self.now,
                    "resource": resource,
                    "campaign": campaign,
                    "fields": fields,
                    "user": user,
                    "client": client,
                }
            )

    def edit_meta(self, account_id: str, campaign: str, actor: str, **changes: Any) -> None:
        """A person edits a Meta campaign in Ads Manager: `status="PAUSED"` and/or `daily_budget=5000` (minor units)."""
        with self.lock:
            account = self.meta[account_id]
            item = account.campaigns[campaign]
            for name, value in changes.items():
                self.log_meta(account, item.id, name, getattr(item, name), value, actor)
                setattr(item, name, value)
            if "status" in changes:  # a change of budget alone leaves updated_time as it was, as the real one does
                item.updated_time = self.now

    def log_meta(self, account: MetaAccount, object_id: str, field_name: str, old: Any, new: Any, actor: str) -> None:
        """Write an activity."""
        with self.lock:
            account.activities.append(
                {"at": self.now, "object": object_id, "field": field_name, "old": old, "new": new, "actor": actor}
            )

    def _openings(self, account: Clinic, types: list[str], days: int) -> list[Span]:
        found = []
        for person in account.people.values():
            for type_ in (t for t in types if t in person.types):
                for business in account.places_of(person.id):
                    today = self.now.astimezone(ZoneInfo(account.businesses[business].zone)).date()
                    last = today + timedelta(days=days - 1)
                    starts = account.starts(business, person.id, type_, today, last, self.now) or []
                    length = account.types[type_].minutes * MINUTE
                    found += [Span(person.id, start, start + length, business, notes="Jane Patient") for start in starts]
        return sorted(found, key=lambda span: (span.starts, span.person))


def _earliest_apart(spans: list[Span]) -> list[Span]:
    """Those of ascending `spans` that overlap no earlier one of the same person."""
    free_from: dict[str, datetime] = {}
    taken = []
    for span in spans:
        if span.starts >= free_from.get(span.person, span.starts):
            free_from[span.person] = span.ends
            taken.append(span)
    return taken
