"""How the installation stands, in numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.core.decide.model import Answer, Approval, Standing
from service.core.errors import Problem, StoreError
from service.monitor import DatabaseFailed
from service.store.overview import ClinicNow
from service.store.store import Store
from tests.store.samples import CLINIC, HOUR, NINETY, NOW, SIXTY, STOOD_DOWN, change, decision, inputs, outcome, rules, snapshot
from tests.watching import Recorder

NOTHING = timedelta(0)
LEFT = replace(STOOD_DOWN, stood_down=None, left_at=NOW)


async def recorded(
    store: Store, fence: int, run: str = "run-1", *, readable: bool = True, later: timedelta = timedelta(0)
) -> None:
    """A run with its plan, which decided about `search`."""
    made = inputs(run, now=NOW + later, snapshot=snapshot(NOW + later, readable=readable), standings={})
    came = outcome(run, decisions=(decision(f"{run}-dec", run),), standings={"search": Standing()})
    await store.runs.begin(run, CLINIC, made.now)
    await store.runs.record(made, came, fence)


async def ruled(store: Store, clinic: str = CLINIC) -> None:
    await store.rules.save_rules(clinic, "d1", "version: 1", rules(), NOW)


async def test_a_new_installation_has_nothing_to_show(store: Store) -> None:
    found = await store.overview.now(NOW)
    assert found.clinics == ()
    assert (found.stood_down, found.left_changed, found.asked, found.refused, found.open_changes) == (0, 0, 0, 0, 0)


async def test_a_clinic_is_known_by_its_last_readable_look_and_by_how_its_last_run_ended(store: Store, fence: int) -> None:
    await ruled(store)
    await ruled(store, "northside-allied")
    assert (await store.overview.now(NOW)).clinics == (
        ClinicNow(CLINIC, None, None),
        ClinicNow("northside-allied", None, None),
    )
    await recorded(store, fence)
    assert (await store.overview.now(NOW)).clinics[0] == ClinicNow(CLINIC, NOW, None)  # it has not ended yet
    await store.runs.finish("run-1", "finished", {}, NOW)
    await recorded(store, fence, "run-2", readable=False, later=HOUR)
    await store.runs.finish("run-2", "incomplete", {}, NOW + HOUR)
    assert (await store.overview.now(NOW)).clinics[0] == ClinicNow(CLINIC, NOW, "incomplete")
    await store.runs.begin("run-3", CLINIC, NOW + 2 * HOUR)
    await store.runs.fail("run-3", "interrupted", NOW + 2 * HOUR)
    assert (await store.overview.now(NOW)).clinics[0] == ClinicNow(CLINIC, NOW, "failed")


async def test_a_campaign_counts_as_stood_down_while_it_is_decided_about(store: Store, fence: int) -> None:
    await ruled(store)
    await recorded(store, fence)
    for campaign, standing in {"search": STOOD_DOWN, "long gone": STOOD_DOWN, "social": Standing(expected=SIXTY)}.items():
        await store.memory.set_standing(CLINIC, campaign, standing)
    assert (await store.overview.now(NOW)).stood_down == 1
    await store.memory.set_standing(CLINIC, "search", Standing(expected=SIXTY))
    assert (await store.overview.now(NOW)).stood_down == 0


async def test_a_campaign_that_was_left_with_our_change_counts_wherever_it_is(store: Store) -> None:
    await store.memory.set_standing(CLINIC, "gone", LEFT)
    await store.memory.set_standing(CLINIC, "never seen", replace(LEFT, expected=None))
    await store.memory.set_standing(CLINIC, "governed", replace(LEFT, left_at=None))
    assert (await store.overview.now(NOW)).left_changed == 1


async def test_questions_count_until_they_are_answered_or_too_old(store: Store, fence: int) -> None:
    ask = Approval("q1", CLINIC, "search", "google/1", SIXTY, NINETY, "r1", NOW)
    await store.runs.begin("run-1", CLINIC, NOW)
    await store.runs.record(inputs(), outcome(approvals=(ask,)), fence)
    assert (await store.overview.now(NOW + 23 * HOUR)).asked == 1
    assert (await store.overview.now(NOW + 24 * HOUR)).asked == 0
    await store.approvals.answer("q1", Answer.REJECTED, "mia", "no", NOW)
    assert (await store.overview.now(NOW)).asked == 0


async def test_refused_files_and_open_changes_count_until_they_are_settled(store: Store, fence: int) -> None:
    await store.rules.reject_rules(CLINIC, "d0", (Problem("x.yaml", 1, "no"),), NOW)
    await store.intents.intend(change(), NOW, fence)
    found = await store.overview.now(NOW)
    assert (found.refused, found.open_changes) == (1, 1)
    await ruled(store)
    await store.intents.settle("chg-1", "superseded", {}, NOW, fence)
    found = await store.overview.now(NOW)
    assert (found.refused, found.open_changes) == (0, 0)


async def test_each_use_of_the_database_that_fails_is_told(url: str) -> None:
    recorder = Recorder()
    store = Store.open(url, recorder.monitor)
    for _ in range(2):
        with pytest.raises(StoreError):
            await store.overview.now(NOW)
    assert recorder.facts == [DatabaseFailed(), DatabaseFailed()]
    await store.migrate()
    await store.overview.now(NOW)
    assert len(recorder.facts) == 2
    await store.aclose()
