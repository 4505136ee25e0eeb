"""What was taken out of a chain: only what a checkpoint covers can go, and the rest of the chain still proves itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from service.core.errors import LedgerBrokenError, StoreError
from service.core.ledger import SYSTEM, Checkpoint, Head, Kind, Record
from service.store import archives, ledger
from service.store.ledger import Wanted
from service.store.store import Store
from tests.store.backends import damage, execute, on_postgresql, on_sqlite
from tests.store.samples import CLINIC, HOUR, NOW
from tests.store.test_ledger import fill

OTHER = "northside-allied"


def checkpoint(records: list[Record], seq: int, first: int = 1) -> Checkpoint:
    last = records[seq - 1]
    return Checkpoint(last.chain, seq, last.hash, first, "old.ndjson", "f" * 64, NOW + 99 * HOUR, "ana")


async def taken_out(store: Store, count: int = 6, seq: int = 3) -> list[Record]:
    """A chain of so many records, and the record of its checkpoint; the rows up to `seq` are still there."""
    written = await fill(store, count)
    await store.archives.take_out([checkpoint(written, seq)])
    return [*written, (await store.ledger.records(limit=1)).items[0]]


async def removed(store: Store) -> int:
    done = 0
    while some := await store.archives.remove():
        done += some
    return done


async def exported(store: Store, wanted: Wanted | None = None) -> list[tuple[str, int]]:
    return [(record.chain, record.seq) async for some in await store.ledger.export(wanted) for record in some]


# --- what the database itself refuses -----------------------------------------------------------------------------------

COVERED = "INSERT INTO checkpoint SELECT chain, seq, hash, 1, 'f', 's', at, 'me' FROM ledger WHERE chain = '{}' AND seq = {}"
REPLACED = "INSERT OR REPLACE INTO checkpoint SELECT chain, {}, hash, 1, 'f', 's', at, 'me' FROM checkpoint"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ledger WHERE chain = 'harbour-physio' AND seq = 4",
        "DELETE FROM ledger WHERE chain = 'harbour-physio' AND seq >= 3",
        "DELETE FROM ledger WHERE chain = 'northside-allied' AND seq = 1",
        "DELETE FROM ledger",
        "UPDATE ledger SET text = '{}' WHERE seq = 1",
        "INSERT OR REPLACE INTO ledger SELECT id, chain, seq, at, kind, '{}', hash FROM ledger WHERE seq = 1",
        "UPDATE checkpoint SET seq = 6",
        "UPDATE checkpoint SET sha256 = sha256",
        "DELETE FROM checkpoint",
        REPLACED.format("seq"),
        REPLACED.format("2"),
        REPLACED.format("6"),
        COVERED.format(CLINIC, 2),
        COVERED.format(CLINIC, 7),
        COVERED.format(OTHER, 1),
        COVERED.format(CLINIC, 5).replace("hash", "'x'"),
    ],
)
async def test_the_database_itself_refuses_what_no_true_checkpoint_covers(store: Store, url: str, statement: str) -> None:
    await taken_out(store)
    await fill(store, 3, OTHER)
    with pytest.raises(StoreError, match="append-only"):
        await execute(url, statement)
    assert (await store.ledger.verify(CLINIC)).count == 4
    assert (await store.ledger.verify(OTHER)).count == 3


async def test_the_database_lets_go_of_what_a_checkpoint_covers(store: Store, url: str) -> None:
    await taken_out(store)
    await execute(url, "DELETE FROM ledger WHERE seq <= 3")
    assert (await store.ledger.verify(CLINIC)).ok
    assert await removed(store) == 0


async def test_a_checkpoint_of_what_was_never_recorded_is_refused_whole(store: Store) -> None:
    written, others = await fill(store, 6), await fill(store, 3, OTHER)
    false = replace(checkpoint(others, 2), hash="0" * 64)
    with pytest.raises(StoreError, match="checkpoints are append-only"):
        await store.archives.take_out([checkpoint(written, 3), false])
    assert await store.archives.checkpoints(CLINIC) == ()
    assert await store.ledger.head(CLINIC) == Head(6, written[-1].hash)


# --- the rest of the chain ----------------------------------------------------------------------------------------------


async def test_what_was_taken_out_is_no_longer_read_and_the_rest_holds_before_and_after_its_rows_go(store: Store) -> None:
    written = await taken_out(store)
    for _ in range(2):
        found = await store.ledger.verify(CLINIC)
        assert (found.ok, found.count, found.after) == (True, 4, Head(3, written[2].hash))
        assert found.head == await store.ledger.head(CLINIC) == Head(7, written[6].hash)
        assert [each.seq for each in (await store.ledger.records()).items] == [7, 6, 5, 4]
        assert await exported(store) == [(CLINIC, seq) for seq in (4, 5, 6, 7)]
        await removed(store)
    assert str(found) == f"4 records hold after record 3, {written[2].hash[:16]}, head {written[6].hash[:16]} (record 7)"


async def test_a_chain_goes_on_after_a_checkpoint_and_may_be_cut_again(store: Store) -> None:
    written = [*await taken_out(store), *await fill(store, 3)]
    await store.archives.take_out([checkpoint(written, 5, first=4)])
    assert await removed(store) == 5
    found = await store.ledger.verify(CLINIC)
    assert (found.ok, found.count, found.after.seq) == (True, 6, 5)
    assert [(each.first, each.seq, each.records) for each in await store.archives.checkpoints(CLINIC)] == [(1, 3, 3), (4, 5, 2)]
    told = [each.body for each in (await store.ledger.records(kinds=[Kind.CHECKPOINT])).items]
    assert [each["checkpoint"]["seq"] for each in told] == [5, 3]


async def test_rows_are_removed_a_little_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST", 2)
    written = await fill(store, 8)
    await store.archives.take_out([checkpoint(written, 5)])
    steps = []
    while some := await store.archives.remove():
        steps.append(some)
        assert (await store.ledger.verify(CLINIC)).ok
        assert (await exported(store))[0] == (CLINIC, 6)
    assert steps == [2, 2, 1]


async def test_several_chains_are_verified_in_one_reading_each_from_where_it_begins(store: Store) -> None:
    await taken_out(store)
    await fill(store, 2, OTHER)
    found = await store.ledger.verify_each([OTHER, CLINIC, SYSTEM])
    assert [(chain, each.ok, each.count, each.after.seq) for chain, each in found.items()] == [
        (OTHER, True, 2, 0),
        (CLINIC, True, 4, 3),
        (SYSTEM, True, 0, 0),
    ]


async def test_a_head_noted_before_is_held_against_what_is_left_or_known_to_be_elsewhere(store: Store) -> None:
    written = await taken_out(store)
    await removed(store)
    held = {seq: (await store.ledger.verify(CLINIC, Head(seq, written[seq - 1].hash))).broken for seq in range(1, 8)}
    assert [seq for seq, broken in held.items() if broken is None] == [3, 4, 5, 6, 7]
    assert "verify the archive and the rest together" in str(held[1])
    forged = (await store.ledger.verify(CLINIC, Head(3, "f" * 64))).broken
    assert (forged and forged.seq) == 3


ANYWHERE = {
    "a record after it removed": ("DELETE FROM ledger WHERE seq = 4", 4),
    "its number": ("UPDATE checkpoint SET seq = 2", 3),
    "its number set beyond what is left": ("UPDATE checkpoint SET seq = 4", 5),
    "its hash": ("UPDATE checkpoint SET hash = replace(hash, substr(hash, 1, 1), 'x')", 4),
    "the file's name": ("UPDATE checkpoint SET file = 'other.ndjson'", 7),
    "the file's digest": ("UPDATE checkpoint SET sha256 = replace(sha256, 'f', 'e')", 7),
    "who set it": ("UPDATE checkpoint SET by = 'bob'", 7),
    "the first record": ("UPDATE checkpoint SET first = 2", 7),
    "the checkpoint gone": ("DELETE FROM checkpoint", 1),
    "the checkpoint of another chain": ("UPDATE checkpoint SET chain = 'northside-allied'", 1),
    "records and their checkpoint cut off": ("DELETE FROM ledger WHERE seq >= 7", 3),
    "a second one that no record tells of": (
        "INSERT INTO checkpoint SELECT chain, seq, hash, 4, 'f', 's', at, 'me' FROM ledger WHERE seq = 5",
        5,
    ),
}
SQLITE = {
    "its number that is none": ("UPDATE checkpoint SET seq = 'three'", 1),
    "when it was set": ("UPDATE checkpoint SET at = replace(at, '2026', '2025')", 7),
    "when it was set, being no instant": ("UPDATE checkpoint SET at = 'noon'", 7),
}
POSTGRESQL = {
    "when it was set": ("UPDATE checkpoint SET at = at - interval '1 year'", 7),
    "when it was set, being no instant": ("UPDATE checkpoint SET at = 'infinity'", 7),
}


@pytest.mark.parametrize(("statement", "seq"), ANYWHERE.values(), ids=ANYWHERE)
async def test_damage_to_a_checkpoint_done_past_the_guards_is_named(store: Store, url: str, statement: str, seq: int) -> None:
    await damaged(store, url, statement, seq)


@on_sqlite
@pytest.mark.parametrize(("statement", "seq"), SQLITE.values(), ids=SQLITE)
async def test_damage_to_a_checkpoint_that_sqlite_alone_can_hold_is_named(
    store: Store, url: str, statement: str, seq: int
) -> None:
    await damaged(store, url, statement, seq)


@on_postgresql
@pytest.mark.parametrize(("statement", "seq"), POSTGRESQL.values(), ids=POSTGRESQL)
async def test_damage_to_a_checkpoint_that_postgresql_alone_can_hold_is_named(
    store: Store, url: str, statement: str, seq: int
) -> None:
    await damaged(store, url, statement, seq)


async def damaged(store: Store, url: str, statement: str, seq: int) -> None:
    await taken_out(store)
    await removed(store)
    await damage(url, statement)
    found = (await store.ledger.verify(CLINIC)).broken
    assert found
    assert found.seq == seq, str(found)


async def test_records_removed_under_a_forged_checkpoint_are_missed(store: Store, url: str) -> None:
    await fill(store, 6)
    await damage(url, COVERED.format(CLINIC, 3), "DELETE FROM ledger WHERE seq <= 3")
    found = (await store.ledger.verify(CLINIC)).broken
    assert str(found) == f"{CLINIC} #3: the records up to here were taken out, and no record tells of it"


# --- what there is to take ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hours", "last"), [(0, None), (1, 1), (4, 4), (5, 5), (99, 5)])
async def test_a_segment_ends_before_the_first_younger_record_and_never_takes_the_newest(
    store: Store, hours: int, last: int | None
) -> None:
    written = await fill(store, 6)
    found = await store.archives.segment(CLINIC, NOW + hours * HOUR)
    assert (found and found.last) == (last and Head(last, written[last - 1].hash))
    assert found is None or found.after == Head()


async def test_a_clock_that_was_set_back_takes_nothing_out_of_order(store: Store) -> None:
    for hours in (0, 5, 1, 6):
        await store.ledger.append(CLINIC, Kind.PLAN, {}, NOW + hours * HOUR)
    found = await store.archives.segment(CLINIC, NOW + 3 * HOUR)
    assert found is not None
    assert found.last.seq == 1


async def test_there_is_nothing_to_take_of_what_is_not_there_or_has_one_record(store: Store) -> None:
    await fill(store, 1)
    assert await store.archives.segment(CLINIC, NOW + HOUR) is None
    assert await store.archives.segment("nobody", NOW + HOUR) is None


async def test_nothing_is_taken_of_a_chain_whose_last_record_to_go_is_missing(store: Store, url: str) -> None:
    await fill(store, 6)
    await damage(url, "DELETE FROM ledger WHERE seq = 3")
    with pytest.raises(LedgerBrokenError, match=f"{CLINIC} #3"):
        await store.archives.segment(CLINIC, NOW + 3 * HOUR)


async def test_of_two_that_take_out_the_same_one_is_refused(store: Store, url: str) -> None:
    other = Store.open(url)
    written = await fill(store, 6)
    both = (each.archives.take_out([checkpoint(written, 3)]) for each in (store, other))
    results = await asyncio.gather(*both, return_exceptions=True)
    await other.aclose()
    assert sorted(type(each).__name__ for each in results) == ["NoneType", "StoreError"]
    assert (await store.ledger.verify(CLINIC)).count == 4


# --- exporting ----------------------------------------------------------------------------------------------------------


async def test_an_export_is_every_record_wanted_oldest_first_in_steps(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "AT_ONCE", 3)
    for n in range(5):
        for chain in (CLINIC, OTHER, SYSTEM):
            await store.ledger.append(chain, Kind.PLAN if n % 2 else Kind.HOLD, {}, NOW + n * HOUR)
    everything = [(chain, n) for n in range(1, 6) for chain in (CLINIC, OTHER, SYSTEM)]
    assert await exported(store) == everything
    for chains in ((CLINIC,), (CLINIC, SYSTEM), ()):
        assert await exported(store, Wanted(chains)) == [each for each in everything if each[0] in chains]
    assert await exported(store, Wanted((OTHER,), (Kind.PLAN,))) == [(OTHER, 2), (OTHER, 4)]
    assert await exported(store, Wanted((OTHER,), (), NOW + HOUR, NOW + 3 * HOUR)) == [(OTHER, 2), (OTHER, 3)]


async def test_an_export_ends_at_the_record_that_was_the_newest_when_it_began(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "AT_ONCE", 2)
    await fill(store, 5)
    seen = []
    async for some in await store.ledger.export():
        seen += [record.seq for record in some]
        await fill(store, 2)
    assert seen == [1, 2, 3, 4, 5]


async def test_nothing_is_held_open_while_an_export_is_taken_slowly(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "AT_ONCE", 2)
    await fill(store, 5)
    async for _ in await store.ledger.export():
        assert store._database._engine.pool.checkedout() == 0  # type: ignore[attr-defined] # of the pool that is used


async def test_an_export_that_records_are_taken_out_from_under_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "AT_ONCE", 2)
    written = await fill(store, 6)
    running = await store.ledger.export()
    await anext(running)
    await store.archives.take_out([checkpoint(written, 5)])
    await removed(store)
    with pytest.raises(StoreError, match="export again"):
        await anext(running)


@on_sqlite
@pytest.mark.parametrize("chains", ["('a')", "('a', 'b')"])
async def test_pages_and_exports_read_no_more_than_they_show(store: Store, chains: str) -> None:
    """SQLite's own plan: no sorting, which would read and order a chain's whole life for each step."""
    wanted = Wanted(chains.strip("()").replace("'", "").split(", "))
    query = ledger._query(wanted).where(ledger._LEDGER.c.id > 1).order_by(ledger._LEDGER.c.id).limit(5)
    async with store._database.reading() as conn:
        compiled = query.compile(conn.sync_engine, compile_kwargs={"literal_binds": True})
        plan = [row.detail for row in await conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
    assert any("ledger" in step for step in plan)
    assert not any("TEMP B-TREE" in step for step in plan), plan
