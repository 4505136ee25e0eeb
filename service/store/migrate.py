"""Migrations, run by the program itself when it starts: there is no command that an operator could forget.

Alembic is loaded only here. On SQLite and PostgreSQL a migration is one transaction, and processes that start at once take
turns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from service.core.errors import StoreError
from service.store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

_TURN = 7_215_833_410
"""The key of PostgreSQL's advisory lock under which one process at a time migrates; SQLite's write lock does it there."""

_ALONE = (
    "SET LOCAL lock_timeout = 0",  # for as long as those before us take
    "SET LOCAL statement_timeout = 0",
    f"SELECT pg_advisory_xact_lock({_TURN})",
)


@dataclass(frozen=True, slots=True)
class Migrated:
    """The revisions of a database before (None: it was empty) and now."""

    before: str | None
    now: str


async def migrate(database: Database) -> Migrated:
    """Bring the tables up to this version. Raises StoreError, also for a database that a later version has migrated."""
    async with database.writing() as conn:
        return await conn.run_sync(_upgrade)


def _upgrade(connection: Connection) -> Migrated:
    from alembic import command  # noqa: PLC0415 - needed once, at start
    from alembic.config import Config  # noqa: PLC0415 - likewise

    if connection.dialect.name == "postgresql":
        for statement in _ALONE:
            connection.execute(text(statement))
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
