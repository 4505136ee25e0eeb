"""Queries as the official client sends them."""

from __future__ import annotations

import pytest
from google.ads.googleads.errors import GoogleAdsException

from tests.sandbox.google_ads.conftest import BUDGET, CUSTOMER, Wire, code_of


def test_only_the_selected_fields_are_answered(wire: Wire) -> None:
    (row,) = wire.rows("SELECT campaign.name, campaign_budget.type FROM campaign WHERE campaign.id = 1")

    assert (row.campaign.name, row.campaign_budget.type_.name) == ("Physio", "STANDARD")
    assert "id" not in row.campaign
    assert "amount_micros" not in row.campaign_budget


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("campaign.id IN (1, 2, 3)", ["Physio", "Podiatry"]),
        ("campaign.id NOT IN (1)", ["Podiatry"]),
        ("campaign.status != 'REMOVED'", ["Physio", "Podiatry"]),
        ("campaign.status = 'PAUSED' AND campaign.id > 1", ["Podiatry"]),
        (f"campaign.campaign_budget = '{BUDGET}'", ["Physio"]),
        ("campaign_budget.amount_micros BETWEEN 1 AND 30000000", ["Podiatry"]),
        ("campaign_budget.explicitly_shared = FALSE AND campaign_budget.reference_count <= 1", ["Physio", "Podiatry"]),
        ("campaign.name = 'nobody'", []),
    ],
)
def test_conditions_choose_rows(wire: Wire, where: str, names: list[str]) -> None:
    found = wire.rows(f"SELECT campaign.name FROM campaign WHERE {where} ORDER BY campaign.name ASC")  # noqa: S608 - no database

    assert [row.campaign.name for row in found] == names


def test_rows_are_ordered_and_limited(wire: Wire) -> None:
    found = wire.rows("SELECT campaign.id FROM campaign ORDER BY campaign.id DESC LIMIT 1")

    assert [row.campaign.id for row in found] == [2]


@pytest.mark.parametrize(
    ("query", "costs"),
    [
        ("SELECT metrics.cost_micros FROM campaign WHERE segments.date DURING TODAY", [5_000_000, 0]),
        ("SELECT metrics.cost_micros FROM campaign WHERE segments.date DURING YESTERDAY", [0, 0]),
        ("SELECT metrics.cost_micros FROM campaign WHERE segments.date BETWEEN '2026-11-22' AND '2026-11-22'", [5_000_000, 0]),
        ("SELECT segments.date, metrics.cost_micros FROM campaign WHERE segments.date DURING TODAY", [5_000_000]),
    ],
    ids=["today", "yesterday", "the account's own day", "segmented: rows of zeros are dropped"],
)
def test_cost_is_counted_in_the_accounts_day(wire: Wire, query: str, costs: list[int]) -> None:
    assert [row.metrics.cost_micros for row in wire.rows(query)] == costs


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("campaign.id FROM campaign", "query_error.EXPECTED_SELECT"),
        ("SELECT campaign.id WHERE campaign.id = 1", "query_error.EXPECTED_FROM"),
        ("SELECT campaign.id FROM campaign WHERE", "query_error.UNEXPECTED_END_OF_QUERY"),
        ("SELECT campaign.start_date FROM campaign", "query_error.UNRECOGNIZED_FIELD"),
        ("SELECT campaign.id FROM keyword_view", "query_error.BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"),
        ("SELECT campaign.id FROM currency_constant", "query_error.UNRECOGNIZED_FIELD"),
        ("SELECT campaign.id FROM campaign WHERE campaign.status = 'STOPPED'", "query_error.BAD_ENUM_CONSTANT"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id LIKE 'x'", "query_error.BAD_OPERATOR"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id = 'x'", "query_error.BAD_NUMBER"),
        ("SELECT campaign.id FROM campaign LIMIT many", "query_error.BAD_LIMIT_VALUE"),
        ("SELECT campaign.id FROM campaign; DROP", "query_error.BAD_SYMBOL"),
        ("SELECT campaign.id FROM campaign please", "query_error.UNEXPECTED_INPUT"),
        (
            "SELECT campaign.id FROM campaign WHERE segments.date DURING NEXT_WEEK",
            "query_error.INVALID_VALUE_WITH_DURING_OPERATOR",
        ),
    ],
)
def test_a_query_it_does_not_understand_is_refused(wire: Wire, query: str, code: str) -> None:
    with pytest.raises(GoogleAdsException) as raised:
        wire.rows(query)

    assert code_of(raised) == code
    assert raised.value.request_id


def test_search_answers_in_one_page_and_refuses_a_page_size(wire: Wire) -> None:
    service = wire.client.get_service("GoogleAdsService")
    query = "SELECT campaign.id FROM campaign"
    assert [row.campaign.id for row in service.search(customer_id=CUSTOMER, query=query, timeout=10)] == [1, 2]

    request = wire.client.get_type("SearchGoogleAdsRequest")
    request.customer_id, request.query, request.page_size = CUSTOMER, query, 100
    with pytest.raises(GoogleAdsException) as raised:
        service.search(request=request, timeout=10)
    assert code_of(raised) == "request_error.PAGE_SIZE_NOT_SUPPORTED"


def test_the_other_resources_answer_too(wire: Wire) -> None:
    (customer,) = wire.rows("SELECT customer.id, customer.currency_code, customer.time_zone FROM customer")
    (unit,) = wire.rows("SELECT currency_constant.billable_unit_micros FROM currency_constant")
    budgets = wire.rows("SELECT campaign_budget.id, campaign_budget.amount_micros FROM campaign_budget")

    assert (customer.customer.id, customer.customer.time_zone) == (1234567890, "Australia/Sydney")
    assert unit.currency_constant.billable_unit_micros == 10_000
    assert [row.campaign_budget.id for row in budgets] == [71, 72]
