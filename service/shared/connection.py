"""The connection to Redis, and its errors in our words."""

from __future__ import annotations

from pydantic import SecretStr
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

LOST = (RedisError, OSError)
"""What comes of a Redis that is away, hangs, is still loading, or refuses."""

ANSWER_SECONDS = 2.0
"""Redis answers within a millisecond, or something is wrong."""

PREFIX = "governor"
"""All keys begin so, but for those of the queue."""


def connected(url: SecretStr, *, answer_seconds: float = ANSWER_SECONDS) -> Redis:
    """A client, which connects when it is first needed. What fails is not tried again here: whoever asks knows when to."""
    return Redis.from_url(
        url.get_secret_value(),
        socket_connect_timeout=ANSWER_SECONDS,
        socket_timeout=answer_seconds,
        socket_keepalive=True,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 0),
        client_name=PREFIX,
    )


def named(redis: Redis, name: str) -> str:
    """The name of a channel: those of Redis are the same in all its databases, and two installations may share one Redis."""
    return f"{PREFIX}:{redis.connection_pool.connection_kwargs.get('db') or 0}:{name}"


def told(error: Exception) -> str:
    """What Redis says is wrong, or the connection to it, in a line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
