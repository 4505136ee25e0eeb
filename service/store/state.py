"""What is remembered between runs: rule states, standings, and what was learnt of the clinic's Cliniko.

A run works on what it read when it began. Where a person changed a campaign's standing meanwhile (`readopt`), that is newer
than what the run concluded from the old one, and stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, Table, bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.decide.model import RuleState, Standing
from service.core.roster import NO_NUMBERS, DayNumbers
from service.store import documents, tables
from service.store.database import Database, alone, insert_or_replace
from service.store.leases import demand
from service.store.ledger import Entry, append
from service.store.undisturbed import at_once, undisturbed

T = TypeVar("T")

_NUMBERS = select(tables.day_numbers.c.body).where(tables.day_numbers.c.clinic == bindparam("of"))


@undisturbed
class Memory:
    """Rule states, keyed `<service>/<rule>`, and standings, keyed by campaign, of each clinic."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @at_once
    async def rule_states(self, clinic: str) -> dict[str, RuleState]:
        """What each rule remembers about each service."""
        return await self._database.read(lambda conn: rule_states(conn, clinic))

    @at_once
    async def standings(self, clinic: str) -> dict[str, Standing]:
        """What is remembered about each campaign, those that left the rule file included."""
        return await self._database.read(lambda conn: standings(conn, clinic))

    @at_once
    async def names(self, clinic: str) -> dict[str, tuple[str, ...]]:
        """What the names of the rule file were in Cliniko when they last were anything (`core.known_names`)."""
        return await self._database.read(lambda conn: _read(conn, tables.known_name, tuple[str, ...], clinic))

    async def set_standing(
        self, clinic: str, campaign: str, standing: Standing, entry: Entry | None = None, *, fence: int | None = None
    ) -> None:
        """Replace what is remembered about a campaign; `entry` is recorded with it (a `readopt`, say).

        With a `fence` only by whom the clinic's lease is. Raises LeaseLostError.
        """
        async with self._database.writing() as conn:
            if fence is not None:
                await demand(conn, clinic, fence)
            await put_standings(conn, clinic, {campaign: standing})
            if entry:
                await append(conn, clinic, entry.kind, entry.body, entry.at)


def rule_states(conn: Connection, clinic: str) -> dict[str, RuleState]:
    """What each rule remembers about each service."""
    return _read(conn, tables.rule_state, RuleState, clinic)


def standings(conn: Connection, clinic: str) -> dict[str, Standing]:
    """What is remembered about each campaign, those that left the rule file included."""
    return _read(conn, tables.standing, Standing, clinic)


def numbers(conn: Connection, clinic: str) -> DayNumbers:
    """What runs have seen of how the clinic's Cliniko numbers days."""
    body = conn.scalar(_NUMBERS, {"of": clinic})
    return NO_NUMBERS if body is None else documents.load(DayNumbers, body)


def _read(conn: Connection, table: Table, kind: type[T], clinic: str) -> dict[str, T]:
    return _values(kind, conn.execute(_of_clinic(table), {"of": clinic}).all())


async def put_standings(conn: AsyncConnection, clinic: str, new: Mapping[str, Standing]) -> None:
    """Replace what is remembered about campaigns, in this write transaction."""
    await alone(conn, f"standings {clinic}")
    await _replace(conn, tables.standing, Standing, clinic, {}, new)


async def advance_standings(
    conn: AsyncConnection, clinic: str, before: Mapping[str, Standing], after: Mapping[str, Standing]
) -> None:
    """Move from the standings a run began with to those it concluded, except where they are no longer the former."""
    await alone(conn, f"standings {clinic}")
    now = await _remembered(conn, tables.standing, Standing, clinic)
    untouched = {name for name in before.keys() | after.keys() if now.get(name) == before.get(name)}
    await _replace(conn, tables.standing, Standing, clinic, _of(untouched, before), _of(untouched, after))


async def replace_rule_states(
    conn: AsyncConnection, clinic: str, before: Mapping[str, RuleState], after: Mapping[str, RuleState]
) -> None:
    """Put the rule states a run concluded in the place of those it began with."""
    await _replace(conn, tables.rule_state, RuleState, clinic, before, after)


async def replace_names(
    conn: AsyncConnection, clinic: str, before: Mapping[str, tuple[str, ...]], after: Mapping[str, tuple[str, ...]]
) -> None:
    """Put what a run knows of the rule file's names in the place of what it began with."""
    if before != after:
        await _replace(conn, tables.known_name, tuple[str, ...], clinic, before, after)


async def replace_numbers(conn: AsyncConnection, clinic: str, before: DayNumbers, after: DayNumbers) -> None:
    """Put what a run has seen of how days are numbered in the place of what it began with."""
    if before != after:
        await conn.execute(delete(tables.day_numbers).where(tables.day_numbers.c.clinic == clinic))
        row = {"clinic": clinic, "body": documents.dump(DayNumbers, after).decode()}
        await conn.execute(insert(tables.day_numbers).values(row))


def _of(names: set[str], values: Mapping[str, T]) -> dict[str, T]:
    return {name: value for name, value in values.items() if name in names}


async def _remembered(conn: AsyncConnection, table: Table, kind: type[T], clinic: str) -> dict[str, T]:
    return _values(kind, (await conn.execute(_of_clinic(table), {"of": clinic})).all())


@cache
def _of_clinic(table: Table) -> Select[Any]:
    """Every run asks several times: the statement is made once."""
    _, name, body = tuple(table.c)
    return select(name, body).where(table.c.clinic == bindparam("of")).order_by(name)


def _values(kind: type[T], rows: Iterable[Any]) -> dict[str, T]:
    """The values of rows of a key and JSON, read in one go."""
    together = ",".join(f"{json.dumps(key)}:{text}" for key, text in rows)
    return documents.load(dict[str, kind], f"{{{together}}}")  # type: ignore[valid-type] # a type at run time


async def _replace(
    conn: AsyncConnection, table: Table, kind: type[T], clinic: str, before: Mapping[str, T], after: Mapping[str, T]
) -> None:
    """Only what has changed is written."""
    _, name, body = tuple(table.c)
    if gone := sorted(before.keys() - after.keys()):
        await conn.execute(delete(table).where(table.c.clinic == clinic, name.in_(gone)))
    new = {key: value for key, value in after.items() if key not in before or before[key] != value}
    rows = [{"clinic": clinic, name.name: key, body.name: documents.dump(kind, value).decode()} for key, value in new.items()]
    if rows:
        await conn.execute(insert_or_replace(conn, table), rows)
