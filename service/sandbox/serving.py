"""Run an ASGI app on a loopback port in a thread of its own, for as long as a `with` block lasts."""

from __future__ import annotations

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


@contextmanager
def serving(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Serve `app` on 127.0.0.1 and yield its base address, `http://127.0.0.1:<port>`; port 0 takes a free one."""
    listener = listening("127.0.0.1", port)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", date_header=False))
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
