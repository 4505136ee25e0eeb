"""The queue that workers take the hourly work from: SAQ, on Redis.

A job is named after the clinic and the moment it is due, so that it is in the queue once whoever puts it there. What SAQ does
with it: hand it to one worker, take it back from one that stopped showing signs of life, try again later what failed, end what
takes too long.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil

from pydantic import SecretStr
from saq import Job
from saq.queue.redis import RedisQueue

from service.shared.connection import connected

NAME = "governor"

DEADLINE = timedelta(minutes=50)
"""For one clinic: reading the largest may take forty minutes."""

SIGN_OF_LIFE = timedelta(seconds=90)
"""A job of which nothing is heard for so long is taken from its worker."""

ATTEMPTS = 12
FIRST_AGAIN, LAST_AGAIN = timedelta(seconds=30), timedelta(minutes=10)
"""How long until a job that failed is tried again, at most: doubled each time, from one to the other."""

DEQUEUE_SECONDS = 2.0
"""How long one question for work waits at Redis; a worker that is stopped waits for its end."""


def queue_at(url: SecretStr) -> RedisQueue:
    """The queue; connects when it is first used, and again, after a while, as often as it takes."""
    return RedisQueue(connected(url, answer_seconds=15.0, attempts=5, cap=2.0), name=NAME)


def evaluation(clinic: str, due: datetime, *, at: float, every: timedelta) -> Job:
    """The job to evaluate a clinic, to be begun `at` (epoch seconds); it is remembered until two periods after it is done."""
    return Job(
        "evaluate",
        kwargs={"clinic": clinic, "due": due.isoformat()},
        key=f"{clinic} {due:%Y-%m-%dT%H:%M:%SZ}",
        scheduled=ceil(at),
        timeout=int(DEADLINE.total_seconds()),
        heartbeat=int(SIGN_OF_LIFE.total_seconds()),
        retries=ATTEMPTS,
        retry_delay=FIRST_AGAIN.total_seconds(),
        retry_backoff=LAST_AGAIN.total_seconds(),
        ttl=int((2 * every).total_seconds()),
    )


def closing(number: int, *, at: float, every: timedelta) -> Job:
    """The job to look what came of a slot when it is over."""
    ttl = int((2 * every).total_seconds())
    return Job("close", kwargs={"number": number}, key=f"close {number}", scheduled=ceil(at), timeout=300, retries=3, ttl=ttl)
