"""`/v1/events`: the ledger as it grows, as server-sent events, so that nobody has to keep asking.

An event's `id` is what a client that was cut off sends back as `Last-Event-ID` (browsers do so by themselves): it is then told
what it missed. What is new is read from the database; that there is something new is told by whichever process made it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from litestar import get
from litestar.params import HeaderParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from service.app import App
from service.keys import opens_everything
from service.store.keys import Key
from service.store.tail import Event, Places, Tail
from service.web.api.audit import Chain, chains, may_see
from service.web.asked import TheApp, TheKey
from service.web.auth import KeyRequest, hash_of_bearer, is_valid
from service.web.news import Growth, News, news_of
from service.web.problems import problems

NAP_SECONDS = 1.0
"""The longest that it goes unnoticed that the server is about to end, or a key is valid no more."""

TOGETHER_SECONDS = 0.1
"""What is recorded within so short a time is looked at together."""

QUIET_SECONDS = 15.0
"""After so long without news a comment is sent, so that nothing in between takes the connection for dead."""

RETRY_MILLISECONDS = 3000

STOPPING = "stopping"
"""Under this name the web application's state has what says whether the server is about to end."""

Stopping = Callable[[], bool]
Good = Callable[[], Awaitable[bool]]
"""Whether whoever watches may go on doing so."""

LastEvent = Annotated[
    int | None,
    HeaderParameter(name="Last-Event-ID", ge=0, le=2**53, description="The id of the last event that was seen"),
]


@get("/events", operation_id="watch", tags=["audit"], media_type="text/event-stream", responses=problems(404, 422))
async def watch(
    request: KeyRequest, app: TheApp, key: TheKey, clinic: Chain = None, last_event_id: LastEvent = None
) -> ServerSentEvent:
    """What is recorded from now on, or since `Last-Event-ID`: `event` is a record's kind, `data` its text.

    It goes on until the client leaves, the key is valid no more, or the service is stopped: then come back with the last id.
    """
    hashed = hash_of_bearer(request)

    stopping: Stopping = request.app.state[STOPPING]

    async def good() -> bool:
        return not stopping() and await is_valid(app, hashed)

    return stream(app, news_of(request.app.state), await watched(app, key, clinic), last_event_id, good)


HANDLERS = (watch,)


def never() -> bool:
    """The server goes on."""
    return False


@dataclass(frozen=True, slots=True)
class Watched:
    """The chains that somebody watches: those of `named` (None: all that there are, and will be) that are theirs to see."""

    may_see: Callable[[str], bool]
    named: Collection[str] | None

    async def heads(self, tail: Tail, grown: Collection[str] | None = None) -> Places:
        """How far they go; with `grown`, those among these."""
        found = await tail.heads(self.named if grown is None else grown)
        return {chain: seq for chain, seq in found.items() if self.may_see(chain)}


async def watched(app: App, key: Key, clinic: str | None) -> Watched:
    """What a key may watch of a clinic, or of everything. Raises NotFoundError."""
    if clinic is not None:
        [chain] = await chains(app, key, clinic)
        return Watched(chain.__eq__, (chain,))
    return Watched(partial(may_see, key), None if opens_everything(key) else key.clinics)


def stream(app: App, news: News, what: Watched, after: int | None, good: Good) -> ServerSentEvent:
    """The events of these chains for as long as that is `good`."""
    return ServerSentEvent(
        _messages(app, news, what, after, good), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


async def _messages(
    app: App, news: News, what: Watched, after: int | None, good: Good
) -> AsyncIterator[ServerSentEventMessage]:
    yield ServerSentEventMessage(data=None, comment="the ledger as it grows", retry=RETRY_MILLISECONDS)
    async with news.of(what.may_see) as grown:
        async for event in _Watch(app, what, good, grown, news.every).events(after):
            if event is None:
                yield ServerSentEventMessage(data=None, comment="nothing new")
            else:
                yield ServerSentEventMessage(data=event.record.text, event=event.record.kind, id=event.id)


@dataclass(slots=True)
class _Watch:
    """Somebody who watches: the database is asked about chains that have `grown`, and each `every` seconds about all."""

    app: App
    what: Watched
    good: Good
    grown: Growth
    every: float
    looked_at: float = float("-inf")

    async def events(self, after: int | None) -> AsyncIterator[Event | None]:
        """What is new, and None now and then where nothing is."""
        tail = self.app.store.tail
        seen = await self.what.heads(tail)
        if after is not None:
            seen = await tail.places(seen, after)
        quiet_since = self.app.monotonic()
        while await self.good():
            new = await self._new(seen)
            for event in new:
                seen[event.record.chain] = event.record.seq
                yield event
                await asyncio.sleep(0)  # so that it is noticed when the client has left in the middle of many
            if new:
                quiet_since = self.app.monotonic()
                continue  # there may be more than is told at once
            if self.app.monotonic() - quiet_since > QUIET_SECONDS:
                quiet_since = self.app.monotonic()
                yield None
            await self._nap()

    async def _new(self, seen: Places) -> Sequence[Event]:
        now, grown = self.app.monotonic(), self.grown.taken()
        everything = now - self.looked_at >= self.every
        if not grown and not everything:
            return ()
        tail = self.app.store.tail
        new = await tail.since(seen, await self.what.heads(tail, None if everything else grown))
        if everything:
            self.looked_at = float("-inf") if new else now
        elif new:
            self.grown.chains |= grown  # there may be more of them than is told at once
        return new

    async def _nap(self) -> None:
        await asyncio.sleep(min(self.every, TOGETHER_SECONDS))
        with suppress(TimeoutError):
            await asyncio.wait_for(self.grown.told.wait(), min(self.every, NAP_SECONDS))
