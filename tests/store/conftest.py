"""An empty, migrated store on every backend there is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.store.store import Store
from tests.databases import lay
from tests.store.samples import CLINIC, HOUR, NOW

BACKENDS = {"sqlite": "sqlite+aiosqlite:///{path}/governor.db"}


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty database is."""
    return BACKENDS[request.param].format(path=tmp_path)


@pytest.fixture
async def store(url: str, tmp_path: Path) -> AsyncIterator[Store]:
    if url.startswith("sqlite"):
        lay(tmp_path)
    opened = Store.open(url)
    await opened.migrate()
    yield opened
    await opened.aclose()


@pytest.fixture
async def fence(store: Store) -> int:
    """The token of the worker that governs the clinic."""
    token = await store.leases.acquire(CLINIC, "worker-1", HOUR, NOW)
    assert token is not None
    return token
