"""What a worker shows of itself: `/healthz`, `/readyz` and `/metrics`, and nothing else."""

from __future__ import annotations

from litestar import Litestar
from litestar.di import Provide

from service.app import App
from service.jobs.notifying import Notifying
from service.jobs.worker import Labour
from service.web import health, metrics
from service.web.news import News
from service.web.patience import PATIENCE_SECONDS
from service.web.problems import HANDLERS as EXCEPTION_HANDLERS


def create_worker_app(app: App, labour: Labour, *, patience: float = PATIENCE_SECONDS) -> Litestar:
    """The worker's web application; the work is done for as long as it lives, and notices are sent."""
    notifying = Notifying(app)
    scrape, probe = metrics.Scrape(app, patience, queue=labour.waiting), health.Probe(app, patience, shared=labour.ready)
    return Litestar(
        [*health.HANDLERS, *metrics.HANDLERS],
        dependencies={
            "scrape": Provide(lambda: scrape, sync_to_thread=False),
            "probe": Provide(lambda: probe, sync_to_thread=False),
            "hourly": Provide(lambda: labour, sync_to_thread=False),
            "notifying": Provide(lambda: notifying, sync_to_thread=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=[News(app).running(), labour.running(), notifying.running()],
        logging_config=None,
        openapi_config=None,
    )
