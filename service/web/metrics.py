"""`/metrics`: what is counted and how things stand, for Prometheus. Open to all, so it names no clinic and no campaign.

A database that cannot be used does not break the answer: what would have been read from it is not there, and
`governor_database_up` is 0. It is read at most every few seconds, however often the metrics are asked for.
"""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

import service
from service.app import App
from service.core.errors import StoreError
from service.jobs.looping import Periodic
from service.store.overview import ClinicNow, Overview
from service.telemetry import catalogue
from service.telemetry.metrics import CONTENT_TYPE, Metrics, Value, Values
from service.web.api.clinics import STALE_AFTER
from service.web.asked import TheLoop
from service.web.governed import clinics
from service.web.patience import Patient

FRESH_SECONDS = 5.0
"""For how long what was read from the database is believed."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What was read from the database, and which clinics there are by name, those without good rules included."""

    overview: Overview
    names: Collection[str]


class Scrape:
    """The metrics of one web application; a worker's tell of its `queue` as well."""

    def __init__(self, app: App, patience: float, queue: Callable[[], Awaitable[Mapping[str, float]]] | None = None) -> None:
        self.metrics = Metrics()
        self._app = app
        self._standing = Patient(self._read, fresh=FRESH_SECONDS, patience=patience, monotonic=app.monotonic)
        self._queue = queue and Patient(queue, fresh=FRESH_SECONDS, patience=patience, monotonic=app.monotonic)
        app.monitor.watchers.append(self.metrics)

    async def text(self, loop: Periodic | None) -> bytes:
        """Everything, as Prometheus reads it."""
        values: dict[catalogue.Metric, Value] = {catalogue.BUILD: {service.__version__: 1}}
        if loop is not None:
            values[catalogue.HEARTBEAT] = loop.heartbeat.timestamp()
        return self.metrics.text({**values, **await self._from_database(), **await self._from_redis()})

    async def _from_redis(self) -> Values:
        with suppress(StoreError):
            return {catalogue.QUEUE: await self._queue()} if self._queue else {}
        return {}

    async def _from_database(self) -> Values:
        try:
            standing = await self._standing()
        except StoreError:
            return {catalogue.DATABASE_UP: 0}
        now, stale = self._app.clock(), STALE_AFTER * self._app.settings.evaluate_every
        return {catalogue.DATABASE_UP: 1, **dict(_standing(standing, now, stale))}

    async def _read(self) -> Standing:
        return Standing(await self._app.store.overview.now(self._app.clock()), await clinics(self._app))


def _standing(standing: Standing, now: datetime, stale: timedelta) -> Iterator[tuple[catalogue.Metric, Value]]:
    overview = standing.overview
    known = {each.clinic: each for each in overview.clinics}
    counts = dict.fromkeys(("fresh", "stale", "failed", "never"), 0.0)
    for name in {*standing.names, *known}:
        counts[_freshness(known.get(name), now, stale)] += 1
    yield catalogue.CLINICS, counts
    ages = [(now - each.read_at).total_seconds() for each in overview.clinics if each.read_at is not None]
    if ages:
        yield catalogue.OLDEST, max(ages)
    yield catalogue.STOOD_DOWN, overview.stood_down
    yield catalogue.LEFT_CHANGED, overview.left_changed
    yield catalogue.ASKED, overview.asked
    yield catalogue.REFUSED, overview.refused
    yield catalogue.OPEN_CHANGES, overview.open_changes


def _freshness(clinic: ClinicNow | None, now: datetime, stale: timedelta) -> str:
    """`never` read, or the newest run `failed`, or the diaries were last read too long ago (`stale`), or `fresh`."""
    if clinic is None or clinic.read_at is None:
        return "never"
    if clinic.status == "failed":
        return "failed"
    return "stale" if now - clinic.read_at > stale else "fresh"


TheScrape = NamedDependency[SkipValidation[Scrape]]


@get("/metrics", operation_id="metrics", tags=["health"], media_type=CONTENT_TYPE)
async def metrics(scrape: TheScrape, hourly: TheLoop) -> Response[bytes]:
    """Metrics in Prometheus' text format; the README says what each of them means."""
    return Response(await scrape.text(hourly), media_type=CONTENT_TYPE)


HANDLERS = (metrics,)
