"""Who changed what: the account's change history, over the sandbox's server and through the clock's changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from service.core.errors import CredentialsError, ProtocolError, RefusedError, TransientError
from service.core.model import Campaign, LoggedChange, Platform, State
from service.google_ads.changes import DELAY, VIA, EventRow, changes_query, span, time_zone, told
from service.sandbox.google_ads.tokens import EMAIL
from tests.google_ads.conftest import CUSTOMER, SEARCH, Stage

DAY, HOUR, MINUTE, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
MIA = "mia@agency.example"


async def history(stage: Stage, *ids: str, since: timedelta = DAY) -> dict[str, tuple[LoggedChange, ...]]:
    adapter = stage.adapter()
    read = await adapter.read(ids or ("1",))
    now = stage.world.now
    return dict(await adapter.history([one for one in read.values() if isinstance(one, Campaign)], now - since, now))


def log(stage: Stage, client: str, **fields: tuple[object, object]) -> None:
    stage.world.log_google(stage.account, "CAMPAIGN", "1", fields, MIA, client)


async def test_people_are_told_from_us_and_pauses_from_budgets(stage: Stage) -> None:
    started = stage.world.now
    stage.world.edit_google(CUSTOMER, "1", MIA, amount_micros=80_500_000)
    stage.world.advance(HOUR)
    adapter = stage.adapter()
    await adapter.write(await stage.read(adapter=adapter), State(running=False, budget=Decimal("80.50")))

    assert await history(stage) == {
        "1": (
            LoggedChange(started, MIA, "the Google Ads website", budget=Decimal("80.50"), by_hand=True),
            LoggedChange(started + HOUR, EMAIL, "the API", about_status=True, running=False),
        )
    }


async def test_all_campaigns_are_asked_about_in_one_search_and_none_is_left_out(stage: Stage) -> None:
    stage.add("2")
    stage.add("3")
    stage.world.edit_google(CUSTOMER, "2", MIA, status="PAUSED")
    adapter = stage.adapter()
    read = [one for one in (await adapter.read(["1", "2", "404"])).values() if isinstance(one, Campaign)]
    before = stage.calls(SEARCH)

    found = await adapter.history(read, stage.world.now - DAY, stage.world.now)

    assert {id_: len(changes) for id_, changes in found.items()} == {"1": 0, "2": 1, "404": 0}
    assert stage.calls(SEARCH) - before == 1


async def test_nothing_asked_about_means_nothing_sent(stage: Stage) -> None:
    assert await stage.adapter().history([], stage.world.now - DAY, stage.world.now) == {}
    assert not stage.world.requests


async def test_a_shared_budget_is_everybodys_change(stage: Stage) -> None:
    stage.add("2")
    stage.account.campaigns["2"].budget = "71"
    stage.account.budgets["71"].shared = True
    stage.world.log_google(stage.account, "CAMPAIGN_BUDGET", "", {"amount_micros": (60_000_000, 70_000_000)}, MIA, budget="71")

    found = await history(stage, "1", "2")

    assert [[change.budget for change in found[id_]] for id_ in ("1", "2")] == [[Decimal("70.00")]] * 2


@pytest.mark.parametrize(
    ("fields", "about_status", "running"),
    [
        ({"status": ("PAUSED", "ENABLED")}, True, True),
        ({"status": ("ENABLED", "PAUSED")}, True, False),
        ({"status": ("ENABLED", "REMOVED")}, True, None),
        ({"status": ("ENABLED", "DREAMING")}, True, None),
        ({"name": ("Physio", "Physiotherapy")}, False, None),
    ],
    ids=["resumed", "paused", "removed", "a status newer than us", "renamed"],
)
async def test_whether_a_change_was_a_pause_or_a_resume(
    stage: Stage, fields: dict[str, tuple[str, str]], about_status: bool, running: bool | None
) -> None:
    log(stage, "GOOGLE_ADS_WEB_CLIENT", **fields)

    (change,) = (await history(stage))["1"]

    assert (change.about_status, change.running, change.budget) == (about_status, running, None)


@pytest.mark.parametrize("client", [*VIA, "GOOGLE_ADS_TELEPATHY"])
async def test_the_means_are_told_in_plain_words(stage: Stage, client: str) -> None:
    log(stage, client, status=("ENABLED", "PAUSED"))

    (change,) = (await history(stage))["1"]

    assert change.via == VIA.get(client, "")
    assert "_" not in change.via


async def test_what_google_told_too_late_for_the_last_look_is_told_at_the_next(stage: Stage) -> None:
    stage.world.edit_google(CUSTOMER, "1", MIA, status="PAUSED")
    stage.fail("late_changes", SEARCH)
    stage.world.advance(2 * MINUTE)
    assert await history(stage) == {"1": ()}

    stage.world.advance(HOUR)

    (change,) = (await history(stage, since=HOUR))["1"]  # the last look was an hour ago, the pause two minutes before it
    assert not change.running


async def test_what_happened_before_that_is_not_told(stage: Stage) -> None:
    stage.world.edit_google(CUSTOMER, "1", MIA, status="PAUSED")
    stage.world.advance(HOUR + DELAY + SECOND)

    assert await history(stage, since=HOUR) == {"1": ()}


async def test_a_month_is_told_and_more_is_refused_without_asking(stage: Stage) -> None:
    stage.world.edit_google(CUSTOMER, "1", MIA, status="PAUSED")
    stage.world.advance(30 * DAY - SECOND)
    assert len((await history(stage, since=30 * DAY))["1"]) == 1
    stage.world.requests.clear()

    with pytest.raises(RefusedError, match="30 days") as raised:
        await history(stage, since=30 * DAY + SECOND)
    assert raised.value.code == "ChangeEventError.START_DATE_TOO_OLD"
    assert stage.calls(SEARCH) == 2  # the campaigns and the unit


async def test_more_events_than_one_answer_holds_are_all_told_once(stage: Stage) -> None:
    for n in range(10_500):
        log(stage, "GOOGLE_ADS_SCRIPTS", status=("ENABLED", "PAUSED" if n % 2 else "ENABLED"))
        if n % 400 == 0:
            stage.world.advance(timedelta(milliseconds=700))
    adapter = stage.adapter()
    campaign = await stage.read(adapter=adapter)
    before = stage.calls(SEARCH)

    found = (await adapter.history([campaign], stage.world.now - DAY, stage.world.now))["1"]

    assert len(found) == 10_500
    assert [change.at for change in found] == sorted(event["at"] for event in stage.account.events)
    assert stage.calls(SEARCH) - before == 2


@pytest.mark.soak
async def test_more_events_in_one_second_than_can_be_asked_for_are_not_half_told(stage: Stage) -> None:
    stage.world.advance(SECOND / 2)
    for _ in range(10_001):
        log(stage, "GOOGLE_ADS_SCRIPTS", status=("ENABLED", "PAUSED"))

    with pytest.raises(ProtocolError, match="in one second"):
        await history(stage)


@pytest.mark.parametrize(
    ("kind", "error"), [("permission_denied", CredentialsError), ("unavailable", TransientError), ("quota_day", TransientError)]
)
async def test_a_history_that_cannot_be_read_is_no_empty_history(stage: Stage, kind: str, error: type[Exception]) -> None:
    campaign = await stage.read()
    stage.fail(kind, SEARCH)

    with pytest.raises(error):
        await stage.adapter().history([campaign], stage.world.now - DAY, stage.world.now)


async def test_an_account_whose_zone_no_campaign_brought_along_is_asked_for_it(stage: Stage) -> None:
    stage.world.edit_google(CUSTOMER, "1", MIA, status="PAUSED")
    (missing,) = (await stage.adapter().read(["404"])).values()
    assert isinstance(missing, Campaign)

    assert await stage.adapter().history([missing], stage.world.now - DAY, stage.world.now) == {"404": ()}


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc"])
async def test_without_a_zone_that_exists_no_time_can_be_told(stage: Stage, zone: str) -> None:
    campaign = replace(CAMPAIGN, zone=zone)

    with pytest.raises(ProtocolError, match="counts the days"):
        await stage.adapter().history([campaign], stage.world.now - DAY, stage.world.now)


@pytest.mark.parametrize("name", ["Mars/Olympus", "America", "../etc", ""])
def test_a_zone_that_does_not_exist_is_none(name: str) -> None:
    assert time_zone(name) is None


# --- the nights when the clocks change ---------------------------------------------------------------------------------------

SYDNEY = ZoneInfo("Australia/Sydney")
BACK = datetime(2027, 4, 3, 16, tzinfo=UTC)  # 03:00 becomes 02:00
FORTH = datetime(2026, 10, 3, 16, tzinfo=UTC)  # 02:00 becomes 03:00
CAMPAIGN = Campaign(
    Platform.GOOGLE, "1", "", State(running=True, budget=None), "AUD", Decimal("0.01"), zone="Australia/Sydney", budget_ref="b"
)


def event(wall: str) -> EventRow:
    return EventRow(wall, datetime.fromisoformat(wall), "c", MIA, "", about_status=True, status="PAUSED", amount_micros=None)


@pytest.mark.parametrize("turn", [BACK, FORTH], ids=["back", "forth"])
@pytest.mark.parametrize("minutes", range(-80, 81, 10))
def test_the_span_holds_every_wall_clock_reading_between_its_ends(turn: datetime, minutes: int) -> None:
    since, until = turn + minutes * MINUTE, turn + minutes * MINUTE + 20 * MINUTE
    asked = span(since, until, SYDNEY)

    assert asked.first <= asked.last
    for second in range(0, 1_201, 60):
        wall = (since + second * SECOND).astimezone(SYDNEY).replace(tzinfo=None)
        assert asked.first <= wall <= asked.last


def test_in_the_hour_that_comes_twice_a_change_counts_as_the_later_one() -> None:
    rows = [event("2027-04-04 02:30:00"), event("2027-04-04 01:59:59.500000")]

    first, second = told(CAMPAIGN, "c", rows, SYDNEY, BACK + HOUR)
    assert (first.at, second.at) == (BACK - HOUR - SECOND / 2, BACK + 30 * MINUTE)
    (only,) = told(CAMPAIGN, "c", rows[:1], SYDNEY, BACK + 10 * MINUTE)  # the later one is still to come
    assert only.at == BACK - 30 * MINUTE


def test_a_span_is_asked_for_in_whole_seconds_that_leave_nothing_out() -> None:
    since = datetime(2026, 11, 21, 21, 0, 0, 600_000, tzinfo=UTC)
    query = changes_query(span(since, since + HOUR, SYDNEY))

    assert ">= '2026-11-22 08:00:00'" in query
    assert "<= '2026-11-22 09:00:01'" in query
