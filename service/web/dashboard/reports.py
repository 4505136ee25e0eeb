"""The reports as pages: what months came to, with how sure that is, and the same as files."""

from datetime import timedelta
from typing import Annotated, Any

from litestar import Response, get
from litestar.params import FromQuery, QueryParameter

from service.app import App
from service.reporting import Period
from service.web.api.reports import money_file, money_of, structure_file, structure_of
from service.web.asked import Id, TheApp
from service.web.dashboard.drawings import TheDrawings
from service.web.dashboard.frame import page
from service.web.dashboard.session import TheVisitor, VisitorRequest
from service.web.governed import rules_now

MONEY_DAYS, STRUCTURE_DAYS = (7, 30, 90), (28, 56, 112, 364)
"""Periods that a page offers."""

Days = Annotated[int, QueryParameter(ge=1, le=400)]


@get("/clinics/{clinic:str}/reports/money")
async def show_money(
    request: VisitorRequest,
    app: TheApp,
    visitor: TheVisitor,
    drawings: TheDrawings,
    clinic: Id,
    days: Days = 30,
    csv: FromQuery[bool] = False,  # noqa: FBT002 - in the address
) -> Response[Any]:
    """What the clinic's ads cost, what was kept back while full, and what was moved."""
    period = _period(app, "money", days)
    if csv:
        return await money_file(app, clinic, period)
    return page(
        request,
        "money.html",
        visitor=visitor,
        report=await money_of(app, clinic, period),
        choices=MONEY_DAYS,
        days=days,
        zone=(await drawings.of(clinic)).zone,
        clinic=clinic,
        name=await _name(app, clinic),
    )


@get("/clinics/{clinic:str}/reports/structure")
async def show_structure(
    request: VisitorRequest,
    app: TheApp,
    visitor: TheVisitor,
    clinic: Id,
    days: Days = 56,
    csv: FromQuery[bool] = False,  # noqa: FBT002 - in the address
) -> Response[Any]:
    """Who and what of the clinic is persistently over- or under-booked."""
    period = _period(app, "structure", days)
    if csv:
        return await structure_file(app, clinic, period)
    return page(
        request,
        "structure.html",
        visitor=visitor,
        report=await structure_of(app, clinic, period),
        choices=STRUCTURE_DAYS,
        days=days,
        clinic=clinic,
        name=await _name(app, clinic),
    )


HANDLERS = (show_money, show_structure)


def _period(app: App, report: str, days: int) -> Period:
    now = app.clock()
    return Period.of(report, now - timedelta(days=days), now, now)


async def _name(app: App, clinic: str) -> str:
    rules = (await rules_now(app, clinic)).rules
    return rules.name if rules else clinic
