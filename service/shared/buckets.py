"""How often an API key may ask, counted for all processes that serve: `service.limits` by way of Redis.

An API that cannot ask Redis counts for itself: reading must go on, and to be asked a little too often does no harm.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from service.limits import Allowance, TokenBuckets
from service.shared.connection import LOST, PREFIX

REST = 5.0
"""Seconds for which Redis is not asked after it did not answer; then one request finds out whether it does."""

PATIENCE = 0.25
"""Seconds that a request waits for Redis."""

TAKE = """
local limit, cost = tonumber(ARGV[1]), tonumber(ARGV[2])
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
local known = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = limit
if known[1] then tokens = math.min(limit, known[1] + math.max(now - known[2], 0) * limit / 60) end
local enough = tokens >= math.max(cost, 1)
if enough and cost > 0 then
  tokens = tokens - cost
  redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', string.format('%.6f', now))
  redis.call('EXPIRE', KEYS[1], 61)
end
return {enough and 1 or 0, tostring(tokens)}
"""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class SharedBuckets:
    """A limiter for all processes, or, while Redis is away, for this one."""

    redis: Redis
    own: TokenBuckets = field(default_factory=TokenBuckets)
    monotonic: Callable[[], float] = time.monotonic
    _rests_until: float = float("-inf")
    _away: bool = False
    _script: AsyncScript = field(init=False)

    def __post_init__(self) -> None:
        self._script = self.redis.register_script(TAKE)

    async def take(self, policy: str, whose: str, limit: int, cost: int = 1) -> Allowance:
        """Take `cost` from the bucket, if it has as much; one that costs nothing has room where it has 1."""
        now = self.monotonic()
        if now < self._rests_until:
            return await self.own.take(policy, whose, limit, cost)
        if self._away:
            self._rests_until = now + REST  # all others count alone while this one finds out
        try:
            async with asyncio.timeout(PATIENCE):
                enough, tokens = await self._script(keys=[f"{PREFIX}:{policy}:{whose}"], args=[limit, cost])
        except LOST as error:
            if not self._away:
                log.warning("rate_limits_counted_alone", error=type(error).__name__)
            self._away, self._rests_until = True, self.monotonic() + REST
            return await self.own.take(policy, whose, limit, cost)
        self._away, self._rests_until = False, now
        return Allowance.of(policy, limit, float(tokens), cost, enough=bool(enough))
