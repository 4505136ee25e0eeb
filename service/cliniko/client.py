"""Requests to Cliniko: one at a time within the budget, retried only where that can help, page after page.

What an answer means is in `answers`, what may be asked and kept in `access`; here is only the order in which things happen.
The pages of a list follow its links one after another: many lists are read at once, which fills the budget without guessing
at addresses, and only the links show a list that loops.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

import httpx

from service.cliniko.access import SYSTEM, Access, keep
from service.cliniko.answers import TOO_MANY, decode, failure
from service.cliniko.rate import RateBudget, Timing
from service.core.errors import ProtocolError, TransientError
from service.monitor import Monitor, Request

ATTEMPTS = 4
REQUEST_SECONDS = 45.0
"""Cliniko itself gives up after about 30 s with a 504."""

DEADLINE_SECONDS = 240.0
"""For one request with all its retries, not counting the time spent waiting for the budget."""

LONGEST_BACKOFF = 30.0
PER_PAGE = 100
MOST_PAGES = 500


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed, read once: a process that serves a thousand clinics has as many clients."""
    return httpx.create_ssl_context()


class Client:
    """Reads allowed lists of one account; `sent` counts the requests. Every method may raise the `OutsideError` family."""

    def __init__(
        self,
        access: Access,
        budget: RateBudget,
        timing: Timing,
        clock: Callable[[], datetime],
        transport: httpx.AsyncBaseTransport | None = None,
        monitor: Monitor | None = None,
    ) -> None:
        self._access = access
        self._budget = budget
        self._timing = timing
        self._clock = clock
        self._monitor = monitor or Monitor()
        self.sent = 0
        self._http = httpx.AsyncClient(
            auth=(access.key, ""),
            headers={"User-Agent": access.agent, "Accept": "application/json"},
            timeout=httpx.Timeout(35.0, connect=10.0),
            follow_redirects=False,
            transport=transport,
            verify=_trusted(),
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def one(self, resource: str, path: str) -> object:
        """A single resource, cut to its allowed fields."""
        return keep(resource, await self._get(resource, self._access.url(path)))

    async def items(self, resource: str, path: str, params: Iterable[tuple[str, str]] = ()) -> list[object]:
        """All items of a list over all its pages, each cut to its allowed fields."""
        url: httpx.URL | None = self._access.url(path, [*params, ("per_page", str(PER_PAGE))])
        book = _Book(resource)
        while url is not None:
            following = book.add(url, await self._get(resource, url))
            url = self._access.follow(url, following) if following else None
        return book.items

    async def _get(self, resource: str, url: httpx.URL) -> object:
        """One request with its retries."""
        spent = 0.0
        attempt = 1
        while True:
            await self._budget.take(self._access.user)
            began = self._timing.monotonic()
            try:
                with self._monitor.during(Request(SYSTEM, resource)):
                    return decode(await self._once(url))
            except TransientError as error:
                wait = self._wait(error.retry_after, attempt)
                spent += self._timing.monotonic() - began + wait
                if attempt == ATTEMPTS or spent > DEADLINE_SECONDS:
                    raise
                if error.code == TOO_MANY:
                    await self._budget.hold(self._access.user, wait)
                await self._timing.sleep(wait)
            attempt += 1

    async def _once(self, url: httpx.URL) -> httpx.Response:
        self._access.permit("GET", url)
        self.sent += 1
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                response = await self._http.get(url)
        except (httpx.TimeoutException, TimeoutError):
            raise TransientError(SYSTEM, f"Cliniko did not answer {url.path} in time", code="timeout") from None
        except httpx.TransportError as error:
            # Others than a connection's may quote what was received.
            said = self._access.redact(str(error)) if isinstance(error, httpx.ConnectError) else ""
            text = f"Cliniko could not be reached: {said or type(error).__name__}"
            raise TransientError(SYSTEM, text, code="unreachable") from None
        except httpx.RequestError as error:  # an answer that cannot be decoded
            raise ProtocolError(SYSTEM, f"{url.path}: {type(error).__name__}", code="undecodable") from None
        problem = failure(response, self._clock())
        if problem is not None:
            raise problem
        return response

    def _wait(self, asked: timedelta | None, attempt: int) -> float:
        """Seconds until the next attempt: what was asked for plus jitter, else capped exponential backoff with jitter."""
        growing = min(2.0 ** (attempt - 1), LONGEST_BACKOFF)
        if asked is None:
            return growing * (0.5 + 0.5 * self._timing.jitter())
        return asked.total_seconds() + growing * (0.1 + 0.9 * self._timing.jitter())


class _Book:
    """The pages of one list, put together; suspicious of lists that loop or end early."""

    def __init__(self, resource: str) -> None:
        self._resource = resource
        self._seen: set[str] = set()
        self._distinct: set[str] = set()
        self.items: list[object] = []

    def add(self, url: httpx.URL, payload: object) -> str | None:
        """Take a page in and return its link to the next one, if it has one."""
        if not isinstance(payload, dict) or not isinstance(payload.get(self._resource), list):
            raise ProtocolError(SYSTEM, f"{url.path} answered without a list of {self._resource}", code="wrong_shape")
        page = payload[self._resource]
        self._once_only(url, page)
        self._distinct.update(_digest(item) for item in page)
        self.items += [keep(self._resource, item) for item in page]
        following = _next(payload)
        if following is None:
            self._all_there(url, payload.get("total_entries"))
        return following

    def _once_only(self, url: httpx.URL, page: list[object]) -> None:
        """A page whose address or content came before means that following `next` does not end (Cliniko API issue 106)."""
        content = _digest(page)
        if self._seen & {str(url), content} or len(self._seen) >= 2 * MOST_PAGES:
            raise ProtocolError(SYSTEM, f"the pages of {url.path} repeat or do not end", code="page_loop")
        self._seen |= {str(url), content}

    def _all_there(self, url: httpx.URL, total: object) -> None:
        """Fewer items than announced would look like fewer openings than there are; one that was given twice is one."""
        announced = int(total) if isinstance(total, int) or (isinstance(total, str) and total.isdecimal()) else 0
        if announced > len(self._distinct):
            text = f"{url.path} announced {total} entries and gave {len(self._distinct)}"
            raise ProtocolError(SYSTEM, text, code="incomplete")


def _digest(answered: object) -> str:
    return sha256(repr(answered).encode()).hexdigest()


def _next(payload: dict[str, object]) -> str | None:
    links = payload.get("links")
    link = links.get("next") if isinstance(links, dict) else None
    return link if isinstance(link, str) and link else None


async def together(*work: Coroutine[Any, Any, Any]) -> list[Any]:
    """Run everything at once; the first failure cancels the rest and is raised alone."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
