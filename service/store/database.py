"""The border to the database: connections, the two kinds of transaction, its errors in our words.

SQLite has one writer at a time. A write transaction therefore takes the write lock when it begins (BEGIN IMMEDIATE), so that
what it read cannot change before it writes; within a process writers queue in order of arrival rather than by polling. Every
read transaction sees one state of the database throughout.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Insert, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, InvalidRequestError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from service.core.errors import SettingsError, StoreError
from service.monitor import DatabaseFailed, Monitor
from service.store.one_trip import OneTrip

T = TypeVar("T")

BUSY_MILLISECONDS = 30_000
"""How long another process may hold the write lock before we give up."""

READERS = 2
"""Threads that read at once with SQLite. Most of what they do is Python's: more would take the interpreter from each other."""

BRIEF = 20_000
"""Steps of SQLite's machine, about two milliseconds of them, that a statement may take while everything else waits."""

NOT_BRIEF = frozenset({sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

_WRITES = "governor_writes"
_text = partial(str, encoding="utf-8", errors="replace")


class Database:
    """One database. It opens its connections when they are first needed."""

    def __init__(self, url: str, monitor: Monitor | None = None) -> None:
        self._monitor = monitor or Monitor()
        self._engine = _engine(url)
        sqlite = self._engine.dialect.name == "sqlite"
        self._readers = self._engine if sqlite else self._engine.execution_options(isolation_level="REPEATABLE READ")
        self._writers = self._engine.execution_options(**{_WRITES: True})
        self._at_once = _sync_engine(url, _prepare_sqlite) if sqlite else None
        self._briefly = _sync_engine(url, _prepare_briefly) if sqlite else None
        self._threads = ThreadPoolExecutor(READERS, "reader")
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads. Raises StoreError."""
        with self._counted():
            async with self._readers.connect() as conn:
                yield conn

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` reads by one statement. Raises StoreError.

        As `reading`, for what is asked for often. One statement sees one state of the database without being told where it
        begins and ends; and with SQLite most take less time than it takes to wake a thread for them. So it is done on the spot,
        as long as that is brief and waits for nobody, and by a thread if it turns out not to be.
        """
        if self._at_once is None or self._briefly is None:
            async with self.reading() as conn:
                return await conn.run_sync(work)
        with self._counted():
            try:
                return _read_briefly(self._briefly, work)
            except _NotBriefError:
                return await asyncio.get_running_loop().run_in_executor(self._threads, _read, self._at_once, work)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes: committed as a whole when the block ends, rolled back if it raises. Raises StoreError."""
        with self._counted():
            async with self._turn, self._writers.begin() as conn:
                yield conn

    async def ping(self) -> None:
        """Ask the database for a sign of life. Raises StoreError."""
        async with self.reading() as conn:
            await conn.execute(text("SELECT 1"))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
        if self._at_once is not None:
            self._threads.shutdown(wait=False)
            self._at_once.dispose()
        if self._briefly is not None:
            self._briefly.dispose()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            with translated():
                yield
        except StoreError:
            self._monitor.happened(DatabaseFailed())
            raise


class _NotBriefError(Exception):
    """A statement that takes too long, or would have to wait, to be done while everything else does."""


def _read(engine: Engine, work: Callable[[Connection], T]) -> T:
    with translated(), engine.connect() as conn:
        return work(conn)


def _read_briefly(engine: Engine, work: Callable[[Connection], T]) -> T:
    try:
        return _read(engine, work)
    except StoreError as error:
        code = getattr(getattr(error.__cause__, "orig", None), "sqlite_errorcode", 0)
        if code % 256 in NOT_BRIEF:  # SQLite's more precise codes are these, and something times 256
            raise _NotBriefError from error
        raise


def insert_absent(conn: AsyncConnection, table: Table) -> Insert:
    """An insert that leaves rows alone whose key is there already, also where another process puts it there meanwhile."""
    if conn.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


@contextmanager
def translated() -> Iterator[None]:
    """SQLAlchemy's exceptions as ours. The statement's parameters are left out: they may hold what is nobody's business."""
    try:
        yield
    except StatementError as error:
        where = "; GOVERNOR_DATABASE_URL says where it is" if "unable to open" in str(error.orig) else ""
        raise StoreError(f"the database refused: {error.orig}{where}") from error
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"the database cannot be used: {error}") from error


def _engine(url: str) -> AsyncEngine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
            raise SettingsError(
                "GOVERNOR_DATABASE_URL: readers and the writer need a file to share, such as sqlite+aiosqlite:///governor.db"
            )
        if parsed.get_backend_name() == "sqlite":
            _demand_folder(Path(parsed.database or ""))
        ours = {"module": OneTrip()} if parsed.drivername == "sqlite+aiosqlite" else {}
        engine = create_async_engine(parsed, hide_parameters=True, **ours)
    except (ArgumentError, InvalidRequestError, ModuleNotFoundError) as error:
        raise SettingsError(f"GOVERNOR_DATABASE_URL: {error}; write sqlite+aiosqlite:///FILE") from error
    except ValueError:  # a part of the password, taken for the port, is what its text would quote
        message = "GOVERNOR_DATABASE_URL: its port is no number; if the password has an @, a : or a /, percent-encode that"
        raise SettingsError(message) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _sync_engine(url: str, prepare: Callable[[Any, object], None]) -> Engine:
    """For SQLite: connections that block."""
    engine = create_engine(make_url(url).set(drivername="sqlite"), hide_parameters=True, pool_reset_on_return=None)
    event.listen(engine, "connect", prepare)
    return engine


def _demand_folder(file: Path) -> None:
    """Refuse what no file could be made of, before the driver's thread finds out."""
    if not file.parent.is_dir():
        raise SettingsError(f"GOVERNOR_DATABASE_URL: there is no folder {file.parent}; make it, or name another")
    if file.is_dir():
        raise SettingsError(f"GOVERNOR_DATABASE_URL: {file} is a folder; name a file in it, such as {file}/governor.db")


def _prepare_sqlite(connection: Any, _: object) -> None:
    # The driver would begin transactions at moments of its own choosing (PEP 249 by way of sqlite3): we do it ourselves.
    connection.isolation_level = None
    # Text damaged on disk must reach the ledger's verification, which names it, rather than fail to decode.
    getattr(connection, "driver_connection", connection).text_factory = _text
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={BUSY_MILLISECONDS}", "journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_briefly(connection: Any, _: object) -> None:
    connection.isolation_level = None
    connection.text_factory = _text
    connection.set_progress_handler(lambda: 1, BRIEF)  # called once that many steps are done, and ends the statement
    connection.execute("PRAGMA busy_timeout=0")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITES) else "BEGIN")
