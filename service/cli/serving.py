"""Serving a web application until a signal says to stop."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import click

from service.collecting import collect_rarely
from service.core.errors import InputError, SettingsError
from service.listening import listening
from service.settings import Settings

if TYPE_CHECKING:
    import uvicorn
    from litestar import Litestar

LEAVE_SECONDS = 5
"""How long answers under way may take once the service is asked to stop: a slow reader must not keep the loop from stopping."""

Stopping = Callable[[], bool]


def demand_shared_database(settings: Settings) -> None:
    """Raise SettingsError where workers could not have one database: a file knows nothing of what others have done."""
    if not settings.database_url.startswith("postgresql"):
        raise SettingsError(
            "GOVERNOR_DATABASE_URL: with GOVERNOR_REDIS_URL workers do the hourly run and share one PostgreSQL, but this is a "
            "SQLite file; write postgresql+psycopg://USER:PASSWORD@HOST/DATABASE, the same for all, or unset "
            "GOVERNOR_REDIS_URL and let `governor serve` do all of it"
        )


async def serve_until_stopped(create: Callable[[Stopping], Litestar], host: str, port: int) -> None:
    """Serve what `create` makes of the question whether the server is about to end.

    Raises `InputError` where the address cannot be ours.
    """
    import uvicorn  # noqa: PLC0415 - only a server needs it

    listener = _bound(host, port)
    click.echo(f"listening on http://{host}:{listener.getsockname()[1]}", err=True)
    server: uvicorn.Server | None = None

    def stopping() -> bool:
        return server is not None and server.should_exit

    # What uvicorn logs goes the way of everything else that is logged; its own set-up would go past what blanks secrets out.
    config = uvicorn.Config(
        create(stopping),
        log_config=None,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=LEAVE_SECONDS,
    )
    with _ended_by_signals():
        collect_rarely()
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
