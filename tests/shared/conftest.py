"""Two processes' worth of connections to one real Redis, which each test finds empty."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from service.shared.connection import connected
from tests.redis_server import RedisServer, redis_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
async def redis(server: RedisServer) -> AsyncIterator[Redis]:
    async with connected(SecretStr(server.url)) as one:
        await one.flushdb()
        yield one


@pytest.fixture
async def other(server: RedisServer) -> AsyncIterator[Redis]:
    async with connected(SecretStr(server.url)) as one:
        yield one
