"""What a process has in common with others: with a Redis, what is in `service.shared`; without, what does for one alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass

from pydantic import SecretStr

from service.cliniko.rate import RateBudget, SlidingWindow
from service.core.ports import Board, NoBoard
from service.limits import Limiter, TokenBuckets
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Shared:
    """The request budget of Cliniko users, the limits of API keys, and the board that ad platforms' wishes are posted on.

    `open` is entered once, for as long as it is used.
    """

    budget: RateBudget
    limiter: Limiter
    board: Board
    open: Callable[[], AbstractAsyncContextManager[None]] = nullcontext


def shared(settings: Settings) -> Shared:
    """What the settings say is shared; connects to nothing."""
    per_minute = settings.cliniko.requests_per_minute
    if settings.redis_url is None:
        return Shared(SlidingWindow(per_minute), TokenBuckets(), NoBoard())
    return _by_redis(settings.redis_url, per_minute)


def _by_redis(url: SecretStr, per_minute: int) -> Shared:
    from service.shared.board import RedisBoard  # noqa: PLC0415 - half a second, and only who shares pays it
    from service.shared.buckets import SharedBuckets  # noqa: PLC0415
    from service.shared.connection import connected  # noqa: PLC0415
    from service.shared.window import SharedWindow  # noqa: PLC0415

    redis = connected(url)
    board = RedisBoard(redis)

    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        async with redis, board.running():
            yield

    return Shared(SharedWindow(redis, per_minute), SharedBuckets(redis), board, opened)
