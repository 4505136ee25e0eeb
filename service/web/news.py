"""That the ledger has grown, told by whichever process made it grow, to the streams of this one: Litestar's channels.

What is told is no more than a chain's name. What is new is in the database, which is looked at all the same now and then: a
command at the terminal tells nobody, and what is told while Redis is away is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

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


@dataclass(slots=True)
class Growth:
    """Which chains have grown since somebody looked: `told` is set when one has."""

    chains: set[str] = field(default_factory=set)
    told: asyncio.Event = field(default_factory=asyncio.Event)

    def taken(self) -> set[str]:
        """Those chains; from now on it is the next."""
        chains, self.chains = self.chains, set()
        self.told.clear()
        return chains


class News:
    """The channel of one web application; a watcher of the service's monitor."""

    def __init__(self, app: App) -> None:
        self.every = ALONE_SECONDS if app.settings.redis_url is None else TOLD_SECONDS
        self._channel, backend = _backend(app)
        self.plugin = ChannelsPlugin(backend, channels=[self._channel])
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
            self.plugin.publish(fact.chain, self._channel)

    # --- hearing --------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def of(self, concerns: Callable[[str], bool]) -> AsyncIterator[Growth]:
        """Which of the chains that this concerns have grown, from now on."""
        grown = Growth()

        async def heard(chain: bytes) -> None:
            if concerns(name := chain.decode()):
                grown.chains.add(name)
                grown.told.set()

        if not self._open:
            yield grown
            return
        async with self.plugin.start_subscription(self._channel) as subscriber, subscriber.run_in_background(heard, join=False):
            yield grown


def _backend(app: App) -> tuple[str, ChannelsBackend]:
    """The channel's name, and what carries it."""
    if app.settings.redis_url is None:
        return CHANNEL, MemoryChannelsBackend()
    from service.shared.channels import LastingBackend  # noqa: PLC0415 - only who shares pays for Redis
    from service.shared.connection import connected, named  # noqa: PLC0415

    redis = connected(app.settings.redis_url)
    return named(redis, CHANNEL), LastingBackend(redis)


def news_of(state: State) -> News:
    """The news of a web application."""
    found = state[NEWS]
    assert isinstance(found, News)  # noqa: S101 - put there by `service.web.server`
    return found
