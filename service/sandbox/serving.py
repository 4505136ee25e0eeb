"""Run an ASGI app on a loopback port in a thread of its own, for as long as a `with` block lasts."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from service.listening import listening

if TYPE_CHECKING:
    from litestar.types import ASGIApp

START_SECONDS = 10.0
TICK_SECONDS = 0.02
"""How soon a server notices that it is to end."""


class _Server(uvicorn.Server):
    """A server that ends at once: uvicorn's own looks every 0.1 s whether to, and then gives its clients 0.1 s or more."""

    async def main_loop(self) -> None:
        while not self.should_exit:  # noqa: ASYNC110 - another thread says so, and cannot set this loop's event
            await asyncio.sleep(TICK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's; the caller closes it
        for server in self.servers:
            server.close()
        for connection in [*self.server_state.connections]:
            connection.shutdown()
        await asyncio.sleep(0)  # the connections' ends are told


@contextmanager
def serving(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Serve `app` on 127.0.0.1 and yield its base address, `http://127.0.0.1:<port>`; port 0 takes a free one."""
    listener = listening("127.0.0.1", port)
    server = _Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", date_header=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not server.started and time.monotonic() < deadline and thread.is_alive():
        time.sleep(0.005)
    if not server.started:
        raise RuntimeError(f"no server on 127.0.0.1 within {START_SECONDS:g} s")
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)
        listener.close()
