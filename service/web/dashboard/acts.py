"""What people do on the dashboard: say yes or no, hold, end a hold, hand a campaign back to the rules.

Each is the function behind the API's own address, in the name of the visitor's key; afterwards the page is shown anew and says
what was done. What cannot be done is said there too, and nothing that was typed has done anything.
"""

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Annotated

from litestar import post
from litestar.enums import RequestEncodingType
from litestar.exceptions import PermissionDeniedException
from litestar.params import Body
from litestar.response import Redirect

from service.core.decide.model import Answer
from service.core.errors import GovernorError
from service.store.keys import Role
from service.web.api.campaigns import readopted
from service.web.api.holds import NewHold, ended, placed
from service.web.api.plans import answered
from service.web.asked import Id, TheApp
from service.web.auth import ROLE
from service.web.dashboard.frame import back_to
from service.web.dashboard.session import TheVisitor, ours
from service.web.problems import kind_of

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
OPERATOR = {ROLE: Role.OPERATOR}

TERMS = {
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
    "3d": timedelta(days=3),
    "7d": timedelta(days=7),
    "28d": timedelta(days=28),
}
"""How long a hold may be asked to last; whatever else is said, until it is ended."""


@post("/decisions/{decision_id:str}/approval", opt=OPERATOR)
async def approve(app: TheApp, visitor: TheVisitor, decision_id: Id, data: Form) -> Redirect:
    """Say yes."""
    done = answered(app, visitor.key, decision_id, Answer.APPROVED, data.get("reason", ""))
    return await _after(done, data, "Approved. The next run carries it out, if it is still what the rules want.")


@post("/decisions/{decision_id:str}/rejection", opt=OPERATOR)
async def reject(app: TheApp, visitor: TheVisitor, decision_id: Id, data: Form) -> Redirect:
    """Say no."""
    done = answered(app, visitor.key, decision_id, Answer.REJECTED, data.get("reason", ""))
    return await _after(done, data, "Rejected. It is asked again once the rules want something else.")


@post("/clinics/{clinic:str}/holds", opt=OPERATOR)
async def hold(app: TheApp, visitor: TheVisitor, clinic: Id, data: Form) -> Redirect:
    """Leave a campaign, or the whole clinic, alone."""
    campaign, until = data.get("campaign") or None, _until(app.clock(), data.get("term", ""))
    done = placed(app, visitor.key, clinic, NewHold(data.get("reason", "")[:500], campaign, None, until))
    return await _after(done, data, f"Held: {campaign or 'the whole clinic'} is left alone from now on.")


@post("/holds/{hold_id:str}/end", opt=OPERATOR)
async def unhold(app: TheApp, visitor: TheVisitor, hold_id: Id, data: Form) -> Redirect:
    """End a hold."""
    return await _after(ended(app, visitor.key, hold_id), data, "The hold is ended. The rules decide again with the next run.")


@post("/clinics/{clinic:str}/campaigns/{campaign:str}/readopt", opt=OPERATOR)
async def readopt(app: TheApp, visitor: TheVisitor, clinic: Id, campaign: Id, data: Form) -> Redirect:
    """Hand a campaign back to the rules."""
    done = readopted(app, visitor.key, clinic, campaign)
    return await _after(done, data, f"{campaign} is the rules' again, as it stands on its platform now.")


HANDLERS = (approve, reject, hold, unhold, readopt)


def _until(now: datetime, term: str) -> datetime | None:
    return now + TERMS[term] if term in TERMS else None


async def _after(done: Awaitable[object], data: dict[str, str], said: str) -> Redirect:
    """The page that the form was on, with what came of it."""
    try:
        await done
    except PermissionDeniedException as error:
        said = f"Not done: {error.detail}"
    except GovernorError as error:
        said = f"Not done: {kind_of(error).detail or error}"
    return back_to(ours(data.get("back", "/")), said)
