"""The events of the clinics that a visitor may see, for pages that are open."""

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter
from litestar.response import ServerSentEvent

from service.web.api.audit import Chain
from service.web.api.events import STOPPING, LastEvent, stream, watched
from service.web.asked import TheApp
from service.web.auth import is_valid
from service.web.dashboard.session import COOKIE, TheVisitor, VisitorRequest, is_open
from service.web.news import news_of

After = Annotated[int | None, QueryParameter(ge=0, le=2**53)]


@get("/events", media_type="text/event-stream")
async def events(
    request: VisitorRequest,
    app: TheApp,
    visitor: TheVisitor,
    clinic: Chain = None,
    after: After = None,
    last_event_id: LastEvent = None,
) -> ServerSentEvent:
    """As `/v1/events`, until the session ends; `after` is the record up to which a page tells."""
    secret, stopping = request.cookies[COOKIE], request.app.state[STOPPING]

    async def good() -> bool:
        return not stopping() and await is_open(app, secret) and await is_valid(app, visitor.hashed)

    return stream(
        app,
        news_of(request.app.state),
        await watched(app, visitor.key, clinic),
        after if last_event_id is None else last_event_id,
        good,
    )


HANDLERS = (events,)
