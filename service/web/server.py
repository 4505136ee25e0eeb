"""The web application, put together: the API, its description, health checks, metrics, and the loops beside them."""

from litestar import Litestar
from litestar.config.compression import CompressionConfig
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.middleware.compression import CompressionMiddleware

from service.app import App
from service.jobs.hourly import Hourly
from service.jobs.notifying import Notifying
from service.settings import ApiSettings
from service.web import api, dashboard, health, metrics
from service.web.api.events import STOPPING, Stopping, never
from service.web.asked import LARGEST_BODY
from service.web.auth import ADMISSION
from service.web.border import REQUEST_ID, Border
from service.web.limits import Admission
from service.web.news import NEWS, News
from service.web.patience import PATIENCE_SECONDS
from service.web.problems import HANDLERS as EXCEPTION_HANDLERS
from service.web.schema import openapi_config

COMPRESSION = CompressionConfig("gzip", minimum_size=1000, gzip_compress_level=6, exclude=["^/v1/events$", "^/events$"])
"""Events are sent one by one as they happen, and are small."""


def create_app(app: App, *, hourly: bool = True, stopping: Stopping = never) -> Litestar:
    """The web application over `app`, which its caller opens and closes; with `hourly`, the loops live as long as it does.

    `stopping` says whether the server is about to end: answers that go on for ever end then.
    """
    loop, notifying = (Hourly(app), Notifying(app)) if hourly else (None, None)
    return over(app, loop, notifying, stopping=stopping)


def over(
    app: App,
    loop: Hourly | None,
    notifying: Notifying | None = None,
    *,
    patience: float = PATIENCE_SECONDS,
    stopping: Stopping = never,
) -> Litestar:
    """The web application over `app` and these loops; probes and scrapes wait for the database for `patience` seconds."""
    news = News(app)
    scrape, probe = metrics.Scrape(app, patience), health.Probe(app, patience)
    litestar = Litestar(
        [api.router(app), dashboard.router(app), *health.HANDLERS, *metrics.HANDLERS],
        cors_config=_cors(app.settings.api),
        dependencies={
            "scrape": Provide(lambda: scrape, sync_to_thread=False),
            "probe": Provide(lambda: probe, sync_to_thread=False),
            "app": Provide(lambda: app, sync_to_thread=False),
            "hourly": Provide(lambda: loop, sync_to_thread=False),
            "notifying": Provide(lambda: notifying, sync_to_thread=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=[news.running(), *(each.running() for each in (loop, notifying) if each)],
        logging_config=None,
        openapi_config=openapi_config(),
        request_max_body_size=LARGEST_BODY,
        state=State(
            {
                "app": app,
                NEWS: news,
                STOPPING: stopping,
                ADMISSION: Admission(app.shared.limiter, app.settings.api.requests_per_minute),
            }
        ),
    )
    # Around everything: the framework would compress before its middleware tags an answer, and no two are compressed alike.
    litestar.asgi_handler = Border(CompressionMiddleware(litestar.asgi_handler, COMPRESSION), app.monitor)
    return litestar


def _cors(settings: ApiSettings) -> CORSConfig | None:
    """Whose pages may read the API in a browser: nobody's, unless somebody says so. No cookie counts for anything."""
    if not settings.allow_origins:
        return None
    return CORSConfig(
        allow_origins=list(settings.allow_origins),
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", REQUEST_ID, "Traceparent"],
        expose_headers=["ETag", "Link", "RateLimit", "RateLimit-Policy", "Retry-After", REQUEST_ID],
    )
