"""What the tests of the Cliniko adapter share: virtual time, and a client whose every request a function answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx

from service.cliniko.access import Access
from service.cliniko.client import Client
from service.cliniko.diaries import ClinikoDiaries
from service.cliniko.progress import Tell
from service.cliniko.rate import SlidingWindow, Timing
from service.core.model import Diaries
from service.core.rules.language import Service
from service.sandbox.cliniko.server import cliniko_app
from service.sandbox.scene import API_KEYS, HARBOUR
from service.sandbox.world import World

KEY = "MS0xLWtleQ-kEyBoDy-au4"
EMAIL = "ops@clinic.example"
BASE = "https://api.au4.cliniko.com/v1"
NOW = datetime(2026, 3, 1, 21, 0, tzinfo=UTC)
PHYSIO = Service(
    "physio",
    ("Initial physiotherapy consultation", "Standard physiotherapy consultation"),
    exclude_practitioners=("Hydro pod",),
)
PODIATRY = Service("podiatry", ("Initial podiatry consultation",))

Respond = Callable[[httpx.Request], httpx.Response]


@dataclass(slots=True)
class VirtualTime:
    """A monotonic clock that only sleeping moves; `slept` lists the sleeps in seconds."""

    now: float = 1_000_000.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)  # the others get their turn, as in a real sleep

    @property
    def timing(self) -> Timing:
        return Timing(monotonic=lambda: self.now, sleep=self.sleep, jitter=lambda: 0.0)


@dataclass(slots=True)
class Wire:
    """The requests that went over the wire."""

    respond: Respond
    requests: list[httpx.Request] = field(default_factory=list)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.respond(request)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.handle)


def client_over(transport: httpx.AsyncBaseTransport, time: VirtualTime) -> Client:
    """A client on virtual time."""
    budget = SlidingWindow(timing=time.timing)
    return Client(Access.of(KEY, EMAIL), budget, time.timing, lambda: NOW, transport)


def over(app: Any) -> httpx.ASGITransport:
    """A transport into an ASGI app; Litestar and httpx describe the same interface in different types."""
    return httpx.ASGITransport(app)


def diaries_of(
    world: World,
    time: VirtualTime,
    *,
    limit: int = 200,
    intercept: Callable[[httpx.Request], httpx.Response | None] | None = None,
    tell: Tell | None = None,
) -> ClinikoDiaries:
    """Harbour's diaries over the sandbox, in process; what `intercept` answers does not reach the sandbox."""
    app = over(cliniko_app(world, patience=0.0, limit=limit))

    async def handle(request: httpx.Request) -> httpx.Response:
        answer = intercept(request) if intercept else None
        return answer or await app.handle_async_request(request)

    return diaries_through(httpx.MockTransport(handle), world, time, tell)


def diaries_through(
    transport: httpx.AsyncBaseTransport, world: World, time: VirtualTime, tell: Tell | None = None
) -> ClinikoDiaries:
    """Harbour's diaries by way of a transport."""
    return ClinikoDiaries(
        Access.of(API_KEYS[HARBOUR], EMAIL, "http://cliniko.test/v1"),
        clock=world.clock(),
        transport=transport,
        timing=time.timing,
        tell=tell,
    )


def sorted_fields(diaries: Diaries) -> dict[str, list[str]]:
    """Every field in an order of its own: the wire's order is not part of what is read."""
    values = {name: getattr(diaries, name) for name in Diaries.__slots__}
    return {name: sorted(map(repr, value)) if isinstance(value, tuple) else [repr(value)] for name, value in values.items()}


def listing(resource: str, items: list[object], **links: str) -> httpx.Response:
    """A page of a list."""
    return httpx.Response(200, json={resource: items, "links": {"self": f"{BASE}/{resource}", **links}})


def at(when: datetime, **headers: str) -> dict[str, str]:
    """Headers of an answer made at `when`."""
    return {"Date": format_datetime(when, usegmt=True), **{name.replace("_", "-"): value for name, value in headers.items()}}
