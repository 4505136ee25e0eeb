"""Campaigns whose budget their ad sets hold, read and written over the wire. What was done is asserted in the world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.core.errors import (
    AmbiguousWriteError,
    CredentialsError,
    OutsideError,
    PartialWriteError,
    RefusedError,
    StoppedError,
    TransientError,
)
from service.core.model import Campaign, Share, Shares, State
from service.meta.errors import SPENT_TODAY
from service.sandbox.accounts import MetaAdSet
from tests.meta.stage import ACCOUNT, CAMPAIGN, NOON, Stage, staged

DAY = timedelta(days=1)


def shares(**amounts: str | int) -> Shares:
    return tuple(Share(id_, Decimal(amount)) for id_, amount in amounts.items())


def target(budget: str | int, *, running: bool = True) -> State:
    return State(running, Decimal(budget))


@pytest.fixture
def divided() -> Iterator[Stage]:
    """A campaign of 40.00 a day in three ad sets that spend; a fourth is paused and a fifth is over."""
    with staged() as stage:
        stage.add(CAMPAIGN, name="Physio | Feed", daily_budget=None, spend_today=Decimal("8.50"))
        for id_, minor in (("a", 1000), ("b", 1000), ("c", 2000)):
            stage.meta.ad_sets[id_] = MetaAdSet(id_, CAMPAIGN, id_.upper(), daily_budget=minor)
        stage.meta.ad_sets["d"] = MetaAdSet("d", CAMPAIGN, "D", status="PAUSED", daily_budget=700)
        stage.meta.ad_sets["e"] = MetaAdSet("e", CAMPAIGN, "E", daily_budget=900, end_time=NOON)
        yield stage


def held(stage: Stage) -> dict[str, int | None]:
    return {id_: ad_set.daily_budget for id_, ad_set in stage.meta.ad_sets.items()}


def writes(stage: Stage) -> list[str]:
    """What was really changed, in order."""
    return [f"{entry['object']} {entry['field']} {entry['new']}" for entry in stage.meta.activities]


# --- read ---------------------------------------------------------------------------------------------------------------


async def test_the_budget_is_the_sum_of_the_ad_sets_that_can_spend(divided: Stage) -> None:
    campaign = await divided.campaign()
    assert campaign.ineligible == ""
    assert campaign.state == target("40.00")
    assert campaign.shares == shares(a="10.00", b="10.00", c="20.00")
    assert campaign.least == Decimal("3.00")
    assert (campaign.spent_today, campaign.budget_ref) == (Decimal("8.50"), "")


async def test_what_today_has_cost_of_each_is_read_where_it_can_be(divided: Stage) -> None:
    divided.meta.ad_sets["a"].spend_today = Decimal("4.20")
    divided.meta.ad_sets["c"].spend_today = Decimal("4.30")
    assert (await divided.campaign()).spent_shares == shares(a="4.20", c="4.30")
    divided.fail("throttled", match="level=adset")
    campaign = await divided.campaign()
    assert (campaign.spent_shares, campaign.spent_today, campaign.ineligible) == ((), Decimal("8.50"), "")


async def test_nothing_is_asked_of_ad_sets_that_hold_no_budget(stage: Stage) -> None:
    await stage.campaign()
    assert not any("level=adset" in url for url in stage.urls)


async def test_of_a_paused_campaign_its_ad_sets_still_hold_the_budget(divided: Stage) -> None:
    divided.meta.campaigns[CAMPAIGN].status = "PAUSED"
    campaign = await divided.campaign()
    assert (campaign.state, campaign.ineligible) == (target("40.00", running=False), "")


async def test_a_survey_shows_it_as_one_that_can_be_governed(divided: Stage) -> None:
    (campaign,) = (await divided.account().survey()).campaigns
    assert (campaign.state, campaign.ineligible, len(campaign.shares)) == (target("40.00"), "", 3)


async def test_whole_yen_are_summed_as_whole_yen() -> None:
    with staged("JPY") as stage:
        stage.add(CAMPAIGN, daily_budget=None)
        stage.meta.ad_sets["a"] = MetaAdSet("a", CAMPAIGN, "A", daily_budget=1500)
        campaign = await stage.campaign()
    assert (str(campaign.state.budget), campaign.shares) == ("1500", shares(a=1500))


async def test_ad_sets_of_a_campaign_with_a_budget_of_its_own_hold_none(stage: Stage) -> None:
    stage.meta.ad_sets["a"] = MetaAdSet("a", CAMPAIGN, "A")
    campaign = await stage.campaign()
    assert (campaign.shares, campaign.state, campaign.least) == ((), target("40.00"), Decimal("1.00"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"daily_budget": None, "lifetime_budget": 90000}, "ad set b has a lifetime budget"),
        ({"is_budget_schedule_enabled": True}, "a budget schedule raises the budget of its ad set b"),
        ({"daily_budget": None}, "the budget of its ad set b cannot be seen"),
    ],
    ids=str,
)
async def test_an_ad_set_that_cannot_be_scaled_makes_the_campaign_ineligible(
    divided: Stage, changes: dict[str, Any], sentence: str
) -> None:
    divided.meta.ad_sets["b"] = replace(divided.meta.ad_sets["b"], **changes)
    assert sentence in (await divided.campaign()).ineligible
    assert " in Ads Manager" in (await divided.campaign()).ineligible
    divided.meta.ad_sets["b"].status = "PAUSED"
    assert (await divided.campaign()).ineligible == "", "what cannot spend does not matter"


async def test_without_an_ad_set_that_can_spend_there_is_nothing_to_scale(divided: Stage) -> None:
    for id_ in "abc":
        divided.meta.ad_sets[id_].status = "PAUSED"
    assert "nor any of its ad sets that can spend has a budget" in (await divided.campaign()).ineligible
    divided.meta.ad_sets = {"e": divided.meta.ad_sets["e"]}
    assert "it has ended" in (await divided.campaign()).ineligible


# --- written ------------------------------------------------------------------------------------------------------------


async def test_every_ad_set_gets_its_part_and_the_others_are_left_alone(divided: Stage) -> None:
    after = await divided.account().write(await divided.campaign(), target(24), shares(a=6, b=6, c=12))
    assert (after.state, after.shares) == (target(24), shares(a=6, b=6, c=12))
    assert held(divided) == {"a": 600, "b": 600, "c": 1200, "d": 700, "e": 900}


async def test_a_pause_and_a_resume_are_the_campaigns_alone(divided: Stage) -> None:
    campaign = await divided.campaign()
    paused = await divided.account().write(campaign, target(40, running=False), campaign.shares)
    await divided.account().write(paused, target(40), campaign.shares)
    assert writes(divided) == [f"{CAMPAIGN} status PAUSED", f"{CAMPAIGN} status ACTIVE"]
    assert {ad_set.status for ad_set in divided.meta.ad_sets.values()} == {"ACTIVE", "PAUSED"}


async def test_an_ad_set_whose_part_stays_is_not_written(divided: Stage) -> None:
    await divided.account().write(await divided.campaign(), target(41), shares(a=10, b=10, c=21))
    assert writes(divided) == ["c daily_budget 2100"]
    assert len(divided.sent("POST")) == 1, "a single request needs no rehearsal"


@pytest.mark.parametrize(
    ("wanted", "made"),
    [
        (shares(a=30, b=5, c=5), ["b daily_budget 500", "c daily_budget 500", "a daily_budget 3000"]),
        (shares(a=12, b=12, c=36), ["a daily_budget 1200", "b daily_budget 1200", "c daily_budget 3600"]),
        (shares(a=11, b=1, c=1), ["b daily_budget 100", "c daily_budget 100", "a daily_budget 1100"]),
    ],
    ids=["moved", "raised", "cut"],
)
async def test_on_the_way_the_sum_is_never_more_than_before_or_after(divided: Stage, wanted: Shares, made: list[str]) -> None:
    divided.meta.campaigns[CAMPAIGN].spend_today = Decimal(0)
    campaign = await divided.campaign()
    total = sum((share.budget for share in wanted), Decimal(0))
    if total == 40:
        campaign = replace(campaign, state=target("39.99"))
    await divided.account().write(campaign, target(str(total)), wanted)
    assert writes(divided) == made
    sums: list[int] = []
    there = {"a": 1000, "b": 1000, "c": 2000}
    for entry in divided.meta.activities:
        there[entry["object"]] = entry["new"]
        sums.append(sum(there.values()))
    assert max(sums) <= max(4000, int(total * 100))


async def test_a_resume_comes_last_and_a_pause_first(divided: Stage) -> None:
    campaign = await divided.campaign()
    paused = await divided.account().write(campaign, target(24, running=False), shares(a=6, b=6, c=12))
    await divided.account().write(paused, target(20), shares(a=5, b=5, c=10))
    assert [write.split()[0] for write in writes(divided)] == [CAMPAIGN, "a", "b", "c", "a", "b", "c", CAMPAIGN]


@pytest.mark.parametrize(
    "wanted", [shares(a=6, b=6, c=11), shares(a=12, b=12), shares(a=6, b=6, c=6, d=6), ()], ids=["sum", "few", "many", "none"]
)
async def test_a_division_that_does_not_fit_is_not_sent(divided: Stage, wanted: Shares) -> None:
    with pytest.raises(RefusedError, match="not divided among its ad sets"):
        await divided.account().write(await divided.campaign(), target(24), wanted)
    assert divided.sent("POST") == []


# --- refused before anything is changed ---------------------------------------------------------------------------------


async def test_what_one_ad_set_has_spent_today_refuses_the_whole_by_name(divided: Stage) -> None:
    divided.meta.ad_sets["c"].spend_today = Decimal("11.00")
    with pytest.raises(RefusedError) as raised:
        await divided.account().write(await divided.campaign(), target(24), shares(a=6, b=6, c=12))
    assert raised.value.code == SPENT_TODAY
    assert writes(divided) == []
    await divided.account().write(await divided.campaign(), target("24.20"), shares(a="6.05", b="6.05", c="12.10"))


async def test_a_plain_invalid_parameter_below_what_the_campaign_has_spent_is_the_same(divided: Stage) -> None:
    campaign = replace(await divided.campaign(), spent_today=Decimal(30))
    divided.meta.ad_sets["c"].status = "ARCHIVED"  # answers 100 without a subcode
    with pytest.raises(RefusedError) as raised:
        await divided.account().write(campaign, target(24), shares(a=6, b=6, c=12))
    assert raised.value.code == SPENT_TODAY
    assert writes(divided) == []


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("throttled", TransientError),
        ("permission", CredentialsError),
        ("unknown_code", RefusedError),
        ("success_false", RefusedError),
    ],
)
async def test_a_refusal_of_any_of_them_comes_before_the_first_is_changed(
    divided: Stage, kind: str, error: type[OutsideError]
) -> None:
    campaign = await divided.campaign()
    divided.fail(kind, match="POST /v26.0/c/")
    with pytest.raises(error):
        await divided.account().write(campaign, target(24), shares(a=6, b=6, c=12))
    assert writes(divided) == []


# --- half-way -----------------------------------------------------------------------------------------------------------

REAL = " daily_budget="
"""A request that really changes something begins with this; one that only checks with its execution options."""


@pytest.mark.parametrize("kind", ["throttled", "permission", "unknown_code", "success_false"])
async def test_a_refusal_half_way_says_so(divided: Stage, kind: str) -> None:
    campaign = await divided.campaign()
    divided.fail(kind, match=f"/b/?{await _query(divided)}{REAL}")
    with pytest.raises(PartialWriteError, match="1 of 3 requests were made"):
        await divided.account().write(campaign, target(24), shares(a=6, b=6, c=12))
    assert held(divided) == {"a": 600, "b": 1000, "c": 2000, "d": 700, "e": 900}


async def _query(stage: Stage) -> str:
    """What follows the `?` of every POST: the proof."""
    return next(url for url in stage.urls if "appsecret_proof" in url and "fields" in url).split("?")[1].split("&")[0]


@pytest.mark.parametrize(
    ("kind", "changed"),
    [("applied_then_502", True), ("applied_then_reset", True), ("html_502", False), ("empty_200", False), ("busy", False)],
)
async def test_an_answer_lost_half_way_is_ambiguous(divided: Stage, kind: str, changed: bool) -> None:
    campaign = await divided.campaign()
    divided.fail(kind, match=f"/b/?{await _query(divided)}{REAL}")
    with pytest.raises(AmbiguousWriteError):
        await divided.account().write(campaign, target(24), shares(a=6, b=6, c=12))
    assert held(divided) == {"a": 600, "b": 600 if changed else 1000, "c": 2000, "d": 700, "e": 900}


async def test_an_unknown_refusal_of_something_that_was_done_is_not_believed(divided: Stage) -> None:
    campaign = await divided.campaign()
    divided.fail("unknown_code_applied", match=f"/b/?{await _query(divided)}{REAL}")
    after = await divided.account().write(campaign, target(24), shares(a=6, b=6, c=12))
    assert after.shares == shares(a=6, b=6, c=12)


@pytest.mark.parametrize(
    ("asked", "error", "changed"), [(1, StoppedError, 0), (2, PartialWriteError, 1), (3, PartialWriteError, 2)]
)
async def test_a_persons_word_is_asked_for_before_each_request(
    divided: Stage, asked: int, error: type[OutsideError], changed: int
) -> None:
    words = [""] * (asked - 1) + ["held by Mia: new website"]

    async def stop() -> str:
        return words.pop(0)

    with pytest.raises(error, match="held by Mia: new website") as raised:
        await divided.account().write(await divided.campaign(), target(24), shares(a=6, b=6, c=12), stop)
    assert raised.value.code == "stopped"
    assert [held(divided)[id_] for id_ in "abc"] == [600, 600, 1200][:changed] + [1000, 1000, 2000][changed:]


# --- four an hour -------------------------------------------------------------------------------------------------------


async def test_one_ad_set_at_its_limit_holds_the_whole_back(divided: Stage) -> None:
    account = divided.account()
    for n in range(1, 5):
        campaign = await divided.campaign()
        await account.write(campaign, target(40 + n), shares(a=10, b=10, c=20 + n))
    with pytest.raises(TransientError) as raised:
        await account.write(await divided.campaign(), target(24), shares(a=6, b=6, c=12))
    assert raised.value.code == "613/1487632"
    assert writes(divided) == [f"c daily_budget {2000 + n * 100}" for n in range(1, 5)]
    await account.write(await divided.campaign(), target(46), shares(a=11, b=11, c=24))


async def test_a_person_who_divides_it_anew_is_read_back_as_such(divided: Stage) -> None:
    campaign = await divided.campaign()
    divided.world.edit_meta(ACCOUNT, "a", "Mara", daily_budget=1500)
    divided.world.edit_meta(ACCOUNT, "b", "Mara", daily_budget=500)
    assert (await divided.account().write(campaign, campaign.state, campaign.shares)).shares == shares(a=15, b=5, c=20)
    again = await divided.campaign()
    assert isinstance(again, Campaign)
    assert again.state == campaign.state
