"""`/v1/clinics/{clinic}/restore`: campaigns put back as they would be without us, on somebody's word."""

from dataclasses import dataclass

import msgspec
from litestar import post
from litestar.params import JSONBody

from service.restoring import acts_again, restore
from service.store.keys import Role
from service.web.answers import Change, change
from service.web.asked import Id, TheApp, TheKey
from service.web.auth import ROLE
from service.web.problems import problems
from service.web.repeating import Repeatable


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`unlogged`: end our pauses also where the platform does not tell who changed the campaign since."""

    unlogged: bool = False


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """A campaign that carries, or carried, a change of ours and was left as it is, and why."""

    campaign: str
    why: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of a restore. `acts_again`: the next run will apply the rules again, unless a hold or the mode forbids it."""

    id: str
    clinic: str
    changes: tuple[Change, ...]
    left_alone: tuple[LeftAlone, ...]
    acts_again: bool


@post(
    "/clinics/{clinic:str}/restore",
    operation_class=Repeatable,
    operation_id="restore",
    tags=["clinics"],
    status_code=200,
    opt={ROLE: Role.OPERATOR},
    responses=problems(404, 409, 422),
)
async def restore_clinic(app: TheApp, key: TheKey, clinic: Id, data: JSONBody[Wanted]) -> Restored:
    """Put base budgets back and end our own pauses, only where our last write is still in force."""
    done = await restore(app.governor, clinic, key.name, unlogged=data.unlogged)
    made = await app.store.intents.of_run(done.id)
    alone = tuple(LeftAlone(campaign, why) for campaign, why in done.left_alone.items())
    return Restored(done.id, clinic, tuple(map(change, made)), alone, await acts_again(app.governor, clinic))


HANDLERS = (restore_clinic,)
