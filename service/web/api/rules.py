"""`/v1/clinics/{clinic}/rules` and `/v1/rules/check`: the rule file in force, and what a text would be refused for."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import JSONBody

from service.core.model import Mode
from service.core.rules.language import RuleSet
from service.rulefiles.source import check
from service.store.keys import Role
from service.web.api.clinics import note
from service.web.asked import Id, TheApp
from service.web.auth import ROLE
from service.web.governed import rules_now
from service.web.problems import FileProblem, problems
from service.web.repeating import Repeatable

UNNAMED = "rules"
"""What a text without a file name is called in its problems; without `.yaml`, its clinic is not compared with the name."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The revision in force (null before the first good file), and why the file on disk is refused, if it is.

    `digest` is the SHA-256 of the file's bytes, in hex; decisions name it.
    """

    clinic: str
    digest: str | None
    loaded_at: datetime | None
    text: str | None
    pending_digest: str | None
    problems: tuple[FileProblem, ...]
    note: str | None


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule file to be checked. `clinic`, if given, must be the one that the text is for."""

    text: str
    clinic: Annotated[str, msgspec.Meta(max_length=100)] | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What a good rule file states, in short."""

    clinic: str
    name: str
    digest: str
    mode: Mode
    currency: str
    services: int
    campaigns: int
    rules: int


@get("/clinics/{clinic:str}/rules", operation_id="getRules", tags=["rules"], responses=problems(404))
async def get_rules(app: TheApp, clinic: Id) -> Rules:
    """The rule file in force, word for word, and what is wrong with the one on disk if it is refused."""
    now = await rules_now(app, clinic)
    digest = now.rules.digest if now.rules else None
    return Rules(clinic, digest, now.loaded_at, now.text, now.pending, now.problems, note(now))


@post(
    "/rules/check",
    operation_class=Repeatable,
    operation_id="checkRules",
    tags=["rules"],
    status_code=200,
    opt={ROLE: Role.VIEWER},
    responses=problems(413, 422),
)
async def check_rules(app: TheApp, data: JSONBody[Text]) -> Checked:
    """Check a rule file without putting it in force; a refused one is a 422 with every problem and its line."""
    name = f"{data.clinic}.yaml" if data.clinic else UNNAMED
    found = await asyncio.to_thread(_checked, app, data.text, name)
    return Checked(
        clinic=found.clinic,
        name=found.name,
        digest=found.digest,
        mode=found.mode,
        currency=found.currency,
        services=len(found.services),
        campaigns=len(found.campaigns),
        rules=len(found.rules),
    )


def _checked(app: TheApp, text: str, name: str) -> RuleSet:
    return check(text, name, app.directory.packs())


HANDLERS = (get_rules, check_rules)
