"""Google's messages to our values and back: the queries, the rows they bring, the operations we send.

The SDK ships no types, so its objects are `Any` here and nowhere further in. We use it with plain protobuf messages
(`use_proto_plus=False`): they refuse floats where ints belong, and a number unknown to an enum does no harm. Field names are
those of API v26. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from service.core.errors import ProtocolError

SYSTEM = "google"
"""What our errors call this system."""

CAMPAIGN_FIELDS = (
    "customer.id", "customer.currency_code", "customer.time_zone", "customer.status", "customer.manager",
    "campaign.id", "campaign.name", "campaign.status", "campaign.serving_status", "campaign.advertising_channel_type",
    "campaign.experiment_type", "campaign.campaign_budget",
    "campaign_budget.amount_micros", "campaign_budget.period", "campaign_budget.type", "campaign_budget.explicitly_shared",
    "campaign_budget.reference_count", "campaign_budget.status",
    "metrics.cost_micros",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign with its budget, account and this month's cost as the API reported them.

    Enums are the API's names, or the bare number where this package's version does not know it; micros of the account's
    currency; None where the field was not set.
    """

    id: str
    name: str
    status: str
    serving_status: str
    channel: str
    experiment_type: str
    budget: str
    budget_status: str
    budget_type: str
    period: str
    amount_micros: int | None
    shared: bool
    references: int | None
    cost_micros: int | None
    currency: str
    account_status: str
    manager: bool
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Edits:
    """What to change: a campaign's status (`ENABLED` or `PAUSED`), its budget's daily amount, or both. None: leave it."""

    campaign: str
    budget: str
    status: str | None = None
    amount_micros: int | None = None

    def __bool__(self) -> bool:
        return self.status is not None or self.amount_micros is not None


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What the answer to a mutate says is there now; None where the answer does not say."""

    status: str | None
    amount_micros: int | None


def campaign_query(ids: Iterable[str]) -> str:
    """GAQL for these campaigns (digits), removed ones too, with their cost in the account's own month so far.

    `segments.date` stands in WHERE only: in SELECT the API drops rows without cost (Google, "Zero metrics").
    """
    fields, wanted = ", ".join(CAMPAIGN_FIELDS), ", ".join(ids)
    return f"SELECT {fields} FROM campaign WHERE campaign.id IN ({wanted}) AND segments.date DURING THIS_MONTH"  # noqa: S608 - digits


def survey_query() -> str:
    """GAQL for every campaign of the account that is not removed, with this month's cost as above."""
    fields = ", ".join(CAMPAIGN_FIELDS)
    return f"SELECT {fields} FROM campaign WHERE campaign.status != 'REMOVED' AND segments.date DURING THIS_MONTH"  # noqa: S608 - ours


def account_query() -> str:
    """GAQL for the account itself: what is left to ask where it has no campaigns."""
    return "SELECT customer.id, customer.currency_code, customer.time_zone FROM customer"


def account_row(row: Any) -> tuple[str, str]:
    """A `GoogleAdsRow` of `account_query`: currency and IANA zone."""
    return str(row.customer.currency_code), str(row.customer.time_zone)


def unit_query(currency: str) -> str:
    """GAQL for a currency's billable unit; `currency` is its ISO 4217 code."""
    fields = "currency_constant.code, currency_constant.billable_unit_micros"
    return f"SELECT {fields} FROM currency_constant WHERE currency_constant.code = '{currency}'"  # noqa: S608 - a code


def campaign_row(row: Any) -> CampaignRow:
    """A `GoogleAdsRow` of `campaign_query`. Raises ProtocolError where the row names no campaign."""
    campaign, budget, customer = row.campaign, row.campaign_budget, row.customer
    if not campaign.id:
        raise ProtocolError(SYSTEM, "Google Ads answered with a campaign that has no id")
    return CampaignRow(
        id=str(campaign.id),
        name=str(campaign.name),
        status=enum_name(campaign, "status"),
        serving_status=enum_name(campaign, "serving_status"),
        channel=enum_name(campaign, "advertising_channel_type"),
        experiment_type=enum_name(campaign, "experiment_type"),
        budget=str(campaign.campaign_budget),
        budget_status=enum_name(budget, "status"),
        budget_type=enum_name(budget, "type_"),
        period=enum_name(budget, "period"),
        amount_micros=number(budget, "amount_micros"),
        shared=bool(budget.explicitly_shared),
        references=number(budget, "reference_count"),
        cost_micros=number(row.metrics, "cost_micros"),
        currency=str(customer.currency_code),
        account_status=enum_name(customer, "status"),
        manager=bool(customer.manager),
        zone=str(customer.time_zone),
    )


def to_note(row: CampaignRow | None) -> str:
    """A row, or that there is none, as text."""
    return json.dumps(None if row is None else asdict(row))


def from_note(text: str) -> tuple[CampaignRow, ...] | None:
    """The row that was noted, or none; None where another version noted it and nothing can be made of it."""
    try:
        fields = json.loads(text)
        return () if fields is None else (CampaignRow(**fields),)
    except (ValueError, TypeError):
        return None


def unit_row(row: Any) -> tuple[str, int]:
    """A `GoogleAdsRow` of `unit_query`: the currency's code and its billable unit in micros."""
    return str(row.currency_constant.code), int(row.currency_constant.billable_unit_micros)


def fill_request(request: Any, customer_id: str, edits: Edits) -> Any:
    """Fill a `MutateGoogleAdsRequest`: one atomic group, explicit masks, and the written resources in the answer."""
    request.customer_id = customer_id
    request.response_content_type = (
        request.DESCRIPTOR.fields_by_name["response_content_type"].enum_type.values_by_name["MUTABLE_RESOURCE"].number
    )
    if edits.amount_micros is not None:
        operation = request.mutate_operations.add().campaign_budget_operation
        operation.update.resource_name = edits.budget
        operation.update.amount_micros = edits.amount_micros
        operation.update_mask.paths.append("amount_micros")
    if edits.status is not None:
        operation = request.mutate_operations.add().campaign_operation
        operation.update.resource_name = edits.campaign
        operation.update.status = _enum_number(operation.update, "status", edits.status)
        operation.update_mask.paths.append("status")
    return request


def read_back(response: Any) -> ReadBack:
    """What a `MutateGoogleAdsResponse` says was written."""
    status, amount = None, None
    for answer in response.mutate_operation_responses:
        if answer.HasField("campaign_result") and answer.campaign_result.HasField("campaign"):
            status = enum_name(answer.campaign_result.campaign, "status")
        if answer.HasField("campaign_budget_result") and answer.campaign_budget_result.HasField("campaign_budget"):
            amount = number(answer.campaign_budget_result.campaign_budget, "amount_micros")
    return ReadBack(status, amount)


def enum_name(message: Any, field: str) -> str:
    """An enum field's value by name; the bare number where this version of the package does not know it."""
    found = getattr(message, field)
    value = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(found)
    return str(value.name) if value is not None else str(found)


def _enum_number(message: Any, field: str, name: str) -> int:
    return int(message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_name[name].number)


def number(message: Any, field: str) -> int | None:
    """A number, or None where it was not set."""
    return int(getattr(message, field)) if message.HasField(field) else None
