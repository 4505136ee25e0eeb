"""How a loop beside the web application begins and ends: what it has under way at the end is given some time to be done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)


class Loop(Protocol):
    """Something that goes on beside the web application. `heartbeat` is when it last showed that it is alive."""

    heartbeat: datetime

    def trouble(self) -> str:
        """Why it cannot be relied on; empty while it can."""
        ...


class Periodic(Loop, Protocol):
    """A loop whose `next_at` is when its next work is due."""

    next_at: datetime


@asynccontextmanager
async def looping(
    name: str, forever: Coroutine[None, None, None], *, stop: Callable[[], None], busy: Callable[[], bool], grace_seconds: float
) -> AsyncIterator[asyncio.Task[None]]:
    """Run `forever` as long as the block lasts. At its end: `stop`, wait while `busy` for some seconds, cancel."""
    task = asyncio.create_task(forever, name=name)
    try:
        yield task
    finally:
        stop()
        if busy():
            await asyncio.wait({task}, timeout=grace_seconds)
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()):
            log.error("loop_died", loop=name, exc_info=error)
