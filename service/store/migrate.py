"""Migrations, run by the program itself: there is no command for an operator to forget.

Alembic is loaded only here. On SQLite and PostgreSQL a migration is one transaction, and two processes that start at once
take turns.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from service.store.database import Database

_TURN = 7_215_833_410
"""The key of PostgreSQL's advisory lock under which one process at a time migrates; SQLite's write lock does it there."""


async def migrate(database: Database) -> None:
    """Bring the tables up to this version. Raises StoreError."""
    async with database.writing() as conn:
        await conn.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - needed once, at start
    from alembic.config import Config  # noqa: PLC0415 - likewise

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})
    config = Config()
    config.set_main_option("script_location", "service.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
