"""The address that is pinged after each good pass, whose owner raises the alarm when it is not."""

from __future__ import annotations

import asyncio

import httpx
import structlog
from pydantic import SecretStr

PING_SECONDS = 10.0
"""How long a ping may take, all told; a watcher that does not answer must not hold up the next pass."""

log = structlog.get_logger(__name__)


async def ping(
    address: SecretStr | None, seconds: float = PING_SECONDS, transport: httpx.AsyncBaseTransport | None = None
) -> None:
    """One GET, whose body nobody waits for; what goes wrong with it is logged without the address, which is a secret."""
    if address is None:
        return
    try:
        async with (
            asyncio.timeout(seconds),
            httpx.AsyncClient(timeout=seconds, transport=transport) as client,
            client.stream("GET", address.get_secret_value()) as answer,
        ):
            answer.raise_for_status()
    except Exception as error:  # noqa: BLE001 - nothing about a ping may end a loop, and its text may hold the address
        log.warning("heartbeat_not_delivered", error=type(error).__name__)
