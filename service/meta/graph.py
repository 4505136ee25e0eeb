"""Graph calls for asyncio: in threads with a deadline, reads repeated a little, writes sent once, pages followed by hand.

A `Graph` is opened for one operation and has a session of its own, so no two threads ever share one: a call that outlives
its deadline keeps the session it has, and the next call gets a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from service.core.errors import AmbiguousWriteError, OutsideError, ProtocolError, TransientError
from service.meta.credentials import MetaCredentials
from service.meta.errors import TOO_MUCH_DATA
from service.meta.pauses import Pauses
from service.monitor import Monitor, Request

if TYPE_CHECKING:
    from service.meta.sdk import Session

Object = Mapping[str, object]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait and how much to ask for.

    In seconds: `connect`, `answer` (silence of the peer), `call` (one call, all told), `read` (all of one reading). `backoff`
    are the pauses between attempts of a read, so there is one attempt more than there are pauses.
    """

    connect: float = 5.0
    answer: float = 30.0
    call: float = 60.0
    read: float = 240.0
    backoff: tuple[float, ...] = (1.0, 4.0)
    page: int = 200
    pages: int = 100


DEFAULT_LIMITS = Limits()


class Graph:
    """One operation's way to Graph, about one ad `account`; `pauses` are its app's. Use as an async context manager."""

    def __init__(
        self,
        account: str,
        credentials: MetaCredentials,
        base_url: str | None,
        limits: Limits,
        sleep: Callable[[float], Awaitable[None]],
        pauses: Pauses,
        monitor: Monitor | None = None,
    ) -> None:
        self._account = account
        self._credentials = credentials
        self._base_url = base_url
        self._limits = limits
        self._sleep = sleep
        self._pauses = pauses
        self._monitor = monitor or Monitor()
        self._session: Session | None = None
        self._wrote = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._session is not None:
            self._session.close()

    async def get(self, path: Path, params: Object) -> Object:
        """Read once or, after a passing fault, a few times; asks for fewer rows if Meta says there is too much data."""
        pauses = iter(self._limits.backoff)
        while True:
            try:
                return await self._call("GET", path, params, TransientError)
            except TransientError as error:
                pause = next(pauses, None)
                if pause is None or error.retry_after is not None:
                    raise
                params = _narrower(params) if error.code.split("/")[0] == str(TOO_MUCH_DATA) else params
            await self._sleep(pause)

    async def post(self, path: Path, params: Object) -> Object:
        """Write, exactly once; `AmbiguousWriteError` where it cannot be said whether it was made."""
        return await self._call("POST", path, params, AmbiguousWriteError)

    async def pages(self, path: Path, params: Object) -> list[Object]:
        """All rows of an edge. An empty page is not the last one as long as it names a next."""
        rows: list[Object] = []
        asked: set[str] = set()
        after: dict[str, str] = {}
        for _ in range(self._limits.pages):
            page = await self.get(path, {**params, "limit": self._limits.page, **after})
            rows += _rows(page, path)
            cursor = _next(page, path)
            if cursor is None:
                return rows
            if cursor in asked:
                raise ProtocolError("meta", f"Meta's list of {path[-1]} goes in circles", code="same_cursor")
            asked.add(cursor)
            after = {"after": cursor}
        raise ProtocolError(
            "meta", f"Meta's list of {path[-1]} has more than {self._limits.pages} pages", code="too_many_pages"
        )

    async def _call(self, method: str, path: Path, params: Object, late: type[OutsideError]) -> Object:
        self._pauses.check(self._account, method, path, wrote=self._wrote)
        self._wrote = self._wrote or method != "GET"
        try:
            with self._monitor.during(Request("meta", f"{method} {path[-1] or 'node'}")):
                return await self._sent(method, path, params, late)
        except OutsideError as error:
            self._pauses.note(self._account, path, error)
            raise

    async def _sent(self, method: str, path: Path, params: Object, late: type[OutsideError]) -> Object:
        try:
            async with asyncio.timeout(self._limits.call):
                if self._session is None:
                    self._session = await asyncio.to_thread(self._open)
                session = self._session
                try:
                    return await asyncio.to_thread(session.call, method, path, params)
                finally:
                    self._pauses.heed(self._account, session.usage)
        except TimeoutError:
            self._session = None  # the thread that is still waiting keeps it
        raise late("meta", f"Meta did not answer within {self._limits.call:g} s", code="deadline")

    def _open(self) -> Session:
        from service.meta.sdk import Session  # noqa: PLC0415 - the SDK costs 100 ms and is needed by few commands

        return Session(self._credentials, self._base_url, (self._limits.connect, self._limits.answer))


def _narrower(params: Object) -> Object:
    limit = params.get("limit")
    return {**params, "limit": max(limit // 2, 1)} if isinstance(limit, int) else params


def _rows(page: Object, path: Path) -> list[Object]:
    rows = page.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ProtocolError("meta", f"Meta's list of {path[-1]} has no rows", code="shape")
    return rows


def _next(page: Object, path: Path) -> str | None:
    """The cursor of the next page; the address in `next` itself is never followed."""
    paging = page.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    if not isinstance(after, str) or not after:
        raise ProtocolError("meta", f"Meta's list of {path[-1]} goes on without a cursor", code="shape")
    return after
