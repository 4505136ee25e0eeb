"""The queue that workers take the hourly work from: SAQ, on Redis.

A job is named after the clinic and the moment it is due, so that it is in the queue once whoever puts it there. What SAQ does
with it: hand it to one worker, take it back from one that stopped showing signs of life, try again later what failed, end what
takes too long.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, cast

from pydantic import SecretStr
from redis.asyncio import Redis
from saq import Job, Status
from saq.queue.redis import RedisQueue

from service.shared.connection import LOST, connected

PREFIX = "governor"

ATTEMPTS = 1_000
"""As good as any number: what is tried again ends when the clinic's next run is due."""

DEQUEUE_SECONDS = 2.0
"""How long one question for work waits at Redis; a worker that is stopped waits for its end."""


NAP = 1.0
"""Seconds until Redis is asked again that did not answer."""

LONGEST_ANSWER = 15.0
"""Seconds after which a Redis that does not answer is taken for one that hangs."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a worker is waited for, in seconds, by the real clock.

    `schedule` says, as cron does (a sixth field is of seconds), when what is missing is put into the queue. `deadline` is for
    one clinic: reading the largest may take forty minutes. A job of which nothing is heard for `silent` is taken from its
    worker; it is looked for such jobs each `sweep`. A job that failed is tried again within `again`, which is doubled each
    time, up to `again_at_most`. A worker that is asked to stop gives clinics under way `grace`; then they are put back.
    """

    schedule: str = "* * * * *"
    deadline: int = 50 * 60
    silent: int = 90
    sweep: int = 30
    again: float = 30.0
    again_at_most: float = 600.0
    grace: int = 20


UNHURRIED = Pace()


class PatientQueue(RedisQueue):
    """SAQ's queue, which bears with a Redis that is away, hangs or refuses.

    `steady_since` is since when it has answered without a break, by a clock that only grows; None: the last time it did not.
    """

    def __init__(self, redis: Redis, name: str, silent: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(redis, name=name)
        self.steady_since: float | None = None
        self._silent, self._monotonic = silent, monotonic

    async def dequeue(self, timeout: float = 0.0, poll_interval: float = 0.0) -> Job | None:  # noqa: ASYNC109 - SAQ's
        """The next job, or None. SAQ would ask again at once where asking fails, for as long as it does."""
        try:
            with self._watched():
                return await super().dequeue(timeout, poll_interval)
        except LOST:
            logging.getLogger("saq").exception("no work can be asked for")
            await asyncio.sleep(NAP)
            return None

    async def sweep(self, lock: int = 60, abort: float = 5.0) -> list[str]:
        """Take jobs from workers that are not heard of, once Redis has been there for as long as one is waited for.

        Before, signs of life may be on their way to it, and whoever gave none could not.
        """
        with self._watched():
            await cast("Awaitable[bool]", self.redis.ping())
        if self.steady_since is None or self._monotonic() - self.steady_since < self._silent:
            return []
        with self._watched():
            return await super().sweep(lock, abort)

    async def retry(self, job: Job, error: str | None) -> None:
        """Put a job back. Where Redis cannot be told of it, it is taken from this worker, which is not heard of, by a sweep."""
        with _said_only(), self._watched():
            await super().retry(job, error)

    async def finish(self, job: Job, status: Status, *, result: Any = None, error: str | None = None, **kwargs: Any) -> None:
        """Put a job away. Where Redis cannot be told of it, it is begun once more, which does nothing."""
        with _said_only(), self._watched():
            await super().finish(job, status, result=result, error=error, **kwargs)

    async def _update(self, job: Job, status: Status | None = None, **kwargs: Any) -> None:  # noqa: ARG002 - SAQ's
        """As SAQ does, but that a sign of life is as old as its writing, and not as the question before that."""
        with self._watched():
            if status is None:
                stored = await self.job(job.key)
                status = stored.status if stored else None
            job.status, job.touched = status or job.status, int(time.time() * 1000)
            await self.redis.set(job.id, self.serialize(job))
            await self.notify(job)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Note whether Redis answers what the block asks of it."""
        try:
            yield
        except LOST:
            self.steady_since = None
            raise
        if self.steady_since is None:
            self.steady_since = self._monotonic()


@contextmanager
def _said_only() -> Iterator[None]:
    """What Redis cannot be told is logged, and nothing else is ended for it."""
    try:
        yield
    except LOST:
        logging.getLogger("saq").exception("nothing can be said of a job")


def queue_at(url: SecretStr, installation: str, pace: Pace = UNHURRIED) -> PatientQueue:
    """The queue of one installation, which its database names: workers of another would look for its clinics in theirs.

    It connects when it is first used, and again as often as it takes.
    """
    patience = min(LONGEST_ANSWER, max(pace.silent / 3, DEQUEUE_SECONDS + 1))
    return PatientQueue(connected(url, answer_seconds=patience), f"{PREFIX}-{installation}", pace.silent)


def evaluation(clinic: str, due: datetime, *, at: float, every: timedelta, pace: Pace = UNHURRIED) -> Job:
    """The job to evaluate a clinic, to be begun `at` (epoch seconds); it is remembered until two periods after it is done."""
    return Job(
        "evaluate",
        kwargs={"clinic": clinic, "due": due.isoformat()},
        key=f"{clinic} {due:%Y-%m-%dT%H:%M:%SZ}",
        scheduled=ceil(at),
        timeout=pace.deadline,
        heartbeat=pace.silent,
        retries=ATTEMPTS,
        retry_delay=pace.again,
        retry_backoff=pace.again_at_most,
        ttl=int((2 * every).total_seconds()),
    )


def closing(begins: datetime, *, at: float, every: timedelta, pace: Pace = UNHURRIED) -> Job:
    """The job to look what came of a slot when it is over."""
    seconds = int(every.total_seconds())
    return Job(
        "close",
        kwargs={"begins": begins.isoformat(), "seconds": seconds},
        key=f"close {begins:%Y-%m-%dT%H:%M:%SZ} {seconds}",
        scheduled=ceil(at),
        timeout=300,
        heartbeat=pace.silent,
        retries=10,
        retry_delay=pace.again,
        retry_backoff=pace.again_at_most,
        ttl=int((2 * every).total_seconds()),
    )
