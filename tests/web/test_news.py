"""That there is news is told from one process to another, by a real Redis; streams tell what the database has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from service.app import App
from service.core.ledger import Kind
from service.sandbox.scene import HARBOUR, NORTHSIDE, SUNDAY_MORNING, scene
from service.web.news import News
from tests.redis_server import GIVEN_UP, RedisServer, redis_server
from tests.web.world import Near, app_over

pytestmark = GIVEN_UP


@asynccontextmanager
async def process(folder: Path, server: RedisServer | None) -> AsyncIterator[tuple[App, News]]:
    """One process of several on the same database."""
    url = None if server is None else SecretStr(server.url)
    async with app_over(Near(scene()), folder, redis_url=url) as app:
        news = News(app)
        async with news.running():
            yield app, news


async def recorded(app: App, chain: str = HARBOUR) -> None:
    await app.store.ledger.append(chain, Kind.HOLD, {}, SUNDAY_MORNING)


async def test_what_one_process_records_another_hears_of(tmp_path: Path, server: RedisServer) -> None:
    processes = process(tmp_path, server), process(tmp_path, server)
    async with processes[0] as (here, _), processes[1] as (_, there), there.of(HARBOUR.__eq__) as grown:
        await asyncio.sleep(0.2)  # it has subscribed
        await recorded(here, NORTHSIDE)
        await recorded(here)
        await asyncio.wait_for(grown.told.wait(), 10)
        assert grown.taken() == {HARBOUR}
        assert not grown.told.is_set()


async def test_without_a_redis_a_process_hears_of_itself(tmp_path: Path) -> None:
    async with process(tmp_path, None) as (app, news), news.of(HARBOUR.__eq__) as grown:
        await recorded(app)
        await asyncio.wait_for(grown.told.wait(), 10)


async def test_what_is_rolled_back_is_no_news(tmp_path: Path) -> None:
    async with process(tmp_path, None) as (app, news), news.of(HARBOUR.__eq__) as grown:
        with pytest.raises(TypeError):
            await app.store.ledger.append(HARBOUR, Kind.HOLD, {"no": object()}, SUNDAY_MORNING)
        await asyncio.sleep(0.1)
        assert not grown.told.is_set()


async def test_a_redis_that_was_away_is_heard_again(tmp_path: Path) -> None:
    with redis_server(tmp_path / "redis") as server:
        server.kill()
        async with process(tmp_path, server) as (app, news), news.of(HARBOUR.__eq__) as grown:
            await recorded(app)
            server.start()
            async with asyncio.timeout(30):
                while not grown.told.is_set():
                    await recorded(app)
                    await asyncio.sleep(0.2)


async def test_a_redis_that_hangs_keeps_nobody_from_ending(tmp_path: Path) -> None:
    with redis_server(tmp_path / "redis") as server, ExitStack() as hanging:
        async with asyncio.timeout(20), process(tmp_path, server) as (app, _):
            hanging.enter_context(server.hanging())
            for _ in range(20):
                await recorded(app)
