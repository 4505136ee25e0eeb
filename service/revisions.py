"""Which revision of a clinic's rule file is in force.

A good file takes effect with the next run and is kept in the database; a bad one is refused whole, recorded once, and the
last good revision stays in force. Half of a file may be a good file, with half of the rules. So a text that is not yet in
force, the very first one too, is taken only if two looks some time apart read the same, and what was read is what is loaded;
and one that is no more than the beginning of the text in force is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from service.core.errors import GovernorError, InputError, NotFoundError, RuleFileError
from service.core.rules.language import RuleSet
from service.rulefiles.directory import LoadedFile, RuleDirectory
from service.rulefiles.saving import cut_short
from service.rulefiles.source import Source
from service.store.rules import Revision as Kept
from service.store.store import Store

PATIENCE = 10
"""So often a file that goes on changing is looked at again, before the run goes by the rules it had."""


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
    known = await store.rules.in_force(clinic)
    digest = known.digest if known else None
    try:
        source, at_once = await _saved(directory, clinic, digest)
    except (NotFoundError, InputError) as error:
        return await _last_good(store, clinic, error)
    try:
        loaded = directory.loaded(source)
        if loaded.digest != digest:
            refuse_cut_short(source, loaded, await store.rules.rules_in_force(clinic))
    except RuleFileError as error:
        if record:
            await store.rules.reject_rules(clinic, source.digest, error.problems, now)
        return await _last_good(store, clinic, error)
    if record:
        await store.rules.save_rules(clinic, loaded.digest, loaded.text, loaded.rules, now, known if at_once else None)
    return Revision(loaded.rules, loaded.text)


def look_over(directory: RuleDirectory, clinics: Iterable[str]) -> None:
    """A first look at the files of many clinics, so that they are waited for together and not one after the other."""
    for clinic in clinics:
        with suppress(NotFoundError, InputError):
            directory.look(clinic)


def refuse_cut_short(source: Source, loaded: LoadedFile, known: Kept | None) -> None:
    """Raise `RuleFileError` where what was loaded from `source` may only be part of what was to be saved over `known`."""
    if known is not None and (problems := cut_short(source, loaded.rules, known.rules, known.text)):
        raise RuleFileError(problems)


async def _saved(directory: RuleDirectory, clinic: str, known: str | None) -> tuple[Source, bool]:
    """What lies on disk, once it is what is in force or has been read twice, and whether nobody had to wait for that.

    Raises `InputError` where it goes on changing.
    """
    for times in range(PATIENCE):
        source, stood = directory.look(clinic)
        if stood >= directory.settle or source.digest == known:
            return source, times == 0
        await asyncio.sleep((directory.settle - stood).total_seconds())
    raise InputError(f"the rule file of {clinic} is being written to all the time; see what writes to {source.file}")


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
