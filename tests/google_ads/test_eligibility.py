"""Which campaigns may be changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from service.google_ads.eligibility import BUDGET_TYPES, CHANNELS, hidden, shared, why_not
from service.google_ads.wire import CampaignRow

FINE = CampaignRow(
    id="1",
    name="Physio",
    status="ENABLED",
    serving_status="SERVING",
    channel="SEARCH",
    experiment_type="BASE",
    budget="customers/1/campaignBudgets/7",
    budget_status="ENABLED",
    budget_type="STANDARD",
    period="DAILY",
    amount_micros=60_000_000,
    shared=False,
    references=1,
    cost_micros=0,
    currency="AUD",
    account_status="ENABLED",
    manager=False,
)


@pytest.mark.parametrize("channel", sorted(CHANNELS))
@pytest.mark.parametrize("status", ["ENABLED", "PAUSED"])
def test_an_ordinary_campaign_may_be_changed(channel: str, status: str) -> None:
    assert not why_not(replace(FINE, channel=channel, status=status), "AUD")


@pytest.mark.parametrize("budget_type", sorted(BUDGET_TYPES))
@pytest.mark.parametrize("serving", ["SERVING", "NONE", "PENDING"])
def test_neither_a_known_budget_type_nor_not_serving_yet_is_in_the_way(budget_type: str, serving: str) -> None:
    assert not why_not(replace(FINE, budget_type=budget_type, serving_status=serving, references=None), "AUD")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"manager": True}, "manager account", id="manager"),
        pytest.param({"account_status": "SUSPENDED"}, "SUSPENDED", id="account suspended"),
        pytest.param({"account_status": "77"}, "77", id="account status unknown"),
        pytest.param({"status": "REMOVED"}, "removed", id="removed"),
        pytest.param({"status": "UNKNOWN"}, "unknown", id="status unknown"),
        pytest.param({"channel": "VIDEO"}, "read-only", id="video"),
        pytest.param({"channel": "LOCAL_SERVICES"}, "Local Services", id="local services"),
        pytest.param({"channel": "LOCAL"}, "type LOCAL", id="retired channel"),
        pytest.param({"channel": "99"}, "type 99", id="channel newer than us"),
        pytest.param({"channel": "UNSPECIFIED"}, "UNSPECIFIED", id="channel unspecified"),
        pytest.param({"experiment_type": "EXPERIMENT"}, "experiment arm", id="experiment"),
        pytest.param({"experiment_type": "DRAFT"}, "draft arm", id="draft"),
        pytest.param({"experiment_type": "UNKNOWN"}, "unknown", id="experiment type unknown"),
        pytest.param({"serving_status": "ENDED"}, "end date", id="ended"),
        pytest.param({"serving_status": "SUSPENDED"}, "suspended", id="suspended"),
        pytest.param({"serving_status": "99"}, "99", id="serving status unknown"),
        pytest.param({"period": "CUSTOM_PERIOD"}, "CUSTOM_PERIOD", id="total budget"),
        pytest.param({"period": "UNKNOWN"}, "not a daily", id="period unknown"),
        pytest.param({"budget_type": "LOCAL_SERVICES"}, "Local Services budget", id="local services budget"),
        pytest.param({"budget_type": "9"}, "type 9", id="budget type unknown"),
        pytest.param({"budget_status": "REMOVED"}, "REMOVED", id="budget removed"),
        pytest.param({"amount_micros": None}, "no daily amount", id="no amount"),
        pytest.param({"budget": ""}, "no daily amount", id="no budget"),
        pytest.param({"currency": "JPY"}, "in JPY but the rule file says AUD", id="wrong currency"),
    ],
)
def test_anything_else_is_left_alone_with_a_sentence_that_says_what_to_do(change: dict[str, Any], said: str) -> None:
    sentence = why_not(replace(FINE, **change), "AUD")

    assert said in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("change", "expected"),
    [({}, False), ({"references": None}, False), ({"shared": True}, True), ({"references": 2}, True)],
    ids=["its own", "nobody counted", "explicitly shared", "used by two"],
)
def test_a_budget_is_shared_if_others_use_it_or_may(change: dict[str, Any], expected: bool) -> None:
    assert shared(replace(FINE, **change)) is expected


@pytest.mark.parametrize(("references", "said"), [(None, ""), (2, ""), (1, ""), (5, "shared by 5 campaigns, of which Google")])
def test_campaigns_that_cannot_be_seen_are_nobody_to_change_a_budget_for(references: int | None, said: str) -> None:
    sentence = hidden(replace(FINE, references=references), ["1", "2"])
    assert sentence.startswith(f"Its budget is {said}" if said else "")
    assert bool(sentence) is bool(said)


def test_the_account_is_named_before_the_campaign() -> None:
    assert "manager account" in why_not(replace(FINE, manager=True, channel="VIDEO", shared=True), "AUD")
