"""A served API over the sandbox's world, and keys of every kind."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar

from service.app import App
from service.keys import EVERY_CLINIC, new_key
from service.sandbox.scene import HARBOUR, NORTHSIDE, scene
from service.sandbox.world import World
from service.store.keys import Role
from service.web.server import create_app
from tests.web.world import Near, app_over, book_out

HOUR = timedelta(hours=1)

KEYS = {
    "admin": (Role.ADMIN, [EVERY_CLINIC]),
    "auditor": (Role.VIEWER, [EVERY_CLINIC]),
    "harbour-viewer": (Role.VIEWER, [HARBOUR]),
    "harbour-operator": (Role.OPERATOR, [HARBOUR]),
    "harbour-admin": (Role.ADMIN, [HARBOUR]),
    "northside-operator": (Role.OPERATOR, [NORTHSIDE]),
}


@dataclass(frozen=True, slots=True)
class Api:
    """The API as its clients see it; `key` names who asks."""

    app: App
    near: Near
    litestar: Litestar
    client: httpx.AsyncClient
    secrets: dict[str, str]

    async def ask(self, method: str, path: str, key: str | None = "admin", **rest: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.secrets[key]}"} if key else {}
        return await self.client.request(method, path, headers=headers | rest.pop("headers", {}), **rest)

    async def get(self, path: str, key: str | None = "admin", **query: Any) -> Any:
        answer = await self.ask("GET", path, key, params=query or None)
        assert answer.status_code == 200, answer.text
        return answer.json()


def client_of(litestar: Litestar) -> httpx.AsyncClient:
    """A client of a web application, without a socket and without what runs beside it."""
    transport = httpx.ASGITransport(litestar)  # type: ignore[arg-type] # httpx and Litestar name the same types differently
    return httpx.AsyncClient(transport=transport, base_url="http://governor")


async def keys_for(app: App) -> dict[str, str]:
    """A secret of each kind."""
    made = {name: await new_key(app.store.keys, name, role, of, app.clock()) for name, (role, of) in KEYS.items()}
    return {name: secret for name, (secret, _) in made.items()}


@asynccontextmanager
async def api_over(near: Near, directory: Path, secrets: dict[str, str] | None = None) -> AsyncIterator[Api]:
    async with app_over(near, directory) as app:
        known = secrets or await keys_for(app)
        litestar = create_app(app, hourly=False)
        async with client_of(litestar) as client:
            yield Api(app, near, litestar, client, known)


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """Nothing has been evaluated yet."""
    async with api_over(Near(scene()), tmp_path) as opened:
        yield opened


# --- a story that most tests begin with ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """The story's database, keys and world, to be copied."""

    directory: Path
    secrets: dict[str, str]
    world: World


@pytest.fixture(scope="session")
async def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Both clinics were evaluated twice a day apart, and Harbour an hour later: its sold-out physiotherapy is now believed."""
    world, directory = scene(), tmp_path_factory.mktemp("told")
    async with app_over(Near(world), directory) as app:
        secrets = await keys_for(app)
        for hours in (0, 23):
            world.advance(hours * HOUR)
            if hours:
                book_out(world)
            for clinic in (HARBOUR, NORTHSIDE):
                await app.governor.run(clinic)
        world.advance(HOUR)
        await app.governor.run(HARBOUR)
    return Told(directory, secrets, world)


@asynccontextmanager
async def story_in(told: Told, directory: Path) -> AsyncIterator[Api]:
    """The API at the end of the story, with a world and a database of its own."""
    shutil.copytree(told.directory, directory, dirs_exist_ok=True)
    world = World(told.world.now)
    world.clinics, world.google, world.meta = deepcopy((told.world.clinics, told.world.google, told.world.meta))
    async with api_over(Near(world), directory, told.secrets) as opened:
        yield opened


@pytest.fixture
async def governed(told: Told, tmp_path: Path) -> AsyncIterator[Api]:
    """The API at the end of the story."""
    async with story_in(told, tmp_path) as opened:
        yield opened
