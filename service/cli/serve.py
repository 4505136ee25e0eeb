"""`governor serve`: the API and the hourly run in one process."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from service.app import App, bootstrap
from service.cli.progress import Logged
from service.core.errors import InputError
from service.listening import listening
from service.logs import configure

LEAVE_SECONDS = 5
"""How long answers under way may take once the service is asked to stop: a slow reader must not keep the loop from stopping."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--api-only", is_flag=True, help="Serve only; something else runs the hourly pass.")
def serve(host: str, port: int, *, api_only: bool) -> None:
    """Serve the API and evaluate every clinic once an hour."""

    async def work() -> None:
        async with bootstrap(progress=Logged()) as app:
            await listen(app, host, port, hourly=not api_only)

    configure(logging.INFO)
    asyncio.run(work())


async def listen(app: App, host: str, port: int, *, hourly: bool) -> None:
    """Serve until interrupted; nothing is evaluated before the address is ours. Raises `InputError` where it cannot be."""
    import uvicorn  # noqa: PLC0415 - only a server needs it

    from service.web.server import create_app  # noqa: PLC0415

    listener = _bound(host, port)
    click.echo(f"listening on http://{host}:{listener.getsockname()[1]}", err=True)
    server: uvicorn.Server | None = None

    def stopping() -> bool:
        return server is not None and server.should_exit

    # What uvicorn logs goes the way of everything else that is logged; its own set-up would go past what blanks secrets out.
    config = uvicorn.Config(
        create_app(app, hourly=hourly, stopping=stopping),
        log_config=None,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=LEAVE_SECONDS,
    )
    with _ended_by_signals():
        # What is there now stays: looking through it for garbage would hold up an answer for tens of milliseconds now and then.
        gc.collect()
        gc.freeze()
        server = uvicorn.Server(config)
        await server.serve(sockets=[listener])


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """What stops the server ends the block, and nothing else: uvicorn raises the signal once more when it is done.

    That would end the process before anything is closed, and what is left of traces is sent.
    """
    before = {each: signal.signal(each, _heard) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _heard(_signal: int, _frame: FrameType | None) -> None:
    """The server has stopped for it already."""


def _bound(host: str, port: int) -> socket.socket:
    try:
        return listening(host, port)
    except OSError as error:
        raise InputError(f"cannot listen on {host}:{port}: {error.strerror or error}; give another --host or --port") from None
