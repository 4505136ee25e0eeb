"""The request budget of Cliniko users, one for all processes: `service.cliniko.rate` by way of Redis.

A script counts and claims in one step, by Redis's clock, so that processes whose clocks differ agree on what a minute is.

Redis may lose what it knew when it is started anew. Who has sent what in the last minute is then unknown, so where nothing is
known of a user and Redis has not been up for a whole window, nothing is sent until it has. And while Redis is away nothing is
sent at all: one waits for it, and after a while gives the run up, which is made again when Redis is back.

A Redis that is emptied by hand, or replaced by a copy that lags behind, is not noticed: Cliniko then refuses what is too much,
which is waited for.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import uuid4

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from service.core.errors import SharedError
from service.shared.connection import LOST, PREFIX, told

WINDOW = 60.0
"""Seconds, as Cliniko counts them."""

PATIENCE = 60.0
"""Seconds that a request waits for a Redis that is away: longer than a restart takes."""

NAP = 1.0
JITTER = 0.05
"""Seconds at most that are added to a wait, so that processes do not all come back at once."""

CLAIM = """
local window, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local held = redis.call('PTTL', KEYS[2])
if held > 0 then return held end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
local sent = redis.call('ZCARD', KEYS[1])
if sent == 0 then
  local info = redis.pcall('INFO', 'server')
  local up = type(info) == 'string' and tonumber(string.match(info, 'uptime_in_seconds:(%d+)'))
  if up and up * 1000 < window then return window - up * 1000 end
end
if sent >= limit then
  local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return math.max(tonumber(oldest[2]) + window - now, 1)
end
redis.call('ZADD', KEYS[1], now, t[1] .. '.' .. t[2] .. '.' .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], window + 1000)
return 0
"""

HOLD = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) end
return 0
"""


@dataclass(slots=True)
class SharedWindow:
    """At most `limit` requests of a user in any `window` seconds, whichever process sends them.

    Within a process it is first come, first served. Raises SharedError when Redis has been away for `patience` seconds.
    """

    redis: Redis
    limit: int
    window: float = WINDOW
    patience: float = PATIENCE
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    monotonic: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random
    _scripts: tuple[AsyncScript, AsyncScript] = field(init=False)
    _turns: dict[str, asyncio.Lock] = field(default_factory=dict)
    _held_until: dict[str, float] = field(default_factory=dict)
    _claims: int = 0
    _me: str = field(default_factory=lambda: uuid4().hex)

    def __post_init__(self) -> None:
        self._scripts = self.redis.register_script(CLAIM), self.redis.register_script(HOLD)

    async def take(self, user: str) -> None:
        """Wait for one's turn, then for room in the window."""
        async with self._turns.setdefault(user, asyncio.Lock()):  # its waiters are served in the order they came
            answered = self.monotonic()
            while True:
                try:
                    wait = await self._claim(user)
                    answered = self.monotonic()
                except LOST as error:
                    if self.monotonic() - answered >= self.patience:
                        message = f"Redis, which has the request budget that processes share, does not answer ({told(error)})"
                        raise SharedError(f"{message}; nothing was sent") from error
                    wait = NAP
                if wait <= 0:
                    return
                await self.sleep(wait + JITTER * self.jitter())

    async def hold(self, user: str, seconds: float) -> None:
        """Close the window for some time; a shorter hold does not end a longer one."""
        self._held_until[user] = max(self._held_until.get(user, 0.0), self.monotonic() + seconds)
        try:
            await self._scripts[1](keys=[_held(user)], args=[max(round(seconds * 1000), 1)])
        except LOST:
            return  # this process keeps to it all the same; others are told by Cliniko what it was told

    async def _claim(self, user: str) -> float:
        """Count a request now and return 0, or the seconds after which to try again."""
        if (held := self._held_until.get(user, 0.0) - self.monotonic()) > 0:
            return held
        self._claims += 1
        claim: list[int | str] = [round(self.window * 1000), self.limit, f"{self._me}.{self._claims}"]
        wait = await self._scripts[0](keys=[_sent(user), _held(user)], args=claim)
        return int(wait) / 1000


def _sent(user: str) -> str:
    return f"{PREFIX}:budget:{{{user}}}:sent"


def _held(user: str) -> str:
    return f"{PREFIX}:budget:{{{user}}}:held"
