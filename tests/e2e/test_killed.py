"""kill -9 at every point of input and output of a run that pauses campaigns on both platforms.

After the restart nothing has been written twice, nothing is missing from the ledger, and no pause is left to nobody.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.core.ledger import Kind
from service.sandbox.scene import HARBOUR, scene
from service.sandbox.stage import Stage, staged
from service.sandbox.world import Fault, World
from tests.e2e.moment import HOUR, PHYSIO, Moment, command, held, moment_of

LOST = [
    Fault("google", "applied_then_unavailable", match="Mutate", times=1),
    Fault("meta", "applied_then_reset", match="23850000000000001", times=1),
]
"""Both platforms carry the change out, and the connection dies before they have said so."""

SHORT = ("after google mutate #1", "before database write #6")
"""Those of which a run of the checks tries each; `make soak` tries all there are."""


@pytest.fixture(scope="module")
def world() -> World:
    return scene()


@pytest.fixture(scope="module")
def stage(world: World, google_certificate: Path) -> Iterator[Stage]:
    with staged(world, google_certificate, requests_per_minute=60_000, meta_calls_per_hour=1_000_000) as running:
        yield running


@pytest.fixture(scope="module")
async def moment(world: World, stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Moment:
    return await moment_of(world, stage, tmp_path_factory.mktemp("moment"))


def run(moment: Moment, database: Path, point: str = "") -> subprocess.CompletedProcess[str]:
    """A run in a process of its own, to be killed at a point."""
    line = command("tests.e2e.killed", HARBOUR, moment.world.now.isoformat(), *([point] if point else []))
    there = {"env": moment.environment(database), "cwd": database.parent}
    return subprocess.run(line, **there, capture_output=True, text=True, check=False)  # type: ignore[call-overload,no-any-return] # noqa: S603 - ours


async def recover_and_check(moment: Moment, database: Path) -> None:
    """Restart, let three hours pass, and look at what has come of it all."""
    world = moment.world
    async with moment.app(database) as app:
        for _ in range(3):
            world.advance(HOUR)
            await app.governor.run(HARBOUR)
        store, found = app.store, held(world)
        standings = await store.memory.standings(HARBOUR)
        for id_, name in PHYSIO.items():
            assert (found[id_]["status"], found[id_]["changes"]) == ("PAUSED", 1), "written once: not twice, and not never"
            assert standings[name].paused_by_us, "no pause is left to nobody"
            assert standings[name].stood_down is None, "what we did is not taken for somebody else's doing"
        assert await store.intents.open(HARBOUR) == ()
        assert await store.runs.unfinished(HARBOUR) == ()
        assert (await store.ledger.verify(HARBOUR)).ok
        records = (await store.ledger.records(chains=[HARBOUR], limit=1000)).items
    told = [json.loads(each.text)["change"]["campaign"] for each in records if each.kind == Kind.CHANGE_APPLIED]
    assert sorted(name for name in told if name in PHYSIO.values()) == sorted(PHYSIO.values())
    intended = [each for each in records if each.kind == Kind.CHANGE_INTENDED]
    settled = [each for each in records if each.kind in {Kind.CHANGE_APPLIED, Kind.CHANGE_FAILED, Kind.CHANGE_SUPERSEDED}]
    assert len(intended) == len(settled), "every intent has its outcome"


def points_of(moment: Moment, directory: Path, faults: list[Fault]) -> list[str]:
    done = run(moment, moment.again(directory, faults))
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith(("before ", "within ", "after "))]


@pytest.mark.parametrize("point", SHORT)
async def test_a_run_that_is_killed_is_made_good(moment: Moment, tmp_path: Path, point: str) -> None:
    database = moment.again(tmp_path, [])
    killed = run(moment, database, point)
    assert killed.returncode == -signal.SIGKILL, f"{killed.stdout}\n{killed.stderr}"
    await recover_and_check(moment, database)


async def test_killed_just_after_a_change_whose_answer_never_came(moment: Moment, tmp_path: Path) -> None:
    database = moment.again(tmp_path, LOST)
    assert run(moment, database, "after meta POST #1").returncode == -signal.SIGKILL
    moment.world.faults.clear()
    await recover_and_check(moment, database)


@pytest.mark.soak
@pytest.mark.parametrize("faults", [[], LOST], ids=["answers come", "applied, then the connection died"])
async def test_wherever_a_run_is_killed_it_is_made_good(moment: Moment, tmp_path: Path, faults: list[Fault]) -> None:
    points = points_of(moment, tmp_path, faults)
    assert set(SHORT) <= set(points)
    for point in points:
        database = moment.again(tmp_path, faults)
        killed = run(moment, database, point)
        assert killed.returncode == -signal.SIGKILL, (point, killed.stderr)
        moment.world.faults.clear()
        try:
            await recover_and_check(moment, database)
        except AssertionError as error:
            raise AssertionError(f"killed {point}: {error}") from error
    sys.stdout.write(f"\nkilled at {len(points)} points: all made good\n")
