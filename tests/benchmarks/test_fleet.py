"""Many clinics, many workers: what an hour of them costs, how late they are, and what more workers are worth.

    make bench ARGS="-k test_fleet"          FLEET_CLINICS=1000 (the default) or fewer
    make bench ARGS="-k how_late"            FLEET_MINUTES=60 for a whole hour of them, 5 (the default) for a part of it

Everything is real and shares the machine: PostgreSQL that loses nothing, Redis, workers by the command line, and the outside
systems of the sandbox, which take about as much of the processors as the workers do. The table that was measured last is in
`tests/benchmarks/fleet.md`.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

import pytest

from service.jobs.slots import Slot
from service.store.runs import Run
from service.store.store import Store
from tests import postgres
from tests.eventually import eventually
from tests.fleet.fleet import Fleet, fleet
from tests.fleet.town import CAMPAIGNS, write_rules

CLINICS = int(os.environ.get("FLEET_CLINICS", "1000"))
MINUTES = int(os.environ.get("FLEET_MINUTES", "5"))
WORKERS = (1, 2, 4)
ROOT = Path(__file__).parent.parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
WORKER = ("-c", "from service.cli import main; main()", "worker", "--port", "0")

CPU_SECONDS, MIB = 60.0, 512.0
"""What compute and store of an hourly pass over a thousand clinics may take of one core, and a worker of memory."""


# --- compute and store --------------------------------------------------------------------------------------------------


def passes(url: str, rules: Path, clinics: int) -> list[dict[str, Any]]:
    """Three passes in a process of its own; in the first every rule file is read."""
    command = [sys.executable, "-m", "tests.benchmarks.fleet_pass", url, str(rules), str(clinics), "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})  # noqa: S603 - ours
    return [json.loads(line[2:]) for line in done.stdout.splitlines() if line.startswith("> ")]


@pytest.mark.bench
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_compute_and_store_of_an_hourly_pass_are_linear_in_clinics(kind: str, tmp_path: Path) -> None:
    sizes = [CLINICS // 4, CLINICS // 2, CLINICS]
    print(f"\n{kind}: clinics of {CAMPAIGNS} campaigns, seconds of processor time and MiB; first pass, then two more")
    seconds = []
    for clinics in sizes:
        write_rules(tmp_path / f"rules-{clinics}", range(clinics))
        with postgres.server() as server, server.database() as url:
            where = url if kind == "postgresql" else f"sqlite+aiosqlite:///{tmp_path / f'{clinics}.db'}"
            found = passes(where, tmp_path / f"rules-{clinics}", clinics)
        assert [each["clinics"] for each in found] == [clinics] * 3, found
        seconds.append(min(each["processor"] for each in found[1:]))
        spent = "  ".join(f"{each['processor']:6.1f}" for each in found)
        print(f"  {clinics:5}   {spent}   {seconds[-1] / clinics * 1000:5.1f} ms a clinic   {found[-1]['memory']:4.0f} MiB")
        assert found[-1]["memory"] < MIB
    assert seconds[-1] * 1000 / CLINICS < CPU_SECONDS
    assert seconds[-1] / seconds[0] < 1.25 * sizes[-1] / sizes[0]


# --- workers ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spent:
    """What a worker has taken: seconds of processor time, and the most memory, in MiB."""

    seconds: float
    mib: float


def spent(worker: subprocess.Popen[bytes]) -> Spent:
    at = Path(f"/proc/{worker.pid}")
    times = at.joinpath("stat").read_text().rsplit(")", 1)[1].split()
    peak = next(line for line in at.joinpath("status").read_text().splitlines() if line.startswith("VmHWM"))
    return Spent((int(times[11]) + int(times[12])) / TICKS, int(peak.split()[1]) / 1024)


async def runs_of(store: Store, clinics: Sequence[str]) -> dict[str, tuple[Run, ...]]:
    return {clinic: (await store.runs.runs([clinic], limit=50)).items for clinic in clinics}


async def warm(made: Fleet) -> None:
    """Wait until Redis is believed to know who has sent what within the last minute."""
    await asyncio.sleep(max(0.0, 62 - (time.time() - made.began)))


@pytest.mark.bench
@pytest.mark.parametrize("workers", WORKERS)
async def test_how_long_workers_take_for_all_clinics_at_once(workers: int, tmp_path: Path) -> None:
    """As after an outage: every clinic is due."""
    now = datetime.now(UTC)
    with fleet(tmp_path, CLINICS, CAMPAIGNS, speed=1.0, now=now, every="1h") as made:
        await warm(made)
        for _ in range(workers):
            made.start_worker(*WORKER)
        async with made.store() as store:

            async def begun() -> bool:
                return bool((await store.runs.runs(limit=1)).items)

            async def done() -> bool:
                return await store_count(store, made.clinics) >= CLINICS

            await eventually(begun, 120)
            began = time.monotonic()
            await eventually(done, 3000, nap=2.0)
            seconds = time.monotonic() - began
            found = await runs_of(store, made.clinics)
        taken = [spent(each) for each in made.workers]
        assert {run.status for each in found.values() for run in each} == {"finished"}
        assert all(len(each) <= 2 for each in found.values())  # the one missed, and the one that became due meanwhile
        made.stop_workers()
    print(
        f"\n{workers} workers: {CLINICS} clinics in {seconds:5.0f} s, {CLINICS / seconds:5.2f} a second; "
        f"{sum(each.seconds for each in taken) / CLINICS * 1000:4.0f} ms of processor time a clinic; "
        f"at most {max(each.mib for each in taken):4.0f} MiB a worker"
    )
    assert max(each.mib for each in taken) < MIB


async def store_count(store: Store, clinics: Sequence[str]) -> int:
    """How many of them have had a run."""
    overview = await store.overview.now(datetime.now(UTC))
    return sum(each.read_at is not None for each in overview.clinics if each.clinic in set(clinics))


@pytest.mark.bench
async def test_how_late_clinics_are_that_are_due_all_over_the_hour(tmp_path: Path) -> None:
    """A part of the clinics in that part of an hour: as many a minute as in an hour. A fifth of the keys is revoked."""
    every, clinics = timedelta(minutes=MINUTES), CLINICS * MINUTES // 60
    now = datetime.now(UTC)
    with fleet(tmp_path, clinics, CAMPAIGNS, speed=1.0, now=now, every=f"{MINUTES}m") as made:
        made.town.told("revoke", 0, clinics // 5)
        await warm(made)
        for _ in range(2):
            made.start_worker(*WORKER)
        slot = Slot(Slot.at(datetime.now(UTC), every).number + 1, every)
        await asyncio.sleep((slot.ends - datetime.now(UTC)).total_seconds() + 20)
        seen, taken = made.town.told("seen"), [spent(each) for each in made.workers]
        async with made.store() as store:
            found = await runs_of(store, made.clinics)
        made.stop_workers()
    late = []
    for clinic, runs in found.items():
        due = slot.due(clinic)
        mine = [run for run in runs if due <= run.started_at < due + every]
        assert len(mine) == 1, (clinic, due, runs)
        assert mine[0].status == ("incomplete" if clinic in made.clinics[: clinics // 5] else "finished")
        late.append((mine[0].started_at - due).total_seconds())
    cuts = quantiles(late, n=100)
    print(
        f"\n2 workers, {clinics} clinics in {MINUTES} minutes, a fifth of them with a revoked key: "
        f"late by {cuts[49]:.1f} s (median), {cuts[94]:.1f} s (95%), {max(late):.1f} s at most; "
        f"{max(each.mib for each in taken):.0f} MiB a worker; "
        "requests in the busiest second: " + ", ".join(f"{system} {each['most']}" for system, each in seen.items())
    )
    assert cuts[94] < 60
