"""The shapes of Cliniko's answers: envelopes with links, and refusals. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from service.sandbox.cliniko.records import Record

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


LARGEST_PAGE = 100


def page(records: list[Record], asked: Asked, base: str, *, kind: str = "", largest: int = LARGEST_PAGE) -> Record:
    """One page of a list in its envelope; `next` and `previous` only where there is one.

    No page has more than `largest` items, whatever was asked for. `kind` names the fault that gets pages mixed up, if any.
    """
    number, size = page_number(asked), min(_number(asked.param("per_page") or "50", LARGEST_PAGE), largest)
    loop = kind == "page_loop"
    begins = 0 if loop else (number - 1) * size - (kind == "duplicated" and number > 1)
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
    return {resource: records[begins : begins + size], "total_entries": len(records), "links": links}


def page_number(asked: Asked) -> int:
    """The page that is asked for."""
    return _number(asked.param("page") or "1", 10**6)


def _number(text: str, most: int) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise bad_request("page and per_page must be numbers within their limits")
    return int(text)


def bad_request(message: str) -> RefusalError:
    """A 400 with Cliniko's words."""
    return RefusalError(Answer.of({"message": message}, 400))


def unauthorized() -> Answer:
    """A 401, in the plain text of HTTP Basic."""
    return Answer(401, "HTTP Basic: Access denied.\n", TEXT_TYPE, (("WWW-Authenticate", 'Basic realm="Application"'),))


def not_found(count: int) -> Answer:
    """A 404; by turns with and without a body (Cliniko API issues 173 and 303)."""
    return Answer.of({"status": "404", "error": "Not Found"}, 404) if count % 2 else Answer(404)
