"""Google's change history: what to ask of `change_event`, its rows, and what they tell about each campaign.

A query needs both ends of a range that begins within the last 30 days and a LIMIT of at most 10,000; there are no pages, so
the next query begins where the last row was. Its times are the account's wall clock, without an offset. An event may appear
three minutes late, and what Google Ads Editor did never does (Google, "Change Event"). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from service.core.errors import ProtocolError
from service.core.model import Campaign, History, LoggedChange
from service.google_ads.money import from_micros
from service.google_ads.wire import SYSTEM, enum_name, number

MOST_EVENTS = 10_000
"""The largest LIMIT there is."""
REACH = timedelta(days=30)
"""How far back the history goes."""
DELAY = timedelta(minutes=3)
"""How late an event may appear: so much of the time before is asked about again."""

FIELDS = (
    "change_event.resource_name", "change_event.change_date_time", "change_event.change_resource_type",
    "change_event.change_resource_name", "change_event.client_type", "change_event.user_email",
    "change_event.resource_change_operation", "change_event.changed_fields", "change_event.old_resource",
    "change_event.new_resource", "change_event.campaign",
)  # fmt: skip

VIA = {
    "GOOGLE_ADS_WEB_CLIENT": "the Google Ads website",
    "GOOGLE_ADS_MOBILE_APP": "the Google Ads app",
    "GOOGLE_ADS_AUTOMATED_RULE": "an automated rule",
    "GOOGLE_ADS_SCRIPTS": "a Google Ads script",
    "GOOGLE_ADS_BULK_UPLOAD": "a bulk upload",
    "GOOGLE_ADS_EDITOR": "Google Ads Editor",
    "GOOGLE_ADS_API": "the API",
    "GOOGLE_ADS_RECOMMENDATIONS": "a recommendation that somebody applied",
    "GOOGLE_ADS_RECOMMENDATIONS_SUBSCRIPTION": "a recommendation that is applied automatically",
    "SEARCH_ADS_360_SYNC": "Search Ads 360",
    "SEARCH_ADS_360_POST": "Search Ads 360",
    "INTERNAL_TOOL": "a tool of Google's",
    "OTHER": "another tool",
}
"""`client_type` in plain words; what this version does not know is left out."""

MAY_BE_OURS = frozenset({VIA["GOOGLE_ADS_API"], VIA["INTERNAL_TOOL"], VIA["OTHER"], ""})
"""By what means a write of ours may be said to have been made: by the API, or by nothing that Google names."""

RUNNING = {"ENABLED": True, "PAUSED": False}


@dataclass(frozen=True, slots=True)
class EventRow:
    """One change event. `name` is its own, `resource` what was changed; `at` the account's wall clock, without a zone.

    `status` is the new one ('' where the event does not fill it in), `amount_micros` the new daily amount.
    """

    name: str
    at: datetime
    resource: str
    by: str
    via: str
    about_status: bool
    status: str
    amount_micros: int | None


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of an account's wall clock, both ends included, in whole seconds."""

    first: datetime
    last: datetime

    def after(self, rows: Sequence[EventRow]) -> Span | None:
        """What is left to ask after a full answer in ascending order; None where asking again would not get further."""
        first = max(row.at for row in rows).replace(microsecond=0)
        return Span(first, self.last) if first > self.first else None


def time_zone(name: str) -> ZoneInfo | None:
    """The zone of that name; None where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # no such zone, no name at all, a part of a name
        return None


def span(since: datetime, until: datetime, zone: ZoneInfo) -> Span:
    """The wall clock's readings from `since` to `until`, whichever way the clocks are changed in between."""
    offsets = [instant.astimezone(zone).utcoffset() or timedelta(0) for instant in (since, until)]
    first, last = _naive(since) + min(offsets), _naive(until) + max(offsets)
    return Span(first.replace(microsecond=0), last.replace(microsecond=0) + timedelta(seconds=bool(last.microsecond)))


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)


def changes_query(asked: Span) -> str:
    """GAQL for every change of a campaign or budget of the account, oldest first."""
    return (
        f"SELECT {', '.join(FIELDS)} FROM change_event "  # noqa: S608 - our fields and two times
        f"WHERE change_event.change_date_time >= '{asked.first:%Y-%m-%d %H:%M:%S}' "
        f"AND change_event.change_date_time <= '{asked.last:%Y-%m-%d %H:%M:%S}' "
        "AND change_event.change_resource_type IN ('CAMPAIGN', 'CAMPAIGN_BUDGET') "
        f"ORDER BY change_event.change_date_time LIMIT {MOST_EVENTS}"
    )


def event_row(row: Any) -> EventRow:
    """A `GoogleAdsRow` of `changes_query`. Raises ProtocolError where it does not say when."""
    event = row.change_event
    old, new = event.old_resource.campaign, event.new_resource.campaign
    removed = enum_name(event, "resource_change_operation") == "REMOVE"
    return EventRow(
        name=str(event.resource_name),
        at=_wall_clock(str(event.change_date_time)),
        resource=str(event.change_resource_name),
        by=str(event.user_email),
        via=VIA.get(enum_name(event, "client_type"), ""),
        about_status=removed or "status" in event.changed_fields.paths or bool(old.status or new.status),
        status=enum_name(new, "status") if new.status else "",
        amount_micros=number(event.new_resource.campaign_budget, "amount_micros"),
    )


def _wall_clock(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError as error:
        raise ProtocolError(SYSTEM, f"Google Ads dates a change {text!r}") from error


def told(campaign: Campaign, name: str, rows: Iterable[EventRow], zone: ZoneInfo, until: datetime) -> History:
    """What the events say about the campaign whose resource name is `name`, and about its budget, up to `until`."""
    about = {each for each in (name, campaign.budget_ref) if each}
    found = ((_instant(row.at, zone, until), row) for row in rows if row.resource in about)
    ordered = sorted((each for each in found if each[0] <= until), key=lambda each: each[0])
    return tuple(_logged(at, row, campaign) for at, row in ordered)


def _instant(wall: datetime, zone: ZoneInfo, until: datetime) -> datetime:
    """When that was. In the hour that the clocks repeat, the later of the two, unless that is yet to come."""
    later, earlier = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    return later if later <= until else earlier


def _logged(at: datetime, row: EventRow, campaign: Campaign) -> LoggedChange:
    amount = row.amount_micros if row.resource == campaign.budget_ref else None
    return LoggedChange(
        at=at,
        by=row.by,
        via=row.via,
        about_status=row.about_status,
        running=RUNNING.get(row.status),
        budget=None if amount is None else from_micros(amount, campaign.unit),
        by_hand=row.via not in MAY_BE_OURS,
    )
