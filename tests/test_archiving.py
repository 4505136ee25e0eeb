"""The ledger's oldest records go into a file, and at no moment is one of them nowhere."""

from __future__ import annotations

import asyncio
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import datetime
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from service.archiving import Archived, archive
from service.core.errors import InputError, LedgerBrokenError, StoreError
from service.core.ledger import SYSTEM, Checkpoint, Head, Kind, export_line
from service.store import archives
from service.store.ledger import Wanted, append
from service.store.store import Store
from tests.core.test_ledger import VERIFIER
from tests.store.backends import damage
from tests.store.samples import CLINIC, HOUR, NOW
from tests.store.test_ledger import fill

OTHER = "northside-allied"
LATER = NOW + 1000 * HOUR


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = Store.open(f"sqlite+aiosqlite:///{tmp_path}/governor.db")
    await opened.migrate()
    yield opened
    await opened.aclose()


async def archived(store: Store, file: Path, before: datetime = LATER, *chains: str) -> Archived:
    return await archive(store, chains or await store.ledger.chains(), before, file, by="ana", now=LATER)


async def rest(store: Store) -> list[str]:
    return [export_line(record) async for some in await store.ledger.export(Wanted()) for record in some]


def lines_of(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines()


def write(file: Path, lines: list[str]) -> str:
    """Write an archive by hand; its SHA-256."""
    file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return hashlib.sha256(file.read_bytes()).hexdigest()


def files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.glob("old*"))


def verified(*lines: str, options: tuple[str, ...] = ()) -> tuple[int, str]:
    text = "".join(f"{line}\n" for line in lines)
    command = [sys.executable, "-I", str(VERIFIER), "-", *options]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)  # noqa: S603 - our own script
    return done.returncode, done.stdout.decode()


async def test_an_archive_and_the_rest_are_the_whole_ledger_to_whoever_verifies_it(store: Store, tmp_path: Path) -> None:
    for n in range(6):
        for chain in (CLINIC, OTHER, SYSTEM):
            await store.ledger.append(chain, Kind.PLAN, {"n": n, "name": "Zoë"}, NOW + n * HOUR)
    noted = await store.ledger.head(OTHER)
    before = await rest(store)
    file = tmp_path / "old.ndjson"
    made = (await archived(store, file, NOW + 4 * HOUR)).checkpoints
    assert [(each.chain, each.first, each.seq) for each in made] == [(SYSTEM, 1, 4), (CLINIC, 1, 4), (OTHER, 1, 4)]
    assert {each.sha256 for each in made} == {hashlib.sha256(file.read_bytes()).hexdigest()}
    after, held = await rest(store), lines_of(file)
    assert sorted(held + after[:6]) == sorted(before)
    assert [json.loads(line)["kind"] for line in after[6:]] == ["checkpoint"] * 3
    code, said = verified(*held, *after, options=(f"--head={OTHER}={noted.seq}:{noted.hash}",))
    assert (code, said.count("ok ")) == (0, 3)
    assert verified(*after)[0] == 1
    assert verified(*after, options=tuple(f"--after={each.chain}={each.seq}:{each.hash}" for each in made))[0] == 0
    assert all(each.ok for each in (await store.ledger.verify_each([CLINIC, OTHER, SYSTEM])).values())
    assert files(tmp_path) == ["old.ndjson"]


async def test_a_second_archive_goes_on_where_the_first_one_ended(store: Store, tmp_path: Path) -> None:
    await fill(store, 9)
    first, second = tmp_path / "1.ndjson", tmp_path / "2.ndjson"
    await archived(store, first, NOW + 3 * HOUR)
    await fill(store, 1)
    [made] = (await archived(store, second, NOW + 6 * HOUR)).checkpoints
    assert (made.first, made.seq) == (4, 6)
    held = lines_of(first) + lines_of(second)
    assert verified(*held, *await rest(store))[0] == 0


async def test_only_the_chains_asked_for_are_archived(store: Store, tmp_path: Path) -> None:
    await fill(store, 3)
    await fill(store, 3, OTHER)
    await archived(store, tmp_path / "old.ndjson", LATER, OTHER)
    assert [json.loads(line)["chain"] for line in await rest(store)] == [CLINIC] * 3 + [OTHER] * 2


async def test_where_there_is_nothing_to_take_no_file_is_made(store: Store, tmp_path: Path) -> None:
    await fill(store, 3)
    assert await archived(store, tmp_path / "old.ndjson", NOW) == Archived(())
    assert not (tmp_path / "old.ndjson").exists()
    assert len(await rest(store)) == 3


async def test_the_clinics_other_tables_are_not_touched(store: Store, tmp_path: Path) -> None:
    async with store._database.reading() as conn:
        names = set((await conn.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars())
    await fill(store, 3)
    untouched = names - {"ledger", "chain", "checkpoint", "sqlite_sequence"}
    async with store._database.writing() as conn:
        for name in untouched:
            for event in ("INSERT", "UPDATE", "DELETE"):
                refuse = f"BEGIN SELECT RAISE(ABORT, 'touched {name}'); END"
                await conn.exec_driver_sql(f'CREATE TRIGGER "{name}_{event}" BEFORE {event} ON "{name}" {refuse}')
    assert len(untouched) > 15
    assert (await archived(store, tmp_path / "old.ndjson")).checkpoints


# --- refused ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"notes\n", b'{"chain":"harbour-physio"}\n'])
async def test_a_file_that_is_something_else_is_left_alone(store: Store, tmp_path: Path, content: bytes) -> None:
    await fill(store, 3)
    file = tmp_path / "old.ndjson"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"exists and is not this archive .*: name a new file"):
        await archived(store, file)
    assert file.read_bytes() == content
    assert len(await rest(store)) == 3


async def test_a_file_that_holds_more_or_other_records_than_are_to_be_taken_is_left_alone(store: Store, tmp_path: Path) -> None:
    await fill(store, 5)
    lines = await rest(store)
    file = tmp_path / "old.ndjson"
    for held in (lines, lines[1:3], [lines[0], lines[2]], [*lines[:2], lines[1]], [lines[0].replace("Zoë", "Zoe")]):
        write(file, held)
        with pytest.raises(InputError, match="is not this archive"):
            await archived(store, file, NOW + 3 * HOUR)
    assert await rest(store) == lines


async def test_a_file_of_records_that_never_were_here_is_not_believed(store: Store, tmp_path: Path) -> None:
    other = Store.open(f"sqlite+aiosqlite:///{tmp_path}/other.db")
    await other.migrate()
    for n in range(3):
        await other.ledger.append(CLINIC, Kind.PLAN, {"n": -n}, NOW)
    file = tmp_path / "old.ndjson"
    write(file, (await rest(other))[:2])
    await other.aclose()
    await fill(store, 5)
    with pytest.raises(StoreError, match="checkpoints are append-only"):
        await archived(store, file)
    assert len(await rest(store)) == 5


async def test_nothing_is_taken_out_of_a_chain_that_does_not_hold(store: Store, tmp_path: Path) -> None:
    await fill(store, 5)
    await fill(store, 5, OTHER)
    changed = "UPDATE ledger SET text = replace(text, 'Zoë', 'Zoe') WHERE chain = 'northside-allied' AND seq = 2"
    await damage(f"sqlite+aiosqlite:///{tmp_path}/governor.db", changed)
    with pytest.raises(LedgerBrokenError, match=f"nothing is taken out: {OTHER} #2"):
        await archived(store, tmp_path / "old.ndjson")
    assert len(await rest(store)) == 10
    assert files(tmp_path) == []


async def test_a_folder_that_is_not_there_or_a_name_that_is_too_long_is_refused(store: Store, tmp_path: Path) -> None:
    await fill(store, 3)
    for file, says in ((tmp_path / "no" / "old.ndjson", "cannot be written"), (tmp_path / ("x" * 256), "255 characters")):
        with pytest.raises(InputError, match=says):
            await archived(store, file)
    with pytest.raises(InputError, match="cannot be read"):
        await archived(store, tmp_path)
    assert len(await rest(store)) == 3


async def test_a_disk_that_is_full_leaves_no_file_and_takes_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    await fill(store, 3)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        await archived(store, tmp_path / "old.ndjson")
    assert files(tmp_path) == []
    assert len(await rest(store)) == 3


async def test_a_file_system_without_links_will_do(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unable(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    await fill(store, 3)
    monkeypatch.setattr(os, "link", unable)
    assert (await archived(store, tmp_path / "old.ndjson")).checkpoints
    assert len(lines_of(tmp_path / "old.ndjson")) == 2
    assert files(tmp_path) == ["old.ndjson"]


# --- interrupted --------------------------------------------------------------------------------------------------------


async def test_a_call_that_ended_before_the_checkpoint_is_finished_by_the_next_with_the_same_file(
    store: Store, tmp_path: Path
) -> None:
    await fill(store, 6)
    file = tmp_path / "old.ndjson"
    digest = write(file, (await rest(store))[:5])
    await fill(store, 1)  # by now there would be more to take
    [made] = (await archived(store, file)).checkpoints
    assert (made.first, made.seq, made.sha256) == (1, 5, digest)
    assert write(file, lines_of(file)) == digest
    assert [json.loads(line)["seq"] for line in await rest(store)] == [6, 7, 8]


async def test_a_call_that_ended_while_rows_were_removed_is_finished_by_the_next(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST", 2)
    written = await fill(store, 6)
    file = tmp_path / "old.ndjson"
    digest = write(file, (await rest(store))[:5])
    made = Checkpoint(CLINIC, 5, written[4].hash, 1, file.name, digest, LATER, "ana")
    await store.archives.take_out([made])
    await store.archives.remove()
    assert (await rows(store), len(await rest(store))) == (5, 2)
    assert await archived(store, file) == Archived((made,), earlier=True)
    assert (await rows(store), len(await rest(store))) == (2, 2)
    assert (await store.ledger.verify(CLINIC)).ok


async def rows(store: Store) -> int:
    async with store._database.reading() as conn:
        return int((await conn.exec_driver_sql("SELECT count(*) FROM ledger")).scalar_one())


@pytest.mark.parametrize("kills", [pytest.param(2, id="short"), pytest.param(60, id="long", marks=pytest.mark.soak)])
async def test_at_whatever_moment_it_is_killed_nothing_is_lost_and_the_next_call_finishes(tmp_path: Path, kills: int) -> None:
    """As long as the call takes is parted evenly, and a process is killed at the end of each part."""
    made = tmp_path / "made"
    before = await made_in(tmp_path)
    whole = await killed(made, tmp_path / "whole", before, after=None)
    for n in range(kills):
        await killed(made, tmp_path / f"{n}", before, after=whole * (n + 0.5) / kills)


async def made_in(parent: Path) -> list[str]:
    """A ledger of a thousand records in the folder `made`, written in one transaction; its lines."""
    folder = parent / "made"
    folder.mkdir()
    store = await opened(folder)
    async with store._database.writing() as conn:
        body = {"why": "x" * 300}
        lines = [export_line(await append(conn, CLINIC, Kind.DECISION, body, NOW)) for _ in range(1000)]
    await store.aclose()
    return lines


async def opened(folder: Path) -> Store:
    store = Store.open(f"sqlite+aiosqlite:///{folder}/governor.db")
    await store.migrate()
    return store


async def killed(made: Path, folder: Path, before: list[str], *, after: float | None) -> float:
    """Archive a copy of the ledger in a process that is killed `after` so many seconds; what is left is whole, and finished.

    None: it is let go on to its end. Returns how long it took.
    """
    shutil.copytree(made, folder)
    seconds = await asyncio.to_thread(run_and_kill, folder, after)
    store = await opened(folder)
    await check(store, folder / "old.ndjson", before)
    await archived(store, folder / "old.ndjson")
    await check(store, folder / "old.ndjson", before)
    assert await rows(store) == len(await rest(store)) == 2
    await store.aclose()
    return seconds


def run_and_kill(folder: Path, after: float | None) -> float:
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["tests.test_archiving"])
    begun = forks.Event()
    process = forks.Process(target=archive_in_a_process, args=(folder, begun))
    process.start()
    assert begun.wait(60)
    at = time.perf_counter()
    process.join(60 if after is None else after)
    process.kill()
    process.join()
    assert process.exitcode in ({0} if after is None else {0, -signal.SIGKILL})
    return time.perf_counter() - at


def archive_in_a_process(folder: Path, begun: Event) -> None:
    async def work() -> None:
        store = await opened(folder)
        begun.set()
        await archived(store, folder / "old.ndjson")
        await store.aclose()

    archives.MOST = 50  # so that it may be killed between two steps
    asyncio.run(work())


async def check(store: Store, file: Path, before: list[str]) -> None:
    """The chain holds, and every record is in it or in the file."""
    found = await store.ledger.verify(CLINIC)
    assert found.ok, str(found)
    taken = lines_of(file) if found.after != Head() else []
    assert [*taken, *await rest(store)][: len(before)] == before
