"""Migrations, run by the program itself when it starts: there is no command that an operator could forget.

Alembic is loaded only here. On SQLite and PostgreSQL a migration is one transaction, and processes that start at once take
turns.

On PostgreSQL whoever wants a table to himself is queued, and everybody else is queued behind him, also those who only want to
read. So a migration waits for a table briefly, and otherwise undoes what it did, lets the others go first and tries again: a
service that is running is slowed down, never stopped.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from service.core.errors import StoreError
from service.store.database import Database
from service.store.undisturbed import to_the_end

if TYPE_CHECKING:
    from alembic.config import Config

_TURN = 7_215_833_410
"""The key of PostgreSQL's advisory lock under which one process at a time migrates; SQLite's write lock does it there."""

PATIENCE_MILLISECONDS = 5_000
"""How long a table may be waited for, and others behind us."""

TRIES = 60
NAP_SECONDS = 5.0
"""Between two tries: who was queued behind us is done by then. All of them take ten minutes at most."""

_ALONE = (
    "SET LOCAL lock_timeout = 0",  # for as long as those before us take
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",  # between two statements, what is there is rewritten here
    f"SELECT pg_advisory_xact_lock({_TURN})",
)

_IN_USE = frozenset({"55P03", "40P01"})
"""PostgreSQL's codes of a lock that was not to be had in time, and of two who waited for each other."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """The revisions of a database before (None: it was empty) and now."""

    before: str | None
    now: str


async def migrate(database: Database) -> Migrated:
    """Bring the tables up to this version. Raises StoreError, also for a database that a later version has migrated."""
    for _ in range(TRIES):
        try:
            return await _try(database)
        except StoreError as error:
            if not _in_use(error):
                raise
            last = error
        await asyncio.sleep(NAP_SECONDS)
    raise StoreError(
        f"the database is not migrated: somebody has been using its tables all the time ({last}). Nothing was changed. "
        "In pg_stat_activity are the transactions under way, the oldest by xact_start: let it end, or end it with "
        "pg_terminate_backend, and migrate again"
    ) from last


@to_the_end
async def _try(database: Database) -> Migrated:
    async with database.writing() as conn:
        return await conn.run_sync(_upgrade)


def _in_use(error: StoreError) -> bool:
    return getattr(getattr(error.__cause__, "orig", None), "sqlstate", None) in _IN_USE


def _upgrade(connection: Connection) -> Migrated:
    from alembic import command  # noqa: PLC0415 - needed once, at start
    from alembic.config import Config  # noqa: PLC0415 - likewise

    if connection.dialect.name == "postgresql":
        for statement in _ALONE:
            connection.execute(text(statement))
        connection.execute(text(f"SET LOCAL lock_timeout = {PATIENCE_MILLISECONDS}"))
    config = Config()
    config.set_main_option("script_location", "service.store:migrations")
    config.attributes["connection"] = connection
    found = _revisions(config, connection)
    command.upgrade(config, "head")
    return found


def _revisions(config: Config, connection: Connection) -> Migrated:
    from alembic.migration import MigrationContext  # noqa: PLC0415 - as above
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    before = MigrationContext.configure(connection).get_current_revision()
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    if before is not None and before not in known:
        raise StoreError(
            f"the database is of revision {before}, and this version of the program knows none after {known[0]}: "
            "a later version has been at work on it; start that one, or restore a copy of the database from before"
        )
    return Migrated(before, known[0])
