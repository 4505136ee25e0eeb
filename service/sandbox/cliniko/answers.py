"""The shapes of Cliniko's answers: envelopes with links, refusals, and the ways in which a fault spoils them. Pure."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from service.sandbox.cliniko.records import Record

FOREIGN = "https://api.au1.cliniko.example/v1/businesses?page=2"
HTML = "<!DOCTYPE html><html><body><h1>We're sorry, but something went wrong.</h1></body></html>"
JSON_TYPE, HTML_TYPE, TEXT_TYPE = ("application/json; charset=utf-8", "text/html; charset=utf-8", "text/plain; charset=utf-8")

Query = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    origin: str
    path: str
    query: Query
    authorization: str

    def param(self, name: str) -> str | None:
        """The value of a query parameter, if it is there."""
        return next((value for key, value in self.query if key == name), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, ready to send."""

    status: int
    content: str = ""
    kind: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, body: Record, status: int = 200, *headers: tuple[str, str]) -> Answer:
        """An answer in JSON."""
        return cls(status, json.dumps(body), JSON_TYPE, headers)


class RefusalError(Exception):
    """Ends the handling of a request with an answer that is not a 200."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer.status)


def page(records: list[Record], asked: Asked, base: str, *, loop: bool) -> Record:
    """One page of a list in its envelope; `next` and `previous` only where there is one."""
    number, size = _number(asked.param("page") or "1", 10**6), _number(asked.param("per_page") or "50", 100)
    shown = 1 if loop else number
    kept = [(key, value) for key, value in asked.query if key != "page"]
    address = base + asked.path.removeprefix("/v1")

    def link(page: int) -> str:
        return f"{address}?{urlencode([*kept, ('page', str(page))])}"

    links = {"self": link(number)}
    if loop or number * size < len(records):
        links["next"] = link(number + 1)
    if number > 1:
        links["previous"] = link(number - 1)
    resource = "practitioners" if asked.path.endswith("/inactive") else asked.path.rpartition("/")[2]
    return {resource: records[(shown - 1) * size : shown * size], "total_entries": len(records), "links": links}


def _number(text: str, most: int) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise bad_request("page and per_page must be numbers within their limits")
    return int(text)


def garbled(kind: str, body: Record) -> Answer:
    """The right answer, spoilt where the fault `kind` spoils answers."""
    if kind == "truncated":
        text = json.dumps(body)
        return Answer(200, text[: len(text) // 2])
    if kind == "foreign_next":
        return Answer.of({**body, "links": {**body.get("links", {}), "next": FOREIGN}})
    return Answer.of(body)


def bad_request(message: str) -> RefusalError:
    """A 400 with Cliniko's words."""
    return RefusalError(Answer.of({"message": message}, 400))


def unauthorized() -> Answer:
    """A 401, in the plain text of HTTP Basic."""
    return Answer(401, "HTTP Basic: Access denied.\n", TEXT_TYPE, (("WWW-Authenticate", 'Basic realm="Application"'),))


def not_found(count: int) -> Answer:
    """A 404; by turns with and without a body (Cliniko API issues 173 and 303)."""
    return Answer.of({"status": "404", "error": "Not Found"}, 404) if count % 2 else Answer(404)


def throttled(seconds: float) -> Answer:
    """A 429; the reset is in epoch seconds of the clock that the `Date` header is made from."""
    return Answer.of(TOO_MANY, 429, ("X-RateLimit-Reset", str(math.ceil(time.time() + seconds))))


TOO_MANY = {"message": "Rate limit exceeded"}

REFUSALS: dict[str, Callable[[], Answer]] = {
    "down": lambda: Answer(503, HTML, HTML_TYPE),
    "timeout": lambda: Answer(504, HTML, HTML_TYPE),
    "unauthorized": unauthorized,
    "html": lambda: Answer(200, HTML, HTML_TYPE),
    "empty": lambda: Answer.of({}),
    "rate_limited": lambda: throttled(2),
    "reset_in_past": lambda: throttled(-30),
    "retry_after_only": lambda: Answer.of(TOO_MANY, 429, ("Retry-After", "1")),
    "no_reset_header": lambda: Answer.of(TOO_MANY, 429),
}
"""The faults that answer instead of the server."""
