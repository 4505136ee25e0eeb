"""Who may ask how often below `/v1`: each key so many requests a minute, and whoever has no good key far fewer.

Keys are guessed by asking, so a client address that has failed too often is refused before anything is looked up. A key that
was good a moment ago is looked up all the same: the clients of an agency may share an address with somebody who guesses.
"""

import ipaddress
from collections import OrderedDict
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import TooManyRequestsException
from litestar.types import Scope

from service.limits import MOST, Allowance, Limiter

FAILURES_PER_MINUTE = 30
"""Requests without a good key, per client address; fewer where keys have fewer."""

ALLOWANCE = "governor.allowance"

Connection = ASGIConnection[Any, Any, Any, Any]


class Admission:
    """Counts requests; `per_minute` 0 counts none."""

    def __init__(self, limiter: Limiter, per_minute: int) -> None:
        self._limiter, self._per_minute = limiter, per_minute
        self._failures = min(FAILURES_PER_MINUTE, per_minute)
        self._good: OrderedDict[str, None] = OrderedDict()

    async def before_looking_up(self, connection: Connection, hashed: str) -> None:
        """Raise 429 where this address has failed too often and this key is not known to be good."""
        if hashed not in self._good:
            await self._take(connection, "address", _address(connection), self._failures, cost=0)

    async def good(self, connection: Connection, hashed: str, key: str) -> None:
        """Count a request with a good key. Raises 429 where it is one too many."""
        self._good[hashed] = None
        self._good.move_to_end(hashed)
        if len(self._good) > MOST:
            self._good.popitem(last=False)
        await self._take(connection, "key", key, self._per_minute)

    async def bad(self, connection: Connection, hashed: str = "") -> None:
        """Count a request without a good key. Raises 429 where it is one too many."""
        self._good.pop(hashed, None)
        await self._take(connection, "address", _address(connection), self._failures)

    async def _take(self, connection: Connection, policy: str, whose: str, limit: int, cost: int = 1) -> None:
        if limit == 0:
            return
        allowance = await self._limiter.take(policy, whose, limit, cost)
        if cost or allowance.wait:
            connection.scope[ALLOWANCE] = allowance  # type: ignore[literal-required] # ASGI lets applications add their own
        if allowance.wait:
            whom = "this key" if policy == "key" else "requests without a good key from this address"
            raise TooManyRequestsException(f"{whom} may ask {limit} times a minute; wait as long as `Retry-After` says")


def allowance_of(scope: Scope) -> Allowance | None:
    """What was counted for a request."""
    found = scope.get(ALLOWANCE)
    return found if isinstance(found, Allowance) else None


def _address(connection: Connection) -> str:
    """The client's address; of an IPv6 address the network, for one client has all of it."""
    host = connection.client.host if connection.client else ""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else host
