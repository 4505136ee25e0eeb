"""The adapter against the sandbox's server."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from service.core.errors import (
    AmbiguousWriteError,
    RefusedError,
)
from service.core.model import Campaign, Platform, State
from service.google_ads.wire import from_note, to_note
from service.sandbox.google_ads.tokens import EMAIL
from tests.google_ads.conftest import CUSTOMER, MUTATE, SEARCH, Stage

PAUSED = State(running=False, budget=Decimal("60.00"))


# --- reading ------------------------------------------------------------------------------------------------------------


async def test_a_campaign_is_read_with_its_budget_and_what_it_has_cost_this_month(stage: Stage) -> None:
    assert await stage.read() == Campaign(
        platform=Platform.GOOGLE,
        id="1",
        name="Campaign 1",
        state=State(running=True, budget=Decimal("60.00")),
        currency="AUD",
        unit=Decimal("0.01"),
        spent_month=Decimal("112.34"),
        budget_ref=f"customers/{CUSTOMER}/campaignBudgets/71",
        zone="Australia/Sydney",
    )


async def test_every_id_comes_back_once_and_in_one_request(stage: Stage) -> None:
    stage.add("2", status="PAUSED")
    stage.add("3")

    found = await stage.adapter().read(["2", "1", "404", "one", "2"])

    assert list(found) == ["2", "1", "404", "one"]
    assert stage.calls(SEARCH) == 3  # the campaigns, once more for the one that is not there, and once the currency's unit
    assert isinstance(paused := found["2"], Campaign)
    assert not paused.state.running
    for missing in (found["404"], found["one"]):
        assert isinstance(missing, Campaign)
        assert "was not found in account 1234567890" in missing.ineligible


async def test_the_unit_is_asked_for_once_per_account(stage: Stage) -> None:
    adapter = stage.adapter()
    for _ in range(3):
        await adapter.read(["1"])

    assert stage.calls(SEARCH) == 4


async def test_nothing_asked_means_nothing_sent(stage: Stage) -> None:
    assert await stage.adapter().read([]) == {}
    assert not stage.world.requests


async def test_a_campaign_without_cost_this_month_is_still_read(stage: Stage) -> None:
    stage.account.campaigns["1"].cost_micros_today = stage.account.campaigns["1"].cost_micros_before = 0

    assert (await stage.read()).spent_month == Decimal("0.00")


async def test_on_the_first_of_the_month_only_today_counts(stage: Stage) -> None:
    stage.world.advance(datetime(2026, 12, 1, 3, tzinfo=UTC) - stage.world.now)

    assert (await stage.read()).spent_month == Decimal("12.34")


async def test_an_account_in_yen_steps_by_one_yen(stage: Stage) -> None:
    stage.account.currency, stage.account.billable_unit_micros = "JPY", 1_000_000
    stage.add("2", 6_000 * 1_000_000)
    adapter = stage.adapter(currency="JPY")
    campaign = await stage.read("2", adapter)
    assert (campaign.unit, str(campaign.state.budget)) == (Decimal(1), "6000")

    changed = await adapter.write(campaign, State(running=True, budget=Decimal("6543.99")))

    assert str(changed.state.budget) == "6543"
    assert stage.account.budgets["72"].amount_micros == 6_543_000_000


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"status": "REMOVED"}, "removed"),
        ({"serving_status": "ENDED"}, "end date"),
        ({"channel": "VIDEO"}, "read-only"),
        ({"channel": "HOLOGRAM"}, "type 99"),
        ({"experiment_type": "EXPERIMENT"}, "experiment arm"),
        ({"period": "CUSTOM_PERIOD"}, "not a daily"),
    ],
)
async def test_what_may_not_be_changed_is_read_as_ineligible_and_never_written(
    stage: Stage, fields: dict[str, object], said: str
) -> None:
    stage.add("2", **fields)  # type: ignore[arg-type]  # a table of keyword arguments
    adapter = stage.adapter()
    campaign = await stage.read("2", adapter)
    assert said in campaign.ineligible

    with pytest.raises(RefusedError, match="may not be changed"):
        await adapter.write(campaign, PAUSED)
    assert stage.calls(MUTATE) == 0


async def test_who_shares_a_budget_with_whom_is_told_in_the_same_search(stage: Stage) -> None:
    stage.add("2", budget="71")
    stage.add("3", budget="71", status="REMOVED")
    stage.add("4", shared=True)
    stage.add("5", budget="71", status="PAUSED")

    found = await stage.adapter().read(["1", "2", "4"])

    assert [each.sharers for each in found.values() if isinstance(each, Campaign)] == [("1", "2", "5"), ("1", "2", "5"), ("4",)]
    assert [each.ineligible for each in found.values() if isinstance(each, Campaign)] == ["", "", ""]  # for the file to say
    assert stage.calls(SEARCH) == 2


async def test_a_rule_file_in_another_currency_changes_nothing(stage: Stage) -> None:
    campaign = await stage.read(adapter=stage.adapter(currency="EUR"))

    assert "in AUD but the rule file says EUR" in campaign.ineligible
    assert campaign.currency == "AUD"


# --- writing ------------------------------------------------------------------------------------------------------------


async def test_a_pause_leaves_the_budget_alone(stage: Stage) -> None:
    adapter = stage.adapter()

    changed = await adapter.write(await stage.read(adapter=adapter), PAUSED)

    assert changed.state == PAUSED
    assert stage.account.campaigns["1"].status == "PAUSED"
    assert [event["fields"] for event in stage.account.events] == [{"status": ("ENABLED", "PAUSED")}]
    assert (await stage.read()).state == PAUSED


async def test_a_budget_is_written_in_whole_units_rounded_down(stage: Stage) -> None:
    adapter = stage.adapter()

    changed = await adapter.write(await stage.read(adapter=adapter), State(running=True, budget=Decimal("33.519")))

    assert changed.state == State(running=True, budget=Decimal("33.51"))
    assert stage.account.budgets["71"].amount_micros == 33_510_000
    assert stage.account.campaigns["1"].status == "ENABLED"


async def test_status_and_budget_go_in_one_group_under_our_name(stage: Stage) -> None:
    adapter = stage.adapter()

    changed = await adapter.write(await stage.read(adapter=adapter), State(running=False, budget=Decimal(10)))

    assert changed.state == State(running=False, budget=Decimal("10.00"))
    assert stage.calls(MUTATE) == 1
    assert {(event["resource"], event["client"], event["user"]) for event in stage.account.events} == {
        ("CAMPAIGN", "GOOGLE_ADS_API", EMAIL),
        ("CAMPAIGN_BUDGET", "GOOGLE_ADS_API", EMAIL),
    }


async def test_if_one_half_of_the_group_is_refused_neither_is_done(stage: Stage) -> None:
    adapter = stage.adapter()
    campaign = await stage.read(adapter=adapter)
    stage.account.billable_unit_micros = 1_000_000  # since it was read

    with pytest.raises(RefusedError) as refused:
        await adapter.write(campaign, State(running=False, budget=Decimal("10.50")))

    assert refused.value.code == "CampaignBudgetError.NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT"
    assert stage.account.campaigns["1"].status == "ENABLED"
    assert stage.account.budgets["71"].amount_micros == 60_000_000


async def test_what_is_there_already_is_not_written(stage: Stage) -> None:
    adapter = stage.adapter()
    campaign = await stage.read(adapter=adapter)

    assert await adapter.write(campaign, State(running=True, budget=Decimal("60.001"))) == campaign
    assert await adapter.write(campaign, State(running=True, budget=None)) == campaign
    assert stage.calls(MUTATE) == 0


@pytest.mark.parametrize("amount", ["0", "0.009", "-5", "NaN"])
async def test_an_amount_that_is_no_budget_is_refused(stage: Stage, amount: str) -> None:
    adapter = stage.adapter()

    with pytest.raises(RefusedError):
        await adapter.write(await stage.read(adapter=adapter), State(running=False, budget=Decimal(amount)))
    assert stage.calls(MUTATE) == 0


async def test_a_campaign_of_another_account_is_refused(stage: Stage) -> None:
    stray = replace(await stage.read(), budget_ref="customers/999/campaignBudgets/71")

    with pytest.raises(RefusedError, match="not one of account"):
        await stage.adapter().write(stray, PAUSED)


async def test_an_answer_that_does_not_say_what_was_written_is_followed_by_a_read(stage: Stage) -> None:
    adapter = stage.adapter()
    campaign = await stage.read(adapter=adapter)
    stage.fail("names_only", MUTATE)

    changed = await adapter.write(campaign, State(running=False, budget=Decimal(10)))

    assert changed.state == State(running=False, budget=Decimal("10.00"))
    assert stage.calls(SEARCH) == 3


async def test_if_that_read_fails_too_the_outcome_is_unknown(stage: Stage) -> None:
    adapter = stage.adapter()
    campaign = await stage.read(adapter=adapter)
    stage.fail("names_only", MUTATE)
    stage.fail("permission_denied", SEARCH)

    with pytest.raises(AmbiguousWriteError, match="could not be read back"):
        await adapter.write(campaign, PAUSED)
    assert stage.account.campaigns["1"].status == "PAUSED"


async def test_a_write_that_broke_off_is_ambiguous_is_not_repeated_and_shows_when_read_again(stage: Stage) -> None:
    adapter = stage.adapter()
    campaign = await stage.read(adapter=adapter)
    stage.fail("applied_then_unavailable", MUTATE, times=1)

    with pytest.raises(AmbiguousWriteError):
        await adapter.write(campaign, PAUSED)

    assert stage.calls(MUTATE) == 1
    assert (await stage.read(adapter=adapter)).state == PAUSED


async def test_writes_to_one_account_wait_for_each_other(stage: Stage) -> None:
    for n in range(2, 8):
        stage.add(str(n))
    adapter = stage.adapter()
    found = [one for one in (await adapter.read([str(n) for n in range(1, 8)])).values() if isinstance(one, Campaign)]

    changed = await asyncio.gather(*(adapter.write(one, PAUSED) for one in found))

    assert all(not one.state.running for one in changed)
    assert {one.status for one in stage.account.campaigns.values()} == {"PAUSED"}


def test_a_note_of_another_version_is_none() -> None:
    assert from_note(to_note(None)) == ()
    assert [from_note(text) for text in ("", "{", "[1]", '{"id": "1", "unheard_of": 1}')] == [None] * 4
