"""A survey of a Meta ad account: what there is to govern, whether a rule file names it or not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from service.core.errors import CredentialsError, ProtocolError
from service.core.model import State
from service.meta.credentials import MetaCredentials
from service.sandbox.accounts import MetaAdSet
from tests.meta.stage import ACCOUNT, CAMPAIGN, NOON, QUICK, Stage


async def test_every_campaign_that_is_neither_archived_nor_deleted_is_listed(stage: Stage) -> None:
    stage.add("2", daily_budget=2000, status="PAUSED")
    stage.add("3", status="ARCHIVED")
    stage.add("4", status="DELETED")
    stage.add("5", daily_budget=None)
    stage.add("6")
    stage.meta.ad_sets["61"] = MetaAdSet("61", "6", "over", end_time=NOON - timedelta(days=1))
    found = await stage.account().survey()
    assert (found.id, found.currency, found.zone) == (ACCOUNT, "AUD", "Australia/Sydney")
    assert [each.id for each in found.campaigns] == [CAMPAIGN, "2", "5", "6"]
    assert found.campaigns[1].state == State(running=False, budget=Decimal("20.00"))
    reasons = [each.ineligible for each in found.campaigns]
    assert reasons[:2] == ["", ""]
    assert "nor any of its ad sets that can spend has a budget" in reasons[2]
    assert "it has ended" in reasons[3]


async def test_pages_are_followed_past_an_empty_one(stage: Stage) -> None:
    ids = [CAMPAIGN, *(stage.add(str(100 + n)).id for n in range(22))]
    stage.fail("empty_page_with_next", match="&after=", times=1)
    found = await stage.account(limits=replace(QUICK, page=5)).survey()
    assert [each.id for each in found.campaigns] == ids


async def test_half_a_list_is_no_list(stage: Stage) -> None:
    stage.fail("same_cursor", match="/campaigns")
    with pytest.raises(ProtocolError, match="circles"):
        await stage.account().survey()


async def test_an_account_in_another_currency_than_the_files_is_judged_in_its_own(stage: Stage) -> None:
    stage.meta.currency = "JPY"
    found = await stage.account(currency="AUD").survey()
    assert found.currency == "JPY"
    assert found.campaigns[0].state.budget == Decimal(4000)
    assert not found.campaigns[0].ineligible


async def test_nothing_is_written_and_no_report_is_asked_for(stage: Stage) -> None:
    await stage.account().survey()
    assert stage.sent("POST") == []
    assert not any("insights" in url for url in stage.urls)


async def test_a_token_that_opens_nothing_is_no_empty_account(stage: Stage) -> None:
    with pytest.raises(CredentialsError):
        await stage.account(credentials=MetaCredentials("EAAwrongwrongwrongwrong", "x")).survey()
