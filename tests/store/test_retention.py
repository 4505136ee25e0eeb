"""What is old is forgotten, and nothing that is still needed: not by a later run, a rule file or the ledger."""

from __future__ import annotations

import asyncio
import re
import zlib
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update

from service.core.decide.model import RunInputs
from service.core.errors import GoneError, StoreError
from service.core.model import Snapshot
from service.store import documents, retention, tables
from service.store.documents import Document
from service.store.inputs import take_apart
from service.store.store import Store
from tests.store.samples import CLINIC, HOUR, NOW, decision, inputs, outcome, rules, snapshot

DAY = timedelta(days=1)
KEEP = 400 * DAY


async def record(store: Store, fence: int, run: str, days: int, *baselines: Snapshot) -> RunInputs:
    """A run so many days after `NOW`, with a snapshot of its own."""
    at = NOW + days * DAY
    made = inputs(run, now=at, snapshot=snapshot(at), baselines=baselines, standings={}, rule_states={})
    await store.runs.begin(run, CLINIC, at)
    await store.runs.record(made, outcome(run, decisions=(decision(f"{run}-dec", run),)), fence)
    return made


async def forget(store: Store, days: int) -> tuple[int, int]:
    """Everything there is to forget so many days after `NOW`: runs and documents."""
    now = NOW + days * DAY
    runs = documents = 0
    while some := await store.retention.forget_runs(CLINIC, now - KEEP, now):
        runs += some
    while some := await store.retention.forget_documents(now - KEEP):
        documents += some
    return runs, documents


async def count(store: Store) -> int:
    async with store._database.reading() as conn:
        return int(await conn.scalar(select(func.count()).select_from(tables.document)) or 0)


async def test_an_old_run_is_forgotten_and_its_decisions_and_records_stay(store: Store, fence: int) -> None:
    await record(store, fence, "old", 0)
    await record(store, fence, "new", 399)
    before = await store.ledger.head(CLINIC)
    assert await forget(store, 401) == (1, 3)  # its inputs, its snapshot, its outcome's text; the rest is shared
    for call in (store.runs.load_inputs, store.runs.load_outcome, store.runs.outcome_text):
        with pytest.raises(GoneError, match="what run old worked on was kept for 401 days and is gone since 2027-12-28"):
            await call("old")
    assert (await store.runs.run("old")).planned
    assert [each.id for each in (await store.runs.runs(planned=True)).items] == ["new", "old"]
    assert len(await store.decisions.of_run("old")) == 1
    assert (await store.ledger.head(CLINIC), (await store.ledger.verify(CLINIC)).ok) == (before, True)


async def test_a_run_that_is_kept_can_be_computed_again(store: Store, fence: int) -> None:
    await record(store, fence, "old", 0)
    kept = await record(store, fence, "new", 399)
    await forget(store, 401)
    assert await store.runs.load_inputs("new") == kept
    assert await store.runs.load_outcome("new") == outcome("new", decisions=(decision("new-dec", "new"),))
    assert await store.snapshots.latest_readable(CLINIC) == kept.snapshot


async def test_nothing_is_forgotten_before_its_time(store: Store, fence: int) -> None:
    made = await record(store, fence, "old", 0)
    assert await forget(store, 400) == (0, 0)
    assert await store.runs.load_inputs("old") == made


async def test_a_run_whose_snapshot_a_kept_run_compares_with_is_kept_with_it(store: Store, fence: int) -> None:
    old = await record(store, fence, "old", 0)
    later = await record(store, fence, "outage", 300, old.snapshot)
    assert await forget(store, 600) == (0, 0)
    assert await store.runs.load_inputs("outage") == later
    assert await store.runs.load_inputs("old") == old
    assert (await forget(store, 701))[0] == 2
    assert await count(store) == 0


async def test_the_documents_of_rule_files_and_of_the_pace_model_stay_however_old(store: Store, fence: int) -> None:
    await store.rules.save_rules(CLINIC, "d1", "text", rules(), NOW)
    await store.pace.put(CLINIC, "looks to 2026-11-22", b'{"model":1}', NOW)
    await record(store, fence, "old", 0)
    await forget(store, 5000)
    assert await count(store) == 2
    revision = await store.rules.rules_in_force(CLINIC)
    assert revision is not None
    assert revision.rules == rules()
    assert (await store.remembered(CLINIC, NOW)).fitted == ("looks to 2026-11-22", b'{"model":1}')


async def test_forgetting_is_done_in_small_steps(store: Store, fence: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "MOST", 2)
    for n in range(5):
        await record(store, fence, f"old-{n}", n)
    now = NOW + 500 * DAY
    assert [await store.retention.forget_runs(CLINIC, now - KEEP, now) for _ in range(4)] == [2, 2, 1, 0]
    steps = [await store.retention.forget_documents(now - KEEP) for _ in range(12)]
    assert (max(steps), steps[-1], await count(store)) == (2, 0, 0)


async def test_other_clinics_are_not_touched(store: Store, fence: int) -> None:
    made = await record(store, fence, "old", 0)
    assert await store.retention.forget_runs("northside-allied", NOW + DAY, NOW) == 0
    assert await store.runs.load_inputs("old") == made


async def test_what_is_used_again_on_the_day_it_would_go_stays(store: Store, fence: int) -> None:
    """A run that was under way while its baseline was forgotten stores it again with what it recorded."""
    old = await record(store, fence, "old", 0)
    now = NOW + 401 * DAY
    assert await store.retention.forget_runs(CLINIC, now - KEEP, now) == 1
    late = await record(store, fence, "late", 401, old.snapshot)  # read its baseline before
    assert await store.retention.forget_documents(now - KEEP) == 2  # the old inputs and outcome's text, not the snapshot
    assert await store.runs.load_inputs("late") == late


async def test_forgetting_beside_runs_that_are_being_recorded_loses_nothing(store: Store, fence: int) -> None:
    """Each run is about to use what every step of the other side finds unused."""
    olds = [await record(store, fence, f"old-{n}", 0, snapshot(NOW - n * HOUR)) for n in range(6)]
    now = NOW + 401 * DAY

    async def forgetting() -> None:
        for _ in range(40):
            await store.retention.forget_runs(CLINIC, now - KEEP, now)
            await store.retention.forget_documents(now - KEEP)

    async def recording() -> list[RunInputs]:
        return [await record(store, fence, f"new-{n}", 401, *old.baselines) for n, old in enumerate(olds)]

    made, _ = await asyncio.gather(recording(), forgetting())
    for each in made:
        assert await store.runs.load_inputs(each.run) == each


@pytest.mark.parametrize("which", ["inputs", "outcome", "outcome_text"])
async def test_the_database_itself_refuses_to_remove_a_document_that_is_named(store: Store, fence: int, which: str) -> None:
    await record(store, fence, "old", 0)
    async with store._database.reading() as conn:
        digest = await conn.scalar(select(tables.run.c[which]))
    with pytest.raises(StoreError, match=r"(?i)foreign key"):
        async with store._database.writing() as conn:
            await conn.execute(delete(tables.document).where(tables.document.c.digest == digest))


async def test_the_day_of_last_use_only_moves_forward(store: Store) -> None:
    document = Document.of(b"{}")
    for at in (NOW, NOW - DAY, NOW + 3 * DAY, NOW + DAY):
        async with store._database.writing() as conn:
            await documents.put(conn, [document, document], at)
    async with store._database.reading() as conn:
        assert (await conn.execute(select(tables.document.c.digest, tables.document.c.used_on))).one() == (
            document.digest,
            (NOW + 3 * DAY).date(),
        )


async def test_a_document_of_which_no_use_is_known_is_left_alone(store: Store) -> None:
    async with store._database.writing() as conn:
        await documents.put(conn, [Document.of(b"{}")], NOW)
        await conn.execute(update(tables.document).values(used_on=None))
    assert await forget(store, 5000) == (0, 0)
    assert await count(store) == 1


def test_every_document_that_a_document_names_is_stored_with_it() -> None:
    made = {each.digest: zlib.decompress(each.compressed()).decode() for each in take_apart(inputs()).all()}
    named = {digest for body in made.values() for digest in re.findall("[0-9a-f]{64}", body)}
    assert len(named) >= 6  # rules, three snapshots, their reference data and their starts
    assert named < made.keys()
