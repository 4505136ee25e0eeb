"""A web application on a loopback socket, for what needs one: streams, and browsers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from litestar import Litestar

from service.listening import listening
from service.web.api.events import STOPPING


@asynccontextmanager
async def served(litestar: Litestar) -> AsyncIterator[str]:
    """Its address, for as long as the block lasts; streams that are open then end as they do when the service is stopped."""
    listener = listening("127.0.0.1", 0)
    server = uvicorn.Server(
        uvicorn.Config(litestar, log_config=None, access_log=False, timeout_graceful_shutdown=5, lifespan="off")
    )
    litestar.state[STOPPING] = lambda: server.should_exit
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
