"""A board that processes post on: what an ad platform asked of one of them, all of them go by (`core.ports.Board`).

    post -> kept in Redis for as long as it counts, and published -> heard by every other process

Adapters ask the board nothing: they are told, and go by what they know. So nobody waits for Redis, and while it is away each
process knows what it was told itself; what it was told meanwhile it posts when Redis is back, if that counts still.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import structlog
from redis.asyncio import Redis

from service.core.ports import Heard
from service.shared.connection import LOST, named

NAP = 1.0
"""Seconds until Redis is tried again."""

log = structlog.get_logger(__name__)

Name = tuple[str, str]
"""Topic, and whom it is about."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What was said, and until when, by a clock that only grows, it counts."""

    said: Mapping[str, object]
    until: float


@dataclass(slots=True)
class RedisBoard:
    """This process's view of the board, up to date while `running`."""

    redis: Redis
    monotonic: Callable[[], float] = time.monotonic
    channel: str = field(init=False)
    _me: str = field(default_factory=lambda: uuid4().hex)
    _mine: dict[Name, Posted] = field(default_factory=dict)
    _others: dict[Name, Posted] = field(default_factory=dict)
    _listeners: dict[str, list[Heard]] = field(default_factory=lambda: defaultdict(list))
    _unsent: asyncio.Queue[Name] = field(default_factory=asyncio.Queue)
    _loop: asyncio.AbstractEventLoop | None = None

    def __post_init__(self) -> None:
        self.channel = named(self.redis, "board")

    # --- the port -------------------------------------------------------------------------------------------------------

    def post(self, topic: str, whom: str, said: Mapping[str, object], counts: timedelta) -> None:
        """Let the other processes know; from any thread."""
        self._mine[topic, whom] = Posted(said, self.monotonic() + counts.total_seconds())
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._unsent.put_nowait, (topic, whom))

    def listen(self, topic: str, heard: Heard) -> None:
        """Hear what counts by now, and what is posted from now on; in the event loop's thread."""
        self._listeners[topic].append(heard)
        for name, posted in [*self._others.items()]:
            if name[0] == topic:
                self._told(heard, name, posted)

    # --- carrying -------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Carry what is posted, both ways, for as long as the block lasts."""
        self._loop = asyncio.get_running_loop()
        tasks = [asyncio.create_task(each(), name="board") for each in (self._hearing, self._telling)]
        try:
            yield
        finally:
            self._loop = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _telling(self) -> None:
        while True:
            name = await self._unsent.get()
            while (posted := self._mine.get(name)) is not None:
                try:
                    await self._tell(name, posted)
                    break
                except LOST:
                    await asyncio.sleep(NAP)
            self._forget_old(self._mine)

    async def _tell(self, name: Name, posted: Posted) -> None:
        left = round((posted.until - self.monotonic()) * 1000)
        if left <= 0:
            return
        text = json.dumps({"by": self._me, "topic": name[0], "whom": name[1], "said": posted.said})
        async with self.redis.pipeline(transaction=True) as pipe:
            pipe.set(f"{self.channel}:{name[0]}:{name[1]}", text, px=left)
            pipe.publish(self.channel, f"{left} {text}")
            await pipe.execute()

    async def _hearing(self) -> None:
        """For good: whenever the connection is made anew, all that counts is read, and what is ours is posted again."""
        while True:
            try:
                async with self.redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(self.channel)
                    await self._read_all()
                    for name in [*self._mine]:
                        self._unsent.put_nowait(name)
                    while True:
                        message = await channel.get_message(timeout=NAP)
                        if message is not None:
                            self._hear(*message["data"].partition(b" ")[::2])
            except LOST as error:
                log.debug("board_away", error=type(error).__name__)
            await asyncio.sleep(NAP)

    async def _read_all(self) -> None:
        keys = [key async for key in self.redis.scan_iter(match=f"{self.channel}:*", count=500)]
        async with self.redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.get(key)
                pipe.pttl(key)
            answers: list[Any] = await pipe.execute()
        for text, left in zip(answers[::2], answers[1::2], strict=True):
            if text is not None and left > 0:
                self._hear(left, text)

    def _hear(self, left: bytes | int, text: bytes) -> None:
        try:
            self._take_in(json.loads(text), int(left))
        except (ValueError, LookupError, TypeError) as error:  # of another version, perhaps; the others are heard all the same
            log.warning("board_not_understood", error=type(error).__name__)

    def _take_in(self, found: Mapping[str, Any], left: int) -> None:
        if found["by"] == self._me:
            return
        name, posted = (found["topic"], found["whom"]), Posted(found["said"], self.monotonic() + left / 1000)
        known = self._others.get(name)
        if known is not None and known.said == posted.said and known.until >= posted.until - NAP:
            return  # it was read before, on an earlier connection
        self._forget_old(self._others)
        self._others[name] = posted
        for heard in self._listeners[name[0]]:
            self._told(heard, name, posted)

    def _told(self, heard: Heard, name: Name, posted: Posted) -> None:
        """What a listener makes nothing of, of another version perhaps, ends neither it nor whoever begins to listen."""
        left = posted.until - self.monotonic()
        try:
            if left > 0:
                heard(name[1], posted.said, timedelta(seconds=left))
        except (ValueError, LookupError, TypeError) as error:
            log.warning("board_not_understood", topic=name[0], error=type(error).__name__)

    def _forget_old(self, known: dict[Name, Posted]) -> None:
        now = self.monotonic()
        for name, posted in [*known.items()]:
            if posted.until <= now:
                known.pop(name, None)
