"""What is PostgreSQL's own: a server that may be gone, more ways to remove a row, and characters it does not take."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.errors import SettingsError, StoreError
from service.core.ledger import Kind
from service.store import postgresql as pg
from service.store.decisions import Wanted
from service.store.store import Store
from tests import postgres
from tests.container.dockerfile import REPOSITORY
from tests.eventually import eventually
from tests.postgres import Postgres
from tests.store.backends import execute, on_postgresql
from tests.store.samples import CLINIC, NOW, change, decision, hold, inputs, outcome
from tests.store.test_archives import taken_out
from tests.store.test_ledger import fill

# --- what the database refuses ------------------------------------------------------------------------------------------

REPLICA = "SET session_replication_role = replica"
LURE = "CREATE TEMPORARY TABLE checkpoint AS SELECT CAST('harbour-physio' AS varchar) AS chain, 99 AS seq"
"""What says that everything is covered, under the name of the table that would have to."""

ADDED = "INSERT INTO ledger (chain, seq, at, kind, text, hash) SELECT {}, at, kind, text, hash FROM ledger WHERE seq = 5"


@on_postgresql
@pytest.mark.parametrize(
    "statements",
    [
        ["TRUNCATE ledger"],
        ["TRUNCATE checkpoint"],
        ["TRUNCATE chain"],
        ["TRUNCATE chain, ledger, checkpoint CASCADE"],
        [REPLICA, "DELETE FROM ledger WHERE seq = 5"],
        [REPLICA, "UPDATE ledger SET text = '{}' WHERE seq = 5"],
        [REPLICA, "TRUNCATE ledger"],
        [REPLICA, "DELETE FROM checkpoint"],
        [REPLICA, "UPDATE chain SET seq = 1"],
        [LURE, "DELETE FROM ledger WHERE seq = 5"],
        [ADDED.format("chain, 9")],
        [ADDED.format("'x', 2")],
        ["MERGE INTO ledger USING chain ON seq = 5 WHEN MATCHED THEN DELETE".replace("seq =", "ledger.seq =")],
        ["DELETE FROM ledger USING chain WHERE ledger.chain = name AND ledger.seq = chain.seq"],
    ],
    ids=lambda each: each[-1][:60],
)
async def test_there_is_no_other_way_to_remove_or_change_a_record(store: Store, url: str, statements: list[str]) -> None:
    await taken_out(store)
    with pytest.raises(StoreError, match="append-only"):
        await execute(url, *statements)
    assert (await store.ledger.verify(CLINIC)).count == 4


@on_postgresql
async def test_every_guard_holds_in_every_session_and_looks_at_our_tables_alone(store: Store) -> None:
    async with store._database.reading() as conn:
        triggers = await conn.execute(text("SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal"))
        assert {row.tgname: row.tgenabled for row in triggers if row.tgenabled not in {"A", b"A"}} == {}
        functions = await conn.execute(
            text("SELECT proname, proconfig FROM pg_proc WHERE pronamespace = current_schema()::regnamespace")
        )
        assert {row.proname: row.proconfig for row in functions if row.proconfig != ["search_path=public, pg_temp"]} == {}


HANDBOOK = (REPOSITORY / "docs" / "database.md").read_text("utf-8")
ROLE, LIMITS, *_ = (block.split(";\n")[:-1] for block in re.findall(r"```sql\n(.*?)```", HANDBOOK, re.DOTALL))
LATER = ("CREATE TABLE later (id serial PRIMARY KEY, name varchar)", "INSERT INTO later (name) VALUES ('x')")


def test_the_limits_that_the_handbook_gives_to_a_role_are_those_of_each_session() -> None:
    given = [re.fullmatch(r"ALTER ROLE governor_service SET (\w+) = '(\w+)'", each) for each in LIMITS]
    assert {each[1]: each[2] for each in given if each} == pg.SESSION
    assert f"A process opens {pg.POOL['pool_size'] + pg.POOL['max_overflow']} connections at most" in HANDBOOK


def test_who_stands_still_in_a_transaction_is_gone_before_those_who_wait_for_him_give_up() -> None:
    seconds = {name: int(value.removesuffix("s")) for name, value in pg.SESSION.items() if value.endswith("s")}
    assert 2 * seconds["idle_in_transaction_session_timeout"] <= seconds["lock_timeout"] < seconds["statement_timeout"]


@on_postgresql
async def test_the_service_may_run_as_a_role_that_owns_nothing_and_can_take_no_guard_away(store: Store, url: str) -> None:
    await execute(url, *ROLE)
    theirs = make_url(url).set(username="governor_service").render_as_string(hide_password=False)
    service = Store.open(theirs)
    await service.migrate()
    await execute(url, LATER[0])
    await execute(theirs, LATER[1])
    await taken_out(service)
    assert await service.archives.remove() == 3
    assert (await service.ledger.verify(CLINIC)).ok
    for statement in ("ALTER TABLE ledger DISABLE TRIGGER USER", "DROP TABLE ledger", REPLICA, "TRUNCATE ledger"):
        with pytest.raises(StoreError, match=r"must be owner|permission denied"):
            await execute(theirs, statement)
    await service.aclose()
    assert (await store.ledger.verify(CLINIC)).count == 4
    await execute(url, "DROP OWNED BY governor_service", "DROP ROLE governor_service")


@on_postgresql
async def test_every_text_is_compared_byte_by_byte(store: Store) -> None:
    query = """
        SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()
        AND data_type = 'character varying' AND collation_name IS DISTINCT FROM 'C' AND table_name <> 'alembic_version'
    """
    async with store._database.reading() as conn:
        assert (await conn.execute(text(query))).all() == []


async def test_names_are_in_the_order_of_their_characters(store: Store) -> None:
    for name in ("b", "B", "a-b", "ab", "_a"):
        await store.ledger.append(name, Kind.PLAN, {}, NOW)
    assert await store.ledger.chains() == ("B", "_a", "a-b", "ab", "b")
    assert [each.chain for each in await store.outbox.behind()] == ["B", "_a", "a-b", "ab", "b"]


# --- what it does not take ----------------------------------------------------------------------------------------------


async def test_a_nul_character_stops_nothing_and_the_ledger_has_it_as_it_was(store: Store) -> None:
    made = hold("h1", reason="left\0alone")
    await store.holds.hold(made)
    [found] = await store.holds.holds(CLINIC, NOW)
    assert found.reason in {"left\0alone", "left\N{REPLACEMENT CHARACTER}alone"}
    [told] = (await store.ledger.records()).items
    assert told.body["hold"]["reason"] == "left\0alone"
    assert (await store.ledger.verify(CLINIC)).ok
    await store.runs.begin("run\0", CLINIC, NOW)
    await store.runs.fail("run\0", "the page said \0", NOW)
    assert (await store.runs.run("run\0")).status == "failed"


async def test_half_a_character_stops_nothing_and_is_a_question_mark_everywhere(store: Store, fence: int) -> None:
    half = "left \ud83d alone"
    await store.holds.hold(hold("h1", reason=half))
    [found] = await store.holds.holds(CLINIC, NOW)
    [told] = (await store.ledger.records()).items
    assert found.reason == told.body["hold"]["reason"] == "left ? alone"
    await store.runs.begin("run-1", CLINIC, NOW)
    made = decision(campaign=half, sentence=half)
    await store.runs.record(inputs(), outcome(decisions=(made,)), fence)
    kept = await store.decisions.decision(made.id)
    assert (kept.campaign, kept.sentence) == ("left ? alone", "left ? alone")
    assert (await store.decisions.decisions(Wanted(campaign=half))).items == (kept,)
    assert (await store.ledger.verify(CLINIC)).ok


async def test_nothing_is_too_long(store: Store, fence: int) -> None:
    """A decision's id has its campaign's name in it, and that may have 200 characters."""
    made = decision("d" * 300, campaign="é" * 200)
    await store.runs.begin("run-1", CLINIC, NOW)
    await store.runs.record(inputs(), outcome(decisions=(made,)), fence)
    await store.intents.intend(change("c" * 300, decision=made.id), NOW, fence)
    await store.holds.hold(hold("h1", by="a" * 300))
    assert await store.decisions.decision(made.id) == made


# --- addresses ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://me:s3cret@host/db", r"postgresql is nothing .* write .* or postgresql\+psycopg://USER"),
        ("postgresql+asyncpg://me:s3cret@host/db", "asyncpg is nothing"),
        ("postgresql+psycopg2://me:s3cret@host/db", "psycopg2 is nothing"),
        ("mysql+aiomysql://me:s3cret@host/db", "mysql"),
        ("postgresql+psycopg://me:s3cret@host:543x/db", "port is no number"),
        ("postgresql+psycopg://me:s3cret@host/db?sslmod=require", 'invalid connection option "sslmod"'),
        ("postgresql+psycopg:/me:s3cret@host/db", "no address of a database"),
        ("me:s3cret@host/db", "no address of a database"),
    ],
)
def test_an_address_that_cannot_be_used_is_a_setting_to_mend_and_its_password_is_not_shown(url: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        Store.open(url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1:1", "no-such-host.invalid", "/no/such/folder"])
async def test_a_server_that_is_not_there_is_a_store_error_that_shows_no_password(host: str) -> None:
    where = f"@/db?host={host}" if host.startswith("/") else f"@{host}/db"
    store = Store.open(f"postgresql+psycopg://me:s3cret{where}")
    for call in (store.ping, store.migrate, store.keys.keys):
        with pytest.raises(StoreError) as caught:
            await call()
        assert "s3cret" not in str(caught.value)
    with pytest.raises(StoreError):
        await store.keys.find_key("x")
    await store.aclose()


# --- a server that is gone ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mine() -> Any:
    with postgres.server() as running:  # whose data last
        yield running


@pytest.fixture
async def fragile(mine: Postgres) -> AsyncIterator[Store]:
    """A store on a server that may be ended."""
    with mine.database() as url:
        opened = Store.open(url)
        yield opened
        await opened.aclose()


@pytest.mark.parametrize("how", ["fast", "immediate"])
async def test_a_server_that_comes_back_is_used_again(fragile: Store, mine: Postgres, how: str) -> None:
    await fill(fragile, 2)
    await asyncio.gather(*(fragile.ping() for _ in range(5)))
    await asyncio.to_thread(mine.stop, how)
    with pytest.raises(StoreError):
        await fragile.ledger.head(CLINIC)
    with pytest.raises(StoreError):
        await fragile.keys.find_key("x")
    with pytest.raises(StoreError):
        await fill(fragile, 1)
    await asyncio.to_thread(mine.start)
    found = await asyncio.gather(*(fragile.ledger.verify(CLINIC) for _ in range(5)))
    assert [each.count for each in found] == [2] * 5
    await fill(fragile, 1)
    assert (await fragile.ledger.verify(CLINIC)).count == 3


@on_postgresql
async def test_a_connection_that_is_lost_in_the_middle_loses_what_was_not_finished_and_nothing_else(store: Store) -> None:
    await fill(store, 1)
    for kind in (store._database.writing, store._database.reading):
        with pytest.raises(StoreError):
            await lost(kind)
    await fill(store, 1)
    assert (await store.ledger.verify(CLINIC)).count == 2


async def lost(transaction: Callable[[], AbstractAsyncContextManager[AsyncConnection]]) -> None:
    async with transaction() as conn:
        if transaction.__name__ == "writing":
            await conn.execute(text("UPDATE chain SET seq = 9"))
        await conn.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


@on_postgresql
async def test_a_reading_that_is_cancelled_gives_its_connection_back(store: Store) -> None:
    pool: Any = store._database._engine.pool
    for delay in range(40):
        tasks = [asyncio.create_task(store.keys.find_key(f"{n}")) for n in range(3)]
        await asyncio.sleep(delay / 4000)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert await store.keys.find_key("x") is None

    async def given_back() -> bool:
        return bool(pool.checkedout() == 0)

    await eventually(given_back)


@on_postgresql
async def test_more_readers_than_there_are_connections_take_turns(store: Store) -> None:
    await fill(store, 3)
    heads = await asyncio.gather(*(store.ledger.head(CLINIC) for _ in range(60)))
    assert {each.seq for each in heads} == {3}
