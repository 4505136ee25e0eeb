"""What every request passes, whatever becomes of it: an address that does not exist and a defect of ours too.

It gives the request an id, which every line that is logged for it carries and the answer shows; tells the monitor; and sees
that every answer has the headers that keep browsers and caches from doing more with it than they should. It lies around the
whole application because the framework's own middleware is not called for an address that it does not know.
"""

import re
import time
import uuid
from collections.abc import Iterator

import structlog
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from service.monitor import Answer, Ending, Monitor
from service.store.keys import Key
from service.web.limits import allowance_of

REQUEST_ID = "X-Request-ID"
SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+/=-]{0,127}")
"""Ids of others that are taken over; anything else might be meant for whoever reads the log."""

UNKNOWN_ROUTE = "unknown"
UNANSWERED = "500"
"""What the server answers where the application fails to."""

PRIVATE = "/v1"

log = structlog.get_logger(__name__)


class Border:
    """The application `behind`, with what every request passes."""

    def __init__(self, behind: ASGIApp, monitor: Monitor) -> None:
        self._behind, self._monitor = behind, monitor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] != ScopeType.HTTP:
            await self._behind(scope, receive, send)
            return
        headers, path, began = Headers.from_scope(scope), scope["path"], time.perf_counter()
        request, answer = request_id(headers.get(REQUEST_ID)), Answer(scope["method"], path, headers)
        with bound_contextvars(request=request), self._monitor.during(answer) as ending:
            ending.outcome = UNANSWERED
            try:
                await self._behind(scope, receive, _sending(send, scope, ending, request))
            finally:
                ending.route = scope.get("path_template") or UNKNOWN_ROUTE
                _log(scope, path, ending, time.perf_counter() - began)


def request_id(theirs: str | None) -> str:
    """The id that a request came with, if it is fit to be logged, or a new one."""
    return theirs if theirs and SANE.fullmatch(theirs) else uuid.uuid4().hex


def _sending(send: Send, scope: Scope, ending: Ending, request: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            ending.outcome = str(message["status"])
            headers = MutableScopeHeaders.from_message(message)
            headers[REQUEST_ID] = request
            for name, value in _headers(scope):
                headers.setdefault(name, value)
        await send(message)

    return sending


def _headers(scope: Scope) -> Iterator[tuple[str, str]]:
    """What an answer says unless its handler says otherwise."""
    yield "X-Content-Type-Options", "nosniff"
    yield "Referrer-Policy", "no-referrer"
    if scope["path"].startswith(PRIVATE) or "authorization" in Headers.from_scope(scope):
        yield "Cache-Control", "no-store"
    if (allowance := allowance_of(scope)) is not None:
        yield from allowance.headers()


def _log(scope: HTTPScope, path: str, ending: Ending, seconds: float) -> None:
    """One line per request; probes and scrapes, which come all the time, only where everything is wanted."""
    user = scope.get("user")
    key = {"key": user.id} if isinstance(user, Key) else {}
    say = log.info if path.startswith(PRIVATE) else log.debug
    say("request_answered", method=scope["method"], path=path, status=ending.outcome, seconds=round(seconds, 4), **key)
