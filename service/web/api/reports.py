"""`/v1/reports`: what months came to, as JSON and as CSV."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from litestar import Response, get
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, OpenAPIType, Operation, Schema
from litestar.params import QueryParameter

from service.app import App
from service.core.reports import money as money_core
from service.core.reports import structure as structure_core
from service.core.reports.files import money_csv, structure_csv
from service.reporting import Period, money_report, structure_report
from service.web.answers import Money, money
from service.web.asked import Before, Since, TheApp, TheKey, accepted, instant
from service.web.auth import KeyRequest, demand_clinic
from service.web.governed import rules_now
from service.web.problems import problems

CSV = "text/csv"
VARIES = {"Vary": "Accept"}


class Shown(StrEnum):
    """How a report is answered with."""

    JSON = "json"
    CSV = "csv"


SHOWN = {"application/json": Shown.JSON, CSV: Shown.CSV}
"""By media type; the first is what those get who have no wish."""

Clinic = Annotated[str, QueryParameter(description="The clinic it is about", max_length=100)]
Format = Annotated[Shown | None, QueryParameter(description="Instead of what `Accept` says")]


@dataclass(frozen=True, slots=True)
class AmountFigure:
    """An amount of money with the ends of its 90% interval; all null where nothing can be said, and `reason` says why."""

    estimate: Money | None
    low: Money | None
    high: Money | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class CountFigure:
    """A count with the ends of its 90% interval; all null where nothing can be said, and `reason` says why."""

    estimate: float | None
    low: float | None
    high: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class MoneyFigures:
    """What was spent; what was not, while full; what was spent above base (`moved`); and openings filled (`methods` says how).

    `without` are campaigns of which a figure is not known: the sums leave it out.
    """

    spent: AmountFigure
    avoided: AmountFigure
    moved: AmountFigure
    bookings: CountFigure
    without: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceMoney:
    """One service's figures."""

    service: str
    figures: MoneyFigures


@dataclass(frozen=True, slots=True)
class CampaignMoney:
    """One campaign's figures; the hours for which we kept it back while its service was full, and raised it."""

    campaign: str
    platform: str
    service: str
    hours_kept: float
    hours_raised: float
    figures: MoneyFigures


@dataclass(frozen=True, slots=True)
class UnreadDay:
    """An account's day; for so many hours of it a campaign could not be read, or its cost was not told: nothing is claimed."""

    campaign: str
    day: date
    hours: float


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without a run: of it nothing is claimed."""

    since: datetime
    before: datetime


@dataclass(frozen=True, slots=True)
class Methods:
    """How each figure is come by, in plain words."""

    spent: str
    avoided: str
    moved: str
    bookings: str


@dataclass(frozen=True, slots=True)
class MoneyReport:
    """A clinic's money over a period, in `currency` (null before the first good rule file)."""

    clinic: str
    currency: str | None
    since: datetime
    before: datetime
    total: MoneyFigures
    services: tuple[ServiceMoney, ...]
    campaigns: tuple[CampaignMoney, ...]
    unread: tuple[UnreadDay, ...]
    gaps: tuple[Gap, ...]
    methods: Methods


@dataclass(frozen=True, slots=True)
class SoldShare:
    """The median share of rostered time sold, in %, the ends of its 90% interval, and how many weeks or days it rests on."""

    median: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class WeekdayShare:
    """One weekday (Monday 0): what was sold when the day came; on `full` of the days it was 95% or more."""

    weekday: int
    sold: SoldShare
    full: int
    booked: structure_core.Booked


@dataclass(frozen=True, slots=True)
class StructureEntry:
    """A service, practitioner or location (`kind`).

    `sold` is by week, when the days came, `week_ahead` the same seven days before; null where no day was seen so. `booked` is
    `over` or `under` where that is persistent, `usual` where it is neither for sure, `thin` with too few weeks to tell.
    """

    kind: structure_core.Kind
    id: str
    name: str
    days: int
    weeks: int
    booked: structure_core.Booked
    sold: SoldShare | None
    week_ahead: SoldShare | None
    weekdays: tuple[WeekdayShare, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StructureReport:
    """Who and what of a clinic is over- or under-booked, over its local days from `since` up to `before`."""

    clinic: str
    since: date
    before: date
    entries: tuple[StructureEntry, ...]
    findings: tuple[str, ...]
    method: str


@dataclass
class CsvToo(Operation):
    """The description of a report that is also answered as CSV."""

    def __post_init__(self) -> None:
        answer = (self.responses or {}).get("200")
        if isinstance(answer, OpenAPIResponse) and answer.content is not None:
            answer.content[CSV] = OpenAPIMediaType(Schema(type=OpenAPIType.STRING, description="The same, a line per figure"))


@get(
    "/reports/money", operation_id="getMoneyReport", tags=["reports"], responses=problems(404, 406, 422), operation_class=CsvToo
)
async def get_money(
    request: KeyRequest,
    app: TheApp,
    key: TheKey,
    clinic: Clinic,
    since: Since = None,
    before: Before = None,
    format: Format = None,  # noqa: A002 - the API's word
) -> Response[MoneyReport]:
    """What a clinic's ads cost, what was kept while full and moved, and bookings beside it: the last 30 days, or 92 at most."""
    shown = format or accepted(request, SHOWN)
    await demand_clinic(app, key, clinic)
    period = Period.of("money", instant("since", since), instant("before", before), app.clock())
    if shown is Shown.CSV:
        return await money_file(app, clinic, period)
    return Response(await money_of(app, clinic, period), headers=VARIES)


@get(
    "/reports/structure",
    operation_id="getStructureReport",
    tags=["reports"],
    responses=problems(404, 406, 422),
    operation_class=CsvToo,
)
async def get_structure(
    request: KeyRequest,
    app: TheApp,
    key: TheKey,
    clinic: Clinic,
    since: Since = None,
    before: Before = None,
    format: Format = None,  # noqa: A002 - the API's word
) -> Response[StructureReport]:
    """Who and what of a clinic is persistently over- or under-booked, and how surely: the last 8 weeks, or up to 400 days."""
    shown = format or accepted(request, SHOWN)
    await demand_clinic(app, key, clinic)
    period = Period.of("structure", instant("since", since), instant("before", before), app.clock())
    if shown is Shown.CSV:
        return await structure_file(app, clinic, period)
    return Response(await structure_of(app, clinic, period), headers=VARIES)


HANDLERS = (get_money, get_structure)


async def money_of(app: App, clinic: str, period: Period) -> MoneyReport:
    """A clinic's money over a period."""
    rules = (await rules_now(app, clinic)).rules
    return _money(await money_report(app.store, clinic, period), rules.currency if rules else None)


async def money_file(app: App, clinic: str, period: Period) -> Response[Any]:
    """The same as CSV."""
    rules = (await rules_now(app, clinic)).rules
    found = await money_report(app.store, clinic, period)
    return _file(money_csv(found, rules.currency if rules else None), f"money-{clinic}-{period.since:%Y-%m-%d}")


async def structure_of(app: App, clinic: str, period: Period) -> StructureReport:
    """Who and what of a clinic is over- or under-booked, over a period."""
    return _structure(await structure_report(app.store, clinic, period))


async def structure_file(app: App, clinic: str, period: Period) -> Response[Any]:
    """The same as CSV."""
    found = await structure_report(app.store, clinic, period)
    return _file(structure_csv(found), f"structure-{clinic}-{found.since:%Y-%m-%d}")


def _file(content: bytes, name: str) -> Response[Any]:
    return Response(content, media_type=CSV, headers=VARIES | {"Content-Disposition": f'attachment; filename="{name}.csv"'})


# --- the core's values as answers ---------------------------------------------------------------------------------------


def _money(found: money_core.MoneyReport, currency: str | None) -> MoneyReport:
    return MoneyReport(
        clinic=found.clinic,
        currency=currency,
        since=found.since,
        before=found.before,
        total=_figures(found.total),
        services=tuple(ServiceMoney(name, _figures(sums)) for name, sums in found.services.items()),
        campaigns=tuple(map(_campaign, found.campaigns)),
        unread=tuple(UnreadDay(each.campaign, each.day, each.hours) for each in found.unread),
        gaps=tuple(Gap(begins, ends) for begins, ends in found.gaps),
        methods=Methods(**found.methods),
    )


def _campaign(each: money_core.CampaignMoney) -> CampaignMoney:
    figures = _figures(each.sums)
    return CampaignMoney(each.campaign, each.platform, each.service, each.hours_kept, each.hours_raised, figures)


def _figures(sums: money_core.Sums) -> MoneyFigures:
    return MoneyFigures(_amount(sums.spent), _amount(sums.avoided), _amount(sums.moved), _count(sums.bookings), sums.without)


def _amount(figure: money_core.Figure) -> AmountFigure:
    return AmountFigure(_text(figure.estimate), _text(figure.low), _text(figure.high), figure.reason or None)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else money(value)


def _count(figure: money_core.Figure) -> CountFigure:
    estimate, low, high = (None if each is None else float(each) for each in (figure.estimate, figure.low, figure.high))
    return CountFigure(estimate, low, high, figure.reason or None)


def _structure(found: structure_core.StructureReport) -> StructureReport:
    entries = tuple(map(_entry, found.entries))
    return StructureReport(found.clinic, found.since, found.before, entries, found.findings, found.method)


def _entry(each: structure_core.Entry) -> StructureEntry:
    return StructureEntry(
        kind=each.kind,
        id=each.id,
        name=each.name,
        days=each.days,
        weeks=each.weeks,
        booked=each.booked,
        sold=_sold(each.sold),
        week_ahead=_sold(each.week_ahead),
        weekdays=tuple(WeekdayShare(one.weekday, _share(one.sold), one.full, one.booked) for one in each.weekdays),
        sentences=each.sentences,
    )


def _sold(share: structure_core.Share | None) -> SoldShare | None:
    return None if share is None else _share(share)


def _share(share: structure_core.Share) -> SoldShare:
    return SoldShare(share.median, share.low, share.high, share.count)
