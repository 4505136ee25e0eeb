"""What the sandbox's Google Ads does with mutates: checks them as the real service does, then changes the world.

Without `partial_failure` a request is one transaction; with it, good operations apply and bad ones leave an empty result
and an entry in `partial_failure_error`. `validate_only` changes nothing and answers with nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import grpc

from service.sandbox.accounts import GoogleAccount, GoogleBudget, GoogleCampaign
from service.sandbox.google_ads.messages import put
from service.sandbox.google_ads.refusals import Mistake, Refusal
from service.sandbox.google_ads.rows import users_of
from service.sandbox.world import World

NAME = re.compile(r"customers/(\d+)/(campaigns|campaignBudgets)/(\d+)")
MOST_OPERATIONS = 10_000
FIXED = {"period", "type", "type_", "id", "resource_name"}
INVALID = grpc.StatusCode.INVALID_ARGUMENT


@dataclass(frozen=True, slots=True)
class Work:
    """One operation of a request: its message, and where the request holds it."""

    kind: str
    operation: Any
    field: str
    index: int

    def wrong(self, code: str, message: str, field: str | None = None) -> Mistake:
        """A mistake located in this operation."""
        inner: tuple[tuple[str, int | None], ...] = (("update", None), (field, None)) if field else ()
        return Mistake(code, message, ((self.field, self.index), *inner))


@dataclass(frozen=True, slots=True)
class Done:
    """A carried-out operation: its kind, the resource's name, and its mutable fields afterwards."""

    kind: str
    name: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One entry per operation (None: failed) and what was wrong with the failed ones."""

    done: list[Done | None]
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True)
class Author:
    """Whom the change history names."""

    email: str


def carry_out(
    world: World, account: GoogleAccount, works: Sequence[Work], author: Author, *, partial: bool, validate_only: bool
) -> Outcome:
    """Check every operation, then apply what may be applied. Raises Refusal where the whole request fails."""
    _check_size(works)
    with world.lock:
        checked = [_check(account, work, works) for work in works]
        mistakes = tuple(one for one in checked if isinstance(one, Mistake))
        if mistakes and not partial:
            raise Refusal(INVALID, mistakes)
        if validate_only:
            return Outcome([], mistakes)
        return Outcome([None if isinstance(one, Mistake) else one(world, author) for one in checked], mistakes)


Apply = Callable[[World, Author], Done]


def _check_size(works: Sequence[Work]) -> None:
    if not works:
        raise Refusal(INVALID, (Mistake("request_error.OPERATION_REQUIRED", "At least one operation is required."),))
    if len(works) > MOST_OPERATIONS:
        raise Refusal(INVALID, (Mistake("request_error.TOO_MANY_MUTATE_OPERATIONS", "Too many operations."),))


def _check(account: GoogleAccount, work: Work, works: Sequence[Work]) -> Apply | Mistake:
    """What applying the operation would do, or what is wrong with it."""
    if mistake := _check_form(work, works):
        return mistake
    name = work.operation.update.resource_name
    match = NAME.fullmatch(name)
    if match is None or match[1] != account.customer_id or match[2] != work.kind:
        return work.wrong("request_error.RESOURCE_NAME_MALFORMED", f"Not a name of this account: '{name}'.", "resource_name")
    if work.kind == "campaigns" and match[3] in account.campaigns:
        return _check_campaign(account, account.campaigns[match[3]], work)
    if work.kind == "campaignBudgets" and match[3] in account.budgets:
        return _check_budget(account, account.budgets[match[3]], work)
    return work.wrong("mutate_error.RESOURCE_NOT_FOUND", "Resource was not found.", "resource_name")


def _check_form(work: Work, works: Sequence[Work]) -> Mistake | None:
    operation = work.operation
    if operation.WhichOneof("operation") != "update":
        return work.wrong("operation_access_denied_error.ACTION_NOT_PERMITTED", "The sandbox only updates.")
    if sum(one.operation.update.resource_name == operation.update.resource_name for one in works) > 1:
        return work.wrong("mutate_error.ID_EXISTS_IN_MULTIPLE_MUTATES", "The same resource is changed twice.")
    if not operation.update_mask.paths:
        return work.wrong("field_mask_error.FIELD_MASK_MISSING", "The field mask must be set.")
    return None


def _check_paths(work: Work, writable: str) -> Mistake | None:
    update, fields = work.operation.update, work.operation.update.DESCRIPTOR.fields_by_name
    for path in work.operation.update_mask.paths:
        if path not in fields:
            return work.wrong("field_mask_error.FIELD_NOT_FOUND", f"No field {path}.", path)
        if path in FIXED:
            return work.wrong("field_error.IMMUTABLE_FIELD", f"{path} cannot be changed.", path)
        if path != writable:
            return work.wrong(
                "mutate_error.MUTATE_NOT_ALLOWED", f"The sandbox does not change {update.DESCRIPTOR.name}.{path}.", path
            )
    return None


def _closed(campaign: GoogleCampaign, work: Work) -> Mistake | None:
    """Why neither the campaign nor its own budget may be changed."""
    if campaign.status == "REMOVED":
        code = "operation_access_denied_error.OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE"
        return work.wrong(code, "A removed resource cannot be changed.")
    if campaign.channel == "VIDEO":
        return work.wrong("mutate_error.MUTATE_NOT_ALLOWED", "Mutates are not allowed for VIDEO campaigns.")
    if campaign.experiment_type != "BASE":
        return work.wrong("campaign_error.CANNOT_MODIFY_FOR_TRIAL_CAMPAIGN", "The campaign is part of an experiment.")
    return None


def _check_campaign(account: GoogleAccount, campaign: GoogleCampaign, work: Work) -> Apply | Mistake:
    update = work.operation.update
    status = update.DESCRIPTOR.fields_by_name["status"].enum_type.values_by_number.get(update.status)
    if mistake := _closed(campaign, work) or _check_paths(work, "status"):
        return mistake
    if campaign.serving_status == "ENDED":
        return work.wrong("campaign_error.INVALID_OPERATION_IF_SERVING_STATUS_HAS_ENDED", "The campaign has ended.")
    if status is None or status.name not in {"ENABLED", "PAUSED"}:
        return work.wrong("campaign_error.INVALID_STATUS_CHANGE", "The status must be ENABLED or PAUSED.", "status")

    def apply(world: World, author: Author) -> Done:
        if campaign.status != status.name:  # writing what is there already leaves no event, as on the real one
            changed = {"status": (campaign.status, str(status.name))}
            world.log_google(account, "CAMPAIGN", campaign.id, changed, author.email, client="GOOGLE_ADS_API")
            campaign.status = str(status.name)
        return Done("campaigns", update.resource_name, {"name": campaign.name, "status": campaign.status})

    return apply


def _check_budget(account: GoogleAccount, budget: GoogleBudget, work: Work) -> Apply | Mistake:
    users = [one for one in account.campaigns.values() if one.budget == budget.id]
    if not budget.shared and not users_of(account, budget.id):
        return work.wrong("campaign_budget_error.CAMPAIGN_BUDGET_REMOVED", "The budget is removed.")
    closed = (_closed(one, work) for one in users if not budget.shared)
    if (
        mistake := next(filter(None, closed), None)
        or _check_paths(work, "amount_micros")
        or _check_amount(account, budget, work)
    ):
        return mistake
    amount = int(work.operation.update.amount_micros)

    def apply(world: World, author: Author) -> Done:
        if budget.amount_micros != amount:
            changed = {"amount_micros": (budget.amount_micros, amount)}
            about = "" if budget.shared or not users else users[0].id
            client, email = "GOOGLE_ADS_API", author.email
            world.log_google(account, "CAMPAIGN_BUDGET", about, changed, email, client, budget.id)
            budget.amount_micros = amount
        fields = {"amount_micros": budget.amount_micros, "explicitly_shared": budget.shared}
        return Done("campaignBudgets", work.operation.update.resource_name, fields)

    return apply


def _check_amount(account: GoogleAccount, budget: GoogleBudget, work: Work) -> Mistake | None:
    amount = work.operation.update.amount_micros
    if budget.period != "DAILY":
        code = "BUDGET_AMOUNT_MUST_BE_UNSET_FOR_CUSTOM_BUDGET_PERIOD"
    elif amount < 0:
        code = "NEGATIVE_MONEY_AMOUNT"
    elif amount % account.billable_unit_micros:
        code = "NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT"
    elif amount == 0:
        code = "MONEY_AMOUNT_LESS_THAN_CURRENCY_MINIMUM_CPC"
    else:
        return None
    return work.wrong(f"campaign_budget_error.{code}", f"The amount {amount} is not possible.", "amount_micros")


def resource(message: Any, done: Done) -> None:
    """Fill a Campaign or CampaignBudget message with the mutable fields."""
    message.resource_name = done.name
    for name, value in done.fields.items():
        put(message, name, value)
