"""`/healthz` and `/readyz`: is this process alive, and can it be given work? Open to all, and they tell nothing else.

Liveness is the heartbeat of the hourly loop, and of the one that sends notices: a process whose loop has died answers requests
as if nothing were wrong, and must be restarted. A database that is away is no reason for that; it is one to send requests
elsewhere, also where it just hangs.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from litestar import get
from litestar.di import NamedDependency
from litestar.exceptions import ServiceUnavailableException
from litestar.params import SkipValidation

from service.app import App
from service.core.errors import StoreError
from service.web.asked import TheLoop, TheNotifying
from service.web.patience import Patient
from service.web.problems import documented


@dataclass(frozen=True, slots=True)
class Health:
    """The hourly loop's signs of life; all null where this process runs none."""

    status: str
    heartbeat: datetime | None
    next_run: datetime | None


@dataclass(frozen=True, slots=True)
class Readiness:
    """The database answers."""

    status: str


async def nothing_to_ask() -> None:
    """All that is needed is in this process, and in the database."""


class Probe:
    """Asks the database for a sign of life, and what else is needed to be given work (`shared`)."""

    def __init__(self, app: App, patience: float, shared: Callable[[], Awaitable[None]] = nothing_to_ask) -> None:
        self.database = Patient(app.store.ping, patience=patience)
        self.shared = Patient(shared, patience=patience, whom="Redis")


TheProbe = NamedDependency[SkipValidation[Probe]]


@get("/healthz", operation_id="health", tags=["health"], responses={503: documented(503)})
async def healthz(hourly: TheLoop, notifying: TheNotifying) -> Health:
    """Whether the loops are alive; 503 if one of them has died or has not been heard of for too long."""
    for loop in (hourly, notifying):
        if loop is not None and (trouble := loop.trouble()):
            raise ServiceUnavailableException(trouble)
    if hourly is None:
        return Health("ok", None, None)
    return Health("ok", hourly.heartbeat, hourly.next_at)


@get("/readyz", operation_id="readiness", tags=["health"], responses={503: documented(503)})
async def readyz(probe: TheProbe) -> Readiness:
    """Whether the database answers, and to a worker Redis; 503 if not, or not in time."""
    await probe.database()
    try:
        await probe.shared()
    except StoreError as error:  # of Redis, and in our own words
        raise ServiceUnavailableException(str(error)) from error
    return Readiness("ok")


HANDLERS = (healthz, readyz)
