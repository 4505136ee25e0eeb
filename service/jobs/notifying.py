"""The loop that tells people, beside the hourly one: a mail server that hangs must not hold up a pass, nor the other way round.

    tell -> nap -> tell

What goes wrong in a round is logged and the loop goes on. That it goes on is shown by `heartbeat`, which `/healthz` reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog

from service.app import App
from service.jobs.hourly import Sleep
from service.jobs.looping import looping
from service.jobs.notices import tell
from service.settings import variable

NAP_SECONDS = 15.0
"""Between two looks at what there is to tell: a few reads of the database."""

QUIET = timedelta(minutes=15)
"""The longest the loop may go without a heartbeat: a few messages whose servers do not answer."""

GRACE_SECONDS = 10.0
"""How long a message under way may take when the service is asked to stop; it would be sent once more otherwise."""

log = structlog.get_logger(__name__)


class Notifying:
    """The loop. `heartbeat` is when it last showed that it is alive."""

    def __init__(self, app: App, *, sleep: Sleep = asyncio.sleep, grace_seconds: float = GRACE_SECONDS) -> None:
        self.heartbeat = app.clock()
        self._app, self._sleep, self._grace = app, sleep, grace_seconds
        self._task: asyncio.Task[None] | None = None
        self._telling = self._stopping = False
        self._complained: set[str] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the loop as long as the block lasts; at its end, messages under way are given some time to go out."""
        self._stopping = False
        ended = looping("notifying", self.forever(), stop=self._stop, busy=lambda: self._telling, grace_seconds=self._grace)
        async with ended as self._task:
            yield

    def _stop(self) -> None:
        self._stopping = True

    def trouble(self) -> str:
        """Why the loop cannot be relied on; empty while it can."""
        if self._task is None or self._task.done():
            return "the loop that sends notices is not running"
        if self._app.clock() - self.heartbeat > QUIET:
            return f"the loop that sends notices has not been heard of since {self.heartbeat:%Y-%m-%dT%H:%M:%SZ}"
        return ""

    async def forever(self) -> None:
        """Round after round, until cancelled or asked to stop."""
        while not self._stopping:
            self._beat()
            await self._tell()
            if not self._stopping:
                await self._sleep(NAP_SECONDS)

    def _beat(self) -> datetime:
        self.heartbeat = self._app.clock()
        return self.heartbeat

    async def _tell(self) -> None:
        self._telling = True
        try:
            told = await tell(self._app, beat=self._beat)
        except Exception:
            log.exception("notifying_failed")  # nothing is lost: it is in the ledger, or in the outbox
            return
        finally:
            self._telling = False
        for channel in set(told.unaddressed) - self._complained:
            self._complained.add(channel)
            log.info("channel_without_address", channel=channel, setting=variable("notify", channel))
