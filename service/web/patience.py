"""Questions to the database from whoever watches us: asked one at a time however many ask, and given up after a while.

Probes and scrapes come every few seconds and need no key. A database that hangs must neither hang them nor be sent the same
question by each; and what an answer costs must not depend on how often it is asked for.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from service.core.errors import StoreError

PATIENCE_SECONDS = 3.0
"""Shorter than the time that an orchestrator gives a probe, as far as can be known."""

T = TypeVar("T")


class Patient(Generic[T]):
    """One question. An answer counts for `fresh` seconds; after `patience` seconds without one `StoreError` is raised."""

    def __init__(
        self,
        ask: Callable[[], Awaitable[T]],
        *,
        fresh: float = 0.0,
        patience: float = PATIENCE_SECONDS,
        whom: str = "the database",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._fresh, self._patience, self._monotonic, self._whom = ask, fresh, patience, monotonic, whom
        self._asked: asyncio.Task[T] | None = None
        self._answered_at = 0.0

    async def __call__(self) -> T:
        """The answer, a fresh one or the one that is being waited for; raises what asking raises."""
        asked = self._under_way()
        await asyncio.wait({asked}, timeout=self._patience)
        if not asked.done():
            raise StoreError(f"{self._whom} has not answered within {self._patience:g} s")
        return asked.result()

    def _under_way(self) -> asyncio.Task[T]:
        asked = self._asked
        if asked is None or (asked.done() and self._monotonic() - self._answered_at >= self._fresh):
            asked = self._asked = asyncio.create_task(self._answer())
            asked.add_done_callback(_looked_at)
        return asked

    async def _answer(self) -> T:
        try:
            return await self._ask()
        finally:
            self._answered_at = self._monotonic()


def _looked_at(asked: asyncio.Task[T]) -> None:
    """What comes when nobody waits any more is not reported as lost."""
    if not asked.cancelled():
        asked.exception()
