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

import httpx
import structlog
from saq import Job, Status
from saq.queue.redis import RedisQueue
from saq.types import Context

from service.app import App
from service.core.errors import GovernorError, LeaseLostError, RuleFileError
from service.governor import RENEWAL_SECONDS, Report, said
from service.jobs.keeping import forget_old
from service.jobs.passes import evaluate
from service.jobs.pinging import PING_SECONDS, ping
from service.jobs.queue import UNHURRIED, Pace, closing, evaluation
from service.jobs.slots import Slot
from service.monitor import Late
from service.revisions import governed, look_over
from service.shared.connection import LOST, told
from service.store.leases import TERM

AHEAD = timedelta(minutes=2)
"""So long before a slot begins its jobs are in the queue: they are put there once a minute."""

FULL_SECONDS = 300
"""For so long it is believed that a slot's jobs are all there: some may be lost meanwhile."""

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
        """As `fill`, as a job."""
        async with _job(context):
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
        await self._queue.redis.set(full, names, ex=FULL_SECONDS)
        if put:
            log.info("slot_scheduled", slot=slot.begins.isoformat(), clinics=len(clinics), put=put)
        return put

    def _jobs(self, slot: Slot, clinics: Sequence[str], now: datetime) -> Iterator[Job]:
        for clinic in clinics:
            due = slot.due(clinic)
            if due + slot.every > now:
                yield evaluation(clinic, due, at=self._epoch_of(due), every=slot.every, pace=self._pace)
        if (looked_at := slot.ends + min(AFTER, slot.every / 6)) > now:
            yield closing(slot.begins, at=self._epoch_of(looked_at), every=slot.every, pace=self._pace)

    async def _put(self, wanted: Sequence[Job]) -> int:
        """Put into the queue what is not known there: neither waiting, nor done. What was given up is put there anew."""
        known = await self._queue.jobs([job.key for job in wanted])
        missing = [job for job, there in zip(wanted, known, strict=True) if there is None or self._is_given_up(there)]
        put = await asyncio.gather(*(self._queue.enqueue(job) for job in missing))
        return sum(job is not None for job in put)

    def _is_given_up(self, job: Job) -> bool:
        """One that is being taken from its worker is so only if that has not come to its end for long."""
        aborting = job.status == Status.ABORTING and time.time() - job.touched / 1000 > 2 * self._pace.silent
        return aborting or job.status in {Status.FAILED, Status.ABORTED}

    # --- a clinic -------------------------------------------------------------------------------------------------------

    async def evaluate(self, context: Context, *, clinic: str, due: str) -> str:
        """One run of a clinic, unless it is no longer wanted; gives in a word what came of it. Raises AgainError."""
        async with _job(context):
            return await self._evaluate(context["job"], clinic, datetime.fromisoformat(due))

    async def _evaluate(self, job: Job, clinic: str, due: datetime) -> str:
        now, every = self._app.clock(), self._app.settings.evaluate_every
        if now >= due + every:
            log.warning("evaluation_overtaken", clinic=clinic, due=due.isoformat())
            return "overtaken"
        runs = await self._app.store.runs.runs([clinic], limit=10)
        if any(run.status in DONE and _counts(run.started_at, due, every) for run in runs.items):
            return "done"
        if job.attempts <= 1:
            self._app.monitor.happened(Late((now - due).total_seconds()))
        found = await evaluate(self._app, clinic, dry_run=False)
        if isinstance(found, Report):
            return found.status
        if isinstance(found.error, RuleFileError):
            return "refused"  # a person must mend it; the next slot tries again
        self._wait_for(job, found.error)
        raise AgainError(said(found.error)) from None

    def _wait_for(self, job: Job, error: Exception) -> None:
        """A clinic that another worker has is free again at the latest when its lease has run out."""
        lost = isinstance(error, LeaseLostError)
        job.retry_delay = TERM.total_seconds() + RENEWAL_SECONDS if lost else self._pace.again
        job.retry_backoff = False if lost else self._pace.again_at_most

    # --- all clinics ----------------------------------------------------------------------------------------------------

    async def close(self, context: Context, *, begins: str, seconds: int) -> bool:
        """Whether every clinic has had its run in a slot that is over; if so, the address is pinged."""
        async with _job(context):
            every = timedelta(seconds=seconds)
            return await self._close(Slot.at(datetime.fromisoformat(begins), every))

    async def _close(self, slot: Slot) -> bool:
        clinics = await governed(self._app.store, self._app.directory)
        began = await self._app.store.runs.began(slot.begins - EARLY, slot.ends + slot.every, DONE)
        missed = [each for each in clinics if not any(_counts(at, slot.due(each), slot.every) for at in began.get(each, ()))]
        good = bool(clinics) and not missed
        log.info("pass_finished", slot=slot.begins.isoformat(), clinics=len(clinics), good=good, failed=missed)
        if good:
            await ping(self._app.settings.heartbeat_url, PING_SECONDS, self._transport)
        return good

    async def forget(self, context: Context) -> None:
        """Let go of what was kept for long enough."""
        async with _job(context):
            await forget_old(self._app)


def _counts(began: datetime, due: datetime, every: timedelta) -> bool:
    """Whether a run is the one that was due: it began then, or so shortly before that it is as good, and before the next."""
    return due - min(EARLY, every / 10) <= began < due + every


def batched(jobs: Iterator[Job], size: int) -> Iterator[list[Job]]:
    """Some at a time (`itertools.batched` comes with Python 3.12)."""
    while some := list(islice(jobs, size)):
        yield some


@asynccontextmanager
async def _job(context: Context) -> AsyncIterator[None]:
    """A job's block: signs of life are given as long as it lasts, and what goes wrong leaves it as AgainError.

    A Redis that is away is no reason to stop what it is about. What is raised is kept in Redis: nothing of what nobody foresaw.
    """
    job = context["job"]
    beating = asyncio.create_task(_beat(job))
    try:
        yield
    except AgainError:
        raise
    except Exception as error:
        what = told(error) if isinstance(error, LOST) else said(error)
        log.warning("job_failed", job=job.function, error=what, exc_info=not isinstance(error, (GovernorError, *LOST)))
        raise AgainError(said(error)) from None
    finally:
        beating.cancel()
        await asyncio.wait({beating})


async def _beat(job: Job) -> None:
    while True:
        await asyncio.sleep(job.heartbeat / BEATS)
        with suppress(*LOST):
            await job.update()
