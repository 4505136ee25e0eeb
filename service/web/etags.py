"""`ETag`: an answer that has not changed since it was last asked for is not sent again (RFC 9110, 8.8.3 and 13.1.2).

A weak tag, because what is compared is the answer before it is compressed. What is sent in pieces is left as it is.
"""

from __future__ import annotations

import hashlib
from http import HTTPStatus

from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send


def etags(app: ASGIApp) -> ASGIApp:
    """Middleware: tag what is answered to `GET`, and say 304 to whoever has it already."""

    async def tagging(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] != "GET":
            await app(scope, receive, send)
            return
        start: HTTPResponseStartEvent | None = None

        async def tagged(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if start is not None:
                begun, start = start, None
                if message["type"] == "http.response.body" and begun["status"] == HTTPStatus.OK and not message["more_body"]:
                    message["body"] = _compared(Headers(scope["headers"]), begun, message["body"])
                await send(begun)
            await send(message)

        await app(scope, receive, tagged)

    return tagging


def _compared(asked: Headers, start: HTTPResponseStartEvent, body: bytes) -> bytes:
    """The body to send, none if the asker has it; tags the answer that begins with `start`."""
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = MutableScopeHeaders.from_message(start)
    headers["ETag"] = tag
    headers["Cache-Control"] = "private, no-cache"  # to be kept by whoever asked, and asked for again each time
    if not _has(asked.get("if-none-match", ""), tag):
        return body
    start["status"] = HTTPStatus.NOT_MODIFIED
    for name in ("content-length", "content-type"):
        if name in headers:
            del headers[name]
    headers["Vary"] = "Accept-Encoding"  # as the answer itself would have said
    return b""


def _has(known: str, tag: str) -> bool:
    opaque = tag.removeprefix("W/")
    return any(each.strip().removeprefix("W/") in {opaque, "*"} for each in known.split(","))
