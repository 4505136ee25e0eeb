"""The world: clinics and ad accounts, a clock that can be moved, people who do things, and faults that can be switched on.

The servers in the folders beside this module only translate it to their wire formats. Every public method may be called
from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Literal
from zoneinfo import ZoneInfo

from service.sandbox.accounts import GoogleAccount, MetaAccount, MetaCampaign
from service.sandbox.clinic import Clinic, Span
from service.sandbox.minutes import MINUTE


@dataclass(slots=True)
class Fault:
    """Something a server does wrong from now on.

    `kind` is one the server of `system` documents; `match` limits it to requests whose path or method contains it; it
    happens `times` times (None: until cleared), and only in [since, until) of the world's time. `what` is what some kinds
    want to know: an id, or names of fields.
    """

    system: Literal["cliniko", "google", "meta"]
    kind: str
    match: str = ""
    times: int | None = None
    what: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def due(self, system: str, path: str, now: datetime) -> bool:
        """Whether it is to be committed for this request."""
        timely = (self.since is None or self.since <= now) and (self.until is None or now < self.until)
        return self.system == system and self.match in path and self.times != 0 and timely


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
        self._speed = 1.0
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
            return self._now + timedelta(seconds=(monotonic() - self._ticking_since) * self._speed)

    def clock(self) -> Callable[[], datetime]:
        """A clock to govern by."""
        return lambda: self.now

    def advance(self, by: timedelta) -> datetime:
        """Let time pass and return the new present."""
        with self.lock:
            self._now += by
            return self.now

    def tick(self, speed: float = 1.0) -> None:
        """From now on time passes by itself, so many times as fast as ours."""
        with self.lock:
            self._ticking_since, self._speed = monotonic(), speed

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
                if fault.due(system, path, self.now):
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
                self.log_google(account, "CAMPAIGN_BUDGET", item.id, {"amount_micros": amounts}, user, budget=budget.id)
                budget.amount_micros = changes["amount_micros"]

    def log_google(
        self,
        account: GoogleAccount,
        resource: str,
        campaign: str,
        fields: dict[str, tuple[Any, Any]],
        user: str,
        client: str = "GOOGLE_ADS_WEB_CLIENT",
        budget: str = "",
    ) -> None:
        """Write a change event: `fields` maps a field to (old, new); `budget` is the one that was changed."""
        with self.lock:
            account.events.append(
                {
                    "at": self.now,
                    "resource": resource,
                    "campaign": campaign,
                    "budget": budget,
                    "fields": fields,
                    "user": user,
                    "client": client,
                }
            )

    def edit_meta(self, account_id: str, campaign: str, actor: str, **changes: Any) -> None:
        """A person edits a Meta campaign or ad set in Ads Manager: `status="PAUSED"`, `daily_budget=5000` (minor units)."""
        with self.lock:
            account = self.meta[account_id]
            item = account.campaigns.get(campaign) or account.ad_sets[campaign]
            for name, value in changes.items():
                self.log_meta(account, item.id, name, getattr(item, name), value, actor)
                setattr(item, name, value)
            if "status" in changes and isinstance(
                item, MetaCampaign
            ):  # a change of budget alone leaves updated_time as it was, as the real one does
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
