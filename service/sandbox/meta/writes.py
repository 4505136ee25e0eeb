"""The writing half of the sandbox's Graph API: what a POST to a campaign or ad set does, and what Meta refuses.

A request is checked as a whole before any of it is done. Call with the world's lock held.
"""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from service.sandbox.accounts import MetaAccount, MetaAdSet, MetaCampaign
from service.sandbox.meta.activities import SYSTEM_USER
from service.sandbox.meta.graph import find, hundredths
from service.sandbox.meta.refusals import NO_SUCH, GraphError, Wrong
from service.sandbox.world import World

MAXIMUM = 100_000_000
"""The highest budget in minor units: 1,000,000 USD, taken as the same number everywhere."""

CHANGES_PER_HOUR = 4
STATUSES = {"ACTIVE", "PAUSED", "ARCHIVED", "DELETED"}
LEGACY = {"AUTOMATED_SHOPPING_ADS", "SMART_APP_PROMOTION"}


def update(world: World, node: str, params: dict[str, str]) -> dict[str, Any]:
    """Apply a POST to a campaign or ad set, or raise the `GraphError` the real one answers with."""
    account, thing = find(world, node)
    if thing is None:
        raise GraphError(NO_SUCH)
    changes = _changes(params)
    _refuse_state(account, thing, changes, world)
    for name in ("daily_budget", "lifetime_budget"):
        if name in changes:
            _refuse_budget(world, account, thing, name, changes[name])
    if "validate_only" not in json.loads(params.get("execution_options", "[]")):
        _apply(world, account, thing, changes)
    return {"success": True}


def _changes(params: dict[str, str]) -> dict[str, Any]:
    changes: dict[str, Any] = {name: params[name] for name in ("status", "name") if name in params}
    for name in ("daily_budget", "lifetime_budget"):
        if name in params:
            if not params[name].isdigit():
                raise _invalid(f"Param {name} must be an integer", name)
            changes[name] = int(params[name])
    if changes.get("status", "ACTIVE") not in STATUSES:
        raise _invalid("Param status must be one of {ACTIVE, PAUSED, DELETED, ARCHIVED}", "status")
    return changes


def _invalid(message: str, field: str, subcode: int | None = None, title: str = "", advice: str = "") -> GraphError:
    return GraphError(Wrong(100, subcode, f"(#100) {message}", title=title, advice=advice, field=field))


def _refuse_state(account: MetaAccount, thing: MetaCampaign | MetaAdSet, changes: dict[str, Any], world: World) -> None:
    """Archived and deleted objects take a name, an archived one also its deletion; legacy Advantage+ takes nothing."""
    beyond = {name for name, value in changes.items() if (name, value) != ("status", "DELETED")} - {"name"}
    if thing.status == "DELETED" and changes.keys() - {"name"}:
        raise _invalid("Deleted objects cannot be edited", "status", 1487566 if isinstance(thing, MetaCampaign) else 1487056)
    if thing.status == "ARCHIVED" and beyond:
        raise _invalid("Archived objects cannot be edited", "status")
    if isinstance(thing, MetaAdSet):
        return
    if thing.smart_promotion_type in LEGACY:
        raise _invalid("Legacy Advantage+ campaigns can no longer be edited", "smart_promotion_type")
    if thing.buying_type == "RESERVED" and changes.keys() & {"daily_budget", "lifetime_budget"}:
        raise _invalid("The budget of a reserved campaign is fixed by its prediction", "daily_budget")
    if changes.get("status") == "ACTIVE" and _ended(account, thing, world):
        raise _invalid("The campaign has ended", "status", 1487033)


def _ended(account: MetaAccount, campaign: MetaCampaign, world: World) -> bool:
    ends = [ad_set.end_time for ad_set in account.ad_sets.values() if ad_set.campaign_id == campaign.id]
    return bool(ends) and all(end is not None and end <= world.now for end in ends)


def _refuse_budget(world: World, account: MetaAccount, thing: MetaCampaign | MetaAdSet, name: str, minor: int) -> None:
    _refuse_level(account, thing, name)
    if minor < account.min_daily_budget:
        raise _invalid(
            "Invalid parameter", name, 1885272, "Your budget is too low",
            f"The minimum budget is {account.min_daily_budget} in the currency's smallest unit.",
        )  # fmt: skip
    if minor > MAXIMUM:
        raise _invalid("Invalid parameter", name, 1885261, "Your budget is too high", "Lower it.")
    if minor < thing.spend_today * hundredths(account.currency) * Decimal("1.1"):
        raise _invalid(
            "Invalid parameter", name, 1885650, "Budget too low",
            "The new budget must be at least 110% of what has been spent; changes can take 15 minutes to reach delivery.",
        )  # fmt: skip
    if _changed_lately(world, account, thing.id) >= CHANGES_PER_HOUR:
        raise GraphError(Wrong(613, 1487632, "Ad set budget can only be changed 4 times per hour. Please wait for an hour."))


def _refuse_level(account: MetaAccount, thing: MetaCampaign | MetaAdSet, name: str) -> None:
    """A budget is on one level and of one kind."""
    if isinstance(thing, MetaAdSet):
        parent = account.campaigns.get(thing.campaign_id)
        elsewhere = parent is not None and (parent.daily_budget or parent.lifetime_budget) is not None
    else:
        inside = [ad_set for ad_set in account.ad_sets.values() if ad_set.campaign_id == thing.id]
        elsewhere = thing.daily_budget is None and any(ad_set.daily_budget is not None for ad_set in inside)
    if elsewhere:
        raise _invalid("Invalid parameter", name, 1885621, "Budget on two levels", "Set it on the campaign or on its ad sets.")
    other = {"daily_budget": "lifetime_budget", "lifetime_budget": "daily_budget"}[name]
    if getattr(thing, other, None) is not None or not hasattr(thing, name):
        raise _invalid("A daily and a lifetime budget cannot be exchanged", name)


def _changed_lately(world: World, account: MetaAccount, id_: str) -> int:
    since = world.now - timedelta(hours=1)
    return sum(
        entry["object"] == id_ and entry["field"].endswith("_budget") and entry["at"] > since for entry in account.activities
    )


def _apply(world: World, account: MetaAccount, thing: MetaCampaign | MetaAdSet, changes: dict[str, Any]) -> None:
    """Do it and log it; a budget alone does not touch `updated_time`."""
    for name, value in changes.items():
        if getattr(thing, name) != value:
            world.log_meta(account, thing.id, name, getattr(thing, name), value, SYSTEM_USER)
            setattr(thing, name, value)
    if isinstance(thing, MetaCampaign) and changes.keys() & {"status", "name"}:
        thing.updated_time = world.now
