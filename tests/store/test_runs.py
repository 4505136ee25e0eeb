"""A run is recorded as a whole or not at all, and can be read back to be computed again."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from service.core.canonical import canonical
from service.core.decide.model import RuleState, Standing
from service.core.errors import LeaseLostError, NotFoundError, StoreError
from service.core.ledger import Kind
from service.core.model import Verdict
from service.core.roster import NO_NUMBERS, DayNumbers
from service.store import tables
from service.store.runs import Run
from service.store.store import Store
from tests.store.samples import (
    CLINIC,
    HOUR,
    NOW,
    REMEMBERED,
    STOOD_DOWN,
    decision,
    inputs,
    outcome,
    rules,
    snapshot,
    standing,
)


async def record(store: Store, fence: int, run: str = "run-1", **changes: object) -> None:
    """A run from beginning to plan."""
    made = inputs(run, **changes)
    came = outcome(run, decisions=(decision(f"{run}-dec", run),))
    await store.runs.begin(run, CLINIC, made.now)
    await store.runs.record(made, came, fence)


async def bodies(store: Store, *kinds: Kind) -> list[dict[str, object]]:
    page = await store.ledger.records(kinds=kinds, newest_first=False)
    return [each.body for each in page.items]


async def test_a_recorded_run_is_read_back_as_it_was(store: Store, fence: int) -> None:
    await store.runs.begin("run-1", CLINIC, NOW)
    await store.runs.record(inputs(), outcome(), fence)
    assert await store.runs.load_inputs("run-1") == inputs()
    assert await store.runs.load_outcome("run-1") == outcome()
    assert await store.runs.outcome_text("run-1") == canonical(outcome())
    assert await store.decisions.of_run("run-1") == outcome().decisions
    assert (await store.ledger.verify(CLINIC)).ok


async def test_the_ledger_tells_the_plan_each_decision_and_the_hand_found_on_a_campaign(store: Store, fence: int) -> None:
    await store.runs.begin("run-1", CLINIC, NOW)
    await store.runs.record(inputs(), outcome(), fence)
    kinds = [each.kind for each in (await store.ledger.records(newest_first=False)).items]
    assert kinds == ["run.started", "plan", "decision", "decision", "drift"]
    [plan] = await bodies(store, Kind.PLAN)
    assert plan["outcome_sha256"] == hashlib.sha256(canonical(outcome()).encode()).hexdigest()
    assert plan["summary"] == {"decisions": 2, "changes": 1, "verdicts": {"apply": 1, "keep": 1}}
    told = await bodies(store, Kind.DECISION)
    assert [each["decision"] for each in told] == [json.loads(canonical(each)) for each in outcome().decisions]
    [drift] = await bodies(store, Kind.DRIFT)
    assert drift["campaign"] == "search"


async def test_a_hand_already_known_is_told_once(store: Store, fence: int) -> None:
    await record(store, fence, standings={})
    await record(store, fence, "run-2", standings={"search": STOOD_DOWN, "social": Standing()})
    assert len(await bodies(store, Kind.DRIFT)) == 1


async def test_what_is_remembered_moves_on_with_the_run(store: Store, fence: int) -> None:
    await record(store, fence, standings={}, rule_states={})
    assert await store.memory.rule_states(CLINIC) == {"physio/Ladder": REMEMBERED}
    assert await store.memory.standings(CLINIC) == {"search": STOOD_DOWN, "social": Standing()}
    assert await store.memory.names(CLINIC) == {"practitioner/hydro pod": ("7", "9")}
    memory = store.memory
    later = inputs(
        "run-2",
        rule_states=await memory.rule_states(CLINIC),
        standings=await memory.standings(CLINIC),
        names=await memory.names(CLINIC),
        numbers=(await store.remembered(CLINIC, NOW)).numbers,
    )
    assert later.numbers == DayNumbers(monday=("7", "8"), shown=("7",))
    await store.runs.begin("run-2", CLINIC, NOW)
    forgetful = {"rule_states": {"physio/New": RuleState()}, "standings": {}, "names": {}, "numbers": NO_NUMBERS}
    await store.runs.record(later, outcome("run-2", decisions=(), **forgetful), fence)
    assert await store.memory.rule_states(CLINIC) == {"physio/New": RuleState()}
    assert await store.memory.standings(CLINIC) == {}
    assert (await store.memory.names(CLINIC), (await store.remembered(CLINIC, NOW)).numbers) == ({}, NO_NUMBERS)
    assert await store.memory.standings("northside-allied") == {}


async def test_what_a_person_settled_during_the_run_stays(store: Store, fence: int) -> None:
    await store.memory.set_standing(CLINIC, "search", standing())
    taken_on = Standing(expected=standing().expected, since=NOW)
    await store.memory.set_standing(CLINIC, "search", taken_on)
    await record(store, fence)
    assert await store.memory.standings(CLINIC) == {"search": taken_on, "social": Standing()}


async def test_a_run_that_cannot_be_recorded_leaves_nothing_behind(store: Store, fence: int) -> None:
    await store.runs.begin("run-1", CLINIC, NOW)
    twice = outcome(decisions=(decision("dec-1"), decision("dec-1")))
    with pytest.raises(StoreError):
        await store.runs.record(inputs(), twice, fence)
    assert [each.kind for each in (await store.ledger.records()).items] == ["run.started"]
    assert await store.memory.standings(CLINIC) == {}
    assert not (await store.runs.run("run-1")).planned
    await store.runs.record(inputs(), outcome(), fence)


async def test_a_run_is_recorded_once_and_only_if_begun(store: Store, fence: int) -> None:
    with pytest.raises(NotFoundError, match="run-1"):
        await store.runs.record(inputs(), outcome(), fence)
    await record(store, fence)
    with pytest.raises(NotFoundError, match="run-1"):
        await store.runs.record(inputs(), outcome(), fence)


async def test_a_worker_that_lost_its_lease_records_nothing(store: Store, fence: int) -> None:
    await store.runs.begin("run-1", CLINIC, NOW)
    assert await store.leases.acquire(CLINIC, "worker-2", HOUR, NOW + 2 * HOUR) == fence + 1
    with pytest.raises(LeaseLostError):
        await store.runs.record(inputs(), outcome(), fence)
    assert len((await store.ledger.records()).items) == 1


async def test_what_runs_share_is_stored_once(store: Store, fence: int) -> None:
    await record(store, fence)
    async with store._database.reading() as conn:
        before = await conn.scalar(select(func.count()).select_from(tables.document)) or 0
    await record(store, fence, "run-2", now=NOW + HOUR, snapshot=snapshot(NOW + HOUR))
    async with store._database.reading() as conn:
        after = await conn.scalar(select(func.count()).select_from(tables.document)) or 0
    # Rules, baselines, the clinic's reference data, its starts, and what the outcome's text does not tell are there already.
    assert after - before == 3  # inputs, snapshot and the outcome's text


async def test_a_damaged_document_is_named(store: Store, fence: int) -> None:
    await record(store, fence)
    for body in (b"nonsense", zlib.compress(b"{}")):
        async with store._database.writing() as conn:
            await conn.execute(update(tables.document).values(body=body))
        with pytest.raises(StoreError, match="damaged"):
            await store.runs.load_inputs("run-1")


async def test_a_run_ends_once(store: Store) -> None:
    await store.runs.begin("run-1", CLINIC, NOW)
    assert (await store.runs.unfinished(CLINIC))[0].id == "run-1"
    await store.runs.finish("run-1", "done", {"changes": 2}, NOW + HOUR)
    assert await store.runs.run("run-1") == Run("run-1", CLINIC, "done", NOW, NOW + HOUR, "", {"changes": 2}, planned=False)
    with pytest.raises(NotFoundError):
        await store.runs.finish("run-1", "done", {}, NOW)
    with pytest.raises(NotFoundError):
        await store.runs.fail("run-1", "late", NOW)
    assert await bodies(store, Kind.RUN_FINISHED) == [{"run": "run-1", "status": "done", "summary": {"changes": 2}}]


async def test_a_failed_run_says_why(store: Store) -> None:
    await store.runs.begin("run-1", CLINIC, NOW)
    await store.runs.fail("run-1", "Cliniko said 503", NOW + HOUR)
    found = await store.runs.run("run-1")
    assert (found.status, found.message) == ("failed", "Cliniko said 503")
    assert await store.runs.unfinished() == ()
    assert await bodies(store, Kind.RUN_FAILED) == [{"run": "run-1", "message": "Cliniko said 503"}]


async def test_a_run_id_is_used_once(store: Store) -> None:
    await store.runs.begin("run-1", CLINIC, NOW)
    with pytest.raises(StoreError):
        await store.runs.begin("run-1", CLINIC, NOW)


async def test_runs_are_listed_newest_first_page_by_page(store: Store, fence: int) -> None:
    for n in range(4):
        await store.runs.begin(f"bare-{n}", CLINIC, NOW + n // 2 * HOUR)
    await store.runs.begin("other", "northside-allied", NOW)
    await record(store, fence, now=NOW - HOUR)
    first = await store.runs.runs([CLINIC], limit=3)
    rest = await store.runs.runs([CLINIC], cursor=first.cursor, limit=3)
    assert [each.id for each in (*first.items, *rest.items)] == ["bare-3", "bare-2", "bare-1", "bare-0", "run-1"]
    assert (first.more, rest.more) == (True, False)
    assert [each.id for each in (await store.runs.runs(planned=True)).items] == ["run-1"]
    assert (await store.runs.runs([])).items == ()
    latest = await store.runs.latest_run(CLINIC)
    assert latest
    assert latest.id == "bare-3"
    assert await store.runs.latest_run("nobody") is None


async def test_unknown_runs_are_not_found(store: Store) -> None:
    await store.runs.begin("run-1", CLINIC, NOW)
    with pytest.raises(NotFoundError, match="no run x"):
        await store.runs.run("x")
    for call in (store.runs.load_inputs, store.runs.load_outcome, store.runs.outcome_text):
        for id_ in ("x", "run-1"):
            with pytest.raises(NotFoundError, match=id_):
                await call(id_)


# --- snapshots ----------------------------------------------------------------------------------------------------------


async def observe(store: Store, fence: int, *readable: bool, every: timedelta = HOUR) -> None:
    """One run each `every`, ending at `NOW`, whose diaries were readable or not."""
    for ago, was in zip(range(len(readable) - 1, -1, -1), readable, strict=True):
        at = NOW - ago * every
        await record(store, fence, f"ago-{ago}", now=at, snapshot=snapshot(at, readable=was), baselines=(), standings={})


async def test_baselines_are_the_readable_snapshots_in_the_windows_and_the_last_before_each(store: Store, fence: int) -> None:
    await observe(store, fence, True, True, True, True, False, True, True, True)  # seven hours ago to now
    windows = [(NOW - 4 * HOUR, NOW - 2 * HOUR), (NOW - 2 * HOUR, NOW - HOUR)]
    found = await store.snapshots.baselines(CLINIC, windows)
    assert found == tuple(snapshot(NOW - ago * HOUR) for ago in (1, 2, 4, 5))
    [first, *_] = await store.snapshots.baselines(CLINIC, [(NOW - 3 * HOUR, NOW - 3 * HOUR)])
    assert first == snapshot(NOW - 4 * HOUR)
    assert await store.snapshots.baselines(CLINIC, []) == ()
    assert await store.snapshots.baselines("northside-allied", windows) == ()


@pytest.mark.parametrize(
    ("readable", "ago"),
    [
        ((), None),
        ((True,), None),
        ((False, True), None),
        ((True, False), 0),
        ((False, True, False, False), 1),
        ((False, False), 1),
    ],
)
async def test_an_outage_began_with_the_first_unread_diaries_since_the_last_read(
    store: Store, fence: int, readable: tuple[bool, ...], ago: int | None
) -> None:
    await observe(store, fence, *readable)
    assert await store.snapshots.cliniko_unreadable_since(CLINIC) == (None if ago is None else NOW - ago * HOUR)
    assert await store.snapshots.cliniko_unreadable_since("northside-allied") is None


async def test_only_a_decision_to_write_counts_as_changed(store: Store, fence: int) -> None:
    made = decision()
    kinds = {
        "apply": made,
        "same": replace(made, after=made.before),
        "none": replace(made, after=None),
        "asks": replace(made, verdict=Verdict.AWAIT_APPROVAL),
    }
    await store.runs.begin("run-1", CLINIC, NOW)
    decided = tuple(replace(each, id=name) for name, each in kinds.items())
    await store.runs.record(inputs(rules=rules("d2")), outcome(decisions=decided), fence)
    [plan] = await bodies(store, Kind.PLAN)
    assert plan["summary"]["changes"] == 1  # type: ignore[index] # JSON
