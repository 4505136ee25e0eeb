"""Holds: a person's word to leave a clinic, or part of it, alone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import delete, get, post
from litestar.exceptions import PermissionDeniedException
from litestar.params import JSONBody

from service.app import App
from service.core.decide import model
from service.holding import place
from service.store.keys import Key, Role
from service.web.asked import Id, TheApp, TheKey, utc
from service.web.auth import ROLE, administers, demand
from service.web.problems import problems
from service.web.repeating import Repeatable

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Name = Annotated[str, msgspec.Meta(max_length=200)]


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold in force. `clinic` null: on everything; `until` null: until ended; `campaign` or `service` may narrow it."""

    id: str
    clinic: str | None
    campaign: str | None
    service: str | None
    until: datetime | None
    reason: str
    by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Holds:
    """The holds in force for a clinic, oldest first, those on everything included."""

    items: tuple[Hold, ...]


class NewHold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to leave alone (the whole clinic, or one campaign, or one service), why, and until when (null: until ended).

    A struct, because a dataclass lets unknown fields pass: a misspelt `campaign` would hold the whole clinic.
    """

    reason: Text
    campaign: Name | None = None
    service: Name | None = None
    until: datetime | None = None


@get("/clinics/{clinic:str}/holds", operation_id="listHolds", tags=["holds"], responses=problems(404))
async def list_holds(app: TheApp, clinic: Id) -> Holds:
    """The holds in force for the clinic."""
    return await holds_now(app, clinic)


async def holds_now(app: App, clinic: str) -> Holds:
    """The holds in force for a clinic."""
    return Holds(tuple(map(_hold, await app.store.holds.holds(clinic, app.clock()))))


@post(
    "/clinics/{clinic:str}/holds",
    operation_class=Repeatable,
    operation_id="hold",
    tags=["holds"],
    opt={ROLE: Role.OPERATOR},
    responses=problems(404, 422),
)
async def hold(app: TheApp, key: TheKey, clinic: Id, data: JSONBody[NewHold]) -> Hold:
    """Leave the clinic, or part of it, alone from the next write on."""
    return await placed(app, key, clinic, data)


async def placed(app: App, key: Key, clinic: str, data: NewHold) -> Hold:
    """A hold, placed in the name of a key. Raises InputError."""
    now, until = app.clock(), utc("until", data.until)
    made = model.Hold(
        id=app.governor.new_id(),
        clinic=clinic,
        until=until,
        reason=data.reason.strip(),
        by=key.name,
        made_at=now,
        campaign=data.campaign,
        service=data.service,
    )
    await place(app.governor, made)
    return _hold(made)


@delete("/holds/{hold_id:str}", operation_id="unhold", tags=["holds"], opt={ROLE: Role.OPERATOR}, responses=problems(404))
async def unhold(app: TheApp, key: TheKey, hold_id: Id) -> None:
    """End a hold; the rules decide again from the next run on. One on everything takes an admin's key to every clinic."""
    await ended(app, key, hold_id)


async def ended(app: App, key: Key, hold_id: str) -> None:
    """End a hold in the name of a key. Raises NotFoundError, PermissionDeniedException."""
    found = await app.store.holds.get(hold_id)
    if found.clinic is not None:
        demand(key, found.clinic)
    elif not administers(key):
        raise PermissionDeniedException("a hold on everything is ended by an admin's key to every clinic")
    await app.store.holds.unhold(hold_id, key.name, app.clock())


HANDLERS = (list_holds, hold, unhold)


def _hold(hold: model.Hold) -> Hold:
    return Hold(hold.id, hold.clinic, hold.campaign, hold.service, hold.until, hold.reason, hold.by, hold.made_at)
