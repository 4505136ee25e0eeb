"""The hourly run: nobody is watching, so it must go on whatever happens, and be missed when it does not.

    pass -> wait until the next is due -> pass -> ...

The first pass is made at once. A pass that overruns, or a machine that slept, skips what it missed and keeps its minute of
the hour: one run, now. What goes wrong in a pass is logged and the loop goes on; that it goes on is shown by `heartbeat`,
which `/healthz` reads, and by the address that is pinged after each good pass, whose owner raises the alarm when it is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from itertools import takewhile

import httpx
import structlog

from service.app import App
from service.core.errors import LeaseLostError
from service.governor import RENEWAL_SECONDS, Report
from service.jobs.keeping import forget_old
from service.jobs.looping import looping
from service.jobs.passes import Failure, evaluate_all
from service.jobs.pinging import PING_SECONDS, ping
from service.revisions import governed, look_over
from service.store.leases import TERM

NAP_SECONDS = 30.0
"""The longest sleep: a clock that was moved, or a machine that slept, is noticed within this time."""

QUIET = timedelta(minutes=50)
"""The longest the loop may go without a heartbeat: reading the largest clinic may take forty minutes."""

GRACE_SECONDS = 20.0
"""How long a clinic under way may go on when the service is asked to stop; Kubernetes kills after 30."""

log = structlog.get_logger(__name__)

Sleep = Callable[[float], Awaitable[None]]


class Hourly:
    """The loop. `heartbeat` is when it last showed that it is alive, `next_at` when the next pass is due."""

    def __init__(
        self,
        app: App,
        *,
        sleep: Sleep = asyncio.sleep,
        grace_seconds: float = GRACE_SECONDS,
        ping_seconds: float = PING_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.heartbeat = self.next_at = app.clock()
        self._app, self._sleep, self._grace = app, sleep, grace_seconds
        self._ping_seconds, self._transport = ping_seconds, transport
        self._task: asyncio.Task[None] | None = None
        self._passing = self._stopping = False
        self._forgot_on: date | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the loop as long as the block lasts; at its end, clinics under way are given some time to finish."""
        self._stopping = False
        ended = looping("hourly", self.forever(), stop=self._stop, busy=lambda: self._passing, grace_seconds=self._grace)
        async with ended as self._task:
            yield

    def _stop(self) -> None:
        self._stopping = True

    def trouble(self) -> str:
        """Why the loop cannot be relied on; empty while it can."""
        if self._task is None or self._task.done():
            return "the hourly loop is not running"
        if self._app.clock() - self.heartbeat > QUIET:
            return f"the hourly loop has not been heard of since {self.heartbeat:%Y-%m-%dT%H:%M:%SZ}"
        return ""

    async def forever(self) -> None:
        """Pass after pass, until cancelled or asked to stop."""
        while not self._stopping:
            await self._until_due()
            await self._pass()
            await self._forget_once_a_day()
            self.next_at = following(self.next_at, self._app.settings.evaluate_every, self._app.clock())

    # --- waiting --------------------------------------------------------------------------------------------------------

    async def _until_due(self) -> None:
        every = self._app.settings.evaluate_every
        while (now := self._beat()) < self.next_at:
            self.next_at = min(self.next_at, now + every)  # a clock that was put back does not add to the wait
            await self._sleep(min(NAP_SECONDS, (self.next_at - now).total_seconds()))

    def _beat(self) -> datetime:
        self.heartbeat = self._app.clock()
        return self.heartbeat

    # --- a pass ---------------------------------------------------------------------------------------------------------

    async def _pass(self) -> None:
        self._passing = True
        try:
            clinics = await governed(self._app.store, self._app.directory)
            look_over(self._app.directory, clinics)
            chosen = takewhile(lambda _: not self._stopping, clinics)
            found = await evaluate_all(self._app, chosen, dry_run=False, done=self._beat)
            found = await self._once_more(found)
        except Exception:
            log.exception("pass_failed")
            return
        finally:
            self._passing = False
        good = len(found) == len(clinics) and all(map(_governed, found))
        log.info("pass_finished", clinics=len(clinics), good=good, failed=_names(found))
        if good:
            await ping(self._app.settings.heartbeat_url, self._ping_seconds, self._transport)

    async def _forget_once_a_day(self) -> None:
        if self._forgot_on == (today := self._beat().date()):
            return
        self._forgot_on = today
        try:
            await forget_old(self._app, self._goes_on)
        except Exception:
            log.exception("forgetting_failed")  # nothing is lost by keeping what is old for another day

    def _goes_on(self) -> bool:
        self._beat()
        return not self._stopping

    async def _once_more(self, found: list[Report | Failure]) -> list[Report | Failure]:
        """Try clinics that another worker had again when its lease has run out: that worker may have died holding it."""
        taken = [each.clinic for each in found if isinstance(each, Failure) and isinstance(each.error, LeaseLostError)]
        if not taken:
            return found
        until = self._app.clock() + TERM + timedelta(seconds=RENEWAL_SECONDS)
        while not self._stopping and (now := self._beat()) < until:
            await self._sleep(min(NAP_SECONDS, (until - now).total_seconds()))
        chosen = takewhile(lambda _: not self._stopping, taken)
        again = await evaluate_all(self._app, chosen, dry_run=False, done=self._beat)
        tried = {each.clinic for each in again}
        return [*(each for each in found if each.clinic not in tried), *again]


def following(due: datetime, every: timedelta, now: datetime) -> datetime:
    """The first instant after `now` that is a whole number of periods after `due`."""
    return due + every * (max((now - due) // every, 0) + 1)


def _governed(found: Report | Failure) -> bool:
    """A clinic that another worker has is looked after."""
    return isinstance(found, Report) or isinstance(found.error, LeaseLostError)


def _names(found: Sequence[Report | Failure]) -> list[str]:
    return [each.clinic for each in found if isinstance(each, Failure)]
