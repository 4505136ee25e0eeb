"""Whether a Meta campaign may be changed at all, and if not, why and what to do about it. Pure.

Each check returns an empty text or the sentence people read; the first that objects decides. Sources: Marketing API,
"Campaign", "Ad Account" and "Advantage+ shopping campaigns" (read-only since v26.0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.meta.money import UNITS
from service.meta.wire import AccountRow, AdSetRow, CampaignRow

DELIVERING = {1, 8, 9}
"""Ad account statuses in which ads can run: active, pending settlement, in grace period."""

ACCOUNT_STATUSES = {
    2: "disabled",
    3: "unsettled",
    7: "pending a risk review",
    100: "about to be closed",
    101: "closed",
}
STATUSES = {"ACTIVE", "PAUSED"}
EFFECTIVE_STATUSES = {"ACTIVE", "PAUSED", "IN_PROCESS", "WITH_ISSUES"}
"""A campaign with issues may still spend, so it can still be paused or cut."""

LEGACY = {"AUTOMATED_SHOPPING_ADS", "SMART_APP_PROMOTION"}


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was read about a campaign; `currency` is the one its rule file is written in.

    `ad_sets` None: not read (yet), so nothing follows from them.
    """

    campaign: CampaignRow
    ad_sets: tuple[AdSetRow, ...] | None
    account: AccountRow
    currency: str
    now: datetime


def why_not(seen: Seen) -> str:
    """Empty for a campaign that may be changed, else a sentence saying why not and what to do."""
    return next(filter(None, (check(seen) for check in _CHECKS)), "")


def _currency(seen: Seen) -> str:
    theirs = seen.account.currency
    if theirs != seen.currency:
        return f"the ad account is in {theirs} but the rule file in {seen.currency}; correct `currency` or the ad account"
    if theirs not in UNITS:
        return f"Meta does not document how budgets in {theirs} are written; manage this campaign in Ads Manager"
    return ""


def _account(seen: Seen) -> str:
    status = seen.account.account_status
    if status in DELIVERING:
        return ""
    words = ACCOUNT_STATUSES.get(status, f"in status {status}, which delivers no ads")
    return f"the ad account is {words}; settle that in Meta's Billing or Account Quality first"


def _removed(seen: Seen) -> str:
    for status, word in (("DELETED", "deleted"), ("ARCHIVED", "archived")):
        if status in {seen.campaign.configured_status, seen.campaign.effective_status}:
            return f"the campaign is {word} and can no longer be changed; take it out of the rule file"
    return ""


def _unknown_status(seen: Seen) -> str:
    campaign = seen.campaign
    if campaign.configured_status in STATUSES and campaign.effective_status in EFFECTIVE_STATUSES:
        return ""
    shown = f"{campaign.configured_status}/{campaign.effective_status}"
    return f"the campaign is in status {shown}, which the governor does not know; look at it in Ads Manager"


def _legacy(seen: Seen) -> str:
    kind = seen.campaign.smart_promotion_type
    if kind in {None, "", "GUIDED_CREATION"}:
        return ""
    if kind in LEGACY:
        return "it is a legacy Advantage+ campaign, which Meta has made read-only; rebuild it as an ordinary sales campaign"
    return f"it is of the promotion type {kind}, which the governor does not know; manage it in Ads Manager"


def _buying(seen: Seen) -> str:
    kind = seen.campaign.buying_type
    if kind in {None, "", "AUCTION"}:
        return ""
    if kind == "RESERVED":
        return "it is bought by reservation, so its price and budget are fixed; manage it in Ads Manager"
    return f"it is bought as {kind}, which the governor does not know; manage it in Ads Manager"


def _budget(seen: Seen) -> str:
    campaign = seen.campaign
    if campaign.lifetime_budget:
        return "it has a lifetime budget; give it a daily budget in Ads Manager if the governor is to scale it"
    if campaign.daily_budget or seen.ad_sets is None:
        return ""
    return _ad_set_budgets(spending(seen.ad_sets, seen.now))


def _ad_set_budgets(ad_sets: Sequence[AdSetRow]) -> str:
    """Why the budgets of the ad sets that can spend cannot be scaled together."""
    if not ad_sets:
        return (
            "neither it nor any of its ad sets that can spend has a budget; turn an ad set on in Ads Manager, "
            "or take it out of the rule file"
        )
    for ad_set in ad_sets:
        if ad_set.lifetime_budget:
            return (
                f"its ad set {ad_set.id} has a lifetime budget, so there is no daily budget to scale; "
                "give the ad set a daily budget or the campaign its own in Ads Manager"
            )
        if ad_set.is_budget_schedule_enabled:
            return (
                f"a budget schedule raises the budget of its ad set {ad_set.id} at set times and would compound with ours; "
                "remove it in Ads Manager"
            )
        if not ad_set.daily_budget:
            return f"the budget of its ad set {ad_set.id} cannot be seen; look at it in Ads Manager"
    return ""


def spending(ad_sets: Sequence[AdSetRow], now: datetime) -> tuple[AdSetRow, ...]:
    """Those that can spend while their campaign runs: switched on, and not over."""
    return tuple(
        each for each in ad_sets if each.configured_status == "ACTIVE" and (each.end_time is None or each.end_time > now)
    )


def _schedule(seen: Seen) -> str:
    if seen.campaign.is_budget_schedule_enabled:
        return "a budget schedule raises its budget at set times and would compound with ours; remove it in Ads Manager"
    return ""


def _ended(seen: Seen) -> str:
    """Such a campaign still reads ACTIVE. Its own `stop_time` is merged from its ad sets, which therefore come first."""
    if seen.ad_sets is None:
        return ""
    ends = [ad_set.end_time for ad_set in seen.ad_sets] or [seen.campaign.stop_time]
    if all(end is not None and end <= seen.now for end in ends):
        return "it has ended: every ad set's end date is past; extend one in Ads Manager or take it out of the rule file"
    return ""


_CHECKS: tuple[Callable[[Seen], str], ...] = (
    _currency, _account, _removed, _unknown_status, _legacy, _buying, _ended, _budget, _schedule,
)  # fmt: skip
