"""`governor worker` in a world where time passes faster, so that nobody waits five minutes for a dead worker's lease.

    python -m tests.fleet.hurried EPOCH NOW SPEED

EPOCH, in seconds since 1970, was NOW; since then it is SPEED times as quick. Everything else is as at the command line.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from datetime import datetime, timedelta

from service.app import bootstrap
from service.cli.serving import serve_until_stopped
from service.jobs.queue import Pace, queue_at
from service.jobs.worker import Labour, Quiet
from service.jobs.working import Working
from service.logs import configure
from service.settings import load
from service.shared.window import SharedWindow
from service.web.worker import create_worker_app

HURRIED = Pace(schedule="* * * * * */2", deadline=60, silent=3, sweep=1, again=0.5, again_at_most=2.0, grace=5)


async def main(epoch: float, now: datetime, speed: float) -> None:
    def clock() -> datetime:
        return now + timedelta(seconds=(time.time() - epoch) * speed)

    def epoch_of(instant: datetime) -> float:
        return epoch + (instant - now).total_seconds() / speed

    configure(logging.INFO)
    logging.getLogger("saq").addFilter(Quiet())
    async with bootstrap(load(), clock) as app:
        url = app.settings.redis_url
        assert url is not None
        assert isinstance(app.shared.budget, SharedWindow)
        app.shared.budget.window /= speed  # a minute of this world
        queue = queue_at(url, "hurried", HURRIED)
        labour = Labour(app, queue, Working(app, queue, pace=HURRIED, epoch_of=epoch_of), HURRIED)
        await serve_until_stopped(lambda _: create_worker_app(app, labour), "127.0.0.1", 0)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), datetime.fromisoformat(sys.argv[2]), float(sys.argv[3])))
