"""The catalogue of what can go wrong with Cliniko's answers, by the names that `Fault.kind` takes. Pure.

`World.fail(Fault("cliniko", kind, match))` switches one on; `match` is looked for in `GET /v1/path?query`. A fault may be
limited to a number of requests or to a stretch of the world's time, and some kinds want to know `what` they are about:

    down               503 with a proxy's HTML page
    bad_gateway        502 with a proxy's HTML page
    server_error       500 with JSON
    timeout            no answer for `patience` seconds, then 504
    slow               the right answer after `patience` seconds
    unauthorized       401
    forbidden          403: the key's user has lost the role that may read this
    moved              301 to another host
    not_found          404; with a JSON body and without one by turns, as both have been seen
    html               200 with an HTML page
    empty              200 with `{}`
    empty_array        200 with `[]`
    null               200 with `null`
    blank              200 with nothing at all
    empty_list         200 with a list of the right name that has no items, `total_entries` 0
    truncated          200 with the first half of the JSON
    half_a_page        each page has half its items, though `total_entries` counts all
    early_end          page 1 has no link to a next one, though `total_entries` says there is more
    duplicated         each further page begins with the last item of the page before
    partial            the fields named in `what` (with spaces between) are missing; without `what` every other field
    hidden             items, and links within items, that mention `what` are missing; without `what` the first item is
    wrong_zone         local times labelled `Z`, and businesses and hours in a zone that is not theirs
    rate_limited       429 with `X-RateLimit-Reset` two seconds ahead
    reset_in_past      429 with `X-RateLimit-Reset` half a minute ago
    reset_far          429 with `X-RateLimit-Reset` an hour ahead
    reset_garbled      429 with `X-RateLimit-Reset` in words
    clock_ahead        429 from a server whose clock is an hour ahead, in `Date` and in `X-RateLimit-Reset`
    clock_behind       429 from a server whose clock is an hour behind
    retry_after_only   429 with `Retry-After: 1` instead
    no_reset_header    429 without any of them
    skewed_date        the right answer with a `Date` an hour ahead
    page_loop          every page repeats page 1 and links to a next one (Cliniko API issue 106)
    foreign_next       `links.next` leads to another host
    relative_links     links without scheme and host, as in older documents
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any

from service.sandbox.cliniko.answers import (
    HTML,
    HTML_TYPE,
    Answer,
    unauthorized,
)
from service.sandbox.cliniko.records import Record
from service.sandbox.world import Fault

FOREIGN = "https://api.au1.cliniko.example/v1/businesses?page=2"
HOUR = 3600.0
NOT_THEIRS = "America/New_York"
TOO_MANY = {"message": "Rate limit exceeded"}


def throttled(seconds: float, *, skew: float = 0.0) -> Answer:
    """A 429 whose reset is so many seconds ahead; `skew` is how wrong the server's clock is."""
    now = time.time() + skew
    headers = [("X-RateLimit-Reset", str(math.ceil(now + seconds)))]
    return Answer.of(TOO_MANY, 429, *headers, *([("Date", formatdate(now, usegmt=True))] if skew else []))


REFUSALS: dict[str, Callable[[], Answer]] = {
    "down": lambda: Answer(503, HTML, HTML_TYPE),
    "bad_gateway": lambda: Answer(502, HTML, HTML_TYPE),
    "server_error": lambda: Answer.of({"message": "Internal Server Error"}, 500),
    "timeout": lambda: Answer(504, HTML, HTML_TYPE),
    "unauthorized": unauthorized,
    "forbidden": lambda: Answer.of({"message": "You are not authorized to access this resource"}, 403),
    "moved": lambda: Answer(301, headers=(("Location", FOREIGN),)),
    "html": lambda: Answer(200, HTML, HTML_TYPE),
    "empty": lambda: Answer.of({}),
    "empty_array": lambda: Answer(200, "[]"),
    "null": lambda: Answer(200, "null"),
    "blank": lambda: Answer(200),
    "rate_limited": lambda: throttled(2),
    "reset_in_past": lambda: throttled(-30),
    "reset_far": lambda: throttled(HOUR),
    "reset_garbled": lambda: Answer.of(TOO_MANY, 429, ("X-RateLimit-Reset", "in a minute")),
    "clock_ahead": lambda: throttled(2, skew=HOUR),
    "clock_behind": lambda: throttled(2, skew=-HOUR),
    "retry_after_only": lambda: Answer.of(TOO_MANY, 429, ("Retry-After", "1")),
    "no_reset_header": lambda: Answer.of(TOO_MANY, 429),
}
"""The faults that answer instead of the server."""

SPOILING = {
    *("slow", "not_found", "truncated", "skewed_date", "partial", "hidden", "wrong_zone", "empty_list", "relative_links"),
    *("half_a_page", "early_end", "duplicated", "page_loop", "foreign_next"),
}
"""The faults that let the server answer, and spoil it."""

KINDS = {*REFUSALS, *SPOILING}


def spoilt(fault: Fault | None, records: list[Record]) -> list[Record]:
    """A list as the fault lets it be seen, before it is cut into pages."""
    match fault:
        case Fault(kind="empty_list"):
            return []
        case Fault(kind="hidden", what=""):
            return records[1:]
        case Fault(kind="hidden"):
            return [_without(record, fault.what) for record in records if not _about(record, fault.what)]
        case Fault(kind="partial"):
            return [cut(record, fault.what) for record in records]
        case Fault(kind="wrong_zone"):
            return [_elsewhere(record) for record in records]
    return records


def garbled(fault: Fault | None, body: Record) -> Answer:
    """The right answer, spoilt where the fault spoils whole answers."""
    match fault:
        case Fault(kind="truncated"):
            text = json.dumps(body)
            return Answer(200, text[: len(text) // 2])
        case Fault(kind="foreign_next"):
            return Answer.of({**body, "links": {**body.get("links", {}), "next": FOREIGN}})
        case Fault(kind="skewed_date"):
            return Answer.of(body, 200, ("Date", formatdate(time.time() + HOUR, usegmt=True)))
    return Answer.of(body)


def paged(kind: str, body: Record, first: bool) -> Record:
    """A page whose count of items, or whose link to the next one, is not what it says."""
    resource = next(name for name, value in body.items() if isinstance(value, list))
    if kind == "half_a_page":
        return {**body, resource: body[resource][: len(body[resource]) // 2]}
    if kind == "early_end" and first:
        return {**body, "links": {name: link for name, link in body["links"].items() if name != "next"}}
    return body


def cut(record: Record, what: str) -> Record:
    """A record without the fields named in `what`, at any depth; without every other of its own where nothing is named."""
    if not what:
        return dict(list(record.items())[::2])
    return {name: _kept(value, set(what.split())) for name, value in record.items() if name not in what.split()}


def _kept(value: Any, gone: Iterable[str]) -> Any:
    if isinstance(value, dict):
        return {name: _kept(inner, gone) for name, inner in value.items() if name not in gone}
    return [_kept(inner, gone) for inner in value] if isinstance(value, list) else value


def _about(record: Record, what: str) -> bool:
    """Whether a record itself, not only one of the links in its lists, mentions `what`."""
    plain = {name: value for name, value in record.items() if not isinstance(value, list)}
    return f'"{what}"' in json.dumps(plain) or f'/{what}"' in json.dumps(plain)


def _without(record: Record, what: str) -> Record:
    lists = {name: value for name, value in record.items() if isinstance(value, list)}
    return record | {name: [each for each in value if what not in json.dumps(each)] for name, value in lists.items()}


def _elsewhere(record: Record) -> Record:
    return record | {"time_zone_identifier": NOT_THEIRS} if "time_zone_identifier" in record else record
