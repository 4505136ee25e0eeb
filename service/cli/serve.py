"""`governor serve`: the API and, in the same process or by workers, the hourly run."""

from __future__ import annotations

import logging

import click
import structlog

from service.app import App, bootstrap
from service.cli.progress import Logged
from service.cli.serving import demand_shared_database, serve_until_stopped
from service.cli.stoppable import run
from service.logs import configure

log = structlog.get_logger(__name__)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--api-only", is_flag=True, help="Serve only; something else runs the hourly pass.")
def serve(host: str, port: int, *, api_only: bool) -> None:
    """Serve the API and evaluate every clinic once an hour; with GOVERNOR_REDIS_URL `governor worker` does the latter."""

    async def work() -> None:
        async with bootstrap(progress=Logged()) as app:
            await listen(app, host, port, hourly=not api_only)

    configure(logging.INFO)
    run(work())


async def listen(app: App, host: str, port: int, *, hourly: bool) -> None:
    """Serve until interrupted; nothing is evaluated before the address is ours. Raises `InputError` where it cannot be."""
    from service.web.server import create_app  # noqa: PLC0415 - only a server needs it

    if hourly and app.settings.redis_url is not None:
        demand_shared_database(app.settings)
        log.info("hourly_run_is_done_by_workers")
        hourly = False
    await serve_until_stopped(lambda stopping: create_app(app, hourly=hourly, stopping=stopping), host, port)
