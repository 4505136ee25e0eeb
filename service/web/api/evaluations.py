"""`/v1/clinics/{clinic}/evaluations`: a run now, on somebody's word."""

from dataclasses import dataclass

import msgspec
from litestar import post
from litestar.params import JSONBody

from service.store.keys import Role
from service.web.answers import Change, Decision, change, decision
from service.web.asked import Id, TheApp, TheKey
from service.web.auth import ROLE
from service.web.problems import problems
from service.web.repeating import Repeatable


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A dry run observes and decides; it neither records nor changes anything."""

    dry_run: bool


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a run came to. `status` is `finished`, `incomplete` (something could not be read or written) or `dry_run`.

    `problems` are sentences; a dry run's `run` cannot be asked for again.
    """

    run: str
    clinic: str
    status: str
    decisions: tuple[Decision, ...]
    changes: tuple[Change, ...]
    problems: tuple[str, ...]


@post(
    "/clinics/{clinic:str}/evaluations",
    operation_class=Repeatable,
    operation_id="evaluate",
    tags=["runs"],
    status_code=200,
    opt={ROLE: Role.OPERATOR},
    responses=problems(404, 409, 422),
)
async def evaluate(app: TheApp, key: TheKey, clinic: Id, data: JSONBody[Wanted]) -> Evaluation:
    """Evaluate the clinic now and answer when it is done; 409 while another run of it is under way."""
    report = await app.governor.run(clinic, dry_run=data.dry_run, by=key.name)
    made = () if data.dry_run else await app.store.intents.of_run(report.run)
    return Evaluation(
        run=report.run,
        clinic=clinic,
        status=report.status,
        decisions=tuple(map(decision, report.decisions)),
        changes=tuple(map(change, made)),
        problems=report.problems,
    )


HANDLERS = (evaluate,)
