"""What tests need to know of the backends: which are about one of them alone, and raw SQL that each understands."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from service.store.database import Database

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
"""For what is SQLite's own: its file, its locks, its plans, and that it takes a value of any type in any column."""

on_postgresql = pytest.mark.parametrize("url", ["postgresql"], indirect=True)
"""For what is PostgreSQL's own: many writers, a server that may be gone, and more ways to remove a row."""

GUARDED = {"ledger": "id", "checkpoint": "chain, seq", "chain": "name"}
"""The tables that guard themselves, and their keys."""


async def execute(url: str, *statements: str) -> None:
    """Raw SQL, by way of no code of the store's but its connection."""
    database = Database(url)
    try:
        async with database.writing() as conn:
            for statement in statements:
                await conn.execute(text(_understood(statement, conn.dialect.name)))
    finally:
        await database.aclose()


async def damage(url: str, *statements: str) -> None:
    """Reach past the guards, as somebody with the file in hand, or who owns the tables, could."""
    database = Database(url)
    try:
        async with database.writing() as conn:
            if conn.dialect.name == "postgresql":
                for table in GUARDED:
                    await conn.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            else:
                for name in (await conn.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))).all():
                    await conn.execute(text(f"DROP TRIGGER {name}"))
            for statement in statements:
                await conn.execute(text(statement))
    finally:
        await database.aclose()


def _understood(statement: str, dialect: str) -> str:
    """SQLite's `INSERT OR REPLACE`, as PostgreSQL has it."""
    start = "INSERT OR REPLACE INTO "
    if dialect == "sqlite" or not statement.startswith(start):
        return statement
    rest = statement.removeprefix(start)
    return f"INSERT INTO {rest} ON CONFLICT ({GUARDED[rest.split()[0]]}) DO UPDATE SET hash = excluded.hash, seq = excluded.seq"
