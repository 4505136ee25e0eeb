"""Which revision of a clinic's rule file is in force.

A good file takes effect with the next run and is kept in the database; a bad one is refused whole, recorded once, and the
last good revision stays in force. An edit is taken only once nobody has written to it for some seconds: half of a file may be
a good file, with half of the rules.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from service.core.errors import GovernorError, InputError, NotFoundError, RuleFileError
from service.core.rules.language import RuleSet
from service.rulefiles.directory import RuleDirectory
from service.store.store import Store

SETTLED = 2.0
"""Seconds without a write after which a file is taken to be saved."""

PATIENCE = 10
"""So often a file that is being written to is looked at again, before the run goes by the rules it had."""


@dataclass(frozen=True, slots=True)
class Revision:
    """The rules in force, their text, and what is wrong with the file on disk if it was refused or is gone."""

    rules: RuleSet
    text: str
    problem: str = ""


async def in_force(store: Store, directory: RuleDirectory, clinic: str, now: datetime, *, record: bool = True) -> Revision:
    """The newest good revision of a clinic's file; raises what is wrong where there never was a good one.

    With `record`, a file that is new is put in force, or recorded as refused.
    """
    if not await _saved(store, directory, clinic):
        return await _last_good(store, clinic, InputError(f"the rule file of {clinic} is being written to all the time"))
    try:
        loaded = directory.load(clinic)
    except RuleFileError as error:
        if record:
            await store.rules.reject_rules(clinic, directory.digest(clinic), error.problems, now)
        return await _last_good(store, clinic, error)
    except (NotFoundError, InputError) as error:
        return await _last_good(store, clinic, error)
    if record:
        await store.rules.save_rules(clinic, loaded.digest, loaded.text, loaded.rules, now)
    return Revision(loaded.rules, loaded.text)


async def _saved(store: Store, directory: RuleDirectory, clinic: str) -> bool:
    """Wait until an edit of what is in force is saved; False where that does not come to an end."""
    for _ in range(PATIENCE):
        if (age := directory.age(clinic)) >= SETTLED:
            return True
        known = await store.rules.rules_in_force(clinic)
        if known is None or known.rules.digest == _digest(directory, clinic):
            return True
        await asyncio.sleep(SETTLED - age)
    return False


def _digest(directory: RuleDirectory, clinic: str) -> str:
    try:
        return directory.digest(clinic)
    except (NotFoundError, InputError):
        return ""


async def _last_good(store: Store, clinic: str, error: GovernorError) -> Revision:
    known = await store.rules.rules_in_force(clinic)
    if known is None:
        raise error
    return Revision(known.rules, known.text, str(error))


async def governed(store: Store, directory: RuleDirectory) -> tuple[str, ...]:
    """Every clinic with a file, and every clinic that ever had a good one, in alphabetical order.

    A rule directory that is gone ends nobody's rules; raises `InputError` where there never were any.
    """
    known = await store.rules.clinics()
    try:
        found = directory.clinics()
    except InputError:
        if not known:
            raise
        found = []
    return tuple(sorted({*found, *known}))
