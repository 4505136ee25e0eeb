"""The way from the first tables to today's and back, on a database that is in use."""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, insert, inspect, select, table, text, update
from sqlalchemy import column as col
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.canonical import canonical
from service.core.decide.model import Change, Decision, RunInputs, RunOutcome
from service.core.errors import StoreError
from service.core.ledger import Checkpoint, Head, Kind, write
from service.core.model import Snapshot
from service.core.rules.language import RuleSet
from service.store import migrate, migrations, tables
from service.store.database import Database
from service.store.documents import Document, dump, load
from service.store.migrate import Migrated
from service.store.store import Store
from tests.store.backends import execute, on_postgresql
from tests.store.samples import CLINIC, HOUR, NOW, change, decision, inputs, outcome, snapshot

OLD = "0001"


@asynccontextmanager
async def writing(url: str) -> AsyncIterator[AsyncConnection]:
    database = Database(url)
    try:
        async with database.writing() as conn:
            yield conn
    finally:
        await database.aclose()


async def to(url: str, revision: str, *, down: bool = False) -> None:
    """Migrate to a revision, as the program itself does."""

    def moved(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", "service.store:migrations")
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)

    async with writing(url) as conn:
        await conn.run_sync(moved)


GUARDS = {
    "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": """
        SELECT format('%s, %s', pg_get_triggerdef(oid), tgenabled) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
    """,
}


async def shape(url: str) -> dict[str, list[str]]:
    """Columns and indexes by table, and what guards them."""

    def look(connection: Connection) -> dict[str, list[str]]:
        found = inspect(connection)
        tables = {
            name: sorted(
                [
                    *(column["name"] for column in found.get_columns(name)),
                    *(str(index["name"]) for index in found.get_indexes(name)),
                ]
            )
            for name in found.get_table_names()
        }
        return tables | {"guards": sorted(connection.scalars(text(GUARDS[connection.dialect.name])))}

    async with writing(url) as conn:
        return await conn.run_sync(look)


async def record(store: Store, run: str, hours: int, *baselines: Snapshot) -> RunInputs:
    at = NOW + hours * HOUR
    fence = await store.leases.acquire(CLINIC, "worker", HOUR, at)
    assert fence is not None
    made = inputs(run, now=at, snapshot=snapshot(at), baselines=baselines, standings={}, rule_states={})
    await store.runs.begin(run, CLINIC, at)
    await store.runs.record(made, outcome(run, decisions=(decision(f"{run}-dec", run),)), fence)
    await store.leases.release(CLINIC, fence)
    return made


def old_documents(made: RunInputs, came: RunOutcome) -> dict[str, Document]:
    """A run's documents as the first version wrote them: whole snapshots, and the outcome beside its text."""
    rules = Document.of(dump(RuleSet, made.rules))
    snapshots = [Document.of(dump(Snapshot, each)) for each in (made.snapshot, *made.baselines)]
    whole = json.loads(dump(RunInputs, made, without=("rules", "snapshot", "baselines", "pace")))
    parts = {"rules": rules.digest, "snapshot": snapshots[0].digest, "baselines": [each.digest for each in snapshots[1:]]}
    named = {
        "inputs": Document.of(json.dumps(whole | parts).encode()),
        "outcome": Document.of(dump(RunOutcome, came)),
        "outcome_text": Document.of(canonical(came).encode()),
        "snapshot": snapshots[0],
        "rules": rules,
    }
    return named | {f"baseline-{n}": each for n, each in enumerate(snapshots[1:])}


async def write_old(url: str, made: RunInputs, came: RunOutcome) -> None:
    """A recorded run, in the first tables."""
    documents = old_documents(made, came)
    run = {name: documents[name].digest for name in ("inputs", "outcome", "outcome_text")}
    run |= {"id": made.run, "clinic": made.clinic, "status": "done", "message": "", "summary": "{}"}
    at = {"taken_at": _written(made.now)}
    taken = {"run": made.run, "clinic": made.clinic, "readable": True, "document": documents["snapshot"].digest, **at}
    async with writing(url) as conn:
        for each in {each.digest: each for each in documents.values()}.values():
            await conn.execute(insert(_table("document", "digest", "body")).values(digest=each.digest, body=each.compressed()))
        await conn.execute(insert(_table("run", *run, "started_at")).values(**run, started_at=at["taken_at"]))
        await conn.execute(insert(_table("snapshot", *taken)).values(taken))


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


async def write_rest(url: str) -> None:
    """What else later steps go by, in the first tables: a chain, a decision, and a change that is open."""
    record = write(CLINIC, Head(), Kind.PLAN, {}, NOW)
    made, at = decision("old-dec", "old"), _written(NOW)
    tokens = {name: getattr(made, name).value for name in ("platform", "verdict", "reason")}
    names = {name: getattr(made, name) for name in ("id", "run", "clinic", "campaign", "rule")}
    of_it = {"id": "chg-1", "decision": "old-dec", "run": "old", "clinic": CLINIC, "campaign": "search", "fence": 1}
    rows = {
        "chain": {"name": CLINIC, "seq": 1, "hash": record.hash},
        "ledger": {"chain": CLINIC, "seq": 1, "at": at, "kind": "plan", "text": record.text, "hash": record.hash},
        "decision": {**names, **tokens, "changed": True, "at": at, "body": dump(Decision, made).decode()},
        "change": {**of_it, "status": "open", "intended_at": at, "body": dump(Change, change()).decode(), "detail": "{}"},
    }
    async with writing(url) as conn:
        for name, row in rows.items():
            await conn.execute(insert(_table(name, *row)).values(row))


def _table(name: str, *columns: str) -> Any:
    return table(name, *map(col, columns))


async def test_runs_recorded_before_are_read_as_they_were(url: str) -> None:
    await to(url, OLD)
    made, came = inputs("old"), outcome("old")
    await write_old(url, made, came)
    store = Store.open(url)
    await store.migrate()
    assert await store.runs.load_inputs("old") == made
    assert await store.runs.load_outcome("old") == came
    assert await store.runs.outcome_text("old") == canonical(came)
    assert await store.snapshots.baselines(CLINIC, [(NOW, NOW)]) == (made.snapshot,)
    later = await record(store, "new", 1, made.snapshot)
    assert await store.runs.load_inputs("new") == later
    await store.aclose()


async def test_documents_from_before_are_kept_as_long_as_if_the_newest_run_had_used_them(url: str) -> None:
    await to(url, OLD)
    await write_old(url, inputs("old"), outcome("old"))
    await to(url, "head")
    async with writing(url) as conn:
        assert set(await conn.scalars(select(tables.document.c.used_on))) == {NOW.date()}
    store = Store.open(url)
    now = NOW + timedelta(days=401)
    assert await store.retention.forget_runs(CLINIC, NOW + timedelta(days=1), now) == 1
    assert await store.retention.forget_documents(NOW + timedelta(days=1)) == 7
    await store.aclose()


async def test_the_way_back_leaves_the_first_tables_with_everything_written_out(url: str) -> None:
    await to(url, OLD)
    first = await shape(url)
    await write_old(url, inputs("old"), outcome("old"))
    await to(url, "head")
    store = Store.open(url)
    made = await record(store, "new", 1, snapshot(NOW), snapshot(NOW, readable=False))
    came = await store.runs.load_outcome("new")
    await store.aclose()
    await to(url, OLD, down=True)
    assert await shape(url) == first
    async with writing(url) as conn:
        query = """
            SELECT s.body, o.body, i.body FROM run JOIN snapshot ON snapshot.run = run.id
            JOIN document s ON s.digest = snapshot.document JOIN document o ON o.digest = run.outcome
            JOIN document i ON i.digest = run.inputs WHERE run.id = 'new'
        """
        seen, concluded, whole = map(zlib.decompress, (await conn.execute(text(query))).one())
    assert load(Snapshot, seen) == made.snapshot
    assert load(RunOutcome, concluded) == came
    assert len(json.loads(whole)["baselines"]) == 2


async def test_each_step_has_its_way_back_and_loses_nothing_on_either(url: str) -> None:
    steps = [step.revision for step in ScriptDirectory(str(Path(migrations.__path__[0]))).walk_revisions()][::-1]
    await to(url, OLD)
    await write_old(url, inputs("old"), outcome("old"))
    await write_rest(url)
    shapes = {}
    for step in steps:
        await to(url, step)
        shapes[step] = await shape(url)
    for step in reversed(steps):
        await to(url, step, down=True)
        assert await shape(url) == shapes[step]
    store = Store.open(url)
    assert await store.migrate() == Migrated(OLD, steps[-1])
    assert await store.runs.load_inputs("old") == inputs("old")
    assert (await store.ledger.verify(CLINIC)).count == 1
    assert (await store.decisions.decision("old-dec")).service == "physio"
    [left] = await store.intents.open(CLINIC)
    assert left.sent_at == left.intended_at == NOW
    assert await store.outbox.behind() == ()
    async with store._database.reading() as conn:
        assert await conn.scalar(select(tables.decision.c.service)) == "physio"
    await store.aclose()


async def test_the_first_tables_go_too_unless_there_are_records_in_them(url: str) -> None:
    store = Store.open(url)
    await store.migrate()
    await to(url, "base", down=True)
    assert set(await shape(url)) == {"alembic_version", "guards"}
    assert (await shape(url))["guards"] == []
    await store.migrate()
    await store.ledger.append(CLINIC, Kind.PLAN, {}, NOW)
    await store.aclose()
    with pytest.raises(CommandError, match="records in the ledger"):
        await to(url, "base", down=True)


FOREIGN = (
    "CREATE TABLE visitor (name varchar(20), seen date)",
    "CREATE INDEX visitor_name ON visitor (upper(name))",
    "CREATE VIEW visitors AS SELECT name FROM visitor",
    "CREATE VIEW shops AS SELECT CAST('a' AS varchar(20)) AS name",
)
OF_FOREIGN = """
    SELECT table_name, column_name, data_type, character_maximum_length, collation_name,
    pg_relation_filenode('visitor'::regclass)
    FROM information_schema.columns WHERE table_name IN ('visitor', 'visitors', 'shops') ORDER BY 1, 2
"""


@on_postgresql
async def test_tables_and_views_of_others_in_the_same_schema_are_left_alone(url: str) -> None:
    await execute(url, *FOREIGN)

    async def looked() -> list[tuple[object, ...]]:
        async with writing(url) as conn:
            return [tuple(row) for row in await conn.execute(text(OF_FOREIGN))]

    before = await looked()
    assert len(before) == 4
    await to(url, "head")
    assert await looked() == before
    await to(url, OLD, down=True)
    assert await looked() == before


READ = "SELECT count(*) FROM decision"


@on_postgresql
async def test_who_reads_for_long_holds_up_the_migration_and_nobody_else(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "PATIENCE_MILLISECONDS", 200)
    monkeypatch.setattr(migrate, "NAP_SECONDS", 0.2)
    await to(url, "0014")
    store, others = Store.open(url), Database(url)
    async with writing(url) as long:
        await long.execute(text(READ))
        migrating = asyncio.create_task(store.migrate())
        waits = []
        for _ in range(20):
            began = time.monotonic()
            await others.read(lambda conn: conn.scalar(text(READ)))
            waits.append(time.monotonic() - began)
            await asyncio.sleep(0.1)
        assert not migrating.done()
    assert max(waits) < 1.5
    assert (await migrating).before == "0014"
    await others.aclose()
    await store.aclose()


@on_postgresql
async def test_a_migration_that_gets_no_turn_says_what_to_do_and_leaves_no_trace(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PATIENCE_MILLISECONDS": 50, "NAP_SECONDS": 0.01, "TRIES": 3}.items():
        monkeypatch.setattr(migrate, name, value)
    await to(url, "0014")
    before, store = await shape(url), Store.open(url)
    async with writing(url) as long:
        await long.execute(text(READ))
        with pytest.raises(StoreError, match=r"not migrated: .*lock timeout.* pg_stat_activity .* migrate again"):
            await store.migrate()
    assert await shape(url) == before
    await store.aclose()


@on_postgresql
async def test_a_migration_that_waits_for_its_turn_can_be_called_off(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "PATIENCE_MILLISECONDS", 50)
    await to(url, "0014")
    store = Store.open(url)
    async with writing(url) as long:
        await long.execute(text(READ))
        migrating = asyncio.create_task(store.migrate())
        await asyncio.sleep(1)
        migrating.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(migrating, 3)
    await store.aclose()


async def test_a_database_of_a_later_version_is_left_alone(url: str) -> None:
    store = Store.open(url)
    await store.migrate()
    before = await shape(url)
    async with writing(url) as conn:
        await conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"revision 9999.* a later version"):
        await store.migrate()
    assert await shape(url) == before
    await store.aclose()


async def test_there_and_back_again_loses_no_run_and_no_record(url: str) -> None:
    store = Store.open(url)
    await store.migrate()
    made = await record(store, "run-1", 0, snapshot(NOW - HOUR))
    came, head = await store.runs.load_outcome("run-1"), await store.ledger.head(CLINIC)
    for _ in range(2):
        await to(url, OLD, down=True)
        await to(url, "head")
    assert await store.runs.load_inputs("run-1") == made
    assert await store.runs.load_outcome("run-1") == came
    assert (await store.ledger.head(CLINIC), (await store.ledger.verify(CLINIC)).ok) == (head, True)
    with pytest.raises(StoreError, match="append-only"):
        async with writing(url) as conn:
            await conn.execute(update(tables.ledger).values(text="{}"))
    await store.aclose()


async def test_the_way_back_is_refused_once_records_are_in_files_and_loses_no_checkpoint(url: str) -> None:
    store = Store.open(url)
    await store.migrate()
    first, *_ = [await store.ledger.append(CLINIC, Kind.PLAN, {"n": n}, NOW) for n in range(3)]
    await store.archives.take_out([Checkpoint(CLINIC, 1, first.hash, 1, "old.ndjson", "f" * 64, NOW, "ana")])
    with pytest.raises(CommandError, match="stay here"):
        await to(url, OLD, down=True)
    assert len(await store.archives.checkpoints(CLINIC)) == 1
    assert (await store.ledger.verify(CLINIC)).ok
    await store.aclose()


async def test_on_the_way_back_the_ledger_lets_go_of_nothing_again(url: str) -> None:
    store = Store.open(url)
    await store.migrate()
    await store.ledger.append(CLINIC, Kind.PLAN, {}, NOW)
    await store.aclose()
    await to(url, OLD, down=True)
    with pytest.raises(StoreError, match="append-only: no record is"):
        async with writing(url) as conn:
            await conn.execute(text("DELETE FROM ledger"))
