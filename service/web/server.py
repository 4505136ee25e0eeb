"""The web application, put together: the API, the health checks, the API's description, and the hourly loop beside them."""

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide

from service.app import App
from service.jobs.hourly import Hourly
from service.web import api, health
from service.web.asked import LARGEST_BODY
from service.web.problems import HANDLERS as EXCEPTION_HANDLERS
from service.web.schema import openapi_config
from service.web.telling import RuleTexts


def create_app(app: App, *, hourly: bool = True) -> Litestar:
    """The web application over `app`, which its caller opens and closes; with `hourly`, the loop lives as long as it does."""
    loop = Hourly(app) if hourly else None
    return over(app, loop)


def over(app: App, loop: Hourly | None) -> Litestar:
    """The web application over `app` and this loop."""
    texts = RuleTexts()
    return Litestar(
        [api.router(app), *health.HANDLERS],
        dependencies={
            "app": Provide(lambda: app, sync_to_thread=False),
            "hourly": Provide(lambda: loop, sync_to_thread=False),
            "texts": Provide(lambda: texts, sync_to_thread=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=[lambda _: loop.running()] if loop else [],
        logging_config=None,
        openapi_config=openapi_config(),
        request_max_body_size=LARGEST_BODY,
        state=State({"app": app}),
    )
