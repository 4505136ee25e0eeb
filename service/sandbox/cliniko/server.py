"""Cliniko's REST API over the clinic world, as far as a governor may read it, with the things that go wrong with it.

Everything is below `/v1`; the API key, with or without its shard suffix, chooses the clinic. A path that nobody who governs
budgets has any business with is a tripwire: it is written into `World.trips` and refused, before anything else is looked at.

`World.fail(Fault("cliniko", kind, match))` switches a fault on; the kinds are in `sandbox.cliniko.faults`.

The request limit of 200 a minute per user is real time, whatever the world's clock does.
"""

import asyncio
import time
from base64 import b64decode
from collections import deque
from collections.abc import Callable
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, urlencode

from litestar import Litestar, Request, Response, route
from litestar.enums import HttpMethod

from service.sandbox.clinic import Clinic
from service.sandbox.cliniko.answers import (
    LARGEST_PAGE,
    Answer,
    Asked,
    RefusalError,
    not_found,
    page,
    page_number,
    unauthorized,
)
from service.sandbox.cliniko.desk import Desk, route_of
from service.sandbox.cliniko.faults import KINDS, REFUSALS, cut, garbled, paged, spoilt, throttled
from service.sandbox.cliniko.records import Record, Records
from service.sandbox.world import Fault, World

LIMIT = 200
WINDOW_SECONDS = 60.0


def cliniko_app(
    world: World,
    *,
    limit: int = LIMIT,
    patience: float = 2.0,
    largest_page: int = LARGEST_PAGE,
    monotonic: Callable[[], float] = time.monotonic,
) -> Litestar:
    """The server over `world`; `limit` is per minute and user, `patience` seconds are what `timeout` and `slow` take.

    No list has more than `largest_page` items to a page, so that small clinics have several pages too. `monotonic` is the
    clock of the request limit, in seconds: real time, unless a test has its own.
    """
    server = _Server(world, patience, largest_page, _Limiter(limit, monotonic))

    @route(["/", "/{rest:path}"], http_method=list(HttpMethod), include_in_schema=False)
    async def answer(request: Request[Any, Any, Any]) -> Response[bytes]:
        asked = Asked(
            method=request.method,
            origin=f"{request.url.scheme}://{request.url.netloc}",
            path=request.url.path,
            query=parse_qsl(request.url.query, keep_blank_values=True),
            authorization=request.headers.get("authorization", ""),
        )
        return _rendered(await server.answer(asked))

    return Litestar([answer], openapi_config=None, logging_config=None)


def _rendered(answer: Answer) -> Response[bytes]:
    headers = {"Date": formatdate(usegmt=True), **dict(answer.headers)}
    return Response(answer.content.encode(), status_code=answer.status, headers=headers, media_type=answer.kind)


class _Server:
    """The order in which a request is looked at."""

    def __init__(self, world: World, patience: float, largest_page: int, limiter: "_Limiter") -> None:
        self.world = world
        self.patience = patience
        self.largest_page = largest_page
        self.limiter = limiter
        self.missed = 0

    async def answer(self, asked: Asked) -> Answer:
        self.world.saw("cliniko", asked.method, asked.path)
        if asked.path.startswith("/v1/") and not (asked.method == "GET" and route_of(asked.path)):
            return self._tripped(asked)
        fault = self.world.fault("cliniko", f"{asked.method} {asked.path}?{urlencode(asked.query)}")
        kind = fault.kind if fault else ""
        if kind and kind not in KINDS:
            return Answer.of({"message": f"the sandbox knows no fault {kind!r}"}, 501)
        if kind in {"timeout", "slow"}:
            await asyncio.sleep(self.patience)
        if kind in REFUSALS:
            return REFUSALS[kind]()
        try:
            return garbled(fault, self._served(asked, fault))
        except RefusalError as refusal:
            return self._not_found() if refusal.answer.status == 404 else refusal.answer

    def _tripped(self, asked: Asked) -> Answer:
        with self.world.lock:
            self.world.trips.append(f"{asked.method} {asked.path}")
        return Answer.of({"message": "You are not authorized to access this resource"}, 403)

    def _served(self, asked: Asked, fault: Fault | None) -> Record:
        kind = fault.kind if fault else ""
        with self.world.lock:
            clinic = self._clinic(asked.authorization)
            self.limiter.take(clinic.slug)
            found = route_of(asked.path)
            if kind == "not_found" or found is None:
                raise RefusalError(Answer(404))
            base = "/v1" if kind == "relative_links" else f"{asked.origin}/v1"
            answered = found[0](Desk(self.world, Records(clinic, base), asked, kind), *found[1])
            if isinstance(answered, list):
                whole = page(spoilt(fault, answered), asked, base, kind=kind, largest=self.largest_page)
                return paged(kind, whole, first=page_number(asked) == 1)
            return cut(answered, fault.what) if fault and kind == "partial" else answered

    def _clinic(self, authorization: str) -> Clinic:
        """The account of the key in an HTTP Basic user name; the password is ignored."""
        scheme, _, credentials = authorization.partition(" ")
        try:
            key = b64decode(credentials, validate=True).decode().partition(":")[0] if scheme.lower() == "basic" else ""
        except ValueError:
            key = ""
        for clinic in self.world.clinics.values():
            if key in {clinic.api_key, clinic.api_key.rpartition("-")[0]} - {""}:
                return clinic
        raise RefusalError(unauthorized())

    def _not_found(self) -> Answer:
        with self.world.lock:
            self.missed += 1
            return not_found(self.missed)


class _Limiter:
    """200 requests in any minute of real time, per user."""

    def __init__(self, limit: int, monotonic: Callable[[], float]) -> None:
        self.limit = limit
        self.monotonic = monotonic
        self.taken: dict[str, deque[float]] = {}

    def take(self, user: str) -> None:
        now = self.monotonic()
        taken = self.taken.setdefault(user, deque())
        while taken and taken[0] <= now - WINDOW_SECONDS:
            taken.popleft()
        if len(taken) >= self.limit:
            raise RefusalError(throttled(taken[0] + WINDOW_SECONDS - now))
        taken.append(now)
