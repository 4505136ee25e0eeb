"""The dashboard at `/`: what people look at, and where they answer.

Pages are made on the server and whole by themselves; htmx swaps what changes. They show what the API's own functions answer,
and what a person does here is done by the functions behind the API, in the name of the key that they signed in with.
"""

from litestar import Router
from litestar.di import Provide

from service.app import App
from service.web.dashboard import acts, clinic, decisions, entry, live, reports, static
from service.web.dashboard.drawings import Drawings
from service.web.dashboard.frame import ADDED
from service.web.dashboard.frame import HANDLERS as EXCEPTION_HANDLERS
from service.web.dashboard.session import Visitor, VisitorRequest, from_here, signed_in
from service.web.telling import RuleTexts


def router(app: App) -> Router:
    """Every page, over this app."""
    drawings, texts = Drawings(app), RuleTexts()
    inside = Router(
        "/",
        route_handlers=[*clinic.HANDLERS, *decisions.HANDLERS, *reports.HANDLERS, *acts.HANDLERS, *live.HANDLERS],
        guards=[signed_in(app)],
        dependencies={"visitor": Provide(_visitor, sync_to_thread=False)},
    )
    return Router(
        "/",
        route_handlers=[*entry.HANDLERS, *static.HANDLERS, inside],
        guards=[from_here],
        dependencies={
            "drawings": Provide(lambda: drawings, sync_to_thread=False),
            "texts": Provide(lambda: texts, sync_to_thread=False),
        },
        exception_handlers=EXCEPTION_HANDLERS,
        include_in_schema=False,
        response_headers=ADDED,
    )


def _visitor(request: VisitorRequest) -> Visitor:
    """Who has signed in; the guard has seen it."""
    return request.user
