"""`Idempotency-Key`: a request that is sent again is answered as it was the first time, and done once.

For every `POST` below `/v1`, per API key and for a day. The same word with another request is a mistake of the client's (422);
while the first is still being done, the second is told to wait (409). What came to nothing may be tried again: an answer that
speaks of us or of a moment (5xx, 401, 403, 404, 409, 429) is not kept.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus

import structlog
from litestar.connection import ASGIConnection
from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.exceptions import ClientException, HTTPException, NotAuthorizedException
from litestar.openapi.spec import OpenAPIResponse, Operation, Parameter, Responses, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.types import ASGIApp, HTTPReceiveMessage, HTTPScope, Message, Receive, Scope, Send

from service.app import App
from service.core.errors import InputError, RepeatedError, StoreError, UnderWayError
from service.store.repeats import Said
from service.web.asked import LARGEST_BODY
from service.web.auth import authenticated

HEADER = "Idempotency-Key"
WORD = re.compile(r"[\x21-\x7e]{1,200}")
REFUSED = (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)
BROKEN = HTTPStatus.INTERNAL_SERVER_ERROR
PASSING = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""Statuses of a moment: the same request may be answered otherwise in the next one."""

log = structlog.get_logger(__name__)


@dataclass
class Repeatable(Operation):
    """The description of a `POST`; a subclass, because that is what Litestar calls."""

    def __post_init__(self) -> None:
        """Say that it takes a word for being sent twice."""
        about = "Any word of yours for this request; sent again within a day, it is answered as before and not done twice"
        word = Parameter(
            name="Idempotency-Key",
            param_in="header",
            description=about,
            required=False,
            schema=Schema(type=OpenAPIType.STRING, min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$"),
        )
        self.parameters = [*(self.parameters or ()), word]
        self.responses = dict(sorted({**_refusals(self.responses or {}), **(self.responses or {})}.items()))


def _refusals(described: Responses) -> Responses:
    """How a repeated request can be refused, in the form of the refusals that are described already."""
    refusal = described.get("400")
    if not isinstance(refusal, OpenAPIResponse):
        return {}
    return {f"{status:d}": replace(refusal, description=status.phrase) for status in REFUSED}


def repeating(service: App) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware: do what comes with the same word once."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def once(scope: Scope, receive: Receive, send: Send) -> None:
            mine = await _mine(service, scope)
            if mine is None or scope["type"] != ScopeType.HTTP:
                await app(scope, receive, send)
                return
            for message in await _answer(service, app, scope, await _whole(receive), mine):
                await send(message)

        return once

    return wrap


async def _mine(service: App, scope: Scope) -> tuple[str, str] | None:
    """The API key's id and its word for the request; None where nothing is to be kept.

    A request without a good key is refused by the guards, word or no word.
    """
    word = Headers.from_scope(scope).get(HEADER)
    if scope["type"] != ScopeType.HTTP or scope["method"] != "POST" or word is None:
        return None
    try:
        key = await authenticated(service, ASGIConnection(scope))
    except NotAuthorizedException:
        return None
    if not WORD.fullmatch(word):
        raise InputError(f"`{HEADER}` is 1 to 200 printable characters without blanks, such as a UUID")
    return key.id, word


async def _answer(app: App, next_app: ASGIApp, scope: HTTPScope, body: bytes, mine: tuple[str, str]) -> list[Message]:
    """The answer of the first request with this word of this key's: the one that is made now, or the one that was."""
    fingerprint, now = _fingerprint(scope, body), app.clock()
    found = await app.store.repeats.claim(*mine, fingerprint, now)
    if found is None:
        return await _first(app, next_app, scope, body, (*mine, now))
    if found.fingerprint != fingerprint:
        raise RepeatedError(f"`{HEADER}: {mine[1]}` was sent with another request before; give each request its own")
    if found.abandoned:
        raise UnderWayError(
            "the first request with this Idempotency-Key broke off, and whether it was done is not known: look at what is "
            "there, and send what is still to be done with another key"
        )
    if found.said is None:
        raise UnderWayError("the first request with this Idempotency-Key has no answer yet; ask again in a moment")
    return _again(found.said)


async def _first(app: App, next_app: ASGIApp, scope: Scope, body: bytes, claim: tuple[str, str, datetime]) -> list[Message]:
    """Have the request answered; the answer is kept before anybody hears it.

    Where it cannot be kept it is given all the same: the deed is done, and under this word it will not be done again.
    """
    messages: list[Message] = []

    async def receive() -> HTTPReceiveMessage:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    said = None
    try:
        await next_app(scope, receive, send)
        said = _to_keep(messages)
    finally:
        if said is None:
            await app.store.repeats.release(*claim)
    if said is not None:
        try:
            await app.store.repeats.keep(*claim, said)
        except StoreError as error:
            log.warning("answer_not_kept", key=claim[0], error=str(error))
    return messages


def _to_keep(messages: list[Message]) -> Said | None:
    """The answer, unless it may be another one in a moment."""
    start, *rest = messages
    if start["type"] != "http.response.start" or start["status"] in PASSING or start["status"] >= BROKEN:
        return None
    body = b"".join(each["body"] for each in rest if each["type"] == "http.response.body")
    return Said(start["status"], MutableScopeHeaders.from_message(start).get("content-type", ""), body)


def _again(said: Said) -> list[Message]:
    headers = [
        (b"content-type", said.media_type.encode()),
        (b"content-length", str(len(said.body)).encode()),
        (b"idempotency-replayed", b"true"),
    ]
    return [
        {"type": "http.response.start", "status": said.status, "headers": headers},
        {"type": "http.response.body", "body": said.body, "more_body": False},
    ]


async def _whole(receive: Receive) -> bytes:
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message["body"]
        if len(body) > LARGEST_BODY:
            raise HTTPException(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if not message["more_body"]:
            return body
    raise ClientException("the request broke off")


def _fingerprint(scope: HTTPScope, body: bytes) -> str:
    asked = b"\n".join([scope["method"].encode(), scope["path"].encode(), scope["query_string"], body])
    return hashlib.sha256(asked).hexdigest()
