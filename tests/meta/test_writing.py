"""What is written to a campaign, and what is concluded when Meta's answer is unclear. State is asserted in the world."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from service.core.errors import AmbiguousWriteError, CredentialsError, OutsideError, RefusedError, TransientError
from service.core.model import State
from service.meta.errors import SPENT_TODAY
from service.sandbox.accounts import MetaAdSet, MetaCampaign
from service.sandbox.meta.activities import SYSTEM_USER
from tests.meta.stage import CAMPAIGN, QUICK, Stage, staged


def target(*, running: bool = True, budget: str = "40.00") -> State:
    return State(running=running, budget=Decimal(budget))


def there(stage: Stage) -> MetaCampaign:
    return stage.meta.campaigns[CAMPAIGN]


async def test_a_pause_leaves_the_budget_alone(stage: Stage) -> None:
    after = await stage.account().write(await stage.campaign(), target(running=False))
    assert after.state == target(running=False)
    assert (there(stage).status, there(stage).daily_budget) == ("PAUSED", 4000)
    assert [entry["field"] for entry in stage.meta.activities] == ["status"]


async def test_a_budget_leaves_the_status_alone(stage: Stage) -> None:
    after = await stage.account().write(await stage.campaign(), target(budget="52.50"))
    assert after.state == target(budget="52.50")
    assert (there(stage).status, there(stage).daily_budget) == ("ACTIVE", 5250)
    assert there(stage).updated_time is None


async def test_status_and_budget_go_in_one_request(stage: Stage) -> None:
    stage.world.edit_meta(stage.meta.id, CAMPAIGN, "Mara", status="PAUSED")
    after = await stage.account().write(await stage.campaign(), target(running=True, budget="60"))
    assert after.state == State(running=True, budget=Decimal(60))
    assert (there(stage).status, there(stage).daily_budget) == ("ACTIVE", 6000)
    assert len(stage.sent("POST")) == 1
    assert {entry["actor"] for entry in stage.meta.activities[1:]} == {SYSTEM_USER}


async def test_what_is_there_already_is_not_written_but_read_again(stage: Stage) -> None:
    campaign = await stage.campaign()
    stage.world.edit_meta(stage.meta.id, CAMPAIGN, "Mara", daily_budget=7000)
    after = await stage.account().write(campaign, campaign.state)
    assert stage.sent("POST") == []
    assert after.state.budget == 70


async def test_a_failed_reading_where_nothing_was_sent_is_not_ambiguous(stage: Stage) -> None:
    campaign = await stage.campaign()
    stage.fail("down", match="GET")
    with pytest.raises(TransientError):
        await stage.account().write(campaign, campaign.state)


async def test_what_comes_back_is_what_was_read_not_what_was_asked(stage: Stage) -> None:
    campaign = await stage.campaign()
    stage.world.edit_meta(stage.meta.id, CAMPAIGN, "Mara", status="PAUSED")
    after = await stage.account().write(campaign, target(budget="50"))
    assert after.state == target(running=False, budget="50")


@pytest.mark.parametrize("budget", ["40.001", "0", "-5", "NaN", "Infinity"])
async def test_an_amount_meta_cannot_hold_is_not_sent(stage: Stage, budget: str) -> None:
    with pytest.raises(RefusedError):
        await stage.account().write(await stage.campaign(), target(budget=budget))
    assert stage.sent("POST") == []


async def test_half_a_yen_is_not_sent() -> None:
    with staged("JPY") as stage:
        with pytest.raises(RefusedError, match="multiple of 1"):
            await stage.account().write(await stage.campaign(), target(budget="4000.50"))
        assert stage.sent("POST") == []


async def test_a_budget_is_never_added_to_a_campaign_whose_ad_sets_hold_it(stage: Stage) -> None:
    campaign = await stage.campaign()
    without = replace(campaign, state=State(running=True, budget=None))
    with pytest.raises(RefusedError, match="not added"):
        await stage.account().write(without, target())
    with pytest.raises(RefusedError, match="not added or removed"):
        await stage.account().write(campaign, State(running=True, budget=None))
    assert stage.sent("POST") == []


# --- refusals -----------------------------------------------------------------------------------------------------------


async def test_a_cut_below_what_today_has_cost_is_refused_by_name(stage: Stage) -> None:
    with pytest.raises(RefusedError) as raised:
        await stage.account().write(await stage.campaign(), target(budget="9.34"))
    assert raised.value.code == SPENT_TODAY
    assert there(stage).daily_budget == 4000
    await stage.account().write(await stage.campaign(), target(budget="9.35"))
    assert there(stage).daily_budget == 935


async def test_a_plain_invalid_parameter_for_such_a_cut_is_the_same_refusal(stage: Stage) -> None:
    campaign = await stage.campaign()
    there(stage).buying_type = "RESERVED"  # answers 100 without a subcode
    with pytest.raises(RefusedError) as raised:
        await stage.account().write(campaign, target(budget="9.00"))
    assert raised.value.code == SPENT_TODAY
    with pytest.raises(RefusedError) as raised:
        await stage.account().write(campaign, target(budget="30.00"))
    assert raised.value.code == "100"


@pytest.mark.parametrize(("budget", "code"), [("0.99", "100/1885272"), ("1000000.01", "100/1885261")])
async def test_metas_limits_come_back_as_refusals(stage: Stage, budget: str, code: str) -> None:
    there(stage).spend_today = Decimal(0)
    with pytest.raises(RefusedError) as raised:
        await stage.account().write(await stage.campaign(), target(budget=budget))
    assert raised.value.code == code
    assert "(" + code in str(raised.value)


async def test_a_budget_on_two_levels_is_a_refusal(stage: Stage) -> None:
    campaign = await stage.campaign()
    there(stage).daily_budget = None
    stage.meta.ad_sets["a"] = MetaAdSet("a", CAMPAIGN, "A", daily_budget=3000)
    with pytest.raises(RefusedError) as raised:
        await stage.account().write(campaign, target(budget="50"))
    assert raised.value.code == "100/1885621"


@pytest.mark.parametrize(
    ("kind", "error", "code"),
    [
        ("token_expired", CredentialsError, "190/463"),
        ("permission", CredentialsError, "200"),
        ("throttled", TransientError, "80004/2446079"),
        ("unknown_code", RefusedError, "31337"),
        ("success_false", RefusedError, "no_success"),
    ],
)
async def test_a_write_that_was_not_made_says_so(stage: Stage, kind: str, error: type[OutsideError], code: str) -> None:
    campaign = await stage.campaign()
    stage.fail(kind, match="POST")
    with pytest.raises(error) as raised:
        await stage.account().write(campaign, target(budget="50"))
    assert raised.value.code == code
    assert there(stage).daily_budget == 4000
    assert len(stage.sent("POST")) == 1


async def test_an_unknown_refusal_of_something_that_was_done_is_not_believed(stage: Stage) -> None:
    campaign = await stage.campaign()
    stage.fail("unknown_code_applied", match="POST")
    assert (await stage.account().write(campaign, target(budget="50"))).state.budget == 50


async def test_an_unknown_refusal_that_cannot_be_checked_is_ambiguous(stage: Stage) -> None:
    campaign = await stage.campaign()
    stage.fail("unknown_code", match="POST")
    stage.fail("down", match="GET")
    with pytest.raises(AmbiguousWriteError):
        await stage.account().write(campaign, target(budget="50"))


# --- ambiguity ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "applied"),
    [
        ("applied_then_reset", True),
        ("applied_then_502", True),
        ("applied_then_timeout", True),
        ("timeout", False),
        ("html_502", False),
        ("down", False),
        ("empty_200", False),
        ("json_500_without_error", False),
        ("unconfirmed", False),
        ("busy", False),
    ],
)
async def test_a_write_of_unknown_outcome_is_sent_once_and_readable_afterwards(stage: Stage, kind: str, applied: bool) -> None:
    campaign = await stage.campaign()
    stage.fail(kind, match="POST")
    with pytest.raises(AmbiguousWriteError):
        await stage.account().write(campaign, target(running=False, budget="50"))
    assert len(stage.sent("POST")) == 1
    assert (await stage.campaign()).state == (target(running=False, budget="50") if applied else target())


async def test_a_write_that_outlives_its_deadline_is_ambiguous(stage: Stage) -> None:
    campaign = await stage.campaign()
    stage.fail("applied_then_timeout", match="POST")
    with pytest.raises(AmbiguousWriteError, match=r"within 0\.2 s"):
        await stage.account(limits=replace(QUICK, call=0.2)).write(campaign, target(budget="50"))
    assert (await stage.campaign()).state.budget == 50


async def test_a_write_that_cannot_be_read_back_is_ambiguous(stage: Stage) -> None:
    campaign = await stage.campaign()
    stage.fail("down", match="GET")
    with pytest.raises(AmbiguousWriteError, match="not confirmed"):
        await stage.account().write(campaign, target(budget="50"))
    assert there(stage).daily_budget == 5000


async def test_a_write_without_a_connection_was_certainly_not_made(stage: Stage) -> None:
    campaign = await stage.campaign()
    with pytest.raises(TransientError):
        await stage.account(base_url="http://127.0.0.1:9").write(campaign, target(budget="50"))


# --- four an hour -------------------------------------------------------------------------------------------------------


async def test_the_fifth_change_of_a_budget_within_the_hour_is_not_sent(stage: Stage) -> None:
    account = stage.account()
    for budget in ("41", "42", "43", "44"):
        await account.write(await stage.campaign(), target(budget=budget))
        stage.world.advance(timedelta(minutes=10))
    with pytest.raises(TransientError) as raised:
        await account.write(await stage.campaign(), target(budget="45"))
    assert raised.value.retry_after == timedelta(minutes=20)
    assert len(stage.sent("POST")) == 4
    await account.write(await stage.campaign(), target(running=False, budget="44"))  # a pause is no budget change
    stage.world.advance(timedelta(minutes=21))
    assert (await account.write(await stage.campaign(), target(running=False, budget="45"))).state.budget == 45


async def test_a_change_of_unknown_outcome_counts(stage: Stage) -> None:
    account = stage.account()
    stage.fail("applied_then_502", match="POST", times=4)
    for budget in ("41", "42", "43", "44"):
        with pytest.raises(AmbiguousWriteError):
            await account.write(await stage.campaign(), target(budget=budget))
    with pytest.raises(TransientError):
        await account.write(await stage.campaign(), target(budget="45"))
    assert len(stage.sent("POST")) == 4


async def test_after_a_restart_metas_own_limit_is_understood(stage: Stage) -> None:
    for budget in ("41", "42", "43", "44"):
        await stage.account().write(await stage.campaign(), target(budget=budget))
    with pytest.raises(TransientError) as raised:
        await stage.account().write(await stage.campaign(), target(budget="45"))
    assert (raised.value.code, raised.value.retry_after) == ("613/1487632", timedelta(hours=1))
