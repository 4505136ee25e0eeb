"""The first page, which lists the clinics, and the page of one: what it can sell, what its campaigns do and why."""

from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Response, get
from litestar.params import FromQuery, QueryParameter
from litestar.response import Redirect

from service.app import App
from service.core.errors import GoneError, NotFoundError
from service.core.heat import By
from service.jobs.looping import Periodic
from service.store.decisions import Wanted
from service.web.api.campaigns import campaigns_now
from service.web.api.clinics import Clinic, clinic_now
from service.web.api.forecast import Forecast, forecast_now
from service.web.api.holds import holds_now
from service.web.asked import Id, TheApp, TheLoop, TheRuleTexts
from service.web.auth import administers, visible
from service.web.dashboard.cards import cards, waiting
from service.web.dashboard.decisions import told
from service.web.dashboard.drawings import TheDrawings
from service.web.dashboard.frame import page
from service.web.dashboard.session import TheVisitor, VisitorRequest

MOST = 60
"""Clinics on a page."""

RECENT = 8

After = Annotated[str, QueryParameter(max_length=100)]


@dataclass(frozen=True, slots=True)
class Line:
    """A clinic in the list: how it stands, and how many of its campaigns want a person's attention, and for what."""

    clinic: Clinic
    running: int
    paused: int
    asked: int
    stood_down: int
    left_changed: int
    unread: int
    failed: int


@get("/")
async def show_all(
    request: VisitorRequest, app: TheApp, visitor: TheVisitor, hourly: TheLoop, after: After = ""
) -> Response[Any]:
    """Every clinic that the visitor's key opens; whoever has one only is led to it."""
    names = [name for name in await visible(app, visitor.key) if name > after]
    if len(names) == 1 and not after:
        return Redirect(f"/clinics/{names[0]}", status_code=303)
    end = await app.store.tail.end()
    lines = [await _line(app, name, hourly) for name in names[:MOST]]
    following = names[MOST - 1] if len(names) > MOST else None
    return page(request, "clinics.html", visitor=visitor, lines=lines, following=following, after=end, now=app.clock())


@get("/clinics/{clinic:str}")
async def show(  # noqa: PLR0913 - each is something that it is made of
    request: VisitorRequest,
    app: TheApp,
    visitor: TheVisitor,
    hourly: TheLoop,
    drawings: TheDrawings,
    texts: TheRuleTexts,
    clinic: Id,
    by: FromQuery[By] = By.PRACTITIONER,
) -> Response[Any]:
    """One clinic."""
    after = await app.store.tail.end()
    drawing, campaigns = await drawings.of(clinic), await campaigns_now(app, clinic)
    holds, approvals = (await holds_now(app, clinic)).items, await app.store.approvals.standing(clinic)
    return page(
        request,
        "clinic.html",
        visitor=visitor,
        everything=administers(visitor.key),
        clinic=await clinic_now(app, clinic, hourly),
        campaigns=campaigns,
        cards=await cards(app, campaigns, holds, approvals),
        questions=waiting(app, approvals.values()),
        holds=holds,
        forecast=await _forecast(app, clinic),
        recent=(await told(app, texts, Wanted(clinics=(clinic,), changed=True), None, RECENT)).items,
        drawing=drawing,
        groups=drawing.maps[by],
        by=by,
        kinds=tuple(By),
        zone=drawing.zone,
        after=after,
        now=app.clock(),
    )


HANDLERS = (show_all, show)


async def _line(app: App, name: str, hourly: Periodic | None) -> Line:
    campaigns, approvals = await campaigns_now(app, name), await app.store.approvals.standing(name)
    shown = await cards(app, campaigns, (), approvals)
    states = [each.now for each in shown if each.now]
    return Line(
        clinic=await clinic_now(app, name, hourly),
        running=sum(each.running for each in states),
        paused=sum(not each.running for each in states),
        asked=len(waiting(app, approvals.values())),
        stood_down=sum(each.stood_down for each in shown),
        left_changed=len(campaigns.left_changed),
        unread=sum(each.unread for each in shown),
        failed=sum(each.failed for each in shown),
    )


async def _forecast(app: App, clinic: str) -> Forecast | None:
    try:
        return await forecast_now(app, clinic)
    except (NotFoundError, GoneError):
        return None
