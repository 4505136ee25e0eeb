"""That the ledger has grown, told by whichever process made it grow, to the streams of this one: Litestar's channels.

What is told is no more than a chain's name. What is new is in the database, which is looked at all the same now and then: a
command at the terminal tells nobody, and what is told while Redis is away is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

from litestar.channels import ChannelsPlugin
from litestar.channels.backends.base import ChannelsBackend
from litestar.channels.backends.memory import MemoryChannelsBackend
from litestar.datastructures import State

from service.app import App
from service.monitor import Ending, Fact, Grown, Work

CHANNEL = "ledger"

ALONE_SECONDS = 1.0
"""How often the database is asked for news without a Redis: another process may write to it as well."""

TOLD_SECONDS = 5.0
"""The same where other processes tell."""

NEWS = "news"
"""Under this name the web application's state has it."""


class News:
    """The channel of one web application, whose `plugin` it must have; a watcher of the service's monitor."""

    def __init__(self, app: App) -> None:
        self.every = ALONE_SECONDS if app.settings.redis_url is None else TOLD_SECONDS
        self.plugin = ChannelsPlugin(_backend(app), channels=[CHANNEL])
        self._open = False
        app.monitor.watchers.append(self)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tell what happens in this process for as long as the block lasts."""
        async with self.plugin:
            self._open = True
            try:
                yield
            finally:
                self._open = False

    # --- telling --------------------------------------------------------------------------------------------------------

    def begins(self, work: Work) -> Callable[[Ending], None]:  # noqa: ARG002 - a watcher's
        """Work is no news."""
        return lambda _: None

    def happened(self, fact: Fact) -> None:
        """Tell that a chain has grown."""
        if isinstance(fact, Grown) and self._open:
            self.plugin.publish(fact.chain, CHANNEL)

    # --- hearing --------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def of(self, chains: Collection[str]) -> AsyncIterator[asyncio.Event]:
        """What is set whenever one of these chains has grown; whoever waits for it clears it."""
        grown = asyncio.Event()

        async def heard(chain: bytes) -> None:
            if chain.decode() in chains:
                grown.set()

        if not self._open:
            yield grown
            return
        async with self.plugin.start_subscription(CHANNEL) as subscriber, subscriber.run_in_background(heard, join=False):
            yield grown


def _backend(app: App) -> ChannelsBackend:
    if app.settings.redis_url is None:
        return MemoryChannelsBackend()
    from service.shared.channels import LastingBackend  # noqa: PLC0415 - only who shares pays for Redis
    from service.shared.connection import connected  # noqa: PLC0415

    return LastingBackend(connected(app.settings.redis_url))


def news_of(state: State) -> News:
    """The news of a web application."""
    found = state[NEWS]
    assert isinstance(found, News)  # noqa: S101 - put there by `service.web.server`
    return found
