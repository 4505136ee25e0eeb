"""What is read of an ad account, with the real SDK over real HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from service.core.errors import CredentialsError, ProtocolError, RefusedError, SettingsError, TransientError
from service.core.model import Campaign, Platform, State, Unreadable
from service.meta.reading import _today
from service.sandbox.accounts import MetaAccount, MetaAdSet, MetaCampaign
from tests.meta.stage import ACCOUNT, CAMPAIGN, NOON, QUICK, Stage, staged


async def test_a_campaign_is_read_in_the_words_of_the_core(stage: Stage) -> None:
    assert await stage.campaign() == Campaign(
        platform=Platform.META,
        id=CAMPAIGN,
        name="Physio | Feed",
        state=State(running=True, budget=Decimal("40.00")),
        currency="AUD",
        unit=Decimal("0.01"),
        spent_today=Decimal("8.50"),
        spent_month=Decimal("248.50"),
        budget_ref=CAMPAIGN,
        zone="Australia/Sydney",
        least=Decimal("1.00"),
    )


async def test_nothing_asked_is_nothing_sent(stage: Stage) -> None:
    assert await stage.account().read([]) == {}
    assert stage.world.requests == []


async def test_every_id_asked_for_comes_back_once_and_in_order(stage: Stage) -> None:
    stage.add("3")
    stage.add("2")
    found = await stage.account().read(["2", "404", CAMPAIGN, "3", "2"])
    assert list(found) == ["2", "404", CAMPAIGN, "3"]


async def test_all_pages_are_read_past_an_empty_one_in_the_middle(stage: Stage) -> None:
    ids = [stage.add(str(100 + n)).id for n in range(23)]
    stage.fail("empty_page_with_next", match="&after=", times=1)
    found = await stage.account(limits=replace(QUICK, page=5)).read(ids)
    assert [c.id for c in found.values() if isinstance(c, Campaign) and not c.ineligible] == ids
    assert len([url for url in stage.urls if "/campaigns?" in url]) == 6, "five pages of five and an empty one"


async def test_more_ids_than_fit_one_address_are_asked_for_in_parts(stage: Stage) -> None:
    ids = [stage.add(str(1000 + n)).id for n in range(205)]
    found = await stage.account().read(ids)
    assert [c.id for c in found.values() if isinstance(c, Campaign) and not c.ineligible] == ids
    assert len([url for url in stage.urls if "/campaigns?" in url]) == 3


async def test_a_list_that_goes_in_circles_is_refused(stage: Stage) -> None:
    stage.fail("same_cursor", match="/campaigns")
    with pytest.raises(ProtocolError, match="circles"):
        await stage.account().read([CAMPAIGN])


async def test_a_list_without_an_end_is_refused(stage: Stage) -> None:
    ids = [stage.add(str(100 + n)).id for n in range(9)]
    with pytest.raises(ProtocolError, match="more than 3 pages"):
        await stage.account(limits=replace(QUICK, page=2, pages=3)).read(ids)


async def test_too_much_data_is_asked_for_again_in_smaller_portions(stage: Stage) -> None:
    stage.fail("too_much_data", match="/campaigns")
    found = await stage.account(limits=replace(QUICK, page=150)).read([CAMPAIGN])
    assert isinstance(found[CAMPAIGN], Campaign)
    assert [url.split("limit=")[1][:3].strip("&f") for url in stage.urls if "/campaigns?" in url] == ["150", "75"]


@pytest.mark.parametrize(
    ("currency", "minor", "budget", "unit"),
    [("JPY", 4000, "4000", "1"), ("HUF", 9000, "9000", "1"), ("AUD", 4000, "40.00", "0.01"), ("BHD", 4000, "40.00", "0.01")],
)
async def test_budgets_are_read_and_written_by_metas_own_offsets(currency: str, minor: int, budget: str, unit: str) -> None:
    with staged(currency) as stage:
        stage.add(CAMPAIGN, daily_budget=minor)
        campaign = await stage.campaign()
        assert (str(campaign.state.budget), str(campaign.unit), campaign.ineligible) == (budget, unit, "")
        await stage.account().write(campaign, State(running=True, budget=Decimal(budget) * 2))
        assert stage.meta.campaigns[CAMPAIGN].daily_budget == minor * 2


async def test_a_campaign_without_delivery_has_spent_nothing(stage: Stage) -> None:
    stage.add("2")
    found = await stage.campaign("2")
    assert found.spent_today == found.spent_month == 0


async def test_a_report_that_fails_leaves_the_campaign_readable_and_its_spend_unknown(stage: Stage) -> None:
    stage.fail("throttled", match="/insights")
    campaign = await stage.campaign()
    assert (campaign.spent_today, campaign.spent_month) == (None, None)
    assert campaign.state.budget == 40


async def test_a_token_without_access_to_reports_can_still_govern(stage: Stage) -> None:
    stage.fail("permission", match="/insights")
    campaign = await stage.campaign()
    assert (campaign.spent_today, campaign.spent_month, campaign.ineligible) == (None, None, "")


@pytest.mark.parametrize("zone", ["", "Mars/Olympus_Mons", "America"])
def test_a_zone_that_nobody_knows_has_no_day(zone: str) -> None:
    assert _today(NOON, zone) is None


@pytest.mark.parametrize(
    ("zone", "today", "month"),
    [
        ("Australia/Sydney", "8.50", "248.50"),
        ("America/Los_Angeles", "8.50", "248.50"),
        ("Pacific/Kiritimati", "8.50", "248.50"),
    ],
)
async def test_the_day_is_the_accounts_own(stage: Stage, zone: str, today: str, month: str) -> None:
    """At 01:00 UTC it is yesterday in Los Angeles, and the report's rows bear the account's dates."""
    stage.meta.zone = zone
    campaign = await stage.campaign()
    assert (campaign.spent_today, campaign.spent_month) == (Decimal(today), Decimal(month))


async def test_yesterdays_spend_is_not_todays_and_last_months_not_this_months(stage: Stage) -> None:
    stage.meta.zone = "America/Los_Angeles"
    stage.world.advance(timedelta(days=8))  # 1 December in UTC, 30 November in Los Angeles
    campaign = await stage.campaign()
    assert (campaign.spent_today, campaign.spent_month) == (Decimal("8.50"), Decimal("248.50"))
    stage.world.advance(timedelta(hours=8))  # the first of the month there, too: what was yesterday is last month's
    campaign = await stage.campaign()
    assert (campaign.spent_today, campaign.spent_month) == (Decimal("8.50"), Decimal("8.50"))


async def test_a_token_that_dies_before_the_report_stops_the_account(stage: Stage) -> None:
    stage.fail("token_expired", match="/insights")
    with pytest.raises(CredentialsError):
        await stage.account().read([CAMPAIGN])


async def test_a_human_edit_is_seen_though_updated_time_stands_still(stage: Stage) -> None:
    before = stage.meta.campaigns[CAMPAIGN].updated_time
    stage.world.edit_meta(ACCOUNT, CAMPAIGN, "Mara Manager", daily_budget=6000)
    assert stage.meta.campaigns[CAMPAIGN].updated_time == before
    assert (await stage.campaign()).state.budget == 60


async def test_a_paused_campaign_is_not_running(stage: Stage) -> None:
    stage.add("2", status="PAUSED")
    campaign = await stage.campaign("2")
    assert campaign.state == State(running=False, budget=Decimal("40.00"))
    assert campaign.ineligible == ""


# --- campaigns that may not be changed ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"daily_budget": None}, "ad sets that can spend has a budget"),
        ({"daily_budget": 0}, "ad sets that can spend has a budget"),
        ({"daily_budget": None, "lifetime_budget": 90000}, "lifetime budget"),
        ({"status": "ARCHIVED"}, "archived"),
        ({"status": "DELETED"}, "deleted"),
        ({"status": "QUARANTINED"}, "QUARANTINED"),
        ({"smart_promotion_type": "AUTOMATED_SHOPPING_ADS"}, "legacy Advantage"),
        ({"smart_promotion_type": "SMART_APP_PROMOTION"}, "legacy Advantage"),
        ({"smart_promotion_type": "SOMETHING_NEW"}, "SOMETHING_NEW"),
        ({"buying_type": "RESERVED"}, "reservation"),
        ({"buying_type": "FIXED_CPM"}, "FIXED_CPM"),
    ],
    ids=str,
)
async def test_an_ineligible_campaign_says_why(stage: Stage, fields: dict[str, object], sentence: str) -> None:
    stage.add("2", **fields)
    campaign = await stage.campaign("2")
    assert sentence in campaign.ineligible
    with pytest.raises(RefusedError, match=sentence):
        await stage.account().write(campaign, State(running=False, budget=campaign.state.budget))
    assert stage.sent("POST") == []


async def test_new_advantage_campaigns_are_ordinary_ones(stage: Stage) -> None:
    stage.add("2", smart_promotion_type="GUIDED_CREATION")
    assert (await stage.campaign("2")).ineligible == ""


@pytest.mark.parametrize(
    ("status", "eligible"), [(1, True), (8, True), (9, True), (2, False), (3, False), (101, False), (55, False)]
)
async def test_an_account_that_delivers_nothing_is_left_alone(stage: Stage, status: int, eligible: bool) -> None:
    stage.meta.account_status = status
    assert ((await stage.campaign()).ineligible == "") is eligible


async def test_another_currency_than_the_rule_file_is_ineligible(stage: Stage) -> None:
    found = (await stage.account(currency="EUR").read([CAMPAIGN]))[CAMPAIGN]
    assert isinstance(found, Campaign)
    assert "is in AUD but the rule file in EUR" in found.ineligible


async def test_a_currency_without_a_documented_offset_is_never_written() -> None:
    with staged("LKR") as stage:
        campaign = await stage.campaign()
        assert "LKR" in campaign.ineligible
        assert campaign.state.budget is None


async def test_a_campaign_is_over_when_all_its_ad_sets_are(stage: Stage) -> None:
    past, future = NOON - timedelta(days=1), NOON + timedelta(days=1)
    stage.meta.ad_sets = {"a": MetaAdSet("a", CAMPAIGN, "A", end_time=past), "b": MetaAdSet("b", CAMPAIGN, "B", end_time=past)}
    assert "it has ended" in (await stage.campaign()).ineligible
    stage.meta.ad_sets["b"].end_time = future
    assert (await stage.campaign()).ineligible == ""
    stage.meta.ad_sets["b"].end_time = None
    assert (await stage.campaign()).ineligible == ""


async def test_a_missing_campaign_is_ineligible_and_the_others_are_not_disturbed(stage: Stage) -> None:
    found = await stage.account().read(["404", CAMPAIGN])
    missing, present = found["404"], found[CAMPAIGN]
    assert isinstance(missing, Campaign)
    assert "no campaign with this id" in missing.ineligible
    assert isinstance(present, Campaign)
    assert present.ineligible == ""


async def test_a_campaign_of_another_account_is_named_as_such(stage: Stage) -> None:
    stage.world.meta["act_9"] = MetaAccount(
        "act_9", "AUD", "Australia/Sydney", campaigns={"7": MetaCampaign("7", "Other", 100)}
    )
    assert "belongs to the ad account act_9" in (await stage.campaign("7")).ineligible


@pytest.mark.parametrize("kind", ["down", "unknown_code"])
async def test_one_campaign_that_cannot_be_looked_up_is_unreadable_alone(stage: Stage, kind: str) -> None:
    stage.add("2", status="DELETED")
    stage.fail(kind, match="/2/")
    found = await stage.account().read(["2", CAMPAIGN])
    assert isinstance(found["2"], Unreadable)
    assert isinstance(found[CAMPAIGN], Campaign)


# --- the whole account cannot be read -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "error", "code"),
    [
        ("down", TransientError, "http_503"),
        ("html_502", TransientError, "http_502"),
        ("json_500_without_error", TransientError, "http_500"),
        ("timeout", TransientError, "ReadTimeout"),
        ("applied_then_reset", TransientError, "ChunkedEncodingError"),
        ("busy", TransientError, "2"),
        ("throttled", TransientError, "80004/2446079"),
        ("empty_200", ProtocolError, "http_200"),
        ("unconfirmed", ProtocolError, "shape"),
        ("token_expired", CredentialsError, "190/463"),
        ("permission", CredentialsError, "200"),
        ("unknown_code", RefusedError, "31337"),
        ("success_false", RefusedError, "no_success"),
    ],
)
async def test_a_read_that_fails_raises_one_of_our_errors(stage: Stage, kind: str, error: type[Exception], code: str) -> None:
    stage.fail(kind)
    with pytest.raises(error) as raised:
        await stage.account().read([CAMPAIGN])
    assert getattr(raised.value, "code", None) == code
    assert getattr(raised.value, "system", None) == "meta"


@pytest.mark.parametrize("kind", ["down", "html_502", "json_500_without_error", "busy", "timeout"])
async def test_a_passing_fault_is_waited_out(stage: Stage, kind: str) -> None:
    stage.fail(kind, times=2)
    assert isinstance((await stage.account().read([CAMPAIGN]))[CAMPAIGN], Campaign)
    assert stage.pauses == [1.0, 4.0]


async def test_attempts_are_capped(stage: Stage) -> None:
    stage.fail("down")
    with pytest.raises(TransientError):
        await stage.account().read([CAMPAIGN])
    assert len(stage.sent("GET")) == 3


async def test_throttling_is_not_hammered_and_says_how_long(stage: Stage) -> None:
    stage.fail("throttled")
    account = stage.account()
    with pytest.raises(TransientError) as raised:
        await account.read([CAMPAIGN])
    assert raised.value.retry_after == timedelta(minutes=15)
    assert len(stage.sent("GET")) == 1
    with pytest.raises(TransientError, match="left alone until 23 Nov 01:15 UTC, as Meta asked: Meta asks for fewer calls"):
        await account.read([CAMPAIGN])
    assert len(stage.sent("GET")) == 1


async def test_a_slow_answer_is_an_answer(stage: Stage) -> None:
    stage.fail("slow", times=1)
    assert isinstance((await stage.account(limits=replace(QUICK, answer=3)).read([CAMPAIGN]))[CAMPAIGN], Campaign)


async def test_a_reading_has_a_deadline_of_its_own(stage: Stage) -> None:
    stage.fail("timeout")
    with pytest.raises(TransientError, match=r"more than 0\.2 s"):
        await stage.account(limits=replace(QUICK, read=0.2)).read([CAMPAIGN])


async def test_a_call_has_a_deadline_of_its_own(stage: Stage) -> None:
    stage.fail("timeout")
    with pytest.raises(TransientError, match=r"within 0\.2 s"):
        await stage.account(limits=replace(QUICK, call=0.2, backoff=())).read([CAMPAIGN])


async def test_nobody_listening_is_transient(stage: Stage) -> None:
    with pytest.raises(TransientError, match="could not be reached"):
        await stage.account(base_url="http://127.0.0.1:9", limits=replace(QUICK, backoff=())).read([CAMPAIGN])


@pytest.mark.parametrize(
    "changes", [{"ad_account_id": "1234"}, {"base_url": "graph.facebook.com"}, {"base_url": "https://x/v26.0"}]
)
def test_a_malformed_setting_is_refused_before_anything_is_sent(stage: Stage, changes: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        stage.account(**changes)
