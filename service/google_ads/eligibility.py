"""Which campaigns may be changed, and for the others a sentence saying why not and what to do.

Built from what is allowed, not from what is forbidden: a channel, status or type that this version has never heard of is
left alone. Sources: Google Ads API reference v26 (Campaign, CampaignBudget, CampaignError, MutateError) and the guides
"Budgets overview" and "Video campaigns". Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from service.google_ads.wire import CampaignRow

CHANNELS = frozenset({
    "SEARCH", "DISPLAY", "SHOPPING", "HOTEL", "TRAVEL", "MULTI_CHANNEL", "SMART", "PERFORMANCE_MAX", "DEMAND_GEN",
})  # fmt: skip
BUDGET_TYPES = frozenset({"STANDARD", "FIXED_CPA", "SMART_CAMPAIGN"})
SERVING = frozenset({"SERVING", "NONE", "PENDING"})

Check = Callable[[CampaignRow], str]


def not_found(id_: str, customer_id: str) -> str:
    """The sentence for an id that the account does not know."""
    return (
        f"Campaign {id_} was not found in account {customer_id}; "
        "correct `id` (or `google_ads.customer_id`) in the rule file, or take the campaign out of it."
    )


def why_not(row: CampaignRow, currency: str) -> str:
    """'' if the campaign may be changed; `currency` is the rule file's."""
    verdicts = (check(row) for check in (*CHECKS, _currency(currency)))
    return next((sentence for sentence in verdicts if sentence), "")


def _account(row: CampaignRow) -> str:
    if row.manager:
        return (
            "The account is a manager account, which has no campaigns of its own to change; "
            "put the client account into `google_ads.customer_id` and the manager into `login_customer_id`."
        )
    if row.account_status != "ENABLED":
        return (
            f"The ad account's status is {row.account_status}; it must be ENABLED in Google Ads before anything can be changed."
        )
    return ""


def _removed(row: CampaignRow) -> str:
    if row.status == "REMOVED":
        return "The campaign was removed in Google Ads and cannot come back; take it out of the rule file."
    if row.status not in {"ENABLED", "PAUSED"}:
        return f"The campaign's status {row.status} is unknown to this version, so it is left alone; update the governor."
    return ""


def _channel(row: CampaignRow) -> str:
    if row.channel == "VIDEO":
        return "Video campaigns are read-only in the Google Ads API; take it out of the rule file and steer it by hand."
    if row.channel == "LOCAL_SERVICES":
        return "Local Services campaigns are steered by leads, not clicks; take it out of the rule file and steer it by hand."
    if row.channel not in CHANNELS:
        return (
            f"Campaigns of type {row.channel} are unknown to this version, so it is left alone; take it out of the rule file."
        )
    return ""


def _experiment(row: CampaignRow) -> str:
    if row.experiment_type in {"EXPERIMENT", "DRAFT"}:
        kind = row.experiment_type.lower()
        return f"The campaign is the {kind} arm of a test, which Google refuses to change; name its base campaign instead."
    if row.experiment_type != "BASE":
        return f"Experiment type {row.experiment_type} is unknown to this version, so it is left alone; update the governor."
    return ""


def _serving(row: CampaignRow) -> str:
    if row.serving_status == "ENDED":
        return "The campaign's end date has passed; extend it in Google Ads or take it out of the rule file."
    if row.serving_status == "SUSPENDED":
        return "Google has suspended the campaign; settle that in Google Ads first."
    if row.serving_status not in SERVING:
        return f"Serving status {row.serving_status} is unknown to this version, so it is left alone; update the governor."
    return ""


def shared(row: CampaignRow) -> bool:
    """Whether other campaigns spend from the budget, or may."""
    return row.shared or (row.references or 1) > 1


def hidden(row: CampaignRow, users: Sequence[str]) -> str:
    """'' where `users` are all campaigns on the budget; else that some cannot be seen."""
    count = row.references or 0
    if count <= len(users):
        return ""
    return (
        f"Its budget is shared by {count} campaigns, of which Google Ads shows {len(users)}, so nobody can say whom a change "
        "would concern; give the campaign a budget of its own."
    )


def _budget(row: CampaignRow) -> str:
    if row.period != "DAILY":
        return f"Its budget is not a daily one (period {row.period}); only a daily budget can be scaled, so give it one."
    if row.budget_type == "LOCAL_SERVICES":
        return "Its budget is a Local Services budget; take the campaign out of the rule file and steer it by hand."
    if row.budget_type not in BUDGET_TYPES:
        return f"Budgets of type {row.budget_type} are unknown to this version, so it is left alone; update the governor."
    if row.budget_status != "ENABLED":
        return f"Its budget's status is {row.budget_status}; give the campaign a budget that is in use."
    if not row.budget or row.amount_micros is None:
        return "Google Ads reports no daily amount for its budget; set one in Google Ads."
    return ""


def _currency(currency: str) -> Check:
    def check(row: CampaignRow) -> str:
        if row.currency == currency:
            return ""
        return f"The ad account is in {row.currency} but the rule file says {currency}; correct `currency` or the account."

    return check


CHECKS: tuple[Check, ...] = (_account, _removed, _channel, _experiment, _serving, _budget)
"""In the order a person would want to hear them: the account first, the budget last."""
