"""Chains in the database: unbroken under concurrency, read page by page, and damage named."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from service.core.errors import InputError, StoreError
from service.core.ledger import SYSTEM, Head, Kind, Record, export_line
from service.core.verification import verify
from service.store.pages import Page
from service.store.store import Store
from tests.store.backends import damage, execute, on_postgresql, on_sqlite
from tests.store.samples import CLINIC, HOUR, NOW

VERIFIER = Path(__file__).parents[2] / "tools" / "verify_ledger.py"


async def fill(store: Store, count: int, chain: str = CLINIC) -> list[Record]:
    return [await store.ledger.append(chain, Kind.DECISION, {"n": n, "name": "Zoë"}, NOW + n * HOUR) for n in range(count)]


async def test_records_come_back_as_they_were_appended(store: Store) -> None:
    written = await fill(store, 3)
    page = await store.ledger.records(newest_first=False)
    assert list(page.items) == written
    assert page.items[0].at.tzinfo is UTC
    assert not page.more
    assert await store.ledger.head(CLINIC) == Head(3, written[-1].hash)
    assert verify(page.items).ok


async def test_a_chain_without_records_ends_at_the_beginning(store: Store) -> None:
    assert await store.ledger.head("nobody") == Head()
    assert (await store.ledger.verify("nobody")).ok


async def test_tasks_appending_to_one_chain_keep_it_unbroken(store: Store, url: str) -> None:
    other = Store.open(url)
    both = [(each, chain) for each in (store, other) for chain in (CLINIC, SYSTEM)]
    tasks = [each.ledger.append(chain, Kind.PLAN, {"n": n}, NOW) for n in range(15) for each, chain in both]
    await asyncio.gather(*tasks)
    await other.aclose()
    for chain in (CLINIC, SYSTEM):
        found = await store.ledger.verify(chain)
        assert found.ok
        assert found.count == 30


async def test_records_are_filtered_by_chain_kind_and_time(store: Store) -> None:
    await fill(store, 4)
    held = await store.ledger.append(SYSTEM, Kind.HOLD, {}, NOW)
    read = store.ledger.records
    assert (await read(chains=[SYSTEM])).items == (held,)
    assert (await read(chains=[])).items == ()
    assert (await read(kinds=[Kind.HOLD])).items == (held,)
    assert len((await read(chains=[CLINIC, SYSTEM])).items) == 5
    assert [each.seq for each in (await read(chains=[CLINIC], since=NOW + HOUR, before=NOW + 3 * HOUR)).items] == [3, 2]


@pytest.mark.parametrize("newest_first", [True, False])
async def test_pages_follow_one_another_while_the_ledger_grows(store: Store, newest_first: bool) -> None:
    await fill(store, 5)
    seen: list[int] = []
    page: Page[Record] | None = None
    while page is None or page.more:
        page = await store.ledger.records(cursor=page.cursor if page else None, limit=2, newest_first=newest_first)
        seen += [each.seq for each in page.items]
        if len(seen) == 2:
            await store.ledger.append(SYSTEM, Kind.HOLD, {}, NOW)
    assert seen == ([5, 4, 3, 2, 1] if newest_first else [1, 2, 3, 4, 5, 1])


async def test_a_follower_goes_on_from_its_last_cursor(store: Store) -> None:
    await fill(store, 2)
    first = await store.ledger.records(newest_first=False)
    again = await store.ledger.records(newest_first=False, cursor=first.cursor)
    assert again == Page((), None, more=False)
    await fill(store, 1)
    assert [each.seq for each in (await store.ledger.records(newest_first=False, cursor=first.cursor)).items] == [3]


@pytest.mark.parametrize("cursor", ["", "x", "é", "!!!!", "bm90", "WzEsMl0", "WyJhIl0", "W3RydWVd", "W10", "W" * 999])
async def test_a_cursor_that_is_none_of_ours_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(InputError, match="cursor"):
        await store.ledger.records(cursor=cursor)
    with pytest.raises(InputError, match="cursor"):
        await store.decisions.decisions(cursor=cursor)


ANYWHERE = {
    "a byte flipped in a text": ("UPDATE ledger SET text = replace(text, 'Zoë', 'Zoe') WHERE seq = 3", 3),
    "a hash": ("UPDATE ledger SET hash = replace(hash, substr(hash, 1, 1), 'x') WHERE seq = 3", 3),
    "a kind": ("UPDATE ledger SET kind = 'hold' WHERE seq = 3", 3),
    "a number": ("UPDATE ledger SET seq = 9 WHERE seq = 3", 3),
    "another chain": ("UPDATE ledger SET chain = 'other' WHERE seq = 3", 3),
    "one removed": ("DELETE FROM ledger WHERE seq = 3", 3),
    "the last removed": ("DELETE FROM ledger WHERE seq = 5", 5),
    "all removed": ("DELETE FROM ledger", 1),
    "two exchanged": ("UPDATE ledger SET seq = CASE seq WHEN 3 THEN -4 WHEN 4 THEN -3 END WHERE seq IN (3, 4)", 3),
    "one added": ("INSERT INTO ledger SELECT 99, chain, 6, at, kind, text, hash FROM ledger WHERE seq = 5", 6),
    "the head": ("UPDATE chain SET hash = 'x'", 5),
    "the row that remembers the head": ("DELETE FROM chain", 5),
    "the head put back": ("UPDATE chain SET seq = 4, hash = (SELECT hash FROM ledger WHERE seq = 4)", 5),
}
SQLITE = {
    "a text that is no UTF-8": ("UPDATE ledger SET text = CAST(x'7bff7d' AS TEXT) WHERE seq = 3", 3),
    "a text that is a blob": ("UPDATE ledger SET text = CAST(text AS BLOB) WHERE seq = 3", 3),
    "a kind that is a number": ("UPDATE ledger SET kind = CAST(x'01' AS BLOB) WHERE seq = 3", 3),
    "a time": ("UPDATE ledger SET at = replace(at, '2026', '2025') WHERE seq = 3", 3),
    "a time that is none": ("UPDATE ledger SET at = 'noon' WHERE seq = 3", 3),
    "a time that is a blob": ("UPDATE ledger SET at = x'00' WHERE seq = 3", 3),
    "a number that is none": ("UPDATE ledger SET seq = 'three' WHERE seq = 3", 3),
}
POSTGRESQL = {
    "a kind that is padded": ("UPDATE ledger SET kind = kind || ' ' WHERE seq = 3", 3),
    "a time": ("UPDATE ledger SET at = at - interval '1 year' WHERE seq = 3", 3),
    "a time that is none": ("UPDATE ledger SET at = 'infinity' WHERE seq = 3", 3),
    "a time before all years": ("UPDATE ledger SET at = '4000-01-01 BC' WHERE seq = 3", 3),
}


@pytest.mark.parametrize(("statement", "seq"), ANYWHERE.values(), ids=ANYWHERE)
async def test_damage_done_past_the_guards_is_named(store: Store, url: str, statement: str, seq: int) -> None:
    await damaged(store, url, statement, seq)


@on_sqlite
@pytest.mark.parametrize(("statement", "seq"), SQLITE.values(), ids=SQLITE)
async def test_damage_that_sqlite_alone_can_hold_is_named(store: Store, url: str, statement: str, seq: int) -> None:
    await damaged(store, url, statement, seq)


@on_postgresql
@pytest.mark.parametrize(("statement", "seq"), POSTGRESQL.values(), ids=POSTGRESQL)
async def test_damage_that_postgresql_alone_can_hold_is_named(store: Store, url: str, statement: str, seq: int) -> None:
    await damaged(store, url, statement, seq)


async def damaged(store: Store, url: str, statement: str, seq: int) -> None:
    await fill(store, 5)
    assert (await store.ledger.verify(CLINIC)).ok
    await damage(url, statement, "UPDATE ledger SET seq = -seq WHERE seq < 0")
    found = await store.ledger.verify(CLINIC)
    assert found.broken
    assert (found.broken.chain, found.broken.seq) == (CLINIC, seq)


async def test_a_chain_whose_row_is_gone_is_still_named_and_found_broken(store: Store, url: str) -> None:
    await fill(store, 2)
    await fill(store, 1, SYSTEM)
    await fill(store, 1, "zoo")
    await damage(url, "DELETE FROM chain WHERE seq = 2")
    assert await store.ledger.chains() == tuple(sorted((CLINIC, SYSTEM, "zoo")))
    found = await store.ledger.verify_each(await store.ledger.chains())
    assert {name for name, each in found.items() if each.broken} == {CLINIC}
    assert "which remembers the head, is missing" in str(found[CLINIC])


GUARDED = {
    "removed": "DELETE FROM chain",
    "put back": "UPDATE chain SET seq = seq - 1",
    "renamed": "UPDATE chain SET name = 'other'",
    "replaced": "INSERT OR REPLACE INTO chain SELECT name, 1, hash FROM chain",
}


@pytest.mark.parametrize("statement", GUARDED.values(), ids=GUARDED)
async def test_the_database_lets_no_chain_forget_its_head(store: Store, url: str, statement: str) -> None:
    written = await fill(store, 2)
    with pytest.raises(StoreError, match="chain's head"):
        await execute(url, statement)
    assert await store.ledger.head(CLINIC) == Head(2, written[-1].hash)
    await fill(store, 1)
    assert (await store.ledger.verify(CLINIC)).ok


async def test_a_head_noted_elsewhere_catches_what_rewriting_everything_would_hide(store: Store, url: str) -> None:
    noted = Head(4, (await fill(store, 5))[3].hash)
    assert (await store.ledger.verify(CLINIC, noted)).ok
    await damage(url, "DELETE FROM ledger", "DELETE FROM chain")
    for n in range(5):
        await store.ledger.append(CLINIC, Kind.DECISION, {"n": n, "name": "Zoe"}, NOW)
    assert (await store.ledger.verify(CLINIC)).ok
    found = await store.ledger.verify(CLINIC, noted)
    assert found.broken
    assert found.broken.seq == 4


@on_sqlite
async def test_any_byte_flipped_in_the_file_is_noticed_or_harmless(store: Store, url: str, tmp_path: Path) -> None:
    """Each byte of the third record's row in turn, as a disk would flip it: never a traceback, never a wrong record passed."""
    written = await fill(store, 5)
    await store.aclose()
    file = tmp_path / "governor.db"
    await damage(url)
    whole = file.read_bytes()
    start = whole.index(written[2].text.encode()) - 80
    noticed = 0
    for offset in range(start, start + 80 + len(written[2].text.encode()) + 64, 3):
        file.write_bytes(whole[:offset] + bytes([whole[offset] ^ 0x01]) + whole[offset + 1 :])
        noticed += not await holds(url, written)
    assert noticed > len(written[2].text) // 3


async def holds(url: str, written: list[Record]) -> bool:
    """Whether the chain is said to hold; if so, it must be what was written."""
    store = Store.open(url)
    try:
        found = await store.ledger.verify(CLINIC)
        if found.ok:
            assert sorted((await store.ledger.records()).items, key=lambda record: record.seq) == written
    except StoreError:
        return False
    finally:
        await store.aclose()
    return found.ok


async def test_an_export_passes_the_stand_alone_verifier(store: Store, tmp_path: Path) -> None:
    await fill(store, 5)
    await fill(store, 2, SYSTEM)
    head = await store.ledger.head(CLINIC)
    export = tmp_path / "audit.ndjson"
    lines = [f"{export_line(record)}\n" for record in (await store.ledger.records(newest_first=False)).items]
    for changed, code in ((lines, 0), ([line.replace("Zoë", "Zoe") for line in lines], 1)):
        export.write_text("".join(changed), encoding="utf-8")
        command = [sys.executable, "-I", str(VERIFIER), str(export), f"--head={CLINIC}={head.seq}:{head.hash}"]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        assert (f"ok {CLINIC}=5:{head.hash}" if code == 0 else f"BROKEN {CLINIC} #1") in done.stdout


async def test_verifications_take_turns(store: Store) -> None:
    """Each reads a whole chain in one transaction: many at once would leave nobody else a connection."""
    await store.ledger.append(CLINIC, Kind.HOLD, {"reason": "x"}, NOW)
    pool: Any = store._database._engine.pool
    checking = [asyncio.create_task(store.ledger.verify_each([CLINIC])) for _ in range(8)]
    most = 0
    while not all(each.done() for each in checking):
        most = max(most, pool.checkedout())
        await asyncio.sleep(0)
    assert all(each.result()[CLINIC].ok for each in checking)
    assert most == 1
