"""Litestar's channels by way of Redis, for good: a Redis that goes away ends nothing, and is heard again when it is back.

The framework's own backend lets what goes wrong end the tasks that publish and listen. What is published while Redis is away
is lost, which whoever listens must be prepared for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import suppress
from typing import Any

from litestar.channels.backends.base import ChannelsBackend
from litestar.channels.backends.redis import RedisChannelsPubSubBackend
from redis.asyncio import Redis

from service.shared.connection import LOST

NAP = 1.0
"""Seconds until Redis is tried again."""

PATIENCE, REST = 0.5, 5.0
"""Seconds that publishing may take, and for which nothing is published where it took longer."""


class LastingBackend(ChannelsBackend):
    """The framework's backend on this connection, which it closes at the end."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._behind = RedisChannelsPubSubBackend(redis=redis)
        self._wanted: set[str] = set()
        self._rests_until = float("-inf")

    async def on_startup(self) -> None:
        """Connect to nothing yet."""

    async def on_shutdown(self) -> None:
        """Close the connection."""
        with suppress(*LOST):
            await self._behind.on_shutdown()
        await self._redis.aclose()

    async def publish(self, data: bytes, channels: Iterable[str]) -> None:
        """Publish, if Redis is there; where it was not a moment ago, nobody waits to find out."""
        if time.monotonic() < self._rests_until:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await self._behind.publish(data, channels)
        except LOST:
            self._rests_until = time.monotonic() + REST

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Listen to these channels, from when Redis is there."""
        self._wanted.update(channels)
        with suppress(*LOST):
            await self._behind.subscribe(channels)

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """Listen to them no more."""
        self._wanted.difference_update(channels)
        with suppress(*LOST):
            await self._behind.unsubscribe(channels)

    async def stream_events(self) -> AsyncGenerator[tuple[str, Any], None]:
        """What is published, for good."""
        while True:
            with suppress(*LOST):
                if self._wanted:
                    await self._behind.subscribe(self._wanted)
                async for event in self._behind.stream_events():
                    yield event
            await asyncio.sleep(NAP)

    async def get_history(self, channel: str, limit: int | None = None) -> list[bytes]:  # noqa: ARG002 - the framework's
        """Nothing is kept."""
        return []
