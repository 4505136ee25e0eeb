"""`governor worker`: takes the hourly work of clinics from the queue on Redis, beside any number of others."""

from __future__ import annotations

import logging

import click

from service.app import App, bootstrap
from service.cli.progress import Logged
from service.cli.serving import demand_shared_database, serve_until_stopped
from service.cli.stoppable import run
from service.core.errors import SettingsError
from service.logs import configure


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8001, show_default=True, type=click.IntRange(0, 65535))
def worker(host: str, port: int) -> None:
    """Evaluate clinics as they become due, with other workers; /healthz, /readyz and /metrics are served."""

    async def work() -> None:
        async with bootstrap(progress=Logged()) as app:
            await labour(app, host, port)

    configure(logging.INFO)
    run(work())


async def labour(app: App, host: str, port: int) -> None:
    """Work until interrupted. Raises SettingsError without a Redis, InputError where the address cannot be ours."""
    if app.settings.redis_url is None:
        raise SettingsError(
            "GOVERNOR_REDIS_URL: workers share their work by a Redis; set it, or let `governor serve` do all of it"
        )
    demand_shared_database(app.settings)
    from service.jobs.queue import queue_at  # noqa: PLC0415 - only a worker needs it
    from service.jobs.worker import Labour, Quiet  # noqa: PLC0415
    from service.web.worker import create_worker_app  # noqa: PLC0415

    logging.getLogger("saq").addFilter(Quiet())
    installation = await app.store.notes.first("installation", app.governor.new_id())
    doing = Labour(app, queue_at(app.settings.redis_url, installation))
    await serve_until_stopped(lambda _: create_worker_app(app, doing), host, port)
