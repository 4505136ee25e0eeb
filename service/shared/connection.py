"""The connection to Redis, and its errors in our words."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import cast

from pydantic import SecretStr
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from service.core.errors import StoreError

LOST = (RedisError, OSError)
"""What comes of a Redis that is away, hangs, is still loading, or refuses."""

ANSWER_SECONDS = 2.0
"""Redis answers within a millisecond, or something is wrong."""

PREFIX = "governor"
"""All keys begin so, but for those of the queue."""


def connected(url: SecretStr, *, answer_seconds: float = ANSWER_SECONDS, attempts: int = 1, cap: float = 1.0) -> Redis:
    """A client, which connects when it is first needed; what fails for want of a connection is tried `attempts` times more."""
    return Redis.from_url(
        url.get_secret_value(),
        socket_connect_timeout=ANSWER_SECONDS,
        socket_timeout=answer_seconds,
        socket_keepalive=True,
        health_check_interval=30,
        retry=Retry(ExponentialBackoff(cap=cap, base=0.1), attempts),
        retry_on_error=[RedisConnectionError, RedisTimeoutError],
        client_name=PREFIX,
    )


async def ping(redis: Redis) -> None:
    """Ask Redis for a sign of life. Raises StoreError."""
    try:
        await cast("Awaitable[bool]", redis.ping())
    except LOST as error:
        raise StoreError(f"Redis cannot be reached ({type(error).__name__}); GOVERNOR_REDIS_URL says where it is") from error
