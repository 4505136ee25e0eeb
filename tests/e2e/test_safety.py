"""With bad readings nothing is paused and nothing raised, and people win: over real wire protocols."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.core.model import Campaign, Reason, State, Verdict
from service.google_ads.account import GoogleAdsAccount
from service.governor import Report
from service.sandbox.controls import as_held
from service.sandbox.scene import HARBOUR, types_named
from service.sandbox.world import Fault
from tests.e2e.conftest import Standing
from tests.support import local, shipped

HOUR = timedelta(hours=1)


def held(standing: Standing) -> list[tuple[Any, ...]]:
    """Status and budget of every campaign, as the platforms hold them."""
    state = as_held(standing.world)
    google = [(row["id"], row["status"], row["amount_micros"]) for row in state["google"]]
    return google + [(row["id"], row["status"], row["daily_budget"]) for row in state["meta"]]


def edits(standing: Standing) -> dict[str, int]:
    """How many edits each campaign has seen, as the platforms log them."""
    state = as_held(standing.world)
    return {row["id"]: row["changes"] for kind in ("google", "meta") for row in state[kind]}


def campaign_id(name: str) -> str:
    return shipped(HARBOUR).campaigns[name].id


async def sold_out(standing: Standing) -> Report:
    """Sold out of physiotherapy, which is believed at the second look: both physio campaigns are paused."""
    await standing.run()
    standing.world.advance(23 * HOUR)
    standing.world.book_out(HARBOUR, types_named(standing.world.clinics[HARBOUR], "Initial physio"))
    await standing.run()
    standing.world.advance(HOUR)
    return await standing.run()


async def test_a_sold_out_service_is_paused_on_both_platforms_and_the_ledger_says_so(standing: Standing) -> None:
    report = await sold_out(standing)
    physio = [change for change in report.changes if change.change.campaign.startswith("physio")]
    assert {(change.change.campaign, change.ending) for change in physio} == {
        ("physio-search", "applied"),
        ("physio-social", "applied"),
    }
    statuses = {row[0]: row[1] for row in held(standing)}
    assert (statuses["9876543210"], statuses["23850000000000001"]) == ("PAUSED", "PAUSED")
    assert (await standing.app.store.ledger.verify(HARBOUR)).ok


FAULTS = [
    pytest.param(Fault("cliniko", "not_found", match="available_times"), Reason.DATA_INCOMPLETE, id="every diary answers 404"),
    pytest.param(Fault("cliniko", "unauthorized"), Reason.CLINIKO_UNREADABLE, id="the key is refused"),
    pytest.param(Fault("cliniko", "html"), Reason.CLINIKO_UNREADABLE, id="a maintenance page with status 200"),
    pytest.param(Fault("cliniko", "truncated", match="available_times"), Reason.DATA_INCOMPLETE, id="half an answer"),
    pytest.param(Fault("cliniko", "down"), Reason.CLINIKO_UNREADABLE, id="Cliniko is down", marks=pytest.mark.soak),
]


@pytest.mark.parametrize(("fault", "reason"), FAULTS)
@pytest.mark.parametrize("paused", [False, True], ids=["from running", "from our own pause"])
@pytest.mark.sampled(2)
async def test_what_cannot_be_read_neither_pauses_nor_raises(
    standing: Standing, fault: Fault, reason: Reason, *, paused: bool
) -> None:
    await (sold_out(standing) if paused else standing.run())
    before = held(standing)
    standing.world.advance(12 * HOUR)
    standing.world.fail(fault)
    report = await standing.run()
    assert held(standing) == before
    assert {decision.verdict for decision in report.decisions} == {Verdict.KEEP}
    physio = [decision for decision in report.decisions if decision.service == "physio"]
    assert {decision.reason for decision in physio} <= {reason, Reason.NO_HISTORY}
    assert all(len(decision.sentence) > 40 for decision in report.decisions)


@pytest.mark.parametrize("platform", ["google", "meta"])
async def test_one_platform_down_never_blocks_the_other(standing: Standing, platform: str) -> None:
    await standing.run()
    standing.world.advance(23 * HOUR)
    standing.world.book_out(HARBOUR, types_named(standing.world.clinics[HARBOUR], "Initial physio"))
    await standing.run()
    standing.world.advance(HOUR)
    kind = {"google": "permission_denied", "meta": "token_expired"}[platform]
    standing.world.fail(Fault(platform, kind))  # type: ignore[arg-type]
    report = await standing.run()
    assert report.status == "incomplete"
    for decision in report.decisions:
        if decision.platform == platform:
            assert (decision.verdict, decision.reason) == (Verdict.KEEP, Reason.PLATFORM_UNREADABLE)
        elif decision.service == "physio":
            assert (decision.verdict, decision.after and decision.after.running) == (Verdict.APPLY, False)


async def test_a_person_who_resumes_what_we_paused_wins_until_the_campaign_is_handed_back(standing: Standing) -> None:
    await sold_out(standing)
    standing.world.advance(HOUR)
    standing.world.edit_google("1234567890", "9876543210", user="mia@clinic.example", status="ENABLED")
    standing.world.advance(HOUR)
    report = await standing.run()
    decision = next(each for each in report.decisions if each.campaign == "physio-search")
    assert (decision.verdict, decision.reason) == (Verdict.KEEP, Reason.DRIFT)
    assert "readopt" in decision.sentence
    assert {row[0]: row[1] for row in held(standing)}["9876543210"] == "ENABLED"


async def test_a_change_behind_our_back_between_looking_and_writing_is_not_overwritten(standing: Standing) -> None:
    """A person edits the budget after the run's reading: the second reading sees it, and the change is superseded."""
    await standing.run()
    standing.world.advance(23 * HOUR)
    world = standing.world
    world.book_out(HARBOUR, types_named(world.clinics[HARBOUR], "Initial physio"))
    await standing.run()
    world.advance(HOUR)
    intend = type(standing.app.store.intents).intend

    async def edited_meanwhile(self: Any, change: Any, *rest: Any) -> None:
        if change.campaign == "physio-search":
            world.edit_google("1234567890", "9876543210", user="mia@clinic.example", amount_micros=75_000_000)
        await intend(self, change, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(standing.app.store.intents), "intend", edited_meanwhile)
        report = await standing.run()
    endings = {change.change.campaign: change.ending for change in report.changes}
    assert endings["physio-search"] == "superseded"
    assert endings["physio-social"] == "applied"
    assert next(row for row in held(standing) if row[0] == "9876543210") == ("9876543210", "ENABLED", 75_000_000)


@pytest.mark.parametrize(
    ("fault", "campaign"),
    [
        pytest.param(Fault("google", "applied_then_unavailable", match="Mutate", times=1), "physio-search", id="google"),
        pytest.param(Fault("meta", "applied_then_reset", match="23850000000000001", times=1), "physio-social", id="meta"),
    ],
)
async def test_a_write_whose_answer_is_lost_is_settled_by_reading_not_by_writing_again(
    standing: Standing, fault: Fault, campaign: str
) -> None:
    await standing.run()
    standing.world.advance(23 * HOUR)
    standing.world.book_out(HARBOUR, types_named(standing.world.clinics[HARBOUR], "Initial physio"))
    await standing.run()
    standing.world.advance(HOUR)
    standing.world.fail(fault)
    report = await standing.run()
    assert {change.change.campaign: change.ending for change in report.changes}[campaign] == "applied"
    assert edits(standing)[campaign_id(campaign)] == 1
    standing.world.advance(HOUR)
    assert (await standing.run()).changes == ()


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_run_killed_around_its_write_is_settled_by_the_next_start(standing: Standing, when: str) -> None:
    """Killed after the intent: with the write not sent, or sent and its outcome not recorded."""
    await standing.run()
    standing.world.advance(23 * HOUR)
    standing.world.book_out(HARBOUR, types_named(standing.world.clinics[HARBOUR], "Initial physio"))
    await standing.run()
    standing.world.advance(HOUR)
    write = GoogleAdsAccount.write

    async def killed(self: GoogleAdsAccount, campaign: Campaign, target: State, *_: object) -> Campaign:
        if when == "after":
            await write(self, campaign, target)
        raise asyncio.CancelledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GoogleAdsAccount, "write", killed)
        with pytest.raises(asyncio.CancelledError):
            await standing.run()
    assert [each.change.campaign for each in await standing.app.store.intents.open(HARBOUR)] == ["physio-search"]
    standing.world.advance(HOUR)
    report = await standing.run()
    endings = [
        (change.change.campaign, change.ending) for change in report.changes if change.change.campaign == "physio-search"
    ]
    assert endings == [("physio-search", "applied" if when == "after" else "failed")]
    standing.world.advance(HOUR)  # what was found as before is left alone for one run: somebody may have undone it
    await standing.run()
    assert edits(standing)["9876543210"] == 1
    assert await standing.app.store.intents.open(HARBOUR) == ()
    assert (await standing.app.store.ledger.verify(HARBOUR)).ok


async def test_nothing_outside_the_allow_list_reaches_cliniko(standing: Standing) -> None:
    await sold_out(standing)
    assert standing.world.trips == []
    seen = {request.path.split("?")[0].split("/")[2] for request in standing.world.requests if request.system == "cliniko"}
    assert seen == {
        "settings", "businesses", "practitioners", "appointment_types", "services", "daily_availabilities",
        "availability_blocks", "unavailable_blocks",
    }  # fmt: skip


async def test_a_dry_run_records_nothing_and_changes_nothing(standing: Standing) -> None:
    report = await standing.app.governor.run(HARBOUR, dry_run=True)
    assert report.status == "dry_run"
    assert await standing.app.store.ledger.chains() == ()
    assert await standing.app.store.rules.clinics() == ()
    assert set(edits(standing).values()) == {0}


async def test_in_an_outage_the_clinics_own_time_still_holds(standing: Standing) -> None:
    """Two days without Cliniko: the time zone of the last good reading says what day it is."""
    await standing.run()
    standing.world.advance(50 * HOUR)
    standing.world.fail(Fault("cliniko", "unauthorized"))
    standing.world.edit_google("1234567890", "9876543210", user="mia@clinic.example", amount_micros=75_000_000)
    report = await standing.run()
    decision = next(each for each in report.decisions if each.campaign == "physio-search")
    assert "Tue 24 Nov 10:00" in decision.sentence


async def test_meta_is_not_asked_for_less_than_today_has_cost(standing: Standing) -> None:
    """The ladder wants a cut to 60% of 40; 35 is spent: kept with the reason, instead of a refusal every hour."""
    account = standing.world.meta["act_1029384756"]
    account.campaigns["23850000000000001"].spend_today = Decimal(35)
    await standing.run()
    standing.world.advance(23 * HOUR)
    standing.world.book_out(HARBOUR, types_named(standing.world.clinics[HARBOUR], "Initial physio"), leave=25)
    await standing.run()
    standing.world.advance(HOUR)
    report = await standing.run()
    decisions = {decision.campaign: decision for decision in report.decisions}
    assert decisions["physio-search"].verdict is Verdict.APPLY
    assert (decisions["physio-social"].verdict, decisions["physio-social"].reason) == (Verdict.KEEP, Reason.SPENT_TODAY)
    assert "35" in decisions["physio-social"].sentence


async def test_a_cut_that_meta_refuses_for_todays_spend_is_asked_for_once_a_day(standing: Standing) -> None:
    """Insights does not tell what today has cost, so the refusal is the first word of it."""
    campaign = standing.world.meta["act_1029384756"].campaigns["23850000000000001"]
    standing.world.fail(Fault("meta", "throttled", match="/insights"))
    await standing.run()
    standing.world.advance(23 * HOUR)
    standing.world.book_out(HARBOUR, types_named(standing.world.clinics[HARBOUR], "Initial physio"), leave=25)
    await standing.run()
    standing.world.advance(HOUR)
    campaign.spend_today = Decimal(35)
    refused = await standing.run()
    asked = meta_writes(standing)
    assert [each.detail.partition(":")[0] for each in refused.changes if each.ending == "failed"] == ["spent_today"]

    standing.world.advance(HOUR)
    later = await standing.run()
    decision = next(each for each in later.decisions if each.campaign == "physio-social")
    assert (decision.verdict, decision.reason) == (Verdict.KEEP, Reason.SPENT_TODAY)
    assert "midnight, which is Tue 24 Nov 00:00 here" in decision.sentence
    assert meta_writes(standing) == asked

    standing.world.advance(local(standing.world, "2026-11-24 00:05"))
    campaign.spend_today = Decimal(0)
    again = await standing.run()
    assert [each.ending for each in again.changes if each.change.campaign == "physio-social"] == ["applied"]


def meta_writes(standing: Standing) -> int:
    return sum(request.system == "meta" and request.method == "POST" for request in standing.world.requests)
