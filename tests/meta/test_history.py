"""Who changed what, from the activity log: over the wire, and entry by entry."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from service.core.errors import CredentialsError, ProtocolError, RefusedError, TransientError
from service.core.model import Campaign, LoggedChange, Platform, Share, State
from service.core.ports import AdAccount
from service.meta.activity import WINDOW, told, windows
from service.meta.wire import ActivityRow
from service.sandbox.accounts import MetaAdSet
from service.sandbox.meta.activities import APPLICATION, SYSTEM_USER
from tests.meta.stage import ACCOUNT, CAMPAIGN, NOON, QUICK, Stage

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OURS = (SYSTEM_USER, APPLICATION[1])
MARAS = ("Mara", "Ads Manager")

# --- over the wire ------------------------------------------------------------------------------------------------------


async def test_our_hand_and_a_persons_are_told_apart_oldest_first(stage: Stage) -> None:
    campaign = await stage.campaign()
    await stage.account().write(campaign, State(running=True, budget=Decimal(50)))
    stage.world.advance(HOUR)
    stage.world.edit_meta(ACCOUNT, CAMPAIGN, "Mara", status="PAUSED")
    stage.world.advance(HOUR)
    stage.world.edit_meta(ACCOUNT, CAMPAIGN, "Mara", status="ACTIVE")
    log: AdAccount = stage.account()
    found = await log.history([campaign], NOON - HOUR, stage.world.now)
    assert found == {
        CAMPAIGN: (
            LoggedChange(NOON, *OURS, budget=Decimal(50)),
            LoggedChange(NOON + HOUR, *MARAS, about_status=True, running=False),
            LoggedChange(NOON + 2 * HOUR, *MARAS, about_status=True, running=True),
        )
    }


async def test_no_campaign_is_left_out_and_nobody_elses_changes_are_in(stage: Stage) -> None:
    stage.add("2")
    stage.add("3")
    stage.world.edit_meta(ACCOUNT, "2", "Mara", status="PAUSED")
    stage.world.edit_meta(ACCOUNT, "3", "Mara", status="PAUSED")
    campaigns = [await stage.campaign(), await stage.campaign("2")]
    found = await stage.account().history(campaigns, NOON - HOUR, NOON + HOUR)
    assert {id_: len(changes) for id_, changes in found.items()} == {CAMPAIGN: 0, "2": 1}


async def test_of_an_ad_set_its_budget_counts_and_its_own_pause_does_not(stage: Stage) -> None:
    stage.meta.ad_sets["a"] = MetaAdSet("a", CAMPAIGN, "A", daily_budget=3000)
    stage.world.edit_meta(ACCOUNT, "a", "Mara", daily_budget=1000, status="PAUSED")
    campaign = replace(await stage.campaign(), shares=(Share("a", Decimal(30)),))
    found = await stage.account().history([campaign], NOON - HOUR, NOON + HOUR)
    assert found[CAMPAIGN] == (LoggedChange(NOON, *MARAS, budget=Decimal(10), share="a"),)


async def test_more_than_thirty_days_are_asked_for_in_parts_and_nothing_is_told_twice(stage: Stage) -> None:
    for _ in range(4):
        stage.world.edit_meta(ACCOUNT, CAMPAIGN, "Mara", status="PAUSED")
        stage.world.edit_meta(ACCOUNT, CAMPAIGN, "Mara", status="ACTIVE")
        stage.world.advance(WINDOW / 2)
    found = await stage.account().history([await stage.campaign()], NOON, NOON + 2 * WINDOW)
    assert [change.at for change in found[CAMPAIGN]] == [NOON + n * WINDOW / 2 for n in range(4) for _ in range(2)]
    assert len([url for url in stage.urls if "/activities" in url]) == 2


async def test_an_empty_page_in_the_middle_loses_nothing(stage: Stage) -> None:
    for n in range(12):
        stage.world.edit_meta(ACCOUNT, CAMPAIGN, "Mara", daily_budget=4100 + n)
    stage.fail("empty_page_with_next", match="&after=", times=1)
    account = stage.account(limits=replace(QUICK, page=5))
    found = await account.history([await stage.campaign()], NOON - HOUR, NOON + HOUR)
    assert len(found[CAMPAIGN]) == 12


async def test_what_the_log_no_longer_holds_is_not_told_as_nothing(stage: Stage) -> None:
    with pytest.raises(RefusedError, match="90 days"):
        await stage.account().history([await stage.campaign()], NOON - 91 * DAY, NOON)
    assert not any("/activities" in url for url in stage.urls)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("down", TransientError),
        ("token_expired", CredentialsError),
        ("empty_200", ProtocolError),
        ("unknown_code", RefusedError),
    ],
)
async def test_a_log_that_cannot_be_read_is_not_an_empty_one(stage: Stage, kind: str, error: type[Exception]) -> None:
    campaign = await stage.campaign()
    stage.fail(kind, match="/activities")
    with pytest.raises(error):
        await stage.account().history([campaign], NOON - HOUR, NOON)


async def test_nothing_asked_is_nothing_sent(stage: Stage) -> None:
    assert await stage.account().history([], NOON - HOUR, NOON) == {}
    assert stage.urls == []


# --- entry by entry -----------------------------------------------------------------------------------------------------

SEEN = Campaign(Platform.META, "1", "One", State(running=True, budget=Decimal(75)), "EUR", Decimal("0.01"))


def _told(event: str, extra: object, *, object_id: str = "1", seen: Campaign = SEEN) -> tuple[LoggedChange, ...]:
    text = extra if isinstance(extra, str) or extra is None else json.dumps(extra)
    row = ActivityRow(event_time=NOON, event_type=event, object_id=object_id, actor_name="Mara", extra_data=text)
    return told([row], [seen])["1"]


def _composite(new: object, currency: str = "EUR") -> dict[str, Any]:
    amount = {"type": "payment_amount", "currency": currency}
    return {
        "type": "composite_data",
        "old_value": amount | {"old_value": 75000, "additional_value": ""},
        "new_value": amount | {"new_value": new, "additional_type": "status_string", "additional_value": "Pro Tag"},
    }


@pytest.mark.parametrize(
    ("extra", "budget"),
    [
        (_composite(63800), "638"),
        (_composite("63800"), "638"),
        ({"old_value": "5000", "new_value": "7500"}, "75"),
        (_composite(63800, "USD"), None),
        (_composite("a lot"), None),
        (_composite(True), None),
        (_composite(-5), None),
        ({"new_value": {"new_value": {"deeper": 1}}}, None),
        ({"new_value": None}, None),
        ([1, 2], None),
        (None, None),
        ("null", None),
        ("Budget wurde geändert", None),
        ("{broken", None),
    ],
    ids=str,
)
def test_a_budget_is_read_from_either_shape_and_told_without_its_value_from_any_other(
    extra: object, budget: str | None
) -> None:
    (change,) = _told("update_campaign_budget", extra)
    assert change == LoggedChange(NOON, "Mara", "", budget=None if budget is None else Decimal(budget))


def _status(old: object, new: object, word: str = "Inaktiv") -> dict[str, Any]:
    return {"type": "run_status", "old_value": "?", "new_value": word, "run_status": {"old_value": old, "new_value": new}}


@pytest.mark.parametrize(
    ("extra", "running"),
    [
        (_status(1, 17), False),
        (_status(17, 1, "Aktiv"), True),
        (_status(15, 1), True),
        (_status("1", "17"), False),
        (_status(15, 17, "Active"), None),
        (_status(None, 17), None),
        (_status(1, 99), None),
        ({"old_value": "Active", "new_value": "Inactive"}, False),
        ({"old_value": "PAUSED", "new_value": "ACTIVE"}, True),
        ({"old_value": "Aktiv", "new_value": "Inaktiv"}, None),
        ({"new_value": 17}, None),
        (None, None),
        ("Pausiert", None),
    ],
    ids=str,
)
def test_a_pause_or_resume_is_told_as_one_even_where_it_cannot_be_read_which(extra: object, running: bool | None) -> None:
    (change,) = _told("update_campaign_run_status", extra)
    assert change == LoggedChange(NOON, "Mara", "", about_status=True, running=running)


def test_a_status_under_another_name_is_known_by_its_content() -> None:
    (change,) = _told("update_campaign_group_something", _status(1, 17))
    assert (change.about_status, change.running) == (True, False)


@pytest.mark.parametrize(
    "event", ["update_campaign_budget_optimization_toggling_status", "update_campaign_group_budget_scaling_extra_budget"]
)
def test_what_is_about_a_budget_without_being_one_has_no_value(event: str) -> None:
    (change,) = _told(event, {"old_value": "0", "new_value": "500"})
    assert (change.about_status, change.budget) == (False, None)


@pytest.mark.parametrize("event", ["update_campaign_name", "campaign_ended", "update_campaign_group_spend_cap"])
def test_other_events_are_no_changes_of_status_or_budget(event: str) -> None:
    assert _told(event, {"new_value": "500"}) == ()


def test_only_the_object_decides_whose_event_it_is() -> None:
    divided = replace(SEEN, shares=(Share("7", Decimal(75)),))
    flat = {"old_value": "5000", "new_value": "7500"}
    assert _told("update_campaign_budget", flat, object_id="7", seen=divided)[0].share == "7"
    assert _told("update_campaign_run_status", _status(1, 17), object_id="7", seen=divided) == ()
    assert _told("update_ad_set_budget", flat, object_id="8", seen=divided) == ()


def test_an_event_that_does_not_say_of_what_makes_the_log_unreadable() -> None:
    with pytest.raises(ProtocolError, match="nothing in particular"):
        _told("update_campaign_run_status", None, object_id="")


def test_steps_of_one_second_keep_their_order() -> None:
    rows = [
        ActivityRow(event_time=NOON, event_type="update_campaign_run_status", object_id="1", extra_data=json.dumps(extra))
        for extra in (_status(17, 1), _status(15, 17))
    ]
    assert [change.running for change in told(rows, [SEEN])["1"]] == [None, True]


@pytest.mark.parametrize("days", [0, 1, 29, 30, 31, 60, 90])
def test_windows_leave_no_second_out_and_none_is_too_long(days: int) -> None:
    since = datetime(2026, 8, 1, 12, 0, 0, 500_000, tzinfo=UTC)
    found = list(windows(since, since + days * DAY))
    assert found[0][0] == int(since.timestamp())
    assert found[-1][1] >= (since + days * DAY).timestamp()
    assert all(last - first <= WINDOW.total_seconds() for first, last in found)
    assert all(before[1] == after[0] for before, after in pairwise(found))
