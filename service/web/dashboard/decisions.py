"""What was decided: the timeline of a clinic, and one decision with everything behind it."""

from typing import Annotated, Any

import msgspec
from litestar import Response, get
from litestar.params import FromQuery, QueryParameter

from service.app import App
from service.store.decisions import Wanted
from service.web.api.decisions import Decisions, explained
from service.web.asked import Cursor, Id, TheApp, TheRuleTexts
from service.web.dashboard.drawings import TheDrawings
from service.web.dashboard.frame import page
from service.web.dashboard.session import TheVisitor, VisitorRequest
from service.web.governed import rules_now
from service.web.telling import RuleTexts, listing

LINES = 30
"""Decisions on a page."""

Campaign = Annotated[str, QueryParameter(max_length=200)]


@get("/clinics/{clinic:str}/decisions")
async def show_timeline(  # noqa: PLR0913 - each is something that it is made of
    request: VisitorRequest,
    app: TheApp,
    visitor: TheVisitor,
    drawings: TheDrawings,
    texts: TheRuleTexts,
    clinic: Id,
    campaign: Campaign = "",
    all: FromQuery[bool] = False,  # noqa: A002, FBT002 - the word in the address
    cursor: Cursor = None,
) -> Response[Any]:
    """The clinic's decisions, newest first: those that changed something, or all."""
    after = await app.store.tail.end()
    rules = (await rules_now(app, clinic)).rules
    wanted = Wanted(clinics=(clinic,), campaign=campaign or None, changed=None if all else True)
    found = await told(app, texts, wanted, cursor, LINES)
    return page(
        request,
        "decisions.html",
        visitor=visitor,
        clinic=clinic,
        name=rules.name if rules else clinic,
        currency=rules.currency if rules else None,
        campaigns=tuple(rules.campaigns) if rules else (),
        campaign=campaign,
        after=after,
        every=all,
        found=found,
        zone=(await drawings.of(clinic)).zone,
    )


@get("/decisions/{decision_id:str}")
async def show_decision(
    request: VisitorRequest,
    app: TheApp,
    visitor: TheVisitor,
    drawings: TheDrawings,
    texts: TheRuleTexts,
    decision_id: Id,
) -> Response[Any]:
    """One decision: its sentence, the conditions behind it, what came of it, and what would tip it."""
    found = await explained(app, visitor.key, texts, decision_id)
    clinic = found.decision.clinic
    rules = (await rules_now(app, clinic)).rules
    return page(
        request,
        "decision.html",
        visitor=visitor,
        found=found,
        decision=found.decision,
        name=rules.name if rules else clinic,
        currency=rules.currency if rules else None,
        zone=(await drawings.of(clinic)).zone,
    )


HANDLERS = (show_timeline, show_decision)


async def told(app: App, texts: RuleTexts, wanted: Wanted, cursor: str | None, limit: int) -> Decisions:
    """A page of what `/v1/decisions` answers, each with its reason in full."""
    return msgspec.json.decode(await listing(app, texts, wanted, cursor, limit), type=Decisions)
