"""The schema, the guards the database keeps by itself, and what is said when it cannot be used."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import aiosqlite
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.dialects import sqlite

from service.core.errors import NotFoundError, SettingsError, StoreError
from service.core.ledger import Kind
from service.store import tables
from service.store.columns import Instant
from service.store.database import Database
from service.store.store import Store
from tests.databases import lay
from tests.store.backends import execute, on_sqlite
from tests.store.samples import CLINIC, NOW


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), tables.metadata))


async def test_migrations_build_exactly_the_tables_the_code_names(store: Store) -> None:
    async with store._database.reading() as conn:
        assert await conn.run_sync(differences) == []


async def test_migrating_twice_changes_nothing(store: Store) -> None:
    record = await store.ledger.append(CLINIC, Kind.PLAN, {}, NOW)
    await store.migrate()
    assert (await store.ledger.head(CLINIC)).hash == record.hash


async def test_two_processes_may_migrate_at_once(url: str) -> None:
    stores = [Store.open(url), Store.open(url)]
    await asyncio.gather(*(each.migrate() for each in stores))
    for each in stores:
        await each.ping()
        await each.aclose()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET text = '{}' WHERE seq = 1",
        "UPDATE ledger SET hash = hash",
        "DELETE FROM ledger WHERE seq = 2",
        "DELETE FROM ledger",
        "INSERT OR REPLACE INTO ledger SELECT id, chain, seq, at, kind, '{}', hash FROM ledger WHERE seq = 1",
        "INSERT OR REPLACE INTO ledger SELECT id, 'other', 1, at, kind, '{}', hash FROM ledger WHERE seq = 1",
        "INSERT INTO ledger SELECT 99, chain, 9, at, kind, text, hash FROM ledger WHERE seq = 1",
    ],
)
async def test_the_database_itself_keeps_the_ledger_append_only(store: Store, url: str, statement: str) -> None:
    for n in range(3):
        await store.ledger.append(CLINIC, Kind.PLAN, {"n": n}, NOW)
    with pytest.raises(StoreError, match="append-only"):
        await execute(url, statement)
    assert (await store.ledger.verify(CLINIC)).count == 3


@on_sqlite
async def test_sqlite_is_set_up_for_many_readers_and_no_lost_commit(store: Store) -> None:
    async with store._database.reading() as conn:
        found = {name: await conn.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


async def test_what_fails_in_the_middle_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(NotFoundError):
        await store.runs.finish("no-such-run", "done", {}, NOW)
    with pytest.raises(ZeroDivisionError):
        await half_way(store)
    assert await store.ledger.chains() == ()


async def half_way(store: Store) -> None:
    async with store._database.writing() as conn:
        await conn.execute(tables.chain.insert().values(name="x", seq=1 // 1, hash="h"))
        await conn.execute(tables.chain.insert().values(name="y", seq=1 // 0, hash="h"))


async def test_readers_are_not_held_up_by_a_writer_and_see_one_state(store: Store) -> None:
    await store.ledger.append(CLINIC, Kind.PLAN, {}, NOW)
    async with store._database.writing() as conn:
        await conn.execute(tables.chain.update().values(seq=99))
        assert (await asyncio.wait_for(store.ledger.head(CLINIC), 5)).seq == 1
        await conn.rollback()


@pytest.mark.parametrize(
    "bad",
    ["", "governor.db", "mysql+nothing://x", "sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:", "sqlite:///governor.db"],
)
def test_a_url_that_cannot_be_used_is_a_setting_to_mend(bad: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        Store.open(bad)


@pytest.mark.parametrize(("where", "says"), [("no/such/governor.db", "there is no folder .*no/such"), ("", "is a folder")])
def test_a_path_that_can_hold_no_database_is_a_setting_to_mend(tmp_path: Path, where: str, says: str) -> None:
    with pytest.raises(SettingsError, match=f"GOVERNOR_DATABASE_URL: .*{says}"):
        Store.open(f"sqlite+aiosqlite:///{tmp_path}/{where}")


async def test_a_database_that_cannot_be_reached_is_a_store_error(tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    store = Store.open(f"sqlite+aiosqlite:///{folder}/governor.db")
    folder.rmdir()
    with pytest.raises(StoreError, match="unable to open"):
        await store.ping()
    await store.aclose()


async def test_a_file_that_is_no_database_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "governor.db").write_bytes(b"not a database, but long enough to be looked at" * 40)
    store = Store.open(f"sqlite+aiosqlite:///{tmp_path}/governor.db")
    with pytest.raises(StoreError, match="not a database"):
        await store.migrate()
    await store.aclose()


async def test_an_unmigrated_database_is_a_store_error_that_shows_no_data(url: str) -> None:
    store = Store.open(url)
    with pytest.raises(StoreError, match=r"no such table|does not exist") as caught:
        await store.keys.find_key("s3cret")
    assert "s3cret" not in str(caught.value)
    await store.aclose()


async def test_work_that_is_cancelled_is_finished_first_and_leaves_no_lock(store: Store) -> None:
    begun = 0
    async with asyncio.timeout(20):  # an abandoned connection would hold the write lock for longer
        for delay in range(30):
            tasks = [asyncio.create_task(store.ledger.append(CLINIC, Kind.PLAN, {"n": n}, NOW)) for n in range(3)]
            await asyncio.sleep(delay / 5000)
            begun += 3 if delay else 0
            for _ in range(2):
                for task in tasks:
                    task.cancel()
                await asyncio.sleep(0)
            await asyncio.gather(*tasks, return_exceptions=True)
        found = await store.ledger.verify(CLINIC)
    assert found.ok
    assert found.count >= begun


async def test_a_failure_under_cancellation_is_not_reported_as_lost(store: Store) -> None:
    task = asyncio.create_task(store.runs.finish("no-such-run", "done", {}, NOW))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("year", [1, 33, 999, 1000, 2026, 9999])
def test_instants_are_written_in_one_width_so_that_they_sort_by_time(year: int) -> None:
    at = datetime(year, 4, 3, 9, tzinfo=UTC)
    written = Instant().process_bind_param(at, sqlite.dialect())
    assert written == f"{year:04}-04-03T09:00:00.000000Z"
    assert Instant().process_result_value(written, sqlite.dialect()) == at


# --- reading on the spot ------------------------------------------------------------------------------------------------


async def test_what_is_brief_is_read_where_it_is_asked_for_and_what_is_not_by_a_thread(tmp_path: Path) -> None:
    lay(tmp_path)
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/governor.db")
    where: list[str] = []

    def reading(upto: int) -> Callable[[Connection], int]:
        def work(conn: Connection) -> int:
            where.append(threading.current_thread().name)
            counting = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT count(*) FROM n"
            return int(conn.exec_driver_sql(counting, (upto,)).scalar_one())

        return work

    assert await database.read(reading(10)) == 10
    assert await database.read(reading(200_000)) == 200_000
    assert await database.read(reading(20)) == 20
    here = threading.current_thread().name
    assert [name == here for name in where] == [True, True, False, True]
    await database.aclose()


async def test_what_would_have_to_wait_is_read_by_a_thread_while_others_go_on(tmp_path: Path) -> None:
    """Only a database that does not write ahead makes readers wait; one that was restored from such a copy may."""
    file = lay(tmp_path)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=DELETE")
        database = Database(f"sqlite+aiosqlite:///{file}")
        assert await database.read(lambda conn: conn.exec_driver_sql("SELECT 1").scalar_one()) == 1
        other.execute("BEGIN EXCLUSIVE")
        asked = asyncio.create_task(
            database.read(lambda conn: conn.exec_driver_sql("SELECT count(*) FROM ledger").scalar_one())
        )
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert not asked.done()
        other.execute("COMMIT")
    assert await asked == 0
    await database.aclose()


async def test_what_is_wrong_with_a_statement_is_told_whoever_reads_it(tmp_path: Path) -> None:
    lay(tmp_path)
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/governor.db")
    with pytest.raises(StoreError, match="no such table"):
        await database.read(lambda conn: conn.exec_driver_sql("SELECT * FROM nowhere").all())
    await database.aclose()


async def test_a_statement_is_one_trip_to_its_connections_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trips: list[object] = []
    usual: Callable[..., Awaitable[object]] = aiosqlite.Connection._execute

    async def counted(self: aiosqlite.Connection, what: object, *rest: object, **named: object) -> object:
        trips.append(what)
        return await usual(self, what, *rest, **named)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    lay(tmp_path)
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/governor.db")
    async with database.reading() as conn:
        await conn.execute(text("SELECT 0"))  # the transaction has begun
        before = len(trips)
        assert (await conn.execute(text("SELECT 1 UNION ALL SELECT 2"))).scalars().all() == [1, 2]
        assert len(trips) == before + 1
    await database.aclose()
