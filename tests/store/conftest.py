"""An empty, migrated store on every backend there is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from service.store.store import Store
from tests import postgres
from tests.databases import lay
from tests.store.samples import CLINIC, HOUR, NOW


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a database is: empty, or of this version if the test opens a `store` on it."""
    migrated = "store" in request.fixturenames
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{lay(tmp_path) if migrated else tmp_path / 'governor.db'}"
    else:
        with postgres.database(postgres.TEMPLATE if migrated else postgres.EMPTY) as found:
            yield found


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    opened = Store.open(url)
    yield opened
    await opened.aclose()


@pytest.fixture
async def fence(store: Store) -> int:
    """The token of the worker that governs the clinic."""
    token = await store.leases.acquire(CLINIC, "worker-1", HOUR, NOW)
    assert token is not None
    return token
