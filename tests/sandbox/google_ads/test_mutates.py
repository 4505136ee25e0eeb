"""Mutates as the official client sends them."""

from __future__ import annotations

import pytest
from google.ads.googleads.errors import GoogleAdsException

from tests.sandbox.google_ads.conftest import BUDGET, CAMPAIGN, CUSTOMER, Wire, code_of


def test_a_mutate_answers_names_unless_asked_for_resources(wire: Wire) -> None:
    bare = wire.budgets(wire.budget_update(10_000_000))
    assert bare.results[0].resource_name == BUDGET
    assert not bare.results[0].campaign_budget.amount_micros

    kind = wire.client.enums.ResponseContentTypeEnum.MUTABLE_RESOURCE
    full = wire.budgets(wire.budget_update(20_000_000), response_content_type=kind)
    assert full.results[0].campaign_budget.amount_micros == 20_000_000


def test_validate_only_changes_and_answers_nothing(wire: Wire) -> None:
    assert not wire.budgets(wire.budget_update(10_000_000), validate_only=True).results
    assert wire.account.budgets["71"].amount_micros == 60_000_000

    with pytest.raises(GoogleAdsException):
        wire.budgets(wire.budget_update(1), validate_only=True)


def test_partial_failure_applies_the_good_and_names_the_bad(wire: Wire) -> None:
    bad, good = wire.budget_update(12_345), wire.budget_update(40_000_000, BUDGET.replace("71", "72"))

    answer = wire.budgets(bad, good, partial_failure=True)

    assert [result.resource_name for result in answer.results] == ["", BUDGET.replace("71", "72")]
    assert wire.account.budgets["72"].amount_micros == 40_000_000
    failure = wire.client.get_type("GoogleAdsFailure")
    found = type(failure).deserialize(answer.partial_failure_error.details[0].value)
    assert found.errors[0].location.field_path_elements[0].index == 0


def test_without_it_one_bad_operation_undoes_all(wire: Wire) -> None:
    with pytest.raises(GoogleAdsException):
        wire.budgets(wire.budget_update(12_345), wire.budget_update(40_000_000, BUDGET.replace("71", "72")))

    assert wire.account.budgets["72"].amount_micros == 30_000_000


@pytest.mark.parametrize(
    ("micros", "code"),
    [
        (33_509_999, "NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT"),
        (-10_000, "NEGATIVE_MONEY_AMOUNT"),
        (0, "MONEY_AMOUNT_LESS_THAN_CURRENCY_MINIMUM_CPC"),
    ],
)
def test_an_impossible_amount_is_refused(wire: Wire, micros: int, code: str) -> None:
    with pytest.raises(GoogleAdsException) as raised:
        wire.budgets(wire.budget_update(micros))

    assert code_of(raised) == f"campaign_budget_error.{code}"


def test_a_total_budget_has_no_daily_amount(wire: Wire) -> None:
    wire.account.budgets["71"].period = "CUSTOM_PERIOD"

    with pytest.raises(GoogleAdsException) as raised:
        wire.budgets(wire.budget_update(10_000_000))
    assert code_of(raised) == "campaign_budget_error.BUDGET_AMOUNT_MUST_BE_UNSET_FOR_CUSTOM_BUDGET_PERIOD"


def test_malformed_operations_are_refused(wire: Wire) -> None:
    update = wire.budget_update
    cases = {
        "field_mask_error.FIELD_MASK_MISSING": [update(10_000_000, paths=())],
        "field_mask_error.FIELD_NOT_FOUND": [update(10_000_000, paths=("amount",))],
        "field_error.IMMUTABLE_FIELD": [update(10_000_000, paths=("period",))],
        "mutate_error.ID_EXISTS_IN_MULTIPLE_MUTATES": [update(10_000_000), update(20_000_000)],
        "mutate_error.RESOURCE_NOT_FOUND": [update(10_000_000, BUDGET.replace("71", "79"))],
        "request_error.RESOURCE_NAME_MALFORMED": [update(10_000_000, CAMPAIGN)],
        "request_error.OPERATION_REQUIRED": [],
    }
    for code, operations in cases.items():
        with pytest.raises(GoogleAdsException) as raised:
            wire.budgets(*operations)
        assert code_of(raised) == code


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("status", "REMOVED", "operation_access_denied_error.OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE"),
        ("channel", "VIDEO", "mutate_error.MUTATE_NOT_ALLOWED"),
        ("experiment_type", "EXPERIMENT", "campaign_error.CANNOT_MODIFY_FOR_TRIAL_CAMPAIGN"),
        ("serving_status", "ENDED", "campaign_error.INVALID_OPERATION_IF_SERVING_STATUS_HAS_ENDED"),
    ],
)
def test_campaigns_that_cannot_be_paused_are_refused(wire: Wire, field: str, value: str, code: str) -> None:
    setattr(wire.account.campaigns["1"], field, value)

    with pytest.raises(GoogleAdsException) as raised:
        wire.campaigns(wire.status_update("PAUSED"))
    assert code_of(raised) == code


def test_a_group_of_both_kinds_is_atomic(wire: Wire) -> None:
    service, request = wire.client.get_service("GoogleAdsService"), wire.client.get_type("MutateGoogleAdsRequest")
    request.customer_id = CUSTOMER
    for kind, operation in (
        ("campaign_operation", wire.status_update("PAUSED")),
        ("campaign_budget_operation", wire.budget_update(1)),
    ):
        wrapped = wire.client.get_type("MutateOperation")
        setattr(wrapped, kind, operation)
        request.mutate_operations.append(wrapped)

    with pytest.raises(GoogleAdsException) as raised:
        service.mutate(request=request, timeout=10)

    element = raised.value.failure.errors[0].location.field_path_elements[0]
    assert (element.field_name, element.index) == ("mutate_operations", 1)
    assert wire.account.campaigns["1"].status == "ENABLED"
