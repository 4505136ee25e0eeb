"""Google Ads from an event loop: each call in a thread under a deadline, reads repeated while that may help, writes never.

The SDK is imported in the first call's thread, so that a command that needs no Google never waits for it. Does I/O.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from service.core.errors import AmbiguousWriteError, TransientError
from service.google_ads.credentials import GoogleCredentials
from service.google_ads.rests import Rests
from service.google_ads.wire import SYSTEM, Edits, ReadBack
from service.monitor import Monitor, Request

if TYPE_CHECKING:
    from service.google_ads.sdk import Session

TIMEOUT = timedelta(seconds=30)
BACKOFF = (5.0, 10.0, 20.0)
"""Seconds between attempts to read (Google, "Understand API errors": 5 s, 10 s, 20 s)."""
LONGEST_WAIT = timedelta(seconds=60)
"""A read that is asked to wait longer than this gives up: the next run comes within the hour."""
GRACE = timedelta(seconds=20)
"""What a thread may take beyond its RPC's own deadline: importing the SDK, mostly."""

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]


class GoogleAds:
    """One set of credentials against one endpoint; accounts and tasks may share it.

    `endpoint` is host:port in place of `googleads.googleapis.com`, still over TLS. `timeout` is the deadline of one RPC. An
    account that asked to be left alone for a while is, by all calls: `rests` has it.
    """

    def __init__(
        self,
        credentials: GoogleCredentials,
        *,
        endpoint: str | None = None,
        timeout: timedelta = TIMEOUT,
        sleep: Sleep = asyncio.sleep,
        rests: Rests | None = None,
        monitor: Monitor | None = None,
    ) -> None:
        self._credentials = credentials
        self._endpoint = endpoint
        self._timeout = timeout
        self._sleep = sleep
        self._rests = rests or Rests(time.monotonic)
        self._monitor = monitor or Monitor()
        self._guard = threading.Lock()
        self._opened: Session | None = None

    async def search(self, login: str | None, customer_id: str, query: str, read: Callable[[Any], T]) -> list[T]:
        """All rows of a GAQL query, each through `read`. Repeated from its start while the failure is a passing one."""

        def attempt() -> list[T]:
            return self._session().search(login, customer_id, query, read)

        for pause in BACKOFF:
            try:
                return await self._call(attempt, customer_id, self._timeout + GRACE, writing=False)
            except TransientError as error:
                asked = error.retry_after or timedelta(0)
                if asked > LONGEST_WAIT:
                    raise
                await self._sleep(max(pause, asked.total_seconds()))
        return await self._call(attempt, customer_id, self._timeout + GRACE, writing=False)

    async def mutate(self, login: str | None, customer_id: str, edits: Edits) -> ReadBack:
        """Carry the edits out, all or none, and return what the answer says is there now. Never repeated."""

        def attempt() -> ReadBack:
            return self._session().mutate(login, customer_id, edits)

        return await self._call(attempt, customer_id, 2 * self._timeout + GRACE, writing=True)  # its turn, then the call

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._guard:
            opened, self._opened = self._opened, None
        if opened is not None:
            await asyncio.to_thread(opened.close)

    async def _call(self, attempt: Callable[[], T], customer_id: str, deadline: timedelta, *, writing: bool) -> T:
        self._rests.check(customer_id)  # what is not sent is no request
        with self._monitor.during(Request(SYSTEM, "mutate" if writing else "search")):
            return await self._in_time(attempt, deadline.total_seconds(), writing=writing)

    @staticmethod
    async def _in_time(attempt: Callable[[], T], seconds: float, *, writing: bool) -> T:
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.to_thread(attempt)
        except TimeoutError:
            kind = AmbiguousWriteError if writing else TransientError
            raise kind(SYSTEM, f"Google Ads did not answer within {seconds:g} s", code="DEADLINE_EXCEEDED") from None

    def _session(self) -> Session:
        from service.google_ads.sdk import Session  # noqa: PLC0415 - half a second, and only who talks to Google pays it

        with self._guard:
            if self._opened is None:
                self._opened = Session(self._credentials, self._endpoint, self._timeout.total_seconds(), self._rests)
            return self._opened
