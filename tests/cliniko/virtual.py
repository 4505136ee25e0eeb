"""An event loop on which waiting takes no time: whenever everybody waits, its clock jumps to the first who wakes.

Unlike `stage.VirtualTime` several waits overlap as they would in reality, so that durations can be measured.
"""

from __future__ import annotations

import asyncio
import selectors
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from service.cliniko.access import Access
from service.cliniko.diaries import ClinikoDiaries
from service.cliniko.rate import SlidingWindow, Timing
from service.sandbox.cliniko.server import cliniko_app
from service.sandbox.world import World
from tests.cliniko.stage import EMAIL, over

T = TypeVar("T")


class _Patient(selectors.DefaultSelector):
    """Never waits; says how long it would have waited."""

    waited = 0.0

    def select(self, timeout: float | None = None) -> Any:
        self.waited += max(timeout or 0.0, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.patient = _Patient()
        super().__init__(self.patient)

    def time(self) -> float:
        return self.patient.waited


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Run `work` on virtual time."""

    async def body() -> T:
        return await work()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(body())


@dataclass(slots=True)
class Server:
    """The sandbox on virtual time, each answer `latency` seconds late; `most` is the busiest minute of each key."""

    world: World
    latency: float = 0.3
    statuses: Counter[int] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    budget: SlidingWindow | None = None
    _sent: dict[str, deque[float]] = field(default_factory=dict)

    def diaries(self, key: str) -> ClinikoDiaries:
        """An account's diaries; all share one budget, as in the service."""
        loop = asyncio.get_running_loop()
        timing = Timing(monotonic=loop.time, sleep=asyncio.sleep, jitter=lambda: 0.0)
        self.budget = self.budget or SlidingWindow(timing=timing)
        app = over(cliniko_app(self.world, patience=0.0, monotonic=loop.time))

        async def handle(request: httpx.Request) -> httpx.Response:
            self._count(request.headers["authorization"], loop.time())
            await asyncio.sleep(self.latency)
            response = await app.handle_async_request(request)
            self.statuses[response.status_code] += 1
            return response

        access = Access.of(key, EMAIL, "http://cliniko.test/v1")
        transport = httpx.MockTransport(handle)
        return ClinikoDiaries(access, clock=self.world.clock(), budget=self.budget, transport=transport, timing=timing)

    def _count(self, key: str, now: float) -> None:
        sent = self._sent.setdefault(key, deque())
        sent.append(now)
        while sent[0] <= now - 60:
            sent.popleft()
        self.most[key] = max(self.most[key], len(sent))
