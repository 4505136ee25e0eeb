"""A worker of SAQ beside a small web application: it takes jobs from the queue until it is stopped.

Redis may be away: SAQ asks again and again, what is under way goes on, and nothing has to be restarted. So a worker is alive as
long as its event loop turns and SAQ has not given up.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from litestar_saq import CronJob, Worker
from redis.exceptions import ResponseError

from service.app import App
from service.core.errors import StoreError
from service.governor import said
from service.jobs.queue import DEQUEUE_SECONDS, UNHURRIED, Pace, PatientQueue
from service.jobs.slots import Slot
from service.jobs.working import AgainError, Working
from service.shared.connection import LOST, told

CANCEL_SECONDS = 3.0
LEAVE_SECONDS = 3.0
"""How long a Redis that does not answer may keep a worker from ending, beyond the grace of what is under way."""

BEAT_SECONDS = 15.0
SAID_EVERY = 30.0
"""Seconds between two lines that say that Redis is away."""


log = structlog.get_logger(__name__)


class Labour:
    """A worker, its jobs, and its signs of life."""

    def __init__(self, app: App, queue: PatientQueue, working: Working | None = None, pace: Pace = UNHURRIED) -> None:
        self._app, self._queue, self._pace = app, queue, pace
        self._working = working or Working(app, queue, pace=pace)
        self._worker = self._made()
        self.heartbeat = app.clock()
        self._begun = False

    def _made(self) -> Worker:
        working, silent = self._working, self._pace.silent
        return Worker(
            self._queue,
            [("evaluate", working.evaluate), ("close", working.close)],
            id=self._app.governor.holder.replace(":", "-"),  # SAQ splits names of its own at colons
            concurrency=self._app.settings.worker.concurrency,
            cron_jobs=[
                CronJob(working.schedule, cron=self._pace.schedule, timeout=300, heartbeat=silent),
                CronJob(working.forget, cron="23 3 * * *", timeout=6 * 3600, heartbeat=silent),
            ],
            startup=[self._first],
            dequeue_timeout=DEQUEUE_SECONDS,
            separate_process=False,
            shutdown_grace_period_s=self._pace.grace,
            timers={"sweep": self._pace.sweep},  # type: ignore[arg-type] # the others are SAQ's
            cancellation_hard_deadline_s=CANCEL_SECONDS,
            enable_heartbeat_manager=False,  # it asks Redis from a thread, by connections of this one's event loop
        )

    async def _first(self, _: Any) -> None:
        """Not everybody wants to wait for the next minute; what does not work now will be tried again then."""
        try:
            await self._working.fill()
        except Exception as error:  # noqa: BLE001 - whatever it is, a worker that ends for it is no help
            log.warning("first_fill_failed", error=told(error) if isinstance(error, LOST) else said(error))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work for as long as the block lasts; at its end, clinics under way are given some time to be done."""
        self._worker.SIGNALS = []  # they are the web application's, which ends this block
        beating, working = asyncio.create_task(self._beat()), asyncio.create_task(self._worker.start(), name="worker")
        working.add_done_callback(self._ended)
        self._begun = True
        try:
            yield
        finally:
            self._end_upkeep()
            stopping = asyncio.create_task(self._stop())
            await asyncio.wait({stopping}, timeout=self._pace.grace + LEAVE_SECONDS)
            for task in (beating, working, stopping):
                task.cancel()  # a Redis that hangs keeps nobody from ending: what it was not told it finds out
            await asyncio.wait({beating, working, stopping}, timeout=1)

    async def _stop(self) -> None:
        await self._worker.stop()
        await self._queue.disconnect()

    def _ended(self, working: asyncio.Task[None]) -> None:
        if not working.cancelled() and (error := working.exception()):
            log.error("worker_died", exc_info=error)

    def _end_upkeep(self) -> None:
        """Have no more jobs taken. What SAQ does besides, now and then, sleeps for most of a minute: nobody waits for that."""
        self._worker.event.set()
        for task in self._worker.tasks:
            if task.get_name() != "process":
                task.cancel()

    async def _beat(self) -> None:
        while True:
            self.heartbeat = self._app.clock()
            await asyncio.sleep(BEAT_SECONDS)

    # --- signs of life --------------------------------------------------------------------------------------------------

    @property
    def next_at(self) -> datetime:
        """When the next slot begins."""
        return Slot.at(self._app.clock(), self._app.settings.evaluate_every).ends

    def trouble(self) -> str:
        """Why it cannot be relied on; empty while it can."""
        return "the worker has stopped taking jobs" if self._begun and self._worker.event.is_set() else ""

    async def ready(self) -> None:
        """Raise StoreError where no work can be had."""
        if self._queue.steady_since is None:
            raise StoreError("Redis cannot be asked for work; the log says why")

    async def waiting(self) -> dict[str, float]:
        """How many jobs there are, by state. Raises StoreError."""
        try:
            counts = [await self._queue.count(kind) for kind in ("queued", "active", "incomplete")]
        except LOST as error:
            raise StoreError("Redis cannot be reached") from error
        queued, active, incomplete = counts
        return {"queued": queued, "active": active, "scheduled": max(incomplete - queued - active, 0)}


@dataclass(slots=True)
class Quiet:
    """For SAQ's logger: what is tried again was logged where it failed; that Redis is away takes a line now and then."""

    monotonic: Callable[[], float] = time.monotonic
    _said_at: float = field(default=float("-inf"))

    def __call__(self, record: logging.LogRecord) -> bool:
        """Whether a line is to be written."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, AgainError):
            return False
        if isinstance(error, LOST):
            how = "refuses" if isinstance(error, ResponseError) else "cannot be reached"
            record.exc_info, record.msg, record.args = None, "Redis %s: %s", (how, told(error))
            return self._first_in_a_while()
        return True

    def _first_in_a_while(self) -> bool:
        now = self.monotonic()
        if now - self._said_at < SAID_EVERY:
            return False
        self._said_at = now
        return True
