from __future__ import annotations

import asyncio
import socket

import pytest

from service.listening import listening


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_answers_on_a_kept_connection_are_sent_at_once(host: str) -> None:
    """Seen from inside: whether the socket of a connection, as asyncio made it, waits to fill its packets."""
    undelayed: list[int] = []

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        undelayed.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    try:
        listener = listening(host, 0)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    async with await asyncio.start_server(answer, sock=listener):
        reader, writer = await asyncio.open_connection(host, listener.getsockname()[1])
        assert await reader.read() == b""
        writer.close()
    assert undelayed == [1]


def test_an_address_that_is_taken_is_refused() -> None:
    with listening("127.0.0.1", 0) as first, pytest.raises(OSError, match="in use"):
        listening("127.0.0.1", first.getsockname()[1])
