"""The request budget: Cliniko allows 200 requests a minute per user, whatever key or program they come from.

We stay under it, because the clinic's own staff may use the same user. One budget serves the whole process, so that clinics
whose keys belong to one user share it; `RateBudget` is the seam at which several workers can. Impure by its injected clock
and sleep only.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

LIMIT = 200
HEADROOM = 20
WINDOW = 60.0
"""Seconds. Whether Cliniko's own window slides is undocumented; a sliding one is safe under both readings."""

SHORTEST_SLEEP = 0.001


@dataclass(frozen=True, slots=True)
class Timing:
    """How waiting is done: a monotonic clock in seconds, a sleep, and a source of jitter in [0, 1)."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random


class RateBudget(Protocol):
    """The right to send requests, per Cliniko user: `limit` a minute."""

    @property
    def limit(self) -> int:
        """How many requests a minute a user may send."""
        ...

    async def take(self, user: str) -> None:
        """Return once one request of `user` may be sent; it counts from then on."""
        ...

    async def hold(self, user: str, seconds: float) -> None:
        """Let nothing of `user` be sent for so long: Cliniko said it was too much."""
        ...


@dataclass(slots=True)
class SlidingWindow:
    """A budget for one process: at most `limit` requests of a user in any `window` seconds.

    First come, first served. A clinic asks for no more than a handful of requests at a time (`diaries.CONCURRENCY`), so of
    clinics that share a user each gets its turn after a handful of the others', however much they have still to read.
    """

    limit: int = LIMIT - HEADROOM
    window: float = WINDOW
    timing: Timing = field(default_factory=Timing)
    _sent: dict[str, deque[float]] = field(default_factory=dict)
    _held_until: dict[str, float] = field(default_factory=dict)
    _turns: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def take(self, user: str) -> None:
        """Wait for one's turn, then for room in the window."""
        async with self._turns.setdefault(user, asyncio.Lock()):  # its waiters are served in the order they came
            while (wait := self._claim(user)) > 0:
                await self.timing.sleep(wait)

    async def hold(self, user: str, seconds: float) -> None:
        """Close the window for some time; a shorter hold does not end a longer one."""
        self._held_until[user] = max(self._held_until.get(user, 0.0), self.timing.monotonic() + seconds)

    def _claim(self, user: str) -> float:
        """Count a request now and return 0, or the seconds after which to try again."""
        now = self.timing.monotonic()
        sent = self._sent.setdefault(user, deque())
        while sent and sent[0] <= now - self.window:
            sent.popleft()
        held = self._held_until.get(user, now) - now
        full = len(sent) >= self.limit
        if held > 0 or full:  # a wait that rounds to nothing is one all the same: only what is counted may be sent
            return max(held, sent[0] + self.window - now if full else 0.0, SHORTEST_SLEEP)
        sent.append(now)
        return 0.0
