"""Money, quota headers, eligibility and rows without a wire."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import ProtocolError, RefusedError
from service.meta.eligibility import Seen, why_not
from service.meta.money import UNITS, from_minor, to_minor, unit
from service.meta.usage import Gauge, Usage, usage
from service.meta.wire import AccountRow, AdSetRow, CampaignRow, SpendRow, parse
from tests.meta.stage import NOON

# --- money --------------------------------------------------------------------------------------------------------------


@given(st.sampled_from(sorted(UNITS)), st.integers(min_value=1, max_value=10**12))
def test_minor_units_survive_the_round_trip(currency: str, minor: int) -> None:
    assert to_minor(from_minor(minor, currency), currency) == minor


def test_the_offsets_are_metas_and_not_iso_4217s() -> None:
    whole = " ".join(sorted(currency for currency, step in UNITS.items() if step == 1))
    assert whole == "CLP COP CRC HUF IDR ISK JPY KRW PYG TWD VND"
    assert unit("BHD") == unit("JOD") == unit("AUD") == Decimal("0.01")
    assert len(UNITS) == 62


@pytest.mark.parametrize("currency", ["LKR", "XXX", "", "aud"])
def test_an_unlisted_currency_is_refused(currency: str) -> None:
    with pytest.raises(RefusedError, match="does not list"):
        to_minor(Decimal(10), currency)


# --- quota headers ------------------------------------------------------------------------------------------------------


def _case(**fields: object) -> dict[str, str]:
    case = {
        "type": "ads_management",
        "call_count": 28,
        "total_cputime": 25,
        "total_time": 25,
        "estimated_time_to_regain_access": 0,
    }
    return {"x-business-use-case-usage": json.dumps({"1": [case | fields]})}


ACCOUNT_HEADER = json.dumps({"acc_id_util_pct": 9.67, "reset_time_duration": 100, "ads_api_access_tier": "standard_access"})


REPORTS_HEADER = json.dumps({"app_id_util_pct": 96, "acc_id_util_pct": 10, "ads_api_access_tier": "development_access"})
APP_HEADER = json.dumps({"call_count": 28, "total_cputime": 97, "total_time": 25})
MINUTES = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("headers", "gauges", "full_tier", "wait"),
    [
        ({}, [], False, 300),
        (_case(), [Gauge(28.0)], False, 300),
        (_case(total_time=97, ads_api_access_tier="standard_access"), [Gauge(97.0)], True, 60),
        (_case(estimated_time_to_regain_access=7), [Gauge(28.0, regain=7 * MINUTES)], False, 420),
        (_case(type="ads_insights", total_cputime=96), [Gauge(96.0, reports=True)], False, 300),
        ({"x-ad-account-usage": ACCOUNT_HEADER}, [Gauge(9.67, reset=timedelta(seconds=100))], True, 100),
        (
            {**_case(estimated_time_to_regain_access=2), "x-ad-account-usage": ACCOUNT_HEADER},
            [Gauge(28.0, regain=2 * MINUTES), Gauge(9.67, reset=timedelta(seconds=100))], True, 120,
        ),
        ({"x-app-usage": APP_HEADER}, [Gauge(97.0, app=True)], False, 300),
        (
            {"x-fb-ads-insights-throttle": REPORTS_HEADER},
            [Gauge(96.0, app=True, reports=True), Gauge(10.0, reports=True)], False, 300,
        ),
        ({"x-business-use-case-usage": "<html>", "x-ad-account-usage": "[]", "x-app-usage": "7"}, [], False, 300),
        ({"x-business-use-case-usage": '{"1": {"a": 1}, "2": [3]}'}, [], False, 300),
        (_case(call_count="many", total_time=None, total_cputime=-1), [Gauge(0.0)], False, 300),
    ],
)  # fmt: skip
def test_the_quotas_are_read_from_whatever_headers_there_are(
    headers: dict[str, str], gauges: list[Gauge], full_tier: bool, wait: int
) -> None:
    assert usage(headers) == Usage(tuple(gauges), full_tier)
    assert usage(headers).wait() == timedelta(seconds=wait)


@pytest.mark.parametrize(
    ("gauge", "seconds"),
    [
        (Gauge(94.9, reset=timedelta(seconds=100)), None),  # how long until nothing is used is no reason to wait
        (Gauge(95, reset=timedelta(seconds=100)), 100),
        (Gauge(95), 300),
        (Gauge(3, regain=MINUTES), 60),
    ],
    ids=str,
)
def test_a_quota_that_is_nearly_used_up_or_blocked_is_given_a_rest(gauge: Gauge, seconds: int | None) -> None:
    assert Usage((gauge,), full_tier=False).rest(gauge) == (None if seconds is None else timedelta(seconds=seconds))


# --- eligibility --------------------------------------------------------------------------------------------------------

CAMPAIGN = CampaignRow(id="1", configured_status="ACTIVE", effective_status="ACTIVE", daily_budget=4000)
ACCOUNT = AccountRow(currency="AUD", account_status=1)


def _why(*ad_sets: AdSetRow, **fields: object) -> str:
    return why_not(Seen(CAMPAIGN.model_copy(update=fields), ad_sets, ACCOUNT, "AUD", NOON))


def test_a_plain_campaign_is_eligible() -> None:
    assert _why() == ""


def test_a_budget_schedule_would_compound() -> None:
    assert "budget schedule" in _why(is_budget_schedule_enabled=True)


@pytest.mark.parametrize("status", ["IN_PROCESS", "WITH_ISSUES"])
def test_a_campaign_that_has_issues_can_still_be_paused(status: str) -> None:
    assert _why(effective_status=status) == ""


def test_an_effective_status_nobody_knows_is_ineligible() -> None:
    assert "ACTIVE/ADOPTED" in _why(effective_status="ADOPTED")


def test_the_end_of_the_campaign_itself_counts_where_no_ad_set_is_shown() -> None:
    assert "it has ended" in _why(stop_time=NOON)
    assert _why(AdSetRow(id="2", campaign_id="1", configured_status="ACTIVE"), stop_time=NOON) == ""
    assert _why(stop_time=NOON + timedelta(minutes=1)) == ""


@pytest.mark.parametrize(
    "fields",
    [
        {"configured_status": "ARCHIVED"}, {"configured_status": "ODD"}, {"buying_type": "RESERVED"}, {"lifetime_budget": 1},
        {"daily_budget": None}, {"is_budget_schedule_enabled": True}, {"smart_promotion_type": "SMART_APP_PROMOTION"},
        {"stop_time": NOON},
    ],
    ids=str,
)  # fmt: skip
def test_every_sentence_says_what_to_do(fields: dict[str, object]) -> None:
    assert "; " in _why(**fields) or ": " in _why(**fields)


# --- rows ---------------------------------------------------------------------------------------------------------------


def test_metas_times_and_string_budgets_are_understood() -> None:
    row = parse(CampaignRow, {
        "id": "1", "configured_status": "ACTIVE", "effective_status": "ACTIVE", "daily_budget": "5000",
        "lifetime_budget": "0", "stop_time": "2026-11-23T12:00:00+1100", "unheard_of": [1],
    })  # fmt: skip
    assert (row.daily_budget, row.lifetime_budget, row.stop_time) == (5000, None, NOON)
    found = parse(SpendRow, {"campaign_id": 7, "spend": "5339.5", "date_start": "2026-11-23"})
    assert (found.spend, found.date_start) == (Decimal("5339.5"), date(2026, 11, 23))


@pytest.mark.parametrize(
    "row",
    [
        {}, {"id": "1", "effective_status": "ACTIVE"},
        {"id": "1", "configured_status": "ACTIVE", "effective_status": "ACTIVE", "daily_budget": "lots"},
        {"id": "1", "configured_status": "ACTIVE", "effective_status": "ACTIVE", "daily_budget": "-5"},
        {"id": "1", "configured_status": "ACTIVE", "effective_status": "ACTIVE", "stop_time": "yesterday"},
    ],
    ids=str,
)  # fmt: skip
def test_a_row_of_another_shape_is_refused(row: dict[str, object]) -> None:
    with pytest.raises(ProtocolError, match="not as documented"):
        parse(CampaignRow, row)
