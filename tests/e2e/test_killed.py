"""kill -9 at every point of input and output of a run that pauses campaigns on both platforms, and at one that resumes them.

After the restart nothing has been written twice, nothing is missing from the ledger, and no pause is left to nobody.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.app import bootstrap
from service.core.ledger import Kind
from service.sandbox.controls import as_held
from service.sandbox.scene import HARBOUR, scene, types_named
from service.sandbox.stage import Stage, staged
from service.sandbox.world import Fault, World
from service.settings import Settings
from tests.support import RULES

HOUR = timedelta(hours=1)
ROOT = Path(__file__).parent.parent.parent
PHYSIO = {"9876543210": "physio-search", "23850000000000001": "physio-social"}
LOST = [
    Fault("google", "applied_then_unavailable", match="Mutate", times=1),
    Fault("meta", "applied_then_reset", match="23850000000000001", times=1),
]
"""Both platforms carry the change out, and the connection dies before they have said so."""

SHORT = ("within database write #3", "after google mutate #1", "before meta POST #1", "before database write #6")
"""Those of which a run of the checks tries each; `make soak` tries all there are."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The world and the database just before a run that will change two campaigns."""

    world: World
    stage: Stage
    saved: Any
    database: Path

    def again(self, directory: Path, faults: list[Fault]) -> Path:
        """The moment once more, with a database of its own."""
        world = self.world
        with world.lock:
            world.clinics, world.google, world.meta = deepcopy(self.saved[:3])
            world.advance(self.saved[3] - world.now)
            world.faults = deepcopy(faults)
        shutil.copy(self.database, directory / "governor.db")
        return directory / "governor.db"

    def settings(self, database: Path) -> dict[str, str]:
        own = {"GOVERNOR_DATABASE_URL": f"sqlite+aiosqlite:///{database}", "GOVERNOR_RULES_DIR": str(RULES)}
        return {**self.stage.environment, **own}

    def run(self, database: Path, point: str = "") -> subprocess.CompletedProcess[str]:
        """A run in a process of its own, to be killed at a point."""
        command = [sys.executable, "-m", "tests.e2e.killed", HARBOUR, self.world.now.isoformat(), *([point] if point else [])]
        environment = {**os.environ, **self.settings(database), "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, env=environment, cwd=database.parent, capture_output=True, text=True, check=False)  # noqa: S603 - ours


def held(world: World) -> dict[str, Any]:
    state = as_held(world)
    return {row["id"]: row for kind in ("google", "meta") for row in state[kind]}


@pytest.fixture(scope="module")
def world() -> World:
    return scene()


@pytest.fixture(scope="module")
def stage(world: World, google_certificate: Path) -> Iterator[Stage]:
    with staged(world, google_certificate, requests_per_minute=60_000) as running:
        yield running


@pytest.fixture(scope="module")
async def moment(world: World, stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Moment]:
    """Sold out of physiotherapy, and seen so once: the next run pauses both of its campaigns."""
    database = tmp_path_factory.mktemp("moment") / "governor.db"
    found = Moment(world, stage, None, database)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in found.settings(database).items():
            patch.setenv(name, value)
        async with bootstrap(Settings(), world.clock()) as app:
            await app.governor.run(HARBOUR)
            world.advance(23 * HOUR)
            world.book_out(HARBOUR, types_named(world.clinics[HARBOUR], "Initial physio"))
            await app.governor.run(HARBOUR)
        world.advance(HOUR)
        saved = (*deepcopy((world.clinics, world.google, world.meta)), world.now)
        yield Moment(world, stage, saved, database)


async def recover_and_check(moment: Moment, database: Path) -> None:
    """Restart, let three hours pass, and look at what has come of it all."""
    world = moment.world
    with pytest.MonkeyPatch.context() as patch:
        for name, value in moment.settings(database).items():
            patch.setenv(name, value)
        async with bootstrap(Settings(), world.clock()) as app:
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
            told = [json.loads(each.text)["change"] for each in records if each.kind == Kind.CHANGE_APPLIED]
            assert sorted(each["campaign"] for each in told if each["campaign"] in PHYSIO.values()) == sorted(PHYSIO.values())
            intended = [each for each in records if each.kind == Kind.CHANGE_INTENDED]
            settled = [
                each for each in records if each.kind in {Kind.CHANGE_APPLIED, Kind.CHANGE_FAILED, Kind.CHANGE_SUPERSEDED}
            ]
            assert len(intended) == len(settled), "every intent has its outcome"


def points_of(moment: Moment, directory: Path, faults: list[Fault]) -> list[str]:
    done = moment.run(moment.again(directory, faults))
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize("point", SHORT)
async def test_a_run_that_is_killed_is_made_good(moment: Moment, tmp_path: Path, point: str) -> None:
    database = moment.again(tmp_path, [])
    killed = moment.run(database, point)
    assert killed.returncode == -signal.SIGKILL, f"{killed.stdout}\n{killed.stderr}"
    await recover_and_check(moment, database)


async def test_killed_just_after_a_change_whose_answer_never_came(moment: Moment, tmp_path: Path) -> None:
    database = moment.again(tmp_path, LOST)
    assert moment.run(database, "after meta POST #1").returncode == -signal.SIGKILL
    moment.world.faults.clear()
    await recover_and_check(moment, database)


@pytest.mark.soak
@pytest.mark.parametrize("faults", [[], LOST], ids=["answers come", "applied, then the connection died"])
async def test_wherever_a_run_is_killed_it_is_made_good(moment: Moment, tmp_path: Path, faults: list[Fault]) -> None:
    points = points_of(moment, tmp_path, faults)
    assert set(SHORT) <= set(points)
    for point in points:
        database = moment.again(tmp_path, faults)
        killed = moment.run(database, point)
        assert killed.returncode == -signal.SIGKILL, (point, killed.stderr)
        moment.world.faults.clear()
        try:
            await recover_and_check(moment, database)
        except AssertionError as error:
            raise AssertionError(f"killed {point}: {error}") from error
    sys.stdout.write(f"\nkilled at {len(points)} points: all made good\n")
