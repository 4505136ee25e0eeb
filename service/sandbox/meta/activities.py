"""The activity log of a sandbox ad account, in the wording and with the oddities of the real one.

`extra_data` is JSON inside a string, a campaign is called CAMPAIGN_GROUP and an ad set CAMPAIGN, and who did it is told by
actor and application. Call with the world's lock held.
"""

from __future__ import annotations

import json
import zlib
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from service.sandbox.accounts import MetaAccount
from service.sandbox.meta.refusals import GraphError, Wrong
from service.sandbox.world import World

SYSTEM_USER = "Governor System User"
"""The actor of everything written with the sandbox's token."""

APPLICATION = ("1029384756001", "Ad-spend governor")
ADS_MANAGER = ("119211728144504", "Ads Manager")
Row = dict[str, Any]

_EVENTS = {
    "status": ("run_status", "STATUS"),
    "daily_budget": ("budget", "BUDGET"),
    "lifetime_budget": ("budget", "BUDGET"),
}
_RUN = {"ACTIVE": ("Active", 1), "PAUSED": ("Inactive", 17)}
_FILTERS = {"oid": "object_id", "uid": "actor_id", "category": "category"}


def activities(world: World, account: MetaAccount, _: object, params: dict[str, str]) -> list[Row]:
    """Newest first, of the last week unless `since` says otherwise; at most thirty days of the last ninety."""
    since = _instant(params.get("since"), world.now - timedelta(days=7))
    until = _instant(params.get("until"), world.now)
    if until - since > timedelta(days=30):
        raise GraphError(Wrong(100, None, "(#100) The time range may not be longer than 30 days"))
    since = max(since, world.now - timedelta(days=90))
    entries = [e for e in reversed(account.activities) if since <= e["at"] <= until and e["field"] in _EVENTS]
    rows = [(_EVENTS[entry["field"]][1], _activity(account, entry)) for entry in entries]
    return [row for category, row in rows if all(
        (row | {"category": category})[key] == params[name] for name, key in _FILTERS.items() if name in params
    )]  # fmt: skip


def _instant(text: str | None, otherwise: datetime) -> datetime:
    """Epoch seconds or a date."""
    if text is None:
        return otherwise
    if text.isdigit():
        return datetime.fromtimestamp(int(text), UTC)
    return datetime.combine(date.fromisoformat(text[:10]), time(), UTC)


def _activity(account: MetaAccount, entry: Row) -> Row:
    what, _ = _EVENTS[entry["field"]]
    application = APPLICATION if entry["actor"] == SYSTEM_USER else ADS_MANAGER
    thing = account.campaigns.get(entry["object"]) or account.ad_sets.get(entry["object"])
    ad_set = entry["object"] in account.ad_sets
    return {
        "event_time": entry["at"].strftime("%Y-%m-%dT%H:%M:%S%z"),
        "date_time_in_timezone": entry["at"].astimezone(ZoneInfo(account.zone)).strftime("%d/%m/%Y at %H:%M"),
        "event_type": f"update_{'ad_set' if ad_set else 'campaign'}_{what}",
        "translated_event_type": f"{'Ad set' if ad_set else 'Campaign'} {what.replace('_', ' ')} updated",
        "actor_id": str(zlib.crc32(entry["actor"].encode())),
        "actor_name": entry["actor"],
        "application_id": application[0],
        "application_name": application[1],
        "object_id": entry["object"],
        "object_name": thing.name if thing else "",
        "object_type": "CAMPAIGN" if ad_set else "CAMPAIGN_GROUP",
        "extra_data": json.dumps(_status_change(entry) if what == "run_status" else _budget_change(account, entry)),
    }


def _budget_change(account: MetaAccount, entry: Row) -> Row:
    amount = {"type": "payment_amount", "currency": account.currency}
    new = {"new_value": entry["new"], "additional_type": "status_string", "additional_value": "Per day"}
    return {
        "type": "composite_data",
        "old_value": amount | {"old_value": entry["old"], "additional_value": ""},
        "new_value": amount | new,
    }


def _status_change(entry: Row) -> Row:
    (old, before), (new, after) = (_RUN.get(entry[side], (str(entry[side]).title(), 0)) for side in ("old", "new"))
    return {"type": "run_status", "old_value": old, "new_value": new, "run_status": {"old_value": before, "new_value": after}}
