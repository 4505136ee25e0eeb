"""`/v1/clinics/{clinic}/forecast`: what the clinic can sell in the next 14 days, as its newest run saw it."""

from dataclasses import dataclass
from datetime import date, datetime

from litestar import get

from service.app import App
from service.core.decide import model
from service.core.errors import NotFoundError
from service.core.logic import Bounds
from service.core.pace import scores as pace
from service.learning import scores
from service.web.answers import Metric, finite, metric
from service.web.asked import Id, TheApp
from service.web.problems import problems


@dataclass(frozen=True, slots=True)
class Range:
    """A number with the lowest and highest it can be, given what could not be observed; null: no bound."""

    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Day:
    """One clinic-local day: bookable appointments, open minutes, and rostered minutes (0: closed)."""

    day: date
    openings: Range
    open_minutes: Range
    working_minutes: int


@dataclass(frozen=True, slots=True)
class Caveat:
    """One thing that the forecast cannot see, or doubts."""

    kind: model.Blind
    sentence: str


@dataclass(frozen=True, slots=True)
class ServiceForecast:
    """One service: its days, every metric at its default parameters, and what the `expected_*` metrics stand on.

    `caveats` say what hides free time of this service, or makes what is shown doubtful.
    """

    service: str
    rung: str
    metrics: dict[str, Metric]
    days: tuple[Day, ...]
    caveats: tuple[Caveat, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How good one service's (null: all services') expectations `first` to `last` days ahead were, over `count` days that came.

    `wape` is the sum of absolute errors as a share of the openings that were left, `naive_wape` the same had openings stayed as
    they were; null where nothing was left. `bias` is how many openings a day too many were expected, `coverage` the share of
    days within the 80% band, `verdict` all of it in a sentence.
    """

    service: str | None
    first: int
    last: int
    count: int
    wape: float | None
    naive_wape: float | None
    bias: float
    coverage: float
    verdict: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """The forecast of a clinic, by the run that made it, and how good those of the last ten weeks have been."""

    clinic: str
    run: str
    as_of: datetime
    services: tuple[ServiceForecast, ...]
    scores: tuple[Score, ...]


@get("/clinics/{clinic:str}/forecast", operation_id="getForecast", tags=["clinics"], responses=problems(404, 410))
async def get_forecast(app: TheApp, clinic: Id) -> Forecast:
    """The newest forecast; 404 before the first run."""
    return await forecast_now(app, clinic)


async def forecast_now(app: App, clinic: str) -> Forecast:
    """A clinic's newest forecast. Raises NotFoundError before the first run."""
    planned = (await app.store.runs.runs([clinic], planned=True, limit=1)).items
    if not planned:
        raise NotFoundError(f"no run of {clinic} has made a forecast yet")
    outcome = await app.store.runs.load_outcome(planned[0].id)
    services = tuple(_service(each) for each in outcome.forecasts.values())
    found = await scores(app.store, clinic, app.clock())
    return Forecast(clinic, planned[0].id, planned[0].started_at, services, tuple(map(_score, found.lines)))


HANDLERS = (get_forecast,)


def _service(forecast: model.ServiceForecast) -> ServiceForecast:
    metrics = {name: metric(reading) for name, reading in forecast.metrics.items()}
    caveats = tuple(Caveat(each.kind, each.sentence) for each in forecast.caveats)
    return ServiceForecast(forecast.service, forecast.rung, metrics, tuple(map(_day, forecast.days)), caveats)


def _score(line: pace.Score) -> Score:
    return Score(**{name: getattr(line, name) for name in Score.__slots__})


def _day(day: model.DayForecast) -> Day:
    return Day(date.fromisoformat(day.day), _range(day.openings), _range(day.open_minutes), day.working_minutes)


def _range(bounds: Bounds) -> Range:
    return Range(finite(bounds.estimate), finite(bounds.low), finite(bounds.high))
