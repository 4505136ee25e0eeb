"""A campaign whose budget its ad sets hold, governed from end to end: nothing is lost, and nobody is overwritten."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.apply import Applied
from service.core.decide.model import Decision, Hold
from service.core.engine import conclude
from service.core.model import Campaign, Reason, Share, State, Verdict
from service.governor import Report
from service.meta.graph import Graph
from service.restoring import restore
from service.sandbox.accounts import MetaAccount, MetaAdSet
from service.sandbox.scene import HARBOUR, types_named
from service.sandbox.world import Fault, World
from tests.e2e.conftest import Standing

HOUR = timedelta(hours=1)
SOCIAL = "23850000000000001"


@pytest.fixture
def world(world: World) -> World:
    """physio-social: 40.00 a day in two ad sets of 10.00 and 30.00."""
    account = world.meta["act_1029384756"]
    account.campaigns[SOCIAL].daily_budget = None
    account.campaigns[SOCIAL].spend_today = Decimal(1)
    account.ad_sets = {id_: MetaAdSet(id_, SOCIAL, id_, daily_budget=minor) for id_, minor in (("71", 1000), ("72", 3000))}
    return world


def meta(standing: Standing) -> MetaAccount:
    return standing.world.meta["act_1029384756"]


def held(standing: Standing) -> dict[str, int | None]:
    return {id_: ad_set.daily_budget for id_, ad_set in meta(standing).ad_sets.items()}


def edits(standing: Standing) -> list[str]:
    return [f"{entry['object']} {entry['new']}" for entry in meta(standing).activities]


def social(report: Report) -> Decision:
    return next(each for each in report.decisions if each.campaign == "physio-social")


def change(report: Report) -> Applied:
    return next(each for each in report.changes if each.change.campaign == "physio-social")


async def nearly_full(standing: Standing, leave: int = 25) -> None:
    """A day on, the ladder wants the floor: one more run and it is believed."""
    await standing.run()
    standing.world.advance(23 * HOUR)
    standing.world.book_out(HARBOUR, types_named(standing.world.clinics[HARBOUR], "Initial physio"), leave=leave)
    await standing.run()
    standing.world.advance(HOUR)


@contextmanager
def stopped_at(request: int, error: type[BaseException] = asyncio.CancelledError) -> Iterator[None]:
    """The process dies before it sends its n-th request that changes something."""
    post, made = Graph.post, 0

    async def counted(self: Graph, path: Any, params: Any) -> Any:
        nonlocal made
        made += "execution_options" not in params
        if made == request:
            raise error
        return await post(self, path, params)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Graph, "post", counted)
        yield


async def test_a_cut_is_made_in_proportion_and_recorded_ad_set_by_ad_set(standing: Standing) -> None:
    await nearly_full(standing)
    report = await standing.run()
    assert (social(report).verdict, social(report).after) == (Verdict.APPLY, State(running=True, budget=Decimal("10.00")))
    assert change(report).ending == "applied"
    assert held(standing) == {"71": 250, "72": 750}
    (recorded,) = await standing.app.store.intents.of_decision(social(report).id)
    assert [(share.id, str(share.budget)) for share in recorded.change.shares_before] == [("71", "10.00"), ("72", "30.00")]
    assert [(share.id, str(share.budget)) for share in recorded.change.shares_after] == [("71", "2.50"), ("72", "7.50")]
    standing.world.advance(HOUR)
    assert (await standing.run()).changes == (), "what is there is what was wanted"


async def test_a_pause_and_the_resume_after_it_leave_the_ad_sets_alone(standing: Standing) -> None:
    await nearly_full(standing, leave=0)
    assert change(await standing.run()).ending == "applied"
    assert edits(standing) == [f"{SOCIAL} PAUSED"]
    clinic = standing.world.clinics[HARBOUR]
    standing.world.cancel(HARBOUR, types_named(clinic, "Initial physio"), 60, within_days=14)
    for _ in range(26):
        standing.world.advance(HOUR)
        await standing.run()
    assert meta(standing).campaigns[SOCIAL].status == "ACTIVE"
    assert edits(standing)[-1] == f"{SOCIAL} ACTIVE", "a resume comes last"
    assert {ad_set.status for ad_set in meta(standing).ad_sets.values()} == {"ACTIVE"}


@pytest.mark.parametrize("request_", [pytest.param(1, marks=pytest.mark.soak), 2, pytest.param(3, marks=pytest.mark.soak)])
async def test_a_run_killed_between_two_ad_sets_is_gone_on_from_and_is_nobodys_drift(standing: Standing, request_: int) -> None:
    """Killed before the first ad set, between the two, and after both: the outcome was never recorded."""
    await nearly_full(standing)
    with stopped_at(request_), pytest.raises(asyncio.CancelledError):
        await killed_after_all(standing) if request_ == 3 else await standing.run()
    there = {1: {"71": 1000, "72": 3000}, 2: {"71": 250, "72": 3000}, 3: {"71": 250, "72": 750}}[request_]
    assert held(standing) == there
    standing.world.advance(HOUR)
    report = await standing.run()
    assert change(report).ending == {1: "failed", 2: "failed", 3: "applied"}[request_]
    if request_ == 2:
        assert "ad sets changed: 71 (now 2.50); not changed: 72 (still 30.00)" in change(report).detail
    for _ in range(7):
        standing.world.advance(HOUR)
        report = await standing.run()
        assert social(report).reason is not Reason.DRIFT
    assert held(standing) == {"71": 250, "72": 750}
    assert edits(standing) == ["71 250", "72 750"], "nothing was written twice"
    assert await standing.app.store.intents.open(HARBOUR) == ()


async def killed_after_all(standing: Standing) -> None:
    settle = type(standing.app.store.intents).settle

    async def dying(self: Any, change_id: str, *rest: Any, **named: Any) -> None:
        if change_id.endswith("physio-social-change"):
            raise asyncio.CancelledError
        await settle(self, change_id, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(standing.app.store.intents), "settle", dying)
        await standing.run()


async def test_a_refusal_half_way_is_told_with_its_reason_and_gone_on_from(standing: Standing) -> None:
    await nearly_full(standing)
    standing.world.fail(Fault("meta", "permission", match=" daily_budget=750", times=1))
    report = await standing.run()
    assert change(report).ending == "failed"
    assert "200: 1 of 2 requests were made" in change(report).detail
    assert "ad sets changed: 71 (now 2.50); not changed: 72 (still 30.00)" in change(report).detail
    assert report.status == "incomplete"
    standing.world.advance(HOUR)
    waiting = social(await standing.run())
    assert (waiting.before, waiting.reason) == (State(running=True, budget=Decimal("32.50")), Reason.COOLING_DOWN)
    standing.world.advance(6 * HOUR)
    assert change(await standing.run()).ending == "applied"
    assert held(standing) == {"71": 250, "72": 750}, "in the proportion that people gave it"


async def test_a_lost_answer_half_way_waits_until_nothing_can_be_on_its_way(standing: Standing) -> None:
    await nearly_full(standing)
    standing.world.fail(Fault("meta", "applied_then_reset", match=" daily_budget=250", times=1))
    report = await standing.run()
    assert (change(report).ending, held(standing)) == ("open", {"71": 250, "72": 3000})
    assert "71 (now 2.50)" in change(report).detail
    standing.world.advance(HOUR)
    assert change(await standing.run()).ending == "failed"


async def test_throttled_half_way_nothing_more_is_asked_until_it_is_time(standing: Standing) -> None:
    await nearly_full(standing)
    standing.world.fail(Fault("meta", "throttled", match=" daily_budget=750", times=1))
    report = await standing.run()
    assert (change(report).ending, held(standing)) == ("open", {"71": 250, "72": 3000})
    assert "left alone until" in change(report).detail
    standing.world.advance(HOUR)
    settled = change(await standing.run())
    assert (settled.ending, "72 (still 30.00)" in settled.detail) == ("failed", True)


async def test_a_hold_that_is_put_half_way_stops_the_rest(standing: Standing) -> None:
    await nearly_full(standing)
    holds, store = type(standing.app.store.holds).holds, standing.app.store.holds
    put: list[Hold] = []

    async def looked_at(self: Any, *asked: Any) -> Any:
        """Somebody puts a hold as soon as the first ad set is changed."""
        if held(standing)["71"] == 250 and not put:
            put.append(Hold("h1", HARBOUR, None, "new website", "Mia", standing.world.now, campaign="physio-social"))
            await store.hold(put[0])
        return await holds(self, *asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(store), "holds", looked_at)
        report = await standing.run()
    assert (change(report).ending, held(standing)) == ("failed", {"71": 250, "72": 3000})
    assert "1 of 2 requests were made: held by Mia: new website" in change(report).detail
    assert "not changed: 72 (still 30.00)" in change(report).detail


async def test_one_ad_set_in_a_persons_hands_half_way_is_a_persons_change(standing: Standing) -> None:
    await nearly_full(standing)
    with stopped_at(2), pytest.raises(asyncio.CancelledError):
        await standing.run()
    standing.world.edit_meta("act_1029384756", "72", "Mara", daily_budget=2500)
    standing.world.advance(HOUR)
    assert change(await standing.run()).ending == "superseded"
    standing.world.advance(HOUR)
    decision = social(await standing.run())
    assert (decision.verdict, decision.reason) == (Verdict.KEEP, Reason.DRIFT)
    assert held(standing) == {"71": 250, "72": 2500}


async def test_money_moved_between_ad_sets_before_the_write_supersedes_it(standing: Standing) -> None:
    await nearly_full(standing)
    intend = type(standing.app.store.intents).intend

    async def moved_meanwhile(self: Any, made: Any, *rest: Any) -> None:
        if made.campaign == "physio-social":
            for id_ in ("71", "72"):
                standing.world.edit_meta("act_1029384756", id_, "Mara", daily_budget=2000)
        await intend(self, made, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(standing.app.store.intents), "intend", moved_meanwhile)
        report = await standing.run()
    assert change(report).ending == "superseded"
    assert "divided anew" in change(report).detail
    assert held(standing) == {"71": 2000, "72": 2000}
    standing.world.advance(HOUR)
    assert change(await standing.run()).ending == "applied"
    assert held(standing) == {"71": 500, "72": 500}, "in the proportion that the person gave it"


async def test_an_ad_set_given_more_or_switched_off_by_a_person_is_drift(standing: Standing) -> None:
    await standing.run()
    standing.world.edit_meta("act_1029384756", "71", "Mara", status="PAUSED")
    standing.world.advance(HOUR)
    decision = social(await standing.run())
    assert (decision.verdict, decision.reason) == (Verdict.KEEP, Reason.DRIFT)
    assert "running at 30.00" in decision.sentence


async def test_no_less_is_asked_for_than_all_ad_sets_need(standing: Standing) -> None:
    await nearly_full(standing)
    meta(standing).min_daily_budget = 1300
    report = await standing.run()
    assert (change(report).ending, social(report).reason) == ("applied", Reason.FLOOR)
    assert "26.00 AUD that is the least possible for its 2 ad sets together" in social(report).sentence
    assert held(standing) == {"71": 1300, "72": 1300}


async def test_an_ad_set_that_has_spent_too_much_today_is_waited_for_until_the_accounts_midnight(standing: Standing) -> None:
    meta(standing).ad_sets["72"].spend_today = Decimal(7)
    await nearly_full(standing)
    kept = social(await standing.run())
    assert (kept.verdict, kept.reason) == (Verdict.KEEP, Reason.SPENT_TODAY)
    assert "ad set 72 has already cost 7" in kept.sentence
    meta(standing).ad_sets["72"].spend_today = Decimal(0)
    standing.world.advance(HOUR)
    assert change(await standing.run()).ending == "applied"


async def test_what_was_seen_of_ad_sets_is_kept_and_a_run_of_them_can_be_computed_again(standing: Standing) -> None:
    meta(standing).ad_sets["72"].spend_today = Decimal(7)
    report = await standing.run()
    inputs = await standing.app.store.runs.load_inputs(report.run)
    campaign = inputs.snapshot.campaigns["physio-social"]
    assert isinstance(campaign, Campaign)
    assert (campaign.spent_today, campaign.spent_month) == (Decimal(1), Decimal(1))
    assert campaign.shares == (Share("71", Decimal(10)), Share("72", Decimal(30)))
    assert campaign.spent_shares == (Share("72", Decimal(7)),)
    assert conclude(inputs) == report.outcome


async def test_a_restore_gives_every_ad_set_back_what_people_gave_it(standing: Standing) -> None:
    await nearly_full(standing)
    await standing.run()
    assert held(standing) == {"71": 250, "72": 750}
    standing.world.advance(HOUR)
    restored = await restore(standing.app.governor, HARBOUR, "mia")
    assert {each.change.campaign: each.ending for each in restored.changes}["physio-social"] == "applied"
    assert held(standing) == {"71": 1000, "72": 3000}


async def test_a_drift_of_one_ad_set_has_the_persons_name_and_not_ours(standing: Standing) -> None:
    await nearly_full(standing)
    await standing.run()
    standing.world.advance(timedelta(minutes=10))
    standing.world.edit_meta("act_1029384756", "71", "Mara", daily_budget=900)
    standing.world.advance(timedelta(minutes=30))
    decision = social(await standing.run())
    assert (decision.verdict, decision.reason) == (Verdict.KEEP, Reason.DRIFT)
    assert "Mara" in decision.sentence
