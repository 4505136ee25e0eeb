"""A survey of a Google Ads account: what there is to govern, whether a rule file names it or not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from service.core.errors import CredentialsError
from service.core.model import State
from tests.google_ads.conftest import CUSTOMER, MUTATE, SEARCH, Stage


async def test_every_campaign_that_is_not_removed_is_listed_in_one_search(stage: Stage) -> None:
    stage.add("2", 30_000_000, status="PAUSED")
    stage.add("3", status="REMOVED")
    stage.add("4", shared=True)
    found = await stage.adapter().survey()
    assert (found.id, found.currency, found.zone) == (CUSTOMER, "AUD", "Australia/Sydney")
    assert [(each.id, each.state.running) for each in found.campaigns] == [("1", True), ("2", False), ("4", True)]
    assert found.campaigns[1].state == State(running=False, budget=Decimal("30.00"))
    assert [each.ineligible for each in found.campaigns] == ["", "", ""]
    assert [each.sharers for each in found.campaigns] == [(), (), ("4",)]
    assert (stage.calls(SEARCH), stage.calls(MUTATE)) == (2, 0)  # the campaigns, and once the currency's unit


async def test_an_account_in_another_currency_than_the_files_is_judged_in_its_own(stage: Stage) -> None:
    stage.account.currency, stage.account.billable_unit_micros = "JPY", 1_000_000
    stage.add("2", 6_000_000_000)
    found = await stage.adapter(currency="AUD").survey()
    assert found.currency == "JPY"
    assert [each.ineligible for each in found.campaigns] == ["", ""]
    assert found.campaigns[1].state.budget == Decimal(6000)


async def test_an_account_without_campaigns_still_says_its_currency_and_zone(stage: Stage) -> None:
    stage.account.campaigns.clear()
    found = await stage.adapter().survey()
    assert (found.currency, found.zone, found.campaigns) == ("AUD", "Australia/Sydney", ())


async def test_an_account_that_denies_access_is_no_empty_account(stage: Stage) -> None:
    with pytest.raises(CredentialsError, match="login_customer_id"):
        await stage.adapter(login=None).survey()
