"""Two processes' worth of connections to one real Redis, which each test finds empty."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from service.shared.connection import connected
from tests.redis_server import RedisServer


@pytest.fixture
async def redis(server: RedisServer) -> AsyncIterator[Redis]:
    async with connected(SecretStr(server.url)) as one:
        await one.flushdb()
        yield one


@pytest.fixture
async def other(server: RedisServer) -> AsyncIterator[Redis]:
    async with connected(SecretStr(server.url)) as one:
        yield one
