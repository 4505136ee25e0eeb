"""The moment before a run that changes two campaigns, to be gone through again and again, by processes of their own too."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.app import App, bootstrap
from service.sandbox.controls import as_held
from service.sandbox.scene import HARBOUR, types_named
from service.sandbox.stage import Stage
from service.sandbox.world import Fault, World
from service.settings import Settings
from tests.support import RULES

HOUR = timedelta(hours=1)
ROOT = Path(__file__).parent.parent.parent
PHYSIO = {"9876543210": "physio-search", "23850000000000001": "physio-social"}
"""The campaigns that the run pauses, by platform id."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The world and the database as they are then."""

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

    def environment(self, database: Path) -> dict[str, str]:
        """The environment of a process that runs the service on this database."""
        return {**os.environ, **self.settings(database), "PYTHONPATH": str(ROOT)}

    @asynccontextmanager
    async def app(self, database: Path) -> AsyncIterator[App]:
        """The service on this database, in this process."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.settings(database).items():
                patch.setenv(name, value)
            async with bootstrap(Settings(), self.world.clock()) as app:
                yield app


def held(world: World) -> dict[str, Any]:
    """Every campaign as its platform holds it, by platform id."""
    state = as_held(world)
    return {row["id"]: row for kind in ("google", "meta") for row in state[kind]}


async def moment_of(world: World, stage: Stage, directory: Path) -> Moment:
    """Sold out of physiotherapy, and seen so once: the next run pauses both of its campaigns."""
    database = directory / "governor.db"
    async with Moment(world, stage, None, database).app(database) as app:
        await app.governor.run(HARBOUR)
        world.advance(23 * HOUR)
        world.book_out(HARBOUR, types_named(world.clinics[HARBOUR], "Initial physio"))
        await app.governor.run(HARBOUR)
    world.advance(HOUR)
    return Moment(world, stage, (*deepcopy((world.clinics, world.google, world.meta)), world.now), database)


def command(module: str, *arguments: str) -> list[str]:
    """How a module of the tests is run as a program."""
    return [sys.executable, "-m", module, *arguments]
