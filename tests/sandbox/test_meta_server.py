"""The sandbox's Graph API as the unpatched facebook-business SDK, and a plain HTTP client, see it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.campaign import Campaign
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from service.sandbox.accounts import MetaAccount, MetaAdSet, MetaCampaign
from service.sandbox.meta.activities import APPLICATION, SYSTEM_USER
from service.sandbox.meta.server import meta_app
from service.sandbox.serving import serving
from service.sandbox.world import Fault, World

TOKEN = "sandbox-token"
ACT = "act_1"
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@dataclass
class Server:
    world: World
    url: str
    api: Any

    @property
    def account(self) -> MetaAccount:
        return self.world.meta[ACT]

    @property
    def campaign(self) -> MetaCampaign:
        return self.account.campaigns["11"]

    def get(self, path: str, **params: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return httpx.get(f"{self.url}/v26.0/{path}", params=params, headers=headers, trust_env=False)

    def post(self, path: str, **data: str) -> httpx.Response:
        return httpx.post(
            f"{self.url}/v26.0/{path}", params={"access_token": TOKEN}, data=data, trust_env=False, timeout=1
        )  # fmt: skip

    def sdk(self, id_: str = "11") -> Any:
        return Campaign(id_, api=self.api)


@pytest.fixture
def server() -> Iterator[Server]:
    world = World(NOW)
    campaigns = {str(n): MetaCampaign(str(n), f"Campaign {n}", 5000) for n in (11, 12, 13)}
    world.meta[ACT] = MetaAccount(ACT, "AUD", "Australia/Sydney", campaigns=campaigns)
    with serving(meta_app(world, TOKEN)) as url:
        session = FacebookSession(access_token=TOKEN, timeout=(2, 2))
        session.GRAPH = url
        session.requests.trust_env = False
        yield Server(world, url, FacebookAdsApi(session))
        session.requests.close()


def refusal(call: Any, **params: Any) -> tuple[int | None, int | None]:
    with pytest.raises(FacebookRequestError) as raised:
        call(params=params)
    return raised.value.api_error_code(), raised.value.api_error_subcode()


# --- reading ------------------------------------------------------------------------------------------------------------


def test_the_sdk_lists_campaigns_over_several_pages(server: Server) -> None:
    listed = AdAccount(ACT, api=server.api).get_campaigns(fields=["id", "daily_budget"], params={"limit": 2})
    assert listed.total() == 3
    assert [(row["id"], row["daily_budget"]) for row in listed] == [("11", "5000"), ("12", "5000"), ("13", "5000")]


def test_only_what_is_asked_for_and_has_a_value_comes_back(server: Server) -> None:
    assert server.get("11/", fields="name,lifetime_budget,status").json() == {
        "id": "11",
        "name": "Campaign 11",
        "status": "ACTIVE",
    }
    assert server.get("11/").json() == {"id": "11"}
    assert server.get("act_1/", fields="currency,account_status").json() == {"id": ACT, "currency": "AUD", "account_status": 1}


def test_archived_campaigns_are_listed_only_when_asked_for_and_deleted_ones_never(server: Server) -> None:
    server.account.campaigns["12"].status = "ARCHIVED"
    server.account.campaigns["13"].status = "DELETED"

    def listed(**params: str) -> list[str]:
        return [row["id"] for row in server.get("act_1/campaigns", **params).json()["data"]]

    assert listed() == ["11"]
    assert listed(effective_status='["ACTIVE","ARCHIVED"]') == ["11", "12"]
    assert server.get("act_1/campaigns", effective_status='["DELETED"]').json()["error"]["code"] == 100
    assert server.get("13/", fields="status").json()["status"] == "DELETED"


def test_lists_can_be_filtered(server: Server) -> None:
    condition = [{"field": "id", "operator": "IN", "value": ["13", "99"]}]
    rows = server.get("act_1/campaigns", filtering=json.dumps(condition)).json()["data"]
    assert rows == [{"id": "13"}]


def test_cursors_and_next_are_both_there_until_the_last_page(server: Server) -> None:
    first = server.get("act_1/campaigns", limit="2").json()
    assert first["paging"]["next"]
    last = server.get("act_1/campaigns", limit="2", after=first["paging"]["cursors"]["after"]).json()
    assert [row["id"] for row in last["data"]] == ["13"]
    assert "next" not in last["paging"]


def test_insights_have_a_row_for_each_campaign_that_spent(server: Server) -> None:
    server.campaign.spend_today = Decimal("12.5")
    rows = AdAccount(ACT, api=server.api).get_insights(
        fields=["campaign_id", "spend"], params={"level": "campaign", "date_preset": "today"}
    )
    assert [dict(row) for row in rows] == [
        {"campaign_id": "11", "spend": "12.5", "date_start": "2026-11-23", "date_stop": "2026-11-23"}
    ]


def test_ad_sets_of_a_paused_campaign_say_so(server: Server) -> None:
    server.account.ad_sets["a"] = MetaAdSet("a", "11", "A", daily_budget=900)
    server.campaign.status = "PAUSED"
    row = server.sdk().get_ad_sets(fields=["status", "effective_status", "daily_budget"])[0]
    assert (row["status"], row["effective_status"], row["daily_budget"]) == ("ACTIVE", "CAMPAIGN_PAUSED", "900")


# --- writing ------------------------------------------------------------------------------------------------------------


def test_a_post_changes_the_world_and_a_budget_leaves_updated_time_alone(server: Server) -> None:
    server.sdk().api_update(params={"daily_budget": 6000})
    assert (server.campaign.daily_budget, server.campaign.updated_time) == (6000, None)
    server.sdk().api_update(params={"status": "PAUSED"})
    assert (server.campaign.status, server.campaign.updated_time) == ("PAUSED", NOW)


def test_validate_only_changes_nothing_but_still_refuses(server: Server) -> None:
    server.sdk().api_update(params={"daily_budget": 6000, "execution_options": ["validate_only"]})
    assert server.campaign.daily_budget == 5000
    assert refusal(server.sdk().api_update, daily_budget=1, execution_options=["validate_only"]) == (100, 1885272)


def test_a_request_is_refused_as_a_whole(server: Server) -> None:
    assert refusal(server.sdk().api_update, status="PAUSED", daily_budget=1) == (100, 1885272)
    assert server.campaign.status == "ACTIVE"


@pytest.mark.parametrize(
    ("before", "params", "expected"),
    [
        ({}, {"daily_budget": 99}, (100, 1885272)),
        ({}, {"daily_budget": 100_000_001}, (100, 1885261)),
        ({"spend_today": Decimal(20)}, {"daily_budget": 2199}, (100, 1885650)),
        ({}, {"lifetime_budget": 90000}, (100, None)),
        ({"status": "ARCHIVED"}, {"daily_budget": 6000}, (100, None)),
        ({"status": "ARCHIVED"}, {"status": "ACTIVE"}, (100, None)),
        ({"status": "DELETED"}, {"status": "ACTIVE"}, (100, 1487566)),
        ({"smart_promotion_type": "SMART_APP_PROMOTION"}, {"status": "PAUSED"}, (100, None)),
        ({"buying_type": "RESERVED"}, {"daily_budget": 6000}, (100, None)),
    ],
    ids=str,
)
def test_refusals(server: Server, before: dict[str, Any], params: dict[str, Any], expected: tuple[int, int | None]) -> None:
    for name, value in before.items():
        setattr(server.campaign, name, value)
    assert refusal(server.sdk().api_update, **params) == expected
    assert server.account.activities == []


def test_an_archived_campaign_can_still_be_deleted(server: Server) -> None:
    server.campaign.status = "ARCHIVED"
    server.sdk().api_update(params={"status": "DELETED"})
    assert server.campaign.status == "DELETED"


def test_a_budget_lives_on_one_level(server: Server) -> None:
    server.account.ad_sets["a"] = MetaAdSet("a", "11", "A", daily_budget=None)
    assert refusal(AdSet("a", api=server.api).api_update, daily_budget=900) == (100, 1885621)
    server.campaign.daily_budget = None
    server.account.ad_sets["a"].daily_budget = 900
    assert refusal(server.sdk().api_update, daily_budget=5000) == (100, 1885621)
    AdSet("a", api=server.api).api_update(params={"daily_budget": 1200})
    assert server.account.ad_sets["a"].daily_budget == 1200


def test_an_ended_campaign_cannot_be_resumed(server: Server) -> None:
    server.account.ad_sets["a"] = MetaAdSet("a", "11", "A", end_time=NOW)
    assert server.get("11/", fields="stop_time").json()["stop_time"] == "2026-11-23T01:00:00+0000"
    assert refusal(server.sdk().api_update, status="ACTIVE") == (100, 1487033)


def test_the_fifth_budget_within_the_hour_is_refused_until_the_worlds_clock_moves_on(server: Server) -> None:
    for budget in (5100, 5200, 5300, 5400):
        server.sdk().api_update(params={"daily_budget": budget})
    assert refusal(server.sdk().api_update, daily_budget=5500) == (613, 1487632)
    server.sdk().api_update(params={"status": "PAUSED"})
    server.world.advance(timedelta(hours=1))
    server.sdk().api_update(params={"daily_budget": 5500})
    assert server.campaign.daily_budget == 5500


# --- who did it ---------------------------------------------------------------------------------------------------------


def test_the_activity_log_tells_our_hand_from_a_persons(server: Server) -> None:
    server.sdk().api_update(params={"daily_budget": 6000})
    server.world.advance(timedelta(minutes=5))
    server.world.edit_meta(ACT, "11", "Mara Manager", status="PAUSED")
    fields = ["event_type", "actor_name", "application_id", "object_id", "object_type", "extra_data", "event_time"]
    newest, oldest = AdAccount(ACT, api=server.api).get_activities(fields=fields)
    assert (newest["event_type"], newest["actor_name"]) == ("update_campaign_run_status", "Mara Manager")
    assert newest["application_id"] != APPLICATION[0]
    assert json.loads(newest["extra_data"])["new_value"] == "Inactive"
    assert (oldest["actor_name"], oldest["application_id"]) == (SYSTEM_USER, APPLICATION[0])
    assert (oldest["event_type"], oldest["object_type"]) == ("update_campaign_budget", "CAMPAIGN_GROUP")
    change = json.loads(oldest["extra_data"])
    assert (change["old_value"]["old_value"], change["new_value"]["new_value"]) == (5000, 6000)


def test_the_activity_log_can_be_narrowed(server: Server) -> None:
    server.world.edit_meta(ACT, "11", "Mara", status="PAUSED", daily_budget=100)
    server.world.edit_meta(ACT, "12", "Mara", status="PAUSED")

    def objects(**params: str) -> list[str]:
        return [row["object_id"] for row in server.get("act_1/activities", fields="object_id", **params).json()["data"]]

    assert objects() == ["12", "11", "11"]
    assert objects(category="BUDGET") == ["11"]
    assert objects(oid="12") == ["12"]
    assert objects(since="2026-11-24") == []
    server.world.advance(timedelta(days=8))
    assert objects() == [], "a week unless asked"
    assert objects(since=str(int(NOW.timestamp()))) == ["12", "11", "11"]


# --- the door -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_a_wrong_token_is_code_190(server: Server, headers: dict[str, str]) -> None:
    answer = httpx.get(f"{server.url}/v26.0/11/", headers=headers, trust_env=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 190)
    assert TOKEN not in answer.text


def test_the_token_may_be_in_the_address_even_of_a_post(server: Server) -> None:
    assert server.post("11/", status="PAUSED").json() == {"success": True}


@pytest.mark.parametrize(
    ("path", "code", "subcode"),
    [("404/", 100, 33), ("", 2500, None), ("11/friends", 2500, None), ("11/campaigns", 2500, None)],
)
def test_what_is_not_there_is_said_in_metas_words(server: Server, path: str, code: int, subcode: int | None) -> None:
    error = server.get(path, ids="11").json()["error"]
    assert (error["code"], error.get("error_subcode")) == (code, subcode)


def test_another_version_is_refused(server: Server) -> None:
    answer = httpx.get(f"{server.url}/v24.0/11/", params={"access_token": TOKEN}, trust_env=False)
    assert answer.json()["error"]["code"] == 2635


def test_every_answer_says_how_much_quota_is_used(server: Server) -> None:
    headers = server.get("act_1/", fields="id").headers
    assert json.loads(headers["x-business-use-case-usage"])["1"][0]["type"] == "ads_management"
    assert json.loads(headers["x-ad-account-usage"])["ads_api_access_tier"] == "standard_access"


def test_requests_are_remembered_without_their_secrets(server: Server) -> None:
    server.post("11/", status="PAUSED")
    assert [(seen.system, seen.method, seen.path) for seen in server.world.requests] == [("meta", "POST", "/v26.0/11/")]


# --- faults -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status", "applied"),
    [
        ("down", 503, False),
        ("html_502", 502, False),
        ("empty_200", 200, False),
        ("json_500_without_error", 500, False),
        ("success_false", 200, False),
        ("unconfirmed", 200, False),
        ("applied_then_reset", None, True),
        ("applied_then_502", 502, True),
        ("applied_then_timeout", None, True),
        ("timeout", None, False),
        ("throttled", 400, False),
        ("busy", 500, False),
        ("token_expired", 400, False),
        ("permission", 403, False),
        ("unknown_code", 400, False),
        ("unknown_code_applied", 400, True),
        ("slow", 200, True),
    ],
)
@pytest.mark.sampled(2)
def test_a_fault_does_what_its_name_says(server: Server, kind: str, status: int | None, applied: bool) -> None:
    server.world.fail(Fault("meta", kind, match="POST", times=1))
    if status is None:
        with pytest.raises(httpx.TransportError):
            server.post("11/", status="PAUSED")
    else:
        assert server.post("11/", status="PAUSED").status_code == status
    assert (server.campaign.status == "PAUSED") is applied
    assert server.post("11/", status="PAUSED").json() == {"success": True}, "healed"


def test_an_empty_page_in_the_middle_loses_rows_in_the_sdks_own_iteration(server: Server) -> None:
    """Why this service pages by hand."""
    server.world.fail(Fault("meta", "empty_page_with_next", match="after=", times=1))
    rows = list(AdAccount(ACT, api=server.api).get_campaigns(fields=["id"], params={"limit": 2}))
    assert [row["id"] for row in rows] == ["11", "12"]
