"""What an account's own day has cost so far, where the platform was only asked about its month.

Google Ads answers one range of dates per search, and a search that names the days leaves out campaigns without cost (Google,
"Zero metrics"). So the day is the month now less the month at the last reading before the account's midnight, which an
earlier run kept. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from service.core.model import Campaign, Unreadable

NEAR_MIDNIGHT = timedelta(hours=3)
"""How long before midnight a reading may be: Google's own figures are as late as that, and more would count yesterday."""

Campaigns = Mapping[str, Campaign | Unreadable]


def days_began(campaigns: Campaigns, now: datetime) -> set[datetime]:
    """The midnights whose readings `with_today` needs: of the accounts whose day is still to be told."""
    found = (_began(each, now)[0] for each in campaigns.values())
    return {began for began in found if began is not None}


def with_today(
    campaigns: Campaigns, now: datetime, earlier: Mapping[datetime, Iterable[Campaigns]]
) -> dict[str, Campaign | Unreadable]:
    """The campaigns with `spent_today`, where it was not told and can be known.

    `earlier` are the readings of the hours before each midnight that `days_began` names, newest first. On the first of a
    month the day is the month. A day is never below 0, though Google takes back clicks it finds invalid.
    """
    return {name: _with_today(each, now, earlier) for name, each in campaigns.items()}


def day_ends(now: datetime, zone: str) -> datetime:
    """The next midnight of an account that counts its days in `zone`; of UTC where that is not known."""
    there = ZoneInfo(zone or "UTC")
    tomorrow = now.astimezone(there).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time.min, there).astimezone(UTC)


def _with_today(
    seen: Campaign | Unreadable, now: datetime, earlier: Mapping[datetime, Iterable[Campaigns]]
) -> Campaign | Unreadable:
    began, first = _began(seen, now)
    if began is None or isinstance(seen, Unreadable) or seen.spent_month is None:
        return seen
    before = Decimal(0) if first else _spent_before(seen, earlier.get(began, ()))
    return seen if before is None else replace(seen, spent_today=max(seen.spent_month - before, Decimal(0)))


def _began(seen: Campaign | Unreadable, now: datetime) -> tuple[datetime | None, bool]:
    """When the account's day began, and whether it is the first of a month; None where its cost is not to be found out."""
    if isinstance(seen, Unreadable) or seen.spent_today is not None or seen.spent_month is None or not seen.zone:
        return None, False
    zone = ZoneInfo(seen.zone)
    today = now.astimezone(zone).date()
    return datetime.combine(today, time.min, zone).astimezone(now.tzinfo), today.day == 1


def _spent_before(seen: Campaign, readings: Iterable[Campaigns]) -> Decimal | None:
    """What the month had cost at the newest reading that tells."""
    mine = (each for reading in readings for each in reading.values() if isinstance(each, Campaign) and _same(each, seen))
    return next((each.spent_month for each in mine if each.spent_month is not None), None)


def _same(one: Campaign, other: Campaign) -> bool:
    return (one.platform, one.id, one.currency) == (other.platform, other.id, other.currency)
