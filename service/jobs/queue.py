"""The queue that workers take the hourly work from: SAQ, on Redis.

A job is named after the clinic and the moment it is due, so that it is in the queue once whoever puts it there. What SAQ does
with it: hand it to one worker, take it back from one that stopped showing signs of life, try again later what failed, end what
takes too long.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from pydantic import SecretStr
from saq import Job
from saq.queue.redis import RedisQueue

from service.shared.connection import connected

NAME = "governor"

ATTEMPTS = 12
DEQUEUE_SECONDS = 2.0
"""How long one question for work waits at Redis; a worker that is stopped waits for its end."""


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


def queue_at(url: SecretStr) -> RedisQueue:
    """The queue; connects when it is first used, and again, after a while, as often as it takes."""
    return RedisQueue(connected(url, answer_seconds=15.0, attempts=5, cap=2.0), name=NAME)


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


def closing(number: int, *, at: float, every: timedelta, pace: Pace = UNHURRIED) -> Job:
    """The job to look what came of a slot when it is over."""
    return Job(
        "close",
        kwargs={"number": number},
        key=f"close {number}",
        scheduled=ceil(at),
        timeout=300,
        heartbeat=pace.silent,
        retries=3,
        ttl=int((2 * every).total_seconds()),
    )
