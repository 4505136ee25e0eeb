"""How often somebody may ask: so many requests a minute, counted by whoever keeps count for all processes that serve.

A token bucket: it holds a minute's worth and fills as time passes, so that a client may ask in bursts and is never shut out
for longer than the time of one request. Impure by its injected clock only.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

MINUTE = 60.0
MOST = 10_000
"""Buckets kept at most, by one process: whoever has not asked for longest is forgotten first."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What somebody may still ask under a `policy` of `limit` requests a minute.

    `left` requests at once; `full` seconds until it is the limit again; `wait` seconds until one more, 0 where that is now.
    """

    policy: str
    limit: int
    left: int
    full: float
    wait: float

    @classmethod
    def of(cls, policy: str, limit: int, tokens: float, cost: int, *, enough: bool) -> Allowance:
        """What a bucket allows that has so many tokens after a request that had `enough`, or not."""
        per_second = limit / MINUTE
        wait = 0.0 if enough else (max(cost, 1) - tokens) / per_second
        return cls(policy, limit, int(tokens), (limit - tokens) / per_second, wait)

    def headers(self) -> Iterator[tuple[str, str]]:
        """The fields of the IETF's "RateLimit header fields for HTTP", draft 10, and Retry-After where there is none left."""
        yield "RateLimit-Policy", f'"{self.policy}";q={self.limit};w={MINUTE:.0f}'
        yield "RateLimit", f'"{self.policy}";r={self.left};t={math.ceil(self.full)}'
        if self.wait > 0:
            yield "Retry-After", str(math.ceil(self.wait))


class Limiter(Protocol):
    """Keeps count of whoever asks."""

    async def take(self, policy: str, whose: str, limit: int, cost: int = 1) -> Allowance:
        """Count a request of `whose` if there is room for it, or, at no `cost`, see whether there is (`wait`)."""
        ...


class TokenBuckets:
    """A limiter for one process. Each answer takes constant time; a bucket that is full again is no longer kept."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self._monotonic, self._most = monotonic, most
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()  # tokens, and when that was

    async def take(self, policy: str, whose: str, limit: int, cost: int = 1) -> Allowance:
        """Take `cost` from the bucket, if it has as much; one that costs nothing has room where it has 1."""
        now = self._monotonic()
        tokens = self._filled(policy, whose, limit, now)
        enough = tokens >= max(cost, 1)
        if enough and cost:
            tokens -= cost
            self._keep((policy, whose), tokens, now)
        return Allowance.of(policy, limit, tokens, cost, enough=enough)

    def _filled(self, policy: str, whose: str, limit: int, now: float) -> float:
        tokens, at = self._buckets.get((policy, whose), (float(limit), now))
        return min(float(limit), tokens + (now - at) * limit / MINUTE)

    def _keep(self, bucket: tuple[str, str], tokens: float, now: float) -> None:
        self._buckets[bucket] = tokens, now
        self._buckets.move_to_end(bucket)
        for _ in range(2):  # one comes, two may go: so the old ones are gone in time, and nobody waits for it
            oldest = next(iter(self._buckets))
            if now - self._buckets[oldest][1] < MINUTE and len(self._buckets) <= self._most:
                return
            del self._buckets[oldest]
