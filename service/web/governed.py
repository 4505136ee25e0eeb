"""Which clinics there are, and how the rule file of one stands: read-only, for answers.

A run takes a changed file up and records what it did; a question about it changes nothing. So between two runs the file on
disk can be newer than the revision in force, and the answer says both.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from service.app import App
from service.core.errors import InputError, NotFoundError, RuleFileError
from service.core.rules.language import RuleSet
from service.revisions import governed, refuse_cut_short
from service.rulefiles.directory import RuleDirectory
from service.store.rules import Rejection, Revision
from service.web.problems import FileProblem, file_problem, file_problems

OnDisk = tuple[str | None, tuple[FileProblem, ...]]
"""The digest of a good file that is not in force yet, and the problems of a bad one."""


@dataclass(frozen=True, slots=True)
class RulesNow:
    """A clinic's rules: the revision in force (None: there never was a good one), and the file on disk beside it.

    `pending` is the digest of a good file that the next run will put in force; `problems` is why the file on disk will not.
    """

    clinic: str
    rules: RuleSet | None
    text: str | None
    loaded_at: datetime | None
    pending: str | None = None
    problems: tuple[FileProblem, ...] = ()


async def clinics(app: App) -> tuple[str, ...]:
    """Every governed clinic, in alphabetical order; without a rule directory, those that are known from before."""
    try:
        return await governed(app.store, app.directory)
    except InputError:
        return await app.store.rules.clinics()


async def is_governed(app: App, clinic: str) -> bool:
    """Whether there is such a clinic."""
    return app.directory.has(clinic) or clinic in await app.store.rules.clinics()


async def rules_now(app: App, clinic: str) -> RulesNow:
    """How a clinic's rule file stands."""
    known = await app.store.rules.rules_in_force(clinic)
    rejected = await app.store.rules.rejected_rules(clinic)
    pending, problems = await asyncio.to_thread(_on_disk, app.directory, clinic, known, rejected)
    if known is None:
        return RulesNow(clinic, None, None, None, pending, problems)
    return RulesNow(clinic, known.rules, known.text, known.loaded_at, pending, problems)


def _on_disk(directory: RuleDirectory, clinic: str, known: Revision | None, rejected: Rejection | None) -> OnDisk:
    """What the file says, read only if it is neither the one in force nor the one last refused."""
    name = f"{clinic}.yaml"
    try:
        source = directory.read(clinic)
        digest = directory.digest_of(source)
        if known and digest == known.rules.digest:
            return None, ()
        if rejected and digest == rejected.digest:
            return None, tuple(map(file_problem, rejected.problems))
        refuse_cut_short(source, directory.loaded(source), known)
    except RuleFileError as error:
        return None, file_problems(error)
    except NotFoundError:
        return None, (FileProblem(name, None, "the file is gone", "put it back"),)
    except InputError:
        return None, (FileProblem(name, None, "the file cannot be read", "see that the service may read it"),)
    return digest, ()
