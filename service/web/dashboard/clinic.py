"""The first page, which lists the clinics, and the page of one: what it can sell, what its campaigns do and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Response, get
from litestar.params import FromQuery, QueryParameter
from litestar.response import Redirect

from service.app import App
from service.core.decide.model import Answer
from service.core.errors import GoneError, NotFoundError
from service.core.heat import By
from service.jobs.hourly import Hourly
from service.store.decisions import Wanted
from service.web.api.campaigns import Campaign, campaigns_now
from service.web.api.clinics import Clinic, clinic_now
from service.web.api.forecast import Forecast, forecast_now
from service.web.api.holds import holds_now
from service.web.api.plans import Question, question
from service.web.asked import Id, TheApp, TheLoop
from service.web.auth import visible
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

    @property
    def urgent(self) -> int:
        """How much there is for a person to see to."""
        refused = bool(self.clinic.rules.problems)
        return self.asked + self.stood_down + self.left_changed + refused + self.clinic.freshness.stale


@get("/")
async def show_all(
    request: VisitorRequest, app: TheApp, visitor: TheVisitor, hourly: TheLoop, after: After = ""
) -> Response[Any]:
    """Every clinic that the visitor's key opens; whoever has one only is led to it."""
    names = [name for name in await visible(app, visitor.key) if name > after]
    if len(names) == 1 and not after:
        return Redirect(f"/clinics/{names[0]}", status_code=303)
    lines = [await _line(app, name, hourly) for name in names[:MOST]]
    following = names[MOST - 1] if len(names) > MOST else None
    return page(request, "clinics.html", visitor=visitor, lines=lines, following=following, now=app.clock())


@get("/clinics/{clinic:str}")
async def show(
    request: VisitorRequest,
    app: TheApp,
    visitor: TheVisitor,
    hourly: TheLoop,
    drawings: TheDrawings,
    clinic: Id,
    by: FromQuery[By] = By.PRACTITIONER,
) -> Response[Any]:
    """One clinic."""
    drawing = await drawings.of(clinic)
    wanted = Wanted(clinics=(clinic,), changed=True)
    return page(
        request,
        "clinic.html",
        visitor=visitor,
        clinic=await clinic_now(app, clinic, hourly),
        campaigns=await campaigns_now(app, clinic),
        questions=await _questions(app, clinic),
        holds=(await holds_now(app, clinic)).items,
        forecast=await _forecast(app, clinic),
        recent=(await told(app, None, wanted, None, RECENT)).items,
        groups=drawing.maps[by],
        by=by,
        kinds=tuple(By),
        zone=drawing.zone,
        now=app.clock(),
    )


HANDLERS = (show_all, show)


async def _line(app: App, name: str, hourly: Hourly | None) -> Line:
    clinic, campaigns = await clinic_now(app, name, hourly), await campaigns_now(app, name)
    states = [each.last_decision.seen for each in campaigns.items if each.last_decision and each.last_decision.seen]
    return Line(
        clinic=clinic,
        running=sum(each.running for each in states),
        paused=sum(not each.running for each in states),
        asked=len(await _questions(app, name)),
        stood_down=_stood_down(campaigns.items),
        left_changed=len(campaigns.left_changed),
    )


def _stood_down(campaigns: Sequence[Campaign]) -> int:
    return sum(each.standing is not None and each.standing.stood_down is not None for each in campaigns)


async def _questions(app: App, clinic: str) -> tuple[Question, ...]:
    """What waits for a person's word."""
    standing = await app.store.approvals.standing(clinic)
    return tuple(question(each) for each in standing.values() if each.answer is Answer.PENDING)


async def _forecast(app: App, clinic: str) -> Forecast | None:
    try:
        return await forecast_now(app, clinic)
    except (NotFoundError, GoneError):
        return None
