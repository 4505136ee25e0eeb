"""The whole service against the sandbox: real clients, real sockets, a real database; only the clock is the world's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.app import App, bootstrap
from service.governor import Report
from service.sandbox.scene import HARBOUR, scene
from service.sandbox.stage import Stage, staged
from service.sandbox.world import World
from service.settings import Settings, load
from tests.databases import lay
from tests.support import RULES


@dataclass(frozen=True)
class Standing:
    """A world with a service in front of it."""

    world: World
    app: App

    async def run(self, clinic: str = HARBOUR) -> Report:
        return await self.app.governor.run(clinic)


@pytest.fixture
def world() -> World:
    return scene()


@pytest.fixture
def stage(world: World, google_certificate: Path) -> Iterator[Stage]:
    with staged(world, google_certificate, requests_per_minute=60_000) as running:
        yield running


@pytest.fixture
def settings(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in stage.environment.items():
        if name.startswith("GOVERNOR_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("GOVERNOR_DATABASE_URL", f"sqlite+aiosqlite:///{lay(tmp_path)}")
    monkeypatch.setenv("GOVERNOR_RULES_DIR", str(RULES))
    monkeypatch.chdir(tmp_path)
    return load()


@pytest.fixture
async def standing(world: World, settings: Settings) -> AsyncIterator[Standing]:
    async with bootstrap(settings, world.clock()) as app:
        yield Standing(world, app)
