"""What the activity log of an ad account tells of campaigns: who paused, resumed or re-budgeted them, and when. Pure.

Marketing API, "Ad Activity", and what is reported of it: object types have legacy names (CAMPAIGN_GROUP is a campaign,
CAMPAIGN an ad set), so only object ids are believed; `extra_data` is text that may be JSON of several shapes, null or
neither; its words are in the reader's language; one click may be logged in two or three steps. What cannot be read is still
a change: it is told without its value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from service.core.errors import ProtocolError
from service.core.model import Campaign, History, LoggedChange
from service.meta.money import UNITS, from_minor
from service.meta.wire import ActivityRow

KEPT = timedelta(days=90)
"""How long Meta keeps the log (reported)."""

WINDOW = timedelta(days=30)
"""The longest stretch that may be asked for at once."""

BUDGETS = {"update_campaign_budget", "update_campaign_group_budget", "update_ad_set_budget"}
"""Events whose value is a budget; others with `budget` in their name are about its schedule, split or level."""

ACTIVE, ENDING = 1, 17
"""Numbers of a run status. The second is what an active campaign goes to when it is paused, and what some pass through on
their way to active again."""

WORDS = {"active": True, "inactive": False, "paused": False}
"""Run statuses in English, for entries without numbers."""


def windows(since: datetime, until: datetime) -> Iterator[tuple[int, int]]:
    """Stretches of epoch seconds from `since` to `until`, as long as may be asked for; each begins where the last ended."""
    start, end, longest = int(since.timestamp()), -int(-until.timestamp() // 1), int(WINDOW.total_seconds())
    while True:
        last = min(start + longest, end)
        yield start, last
        if last >= end:
            return
        start = last


def told(rows: Iterable[ActivityRow], campaigns: Sequence[Campaign]) -> Mapping[str, History]:
    """The changes of each campaign, oldest first; `rows` are as the log gives them, newest first, perhaps twice."""
    of_share = {share.id: campaign for campaign in campaigns for share in campaign.shares}
    of_campaign = {campaign.id: campaign for campaign in campaigns}
    found: dict[str, list[LoggedChange]] = {campaign.id: [] for campaign in campaigns}
    oldest_first = tuple(dict.fromkeys(rows))[::-1]
    for row in sorted(oldest_first, key=lambda row: row.event_time):
        if row.object_id in of_campaign:
            campaign = of_campaign[row.object_id]
            found[campaign.id] += _of_campaign(row, campaign)
        elif row.object_id in of_share:
            campaign = of_share[row.object_id]
            found[campaign.id] += _of_share(row, campaign)
        elif not row.object_id and _about(row):
            raise ProtocolError("meta", f"Meta's activity log has a {row.event_type} of nothing in particular", code="shape")
    return {id_: tuple(changes) for id_, changes in found.items()}


def _about(row: ActivityRow) -> bool:
    return "run_status" in row.event_type or "budget" in row.event_type


def _of_campaign(row: ActivityRow, campaign: Campaign) -> Iterator[LoggedChange]:
    extra = _parsed(row.extra_data)
    if "run_status" in row.event_type or extra.get("type") == "run_status":
        yield _change(row, about_status=True, running=_running(extra))
    elif "budget" in row.event_type:
        yield _change(row, budget=_budget(row, extra, campaign.currency))


def _of_share(row: ActivityRow, campaign: Campaign) -> Iterator[LoggedChange]:
    """An ad set that is paused or resumed by itself leaves its campaign's status alone."""
    if "budget" in row.event_type:
        amount = _budget(row, _parsed(row.extra_data), campaign.currency)
        yield _change(row, budget=amount, share=row.object_id)


def _change(
    row: ActivityRow,
    *,
    about_status: bool = False,
    running: bool | None = None,
    budget: Decimal | None = None,
    share: str = "",
) -> LoggedChange:
    who, how = row.actor_name or "", row.application_name or ""
    return LoggedChange(row.event_time, who, how, about_status, running, budget, share)


# --- extra_data ---------------------------------------------------------------------------------------------------------


def _parsed(text: str | None) -> Mapping[str, object]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _running(extra: Mapping[str, object]) -> bool | None:
    """By the numbers where there are any: an active campaign's is 1, and only what leaves 1 for 17 is certainly a pause."""
    numbers = extra.get("run_status")
    if isinstance(numbers, dict):
        old, new = _integer(numbers.get("old_value")), _integer(numbers.get("new_value"))
        if new == ACTIVE:
            return True
        return False if (old, new) == (ACTIVE, ENDING) else None
    word = extra.get("new_value")
    return WORDS.get(word.lower()) if isinstance(word, str) else None


def _budget(row: ActivityRow, extra: Mapping[str, object], currency: str) -> Decimal | None:
    """In major units. The value is flat, or in an object that repeats its own name and may state the currency."""
    if row.event_type not in BUDGETS:
        return None
    new = extra.get("new_value")
    if isinstance(new, dict):
        if new.get("currency", currency) != currency:
            return None
        new = new.get("new_value")
    minor = _integer(new)
    return from_minor(minor, currency) if minor and currency in UNITS else None


def _integer(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return int(value) if re.fullmatch(r"[0-9]{1,12}", str(value)) else None
