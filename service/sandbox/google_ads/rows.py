"""What the sandbox's Google Ads answers to queries: the world as rows, and only the fields asked for.

A field is a name and a way to read it off the world. A field or resource that is not here does not exist for the sandbox:
UNRECOGNIZED_FIELD, as the real service says of names it does not know. Change events appear at once; with the fault
`late_changes` three minutes late, which is the longest that the real ones take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from google.ads.googleads.v26.services.types.google_ads_service import GoogleAdsRow

from service.sandbox.accounts import GoogleAccount, GoogleBudget, GoogleCampaign
from service.sandbox.google_ads.gaql import Condition, Query, moment, parse
from service.sandbox.google_ads.messages import attribute_of, put
from service.sandbox.google_ads.refusals import refusal
from service.sandbox.world import World

OLDEST_CHANGE = timedelta(days=30)
MOST_CHANGES = 10_000
CHANGES_DELAY = timedelta(minutes=3)


NOBODY, NO_BUDGET = GoogleCampaign("0", "", "0"), GoogleBudget("0", 0)
"""Stand in where a row is about no campaign."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What one row is about; `counted` and `earlier`: the query's dates include today, and this month's days before it."""

    account: GoogleAccount
    campaign: GoogleCampaign
    budget: GoogleBudget
    today: date
    counted: bool = True
    earlier: bool = False
    event: Mapping[str, Any] | None = None


Field = Callable[[Shown], Any]


def campaign_name(account: GoogleAccount, id_: str) -> str:
    """A campaign's resource name."""
    return f"customers/{account.customer_id}/campaigns/{id_}"


def budget_name(account: GoogleAccount, id_: str) -> str:
    """A budget's resource name."""
    return f"customers/{account.customer_id}/campaignBudgets/{id_}"


def users_of(account: GoogleAccount, budget: str) -> list[GoogleCampaign]:
    """The campaigns that use a budget and are not removed."""
    return [one for one in account.campaigns.values() if one.budget == budget and one.status != "REMOVED"]


def _primary_status(shown: Shown) -> str:
    campaign = shown.campaign
    if campaign.status != "ENABLED":
        return campaign.status
    return "ENDED" if campaign.serving_status == "ENDED" else "ELIGIBLE"


def _budget_type(shown: Shown) -> str:
    return {"SMART": "SMART_CAMPAIGN", "LOCAL_SERVICES": "LOCAL_SERVICES"}.get(shown.campaign.channel, "STANDARD")


def _daily(shown: Shown, *, daily: bool) -> int | None:
    return shown.budget.amount_micros if (shown.budget.period == "DAILY") == daily else None


CUSTOMER: dict[str, Field] = {
    "customer.resource_name": lambda s: f"customers/{s.account.customer_id}",
    "customer.id": lambda s: int(s.account.customer_id),
    "customer.currency_code": lambda s: s.account.currency,
    "customer.time_zone": lambda s: s.account.zone,
    "customer.status": lambda _: "ENABLED",
    "customer.manager": lambda _: False,
}
BUDGET: dict[str, Field] = {
    "campaign_budget.resource_name": lambda s: budget_name(s.account, s.budget.id),
    "campaign_budget.id": lambda s: int(s.budget.id),
    "campaign_budget.name": lambda s: s.campaign.name,
    "campaign_budget.amount_micros": lambda s: _daily(s, daily=True),
    "campaign_budget.total_amount_micros": lambda s: _daily(s, daily=False),
    "campaign_budget.period": lambda s: s.budget.period,
    "campaign_budget.type": _budget_type,
    "campaign_budget.delivery_method": lambda _: "STANDARD",
    "campaign_budget.explicitly_shared": lambda s: s.budget.shared,
    "campaign_budget.reference_count": lambda s: len(users_of(s.account, s.budget.id)),
    "campaign_budget.status": lambda s: "ENABLED" if s.budget.shared or users_of(s.account, s.budget.id) else "REMOVED",
}
CAMPAIGN: dict[str, Field] = {
    "campaign.resource_name": lambda s: campaign_name(s.account, s.campaign.id),
    "campaign.id": lambda s: int(s.campaign.id),
    "campaign.name": lambda s: s.campaign.name,
    "campaign.status": lambda s: s.campaign.status,
    "campaign.serving_status": lambda s: s.campaign.serving_status,
    "campaign.primary_status": _primary_status,
    "campaign.advertising_channel_type": lambda s: s.campaign.channel,
    "campaign.experiment_type": lambda s: s.campaign.experiment_type,
    "campaign.campaign_budget": lambda s: budget_name(s.account, s.campaign.budget),
}
METRICS: dict[str, Field] = {
    "metrics.cost_micros": lambda s: s.counted * s.campaign.cost_micros_today + s.earlier * s.campaign.cost_micros_before
}
SEGMENTS: dict[str, Field] = {"segments.date": lambda s: str(s.today)}
CURRENCY: dict[str, Field] = {
    "currency_constant.code": lambda s: s.account.currency,
    "currency_constant.billable_unit_micros": lambda s: s.account.billable_unit_micros,
}


def _event(name: str) -> Field:
    return lambda s: (s.event or {})[name]


def _when(shown: Shown) -> datetime:
    at: datetime = (shown.event or {})["at"]
    return at.astimezone(ZoneInfo(shown.account.zone)).replace(tzinfo=None)


def _changed(shown: Shown) -> str:
    about_budget = (shown.event or {})["resource"] == "CAMPAIGN_BUDGET"
    if about_budget:
        return budget_name(shown.account, shown.budget.id)
    return campaign_name(shown.account, shown.campaign.id)


def _of_campaign(shown: Shown) -> str | None:
    """The campaign of a change; a shared budget belongs to none."""
    return campaign_name(shown.account, shown.campaign.id) if (shown.event or {})["campaign"] else None


def _version(which: int) -> Field:
    def read(shown: Shown) -> dict[str, Any]:
        event = shown.event or {}
        return {event["resource"].lower(): {name: values[which] for name, values in event["fields"].items()}}

    return read


CHANGES: dict[str, Field] = {
    "change_event.resource_name": _event("name"),
    "change_event.change_date_time": _when,
    "change_event.change_resource_type": _event("resource"),
    "change_event.change_resource_name": _changed,
    "change_event.client_type": _event("client"),
    "change_event.user_email": _event("user"),
    "change_event.resource_change_operation": lambda _: "UPDATE",
    "change_event.changed_fields": lambda s: {"paths": list((s.event or {})["fields"])},
    "change_event.old_resource": _version(0),
    "change_event.new_resource": _version(1),
    "change_event.campaign": _of_campaign,
}
RESOURCES: dict[str, dict[str, Field]] = {
    "campaign": CUSTOMER | BUDGET | CAMPAIGN | METRICS | SEGMENTS,
    "campaign_budget": CUSTOMER | BUDGET,
    "customer": CUSTOMER,
    "currency_constant": CURRENCY,
    "change_event": CUSTOMER | CHANGES,
}


def answer(world: World, account: GoogleAccount, text: str, *, late: bool = False) -> tuple[list[Any], tuple[str, ...]]:
    """The rows of a GAQL query as plain `GoogleAdsRow` messages, and the fields they hold. Raises Refusal.

    `late`: changes of the last minutes are not told yet.
    """
    query = parse(text)
    fields = _fields(query)
    now = world.now
    today = now.astimezone(ZoneInfo(account.zone)).date()
    if query.resource == "change_event":
        _check_changes(query, now.astimezone(ZoneInfo(account.zone)))
    where = [condition.on(today) for condition in query.where]
    dates = [one for one in where if one.field == "segments.date"]
    rest = [one for one in where if one.field != "segments.date"]
    covered = [all(one.holds(str(day)) for one in dates) for day in (today, today.replace(day=1))]
    counted = (covered[0], covered[1] and today.day > 1)
    rows = [shown for shown in _subjects(query.resource, account, today, counted) if _chosen(shown, rest, fields)]
    rows = [shown for shown in rows if _worth_a_row(shown, query) and not (late and _just_now(shown, now))]
    for name, descending in reversed(query.order):
        rows.sort(key=fields[name], reverse=descending)
    return [_message(shown, query.select, fields) for shown in rows[: query.limit]], query.select


def _fields(query: Query) -> dict[str, Field]:
    if query.resource not in RESOURCES:
        raise refusal("query_error.BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", f"The sandbox has no resource {query.resource}.")
    fields = RESOURCES[query.resource]
    for name in (*query.select, *(one.field for one in query.where), *(name for name, _ in query.order)):
        if name not in fields:
            raise refusal("query_error.UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{name}'.")
    for condition in query.where:
        _check_constants(condition)
    return fields


def _check_constants(condition: Condition) -> None:
    """Refuse `campaign.status = 'STOPPED'`: enum conditions name constants of the enum."""
    descriptor = GoogleAdsRow.pb()().DESCRIPTOR
    *parents, last = condition.field.split(".")
    for parent in parents:
        descriptor = descriptor.fields_by_name[parent].message_type
    enum = descriptor.fields_by_name[attribute_of(descriptor, last)].enum_type
    for value in condition.values if enum is not None else ():
        if value not in enum.values_by_name:
            raise refusal("query_error.BAD_ENUM_CONSTANT", f"Invalid enum value '{value}' for {condition.field}.")


def _just_now(shown: Shown, now: datetime) -> bool:
    return shown.event is not None and now - shown.event["at"] < CHANGES_DELAY


def _check_changes(query: Query, now: datetime) -> None:
    """`change_event` wants a finite range within 30 days and a LIMIT of at most 10,000 (Google, "Change Event")."""
    if query.limit is None:
        raise refusal("change_event_error.LIMIT_NOT_SPECIFIED", "A LIMIT is required.")
    if not 0 < query.limit <= MOST_CHANGES:
        raise refusal("change_event_error.INVALID_LIMIT_CLAUSE", f"The LIMIT must be at most {MOST_CHANGES}.")
    bounds = [one for one in query.where if one.field == "change_event.change_date_time"]
    lows = [moment(one.values[0]) for one in bounds if one.op in {">", ">=", "BETWEEN"}]
    highs = [moment(one.values[-1]) for one in bounds if one.op in {"<", "<=", "BETWEEN"}]
    if not lows or not highs:
        raise refusal("change_event_error.CHANGE_DATE_RANGE_INFINITE", "The date range needs both ends.")
    if max(lows) > min(highs):
        raise refusal("change_event_error.CHANGE_DATE_RANGE_NEGATIVE", "The date range ends before it begins.")
    if max(lows).date() < (now - OLDEST_CHANGE).date():
        raise refusal("change_event_error.START_DATE_TOO_OLD", "The date range begins more than 30 days ago.")


def _subjects(resource: str, account: GoogleAccount, today: date, counted: tuple[bool, bool]) -> Iterable[Shown]:
    if resource == "change_event":
        for number, event in sorted(enumerate(account.events), key=lambda one: one[1]["at"]):
            name = f"customers/{account.customer_id}/changeEvents/{event['at'].timestamp() * 1_000_000:.0f}~{number}~0"
            campaign = account.campaigns.get(event["campaign"]) or NOBODY
            budget = account.budgets.get(event["budget"] or campaign.budget) or NO_BUDGET
            yield Shown(account, campaign, budget, today, *counted, event=event | {"name": name})
    elif resource == "campaign":
        for campaign in account.campaigns.values():
            yield Shown(account, campaign, account.budgets[campaign.budget], today, *counted)
    elif resource == "campaign_budget":
        for budget in account.budgets.values():
            first = next((one for one in account.campaigns.values() if one.budget == budget.id), None)
            yield Shown(account, first or GoogleCampaign("0", f"Budget {budget.id}", budget.id), budget, today, *counted)
    else:  # one row about the account itself
        yield Shown(account, NOBODY, NO_BUDGET, today, *counted)


def _chosen(shown: Shown, where: list[Condition], fields: dict[str, Field]) -> bool:
    return all((value := fields[one.field](shown)) is not None and one.holds(value) for one in where)


def _worth_a_row(shown: Shown, query: Query) -> bool:
    """With a segment in SELECT, rows whose selected metrics are all zero are dropped (Google, "Zero metrics")."""
    metrics = [name for name in query.select if name.startswith("metrics.")]
    segmented = any(name.startswith("segments.") for name in query.select)
    return not (segmented and metrics) or any(METRICS[name](shown) for name in metrics)


def _message(shown: Shown, select: tuple[str, ...], fields: dict[str, Field]) -> Any:
    row = GoogleAdsRow.pb()()
    for name in select:
        value = fields[name](shown)
        *parents, last = name.split(".")
        message = row
        for parent in parents:
            message = getattr(message, parent)
        if value is not None:
            put(message, last, value)
    return row
