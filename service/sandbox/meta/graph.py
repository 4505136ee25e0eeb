"""The reading half of the sandbox's Graph API: nodes, edges, filters, cursors and insights.

Translates the `World` to what Marketing API v26.0 answers. Call with the world's lock held.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from service.sandbox.accounts import MetaAccount, MetaAdSet, MetaCampaign
from service.sandbox.meta.activities import activities
from service.sandbox.meta.refusals import INVALID, NO_SUCH, GraphError, Wrong
from service.sandbox.world import World

VERSION = "v26.0"
WHOLE_UNITS = frozenset({"CLP", "COP", "CRC", "HUF", "IDR", "ISK", "JPY", "KRW", "PYG", "TWD", "VND"})
"""Currencies whose budgets are written in whole units; all others in hundredths."""

CAMPAIGN_STATUSES = {"ACTIVE", "PAUSED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES"}
Row = dict[str, Any]

_ID = frozenset({"id"})
_ALWAYS = {"insights": frozenset({"date_start", "date_stop"}), "activities": frozenset[str]()}
"""What a row of an edge holds without being asked."""


def hundredths(currency: str) -> int:
    """Minor units in one major unit."""
    return 1 if currency in WHOLE_UNITS else 100


def find(world: World, node: str) -> tuple[MetaAccount, MetaCampaign | MetaAdSet | None]:
    """The account, campaign or ad set with this id, and the account it is in."""
    for account in world.meta.values():
        if node == account.id:
            return account, None
        if thing := account.campaigns.get(node) or account.ad_sets.get(node):
            return account, thing
    raise GraphError(NO_SUCH)


def read(world: World, node: str, edge: tuple[str, ...], params: dict[str, str], fault: str = "") -> Row:
    """The answer to a GET of a node or of one of its edges."""
    if not node:
        raise GraphError(Wrong(2500, None, "An active access token must be used to query information about the current user"))
    account, thing = find(world, node)
    if not edge:
        return _asked(_node(world, account, thing), params)
    rows = _EDGES.get((_kind(thing), *edge))
    if rows is None:
        raise GraphError(Wrong(2500, None, f"Unknown path components: /{'/'.join(edge)}"))
    return _page([_asked(row, params, _ALWAYS.get(edge[0], _ID)) for row in rows(world, account, thing, params)], params, fault)


# --- nodes --------------------------------------------------------------------------------------------------------------


def _kind(thing: MetaCampaign | MetaAdSet | None) -> str:
    return {MetaCampaign: "campaign", MetaAdSet: "ad_set"}.get(type(thing), "account")


def _node(world: World, account: MetaAccount, thing: MetaCampaign | MetaAdSet | None) -> Row:
    if isinstance(thing, MetaCampaign):
        return _campaign(account, thing)
    return _ad_set(account, thing) if isinstance(thing, MetaAdSet) else _account(world, account)


def _account(world: World, account: MetaAccount) -> Row:
    offset = world.now.astimezone(ZoneInfo(account.zone)).utcoffset() or timedelta()
    return _present(
        id=account.id,
        account_id=account.id.removeprefix("act_"),
        account_status=account.account_status,
        currency=account.currency,
        timezone_name=account.zone,
        timezone_offset_hours_utc=offset / timedelta(hours=1),
        min_daily_budget=account.min_daily_budget,
        spend_cap="0",
        disable_reason=0,
    )


def _campaign(account: MetaAccount, campaign: MetaCampaign) -> Row:
    ad_sets = [ad_set for ad_set in account.ad_sets.values() if ad_set.campaign_id == campaign.id]
    ends = [ad_set.end_time for ad_set in ad_sets]
    spent = int(campaign.spend_today * hundredths(account.currency))
    return _present(
        id=campaign.id,
        account_id=account.id.removeprefix("act_"),
        name=campaign.name,
        objective="OUTCOME_LEADS",
        buying_type=campaign.buying_type,
        status=campaign.status,
        configured_status=campaign.status,
        effective_status=campaign.status,
        daily_budget=_text(campaign.daily_budget),
        lifetime_budget=_text(campaign.lifetime_budget),
        budget_remaining=_text(max(campaign.daily_budget - spent, 0)) if campaign.daily_budget else None,
        smart_promotion_type=campaign.smart_promotion_type,
        special_ad_categories=[],
        is_budget_schedule_enabled=False,
        stop_time=_time(max(end for end in ends if end)) if ends and all(ends) else None,
        updated_time=_time(campaign.updated_time),
    )


def _ad_set(account: MetaAccount, ad_set: MetaAdSet) -> Row:
    parent = account.campaigns.get(ad_set.campaign_id)
    stopped = ad_set.status == "ACTIVE" and parent is not None and parent.status == "PAUSED"
    return _present(
        id=ad_set.id,
        account_id=account.id.removeprefix("act_"),
        campaign_id=ad_set.campaign_id,
        name=ad_set.name,
        status=ad_set.status,
        configured_status=ad_set.status,
        effective_status="CAMPAIGN_PAUSED" if stopped else ad_set.status,
        daily_budget=_text(ad_set.daily_budget),
        lifetime_budget=_text(ad_set.lifetime_budget),
        is_budget_schedule_enabled=ad_set.is_budget_schedule_enabled,
        end_time=_time(ad_set.end_time),
    )


def _present(**fields: Any) -> Row:
    return {name: value for name, value in fields.items() if value is not None}


def _text(minor: int | None) -> str | None:
    return None if minor is None else str(minor)


def _time(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%S%z") if at else None


def _asked(row: Row, params: dict[str, str], always: frozenset[str] = _ID) -> Row:
    """Only what `fields` names and what always comes along; an activity asked for without `fields` comes whole."""
    names = set(filter(None, params.get("fields", "").split(","))) or (set() if always else set(row))
    return {name: value for name, value in row.items() if name in names | always}


# --- edges --------------------------------------------------------------------------------------------------------------


def _campaigns(_: World, account: MetaAccount, __: object, params: dict[str, str]) -> list[Row]:
    rows = [_campaign(account, campaign) for campaign in account.campaigns.values()]
    return _matching(_of_status(rows, params, CAMPAIGN_STATUSES), params, "campaign.")


def _ad_sets(_: World, account: MetaAccount, thing: MetaCampaign | MetaAdSet | None, params: dict[str, str]) -> list[Row]:
    inside = [a for a in account.ad_sets.values() if thing is None or a.campaign_id == thing.id]
    rows = [_ad_set(account, ad_set) for ad_set in inside]
    return _matching(_of_status(rows, params, CAMPAIGN_STATUSES | {"CAMPAIGN_PAUSED"}), params, "adset.")


def _insights(world: World, account: MetaAccount, thing: MetaCampaign | MetaAdSet | None, params: dict[str, str]) -> list[Row]:
    """Today, and the month's days before it as if they were yesterday: a row for each campaign that delivered."""
    preset = params.get("date_preset", "last_30d")
    if preset not in {"today", "this_month", "last_30d", "maximum"}:
        return []
    day = world.now.astimezone(ZoneInfo(account.zone)).date()
    today = day.isoformat()
    inside = [c for c in account.campaigns.values() if (thing is None or c is thing) and c.status != "DELETED"]
    spans = {"account_currency": account.currency, "date_start": today, "date_stop": today}
    if thing is None and params.get("level") not in {"campaign", "adset"}:
        total = sum((c.spend_today for c in inside), Decimal(0))
        return [{"account_id": account.id.removeprefix("act_"), "spend": str(total), **spans}] if total else []
    if params.get("level") == "adset":
        return _matching(_by_ad_set(account, inside, spans), params, "campaign.", id_field="campaign_id")
    rows = [
        {"campaign_id": c.id, "campaign_name": c.name, "spend": str(c.spend_today), **spans} for c in inside if c.spend_today
    ]
    if preset == "this_month" and day.day > 1:
        rows += _earlier(inside, spans, day)
    return _matching(rows, params, "campaign.", id_field="campaign_id")


def _by_ad_set(account: MetaAccount, campaigns: list[MetaCampaign], spans: Row) -> list[Row]:
    """Today's rows."""
    ids = {campaign.id for campaign in campaigns}
    delivered = [a for a in account.ad_sets.values() if a.campaign_id in ids and a.spend_today]
    return [
        {"campaign_id": a.campaign_id, "adset_id": a.id, "adset_name": a.name, "spend": str(a.spend_today), **spans}
        for a in delivered
    ]


def _earlier(campaigns: list[MetaCampaign], spans: Row, today: date) -> list[Row]:
    before = (today - timedelta(days=1)).isoformat()
    spans = spans | {"date_start": before, "date_stop": before}
    return [
        {"campaign_id": c.id, "campaign_name": c.name, "spend": str(c.spend_before), **spans}
        for c in campaigns
        if c.spend_before
    ]


def _of_status(rows: list[Row], params: dict[str, str], known: set[str]) -> list[Row]:
    """Archived and deleted objects are shown only when asked for, and deleted ones not even then."""
    asked = set(_json(params.get("effective_status", "[]")))
    if asked - known:
        raise GraphError(Wrong(100, 1815001, f"Cannot Request for These Statuses: {', '.join(sorted(asked - known))}"))
    shown = asked or known - {"ARCHIVED"}
    return [row for row in rows if row["effective_status"] in shown or row["effective_status"] not in known | {"DELETED"}]


def _matching(rows: list[Row], params: dict[str, str], prefix: str, id_field: str = "id") -> list[Row]:
    for condition in _json(params.get("filtering", "[]")):
        name = str(condition["field"]).removeprefix(prefix)
        name = {"id": id_field, "campaign.id": "campaign_id"}.get(name, name)
        test = _OPERATORS.get(condition["operator"])
        if test is None:
            raise GraphError(INVALID)
        rows = [row for row in rows if test(row.get(name), condition["value"])]
    return rows


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "IN": lambda have, want: have in want,
    "EQUAL": lambda have, want: have == want,
    "CONTAIN": lambda have, want: want in (have or ""),
    "GREATER_THAN": lambda have, want: have is not None and Decimal(have) > Decimal(want),
}


def _json(text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except ValueError:
        raise GraphError(INVALID) from None
    if not isinstance(found, list):
        raise GraphError(INVALID)
    return found


def _page(rows: list[Row], params: dict[str, str], fault: str) -> Row:
    """One page. Both the cursor and `next` are there where more follows, as a client needs to see both."""
    start, limit = _position(params.get("after")), int(params.get("limit", "25"))
    gap = fault == "empty_page_with_next"
    end = start if gap else start + limit
    found: Row = {"data": rows[start:end]}
    following = start if fault == "same_cursor" else end
    if rows[start:end] or following < len(rows):
        found["paging"] = {"cursors": {"before": _cursor(start), "after": _cursor(following, "gap" if gap else "at")}}
    if following < len(rows):
        found["paging"]["next"] = "https://graph.facebook.invalid/never-followed"
    if params.get("summary") == "true":
        found["summary"] = {"total_count": len(rows)}
    return found


def _cursor(position: int, word: str = "at") -> str:
    return base64.urlsafe_b64encode(f"{word}:{position}".encode()).decode()


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().partition(":")[2])
    except ValueError:
        raise GraphError(INVALID) from None


Edge = Callable[[World, MetaAccount, Any, dict[str, str]], Iterable[Row]]
_EDGES: dict[tuple[str, ...], Edge] = {
    ("account", "campaigns"): _campaigns,
    ("account", "adsets"): _ad_sets,
    ("account", "insights"): _insights,
    ("account", "activities"): activities,
    ("campaign", "adsets"): _ad_sets,
    ("campaign", "insights"): _insights,
}
