"""How fast the ledger is verified, and how little memory its export takes, against their limits."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import IO

import pytest

from service.core.ledger import Head
from service.sandbox.scene import HARBOUR
from service.store.store import Store
from tests.benchmarks import ledgers
from tests.core.test_ledger import VERIFIER

pytestmark = pytest.mark.bench

VERIFIED = 200_000
EXPORTED = (10_000, 1_000_000)
LIMIT_A_SECOND = 50_000
LIMIT_MEBIBYTES = 30
"""How much more memory the longest export may take than the shortest."""


@dataclass(frozen=True, slots=True)
class Made:
    """A ledger of a given length in a file of its own."""

    file: Path
    count: int
    head: Head

    @property
    def url(self) -> str:
        return f"sqlite+aiosqlite:///{self.file}"


async def made(folder: Path, count: int) -> Made:
    file = folder / f"{count}.db"
    store = Store.open(f"sqlite+aiosqlite:///{file}")
    await store.migrate()
    await store.aclose()
    lived = folder / f"lived-{count}"
    lived.mkdir()
    return Made(file, count, ledgers.fill(file, await ledgers.decisions(lived), count))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder whose large files are not kept."""
    yield tmp_path
    for file in tmp_path.glob("*.*"):
        file.unlink()


async def test_the_ledger_is_verified_fast_enough(folder: Path) -> None:
    one = await made(folder, VERIFIED)
    store = Store.open(one.url)
    taken = []
    for _ in range(3):  # the quickest, because the machine is not ours alone
        began = process_time()
        found = await store.ledger.verify(HARBOUR, one.head)
        taken.append(process_time() - began)
        assert (found.ok, found.count, found.head) == (True, VERIFIED, one.head)
    size = one.file.stat().st_size
    await store.aclose()
    rate, alone = VERIFIED / min(taken), VERIFIED / standing_alone(one)
    print(f"\n{VERIFIED:,} decisions of {size // VERIFIED:,} bytes each in SQLite, processor time of one process")
    print(f"  {'verified from the database':32}{rate:>10,.0f} records a second (limit {LIMIT_A_SECOND:,})")
    print(f"  {'by the stand-alone verifier':32}{alone:>10,.0f} records a second, from an export")
    assert rate >= LIMIT_A_SECOND


def standing_alone(one: Made) -> float:
    """Seconds of processor time that the stand-alone verifier takes for an export."""
    file = one.file.with_suffix(".ndjson")
    with file.open("wb") as out:
        run(one, "command", "ndjson", out)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    head = f"--head={HARBOUR}={one.head.seq}:{one.head.hash}"
    subprocess.run([sys.executable, "-I", str(VERIFIER), str(file), head], check=True, capture_output=True)  # noqa: S603 - our own
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@dataclass(frozen=True, slots=True)
class Export:
    """What an export took."""

    seconds: float
    mebibytes: float
    sent: int


def run(one: Made, way: str, form: str, out: int | IO[bytes] = subprocess.DEVNULL) -> Export:
    """Export a ledger in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GOVERNOR_")}
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-m", ledgers.__name__, way, form],
        env=clean | {"GOVERNOR_DATABASE_URL": one.url},
        stdout=out,
        stderr=subprocess.PIPE,
        check=True,
    )
    return Export(**json.loads(done.stderr.splitlines()[-1]))


async def test_an_export_takes_as_much_memory_for_a_million_records_as_for_a_few(folder: Path) -> None:
    few, many = [await made(folder, count) for count in EXPORTED]
    print(f"\nexport of {few.count:,} and of {many.count:,} records: the most memory, and processor time for the more")
    for way, form in (("api", "ndjson"), ("command", "csv")):
        small, large = run(few, way, form), run(many, way, form)
        more = large.mebibytes - small.mebibytes
        memory = f"{small.mebibytes:>8.0f}{large.mebibytes:>8.0f} MiB: {more:+.1f} (limit +{LIMIT_MEBIBYTES})"
        print(f"  {way + ', ' + form:18}{memory}{large.seconds:>10.1f} s")
        assert way == "command" or large.sent > 80 * small.sent
        assert more < LIMIT_MEBIBYTES
