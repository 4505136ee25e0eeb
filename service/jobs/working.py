"""What a worker does: the hourly work of every clinic, shared with other workers by way of the queue.

    each minute   schedule -> a job for each clinic and slot that has none, to be begun when the clinic is due
    when due      evaluate -> one run, unless the clinic has had it or its next one is due
    after a slot  close    -> what came of it, from the database; the address is pinged if all of it was good
    once a day    forget   -> what was kept for long enough

A job is a wish, not a record: Redis may lose all of them, or hand one out twice. Whether a clinic has had its run is asked of
the database, and that it has only one at a time is seen to by its lease. So jobs that were lost are put there again, and one
too many does nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from math import ceil

import httpx
import structlog
from saq import Job
from saq.queue.redis import RedisQueue
from saq.types import Context

from service.app import App
from service.core.errors import InputError, LeaseLostError, NotFoundError
from service.governor import RENEWAL_SECONDS, Report
from service.jobs.keeping import forget_old
from service.jobs.passes import Failure, evaluate
from service.jobs.pinging import PING_SECONDS, ping
from service.jobs.queue import UNHURRIED, Pace, closing, evaluation
from service.jobs.slots import Slot
from service.logs import redacted
from service.monitor import Late
from service.revisions import governed, look_over
from service.shared.connection import LOST
from service.store.leases import TERM

AHEAD = timedelta(minutes=2)
"""So long before a slot begins its jobs are in the queue: they are put there once a minute."""

AFTER = timedelta(minutes=10)
"""So long after a slot has ended it is looked at what came of it; of short slots, a sixth of one."""

BEATS = 6
"""Signs of life within the time after which a job is taken away."""

EARLY = timedelta(minutes=5)
"""Clocks of machines differ, and so a job may begin before the moment that its clinic is due."""

DONE = frozenset({"finished", "incomplete"})
AT_ONCE = 200
"""Jobs asked for, or put into the queue, in one go."""

log = structlog.get_logger(__name__)


class AgainError(Exception):
    """A job is to be tried again. What was wrong is logged by then; this is what the queue shows."""


class Working:
    """A worker's jobs. `epoch_of` an instant of the service's clock is when that is by the real one, which Redis goes by."""

    def __init__(
        self,
        app: App,
        queue: RedisQueue,
        *,
        pace: Pace = UNHURRIED,
        epoch_of: Callable[[datetime], float] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._app, self._queue, self._pace, self._transport = app, queue, pace, transport
        self._epoch_of = epoch_of or (lambda instant: time.time() + (instant - app.clock()).total_seconds())

    # --- putting jobs into the queue ------------------------------------------------------------------------------------

    async def schedule(self, context: Context) -> int:
        """As `fill`, with signs of life."""
        async with _alive(context["job"]):
            return await self.fill()

    async def fill(self) -> int:
        """See to it that each clinic has its jobs; gives how many were put into the queue.

        They are there shortly before their slot begins. A clinic that has missed its run, as all have when the first worker
        starts, has one at once, and then another when it is due.
        """
        now, every = self._app.clock(), self._app.settings.evaluate_every
        clinics = await governed(self._app.store, self._app.directory)
        present = Slot.at(now, every)
        slots = dict.fromkeys((present.before, present, Slot.at(now + min(AHEAD, every / 2), every)))
        return sum([await self._fill(slot, clinics, now) for slot in slots])

    async def _fill(self, slot: Slot, clinics: Sequence[str], now: datetime) -> int:
        full, names = f"{self._queue.namespace('full')}:{slot.number}", sha256(" ".join(clinics).encode()).hexdigest()
        if await self._queue.redis.get(full) == names.encode():
            return 0
        look_over(self._app.directory, clinics)
        put = 0
        for some in batched(self._jobs(slot, clinics, now), AT_ONCE):
            put += await self._put(some)
        await self._queue.redis.set(full, names, ex=ceil(2 * slot.every.total_seconds()))
        log.info("slot_scheduled", slot=slot.begins.isoformat(), clinics=len(clinics), put=put)
        return put

    def _jobs(self, slot: Slot, clinics: Sequence[str], now: datetime) -> Iterator[Job]:
        for clinic in clinics:
            due = slot.due(clinic)
            if due + slot.every > now:
                yield evaluation(clinic, due, at=self._epoch_of(due), every=slot.every, pace=self._pace)
        if slot.ends > now:
            looked_at = slot.ends + min(AFTER, slot.every / 6)
            yield closing(slot.number, at=self._epoch_of(looked_at), every=slot.every, pace=self._pace)

    async def _put(self, wanted: Sequence[Job]) -> int:
        """Put into the queue what is not known there: neither waiting, nor done."""
        known = await self._queue.jobs([job.key for job in wanted])
        missing = [job for job, there in zip(wanted, known, strict=True) if there is None]
        await asyncio.gather(*(self._queue.enqueue(job) for job in missing))
        return len(missing)

    # --- a clinic -------------------------------------------------------------------------------------------------------

    async def evaluate(self, context: Context, *, clinic: str, due: str) -> str:
        """One run of a clinic, unless it is no longer wanted; gives in a word what came of it. Raises AgainError."""
        job, when = context["job"], datetime.fromisoformat(due)
        async with _alive(job):
            return await self._evaluate(job, clinic, when)

    async def _evaluate(self, job: Job, clinic: str, due: datetime) -> str:
        now = self._app.clock()
        if now >= due + self._app.settings.evaluate_every:
            log.warning("evaluation_overtaken", clinic=clinic, due=due.isoformat())
            return "overtaken"
        if await self._had_its_run(clinic, due):
            return "done"
        if job.attempts <= 1:
            self._app.monitor.happened(Late((now - due).total_seconds()))
        found = await evaluate(self._app, clinic, dry_run=False)
        if isinstance(found, Report):
            return found.status
        if isinstance(found.error, InputError | NotFoundError):
            return "refused"  # a person must mend it; the next slot tries again
        raise _again(job, found) from None

    async def _had_its_run(self, clinic: str, due: datetime) -> bool:
        """Whether the clinic has been evaluated since it was due, or so shortly before that it is as good."""
        since = due - min(EARLY, self._app.settings.evaluate_every / 10)
        runs = await self._app.store.runs.runs([clinic], limit=10)
        return any(run.status in DONE and run.started_at >= since for run in runs.items)

    # --- all clinics ----------------------------------------------------------------------------------------------------

    async def close(self, context: Context, *, number: int) -> bool:
        """Whether every clinic has had its run in a slot that is over; if so, the address is pinged."""
        async with _alive(context["job"]):
            return await self._close(number)

    async def _close(self, number: int) -> bool:
        slot = Slot(number, self._app.settings.evaluate_every)
        clinics = await governed(self._app.store, self._app.directory)
        missed = [each for each in clinics if not await self._had_its_run(each, slot.due(each))]
        good = bool(clinics) and not missed
        log.info("pass_finished", slot=slot.begins.isoformat(), clinics=len(clinics), good=good, failed=missed)
        if good:
            await ping(self._app.settings.heartbeat_url, PING_SECONDS, self._transport)
        return good

    async def forget(self, context: Context) -> None:
        """Let go of what was kept for long enough."""
        async with _alive(context["job"]):
            await forget_old(self._app)


def _again(job: Job, failure: Failure) -> AgainError:
    """A clinic that another worker has is free again at the latest when its lease has run out."""
    if isinstance(failure.error, LeaseLostError):
        job.retry_backoff, job.retry_delay = False, TERM.total_seconds() + RENEWAL_SECONDS
    return AgainError(redacted(str(failure.error)))


def batched(jobs: Iterator[Job], size: int) -> Iterator[list[Job]]:
    """Some at a time (`itertools.batched` comes with Python 3.12)."""
    while some := list(islice(jobs, size)):
        yield some


@asynccontextmanager
async def _alive(job: Job) -> AsyncIterator[None]:
    """Give signs of life of a job while the block lasts; a Redis that is away is no reason to stop what it is about."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(job.heartbeat / BEATS)
            with suppress(*LOST):
                await job.update()

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.wait({beating})
