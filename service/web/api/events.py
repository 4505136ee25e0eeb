"""`/v1/events`: the ledger as it grows, as server-sent events, so that nobody has to keep asking.

An event's `id` is what a client that was cut off sends back as `Last-Event-ID` (browsers do so by themselves): it is then told
what it missed. The database is asked for news, not this process: runs may be made by another one.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Annotated

from litestar import get
from litestar.params import HeaderParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from service.app import App
from service.store.tail import Event, Places
from service.web.api.audit import Chain, chains
from service.web.asked import TheApp, TheKey
from service.web.auth import KeyRequest, hash_of_bearer, is_valid
from service.web.problems import problems

EVERY_SECONDS = 1.0
"""How often the database is asked for news."""

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

    return stream(app, await chains(app, key, clinic), last_event_id, good)


HANDLERS = (watch,)


def never() -> bool:
    """The server goes on."""
    return False


def stream(app: App, chains: Collection[str], after: int | None, good: Good) -> ServerSentEvent:
    """The events of these chains for as long as that is `good`."""
    return ServerSentEvent(
        _messages(app, chains, after, good), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


async def _messages(app: App, chains: Collection[str], after: int | None, good: Good) -> AsyncIterator[ServerSentEventMessage]:
    yield ServerSentEventMessage(data=None, comment="the ledger as it grows", retry=RETRY_MILLISECONDS)
    async for event in _events(app, chains, after, good):
        if event is None:
            yield ServerSentEventMessage(data=None, comment="nothing new")
        else:
            yield ServerSentEventMessage(data=event.record.text, event=event.record.kind, id=event.id)


async def _events(app: App, chains: Collection[str], after: int | None, good: Good) -> AsyncIterator[Event | None]:
    """What is new, and None now and then where nothing is."""
    tail = app.store.tail
    seen: Places = await (tail.heads(chains) if after is None else tail.places(chains, after))
    quiet_since = app.monotonic()
    while await good():
        for event in await tail.since(seen, await tail.heads(chains)):
            seen[event.record.chain] = event.record.seq
            quiet_since = app.monotonic()
            yield event
            await asyncio.sleep(0)  # so that it is noticed when the client has left in the middle of many
        if app.monotonic() - quiet_since > QUIET_SECONDS:
            quiet_since = app.monotonic()
            yield None
        await asyncio.sleep(EVERY_SECONDS)
