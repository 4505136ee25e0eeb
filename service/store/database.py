"""The border to the database: connections, the two kinds of transaction, its errors in our words.

SQLite has one writer at a time. A write transaction therefore takes the write lock when it begins (BEGIN IMMEDIATE), so that
what it read cannot change before it writes; within a process writers queue in order of arrival rather than by polling. Every
read transaction sees one state of the database throughout.

PostgreSQL has many writers (READ COMMITTED). What a write transaction goes by must hold until it ends, by one of three ways:
a single statement that says what it expects (`UPDATE ... WHERE status = 'open'`, `insert_absent`); the row, locked while it is
read (`FOR UPDATE`); or, where there may be no row yet, a lock by a name (`alone`). Locks are taken in one order, so that nobody
waits in a circle: the clinic's lease, documents, what a concern locks by itself, and last the ledger's, by appending to it.
What is merely old waits for nobody (`delete_free`).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, nullcontext
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Delete,
    Engine,
    Insert,
    String,
    Table,
    bindparam,
    create_engine,
    delete,
    event,
    func,
    make_url,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql.dml import ReturningInsert

from service.core.canonical import text_in_full
from service.core.errors import SettingsError, StoreError
from service.monitor import DatabaseFailed, Grown, Monitor
from service.store import postgresql as pg
from service.store.one_trip import OneTrip

T = TypeVar("T")

BUSY_MILLISECONDS = 30_000
"""How long another process may hold the write lock before we give up."""

READERS = 2
"""Threads that read at once with SQLite. Most of what they do is Python's: more would take the interpreter from each other."""

BRIEF = 20_000
"""Steps of SQLite's machine, about two milliseconds of them, that a statement may take while everything else waits."""

NOT_BRIEF = frozenset({sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

KNOWN = "sqlite+aiosqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"

GROWN = "governor_grown"
"""Under this name a write transaction's connection has the chains that records were appended to."""

_WRITES = "governor_writes"
_ONE_STATE = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_text = partial(str, encoding="utf-8", errors="replace")


class Database:
    """One database. It opens its connections when they are first needed."""

    def __init__(self, url: str, monitor: Monitor | None = None) -> None:
        self._monitor = monitor or Monitor()
        self._engine = _engine(url)
        sqlite = self._engine.dialect.name == "sqlite"
        self._readers = self._engine if sqlite else self._engine.execution_options(**_ONE_STATE)
        self._single = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._writers = self._engine.execution_options(**{_WRITES: True})
        self._at_once = _sync_engine(url, _prepare_sqlite) if sqlite else None
        self._briefly = _sync_engine(url, _prepare_briefly) if sqlite else None
        self._threads = ThreadPoolExecutor(READERS, "reader")
        self._turn = asyncio.Lock() if sqlite else nullcontext()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads. Raises StoreError."""
        with self._counted():
            async with self._readers.connect() as conn:
                yield conn

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` reads by one statement, or by several that need not see the same state. Raises StoreError.

        As `reading`, for what is asked for often. One statement sees one state of the database without being told where it
        begins and ends; and with SQLite most take less time than it takes to wake a thread for them. So it is done on the spot,
        as long as that is brief and waits for nobody, and by a thread, from its beginning, if it turns out not to be.
        """
        if self._at_once is None or self._briefly is None:
            with self._counted():
                return await _to_its_end(self._read_alone(work))
        with self._counted():
            try:
                return _read_briefly(self._briefly, work)
            except _NotBriefError:
                return await asyncio.get_running_loop().run_in_executor(self._threads, _read, self._at_once, work)

    async def _read_alone(self, work: Callable[[Connection], T]) -> T:
        async with self._single.connect() as conn:
            return await conn.run_sync(work)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes: committed as a whole when the block ends, rolled back if it raises. Raises StoreError."""
        grown = set[str]()
        with self._counted():
            async with self._turn, self._writers.begin() as conn:
                conn.info[GROWN] = grown
                try:
                    yield conn
                finally:
                    del conn.info[GROWN]
        for chain in sorted(grown):
            self._monitor.happened(Grown(chain))

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


async def _to_its_end(reading: Coroutine[Any, Any, T]) -> T:
    """Whoever asked may leave: what was begun is ended, or a connection that was just being opened would be nobody's."""
    task = asyncio.create_task(reading)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
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


async def inserted(conn: AsyncConnection, table: Table, row: Mapping[str, object]) -> bool:
    """Insert a row unless its key is there, also where another process puts it there meanwhile; says whether it did."""
    return bool(await inserted_of(conn, table, [row]))


async def inserted_of(conn: AsyncConnection, table: Table, rows: Sequence[Mapping[str, object]]) -> set[Any]:
    """Insert rows unless their keys are there; the first column of the keys of those that were inserted.

    By what comes back: how many rows an insert made is not known of every driver.
    """
    return {*await conn.scalars(_told(conn.dialect.name, table), rows)} if rows else set()


def insert_absent(conn: AsyncConnection, table: Table) -> Insert:
    """An insert that leaves rows alone whose key is there already, also where another process puts it there meanwhile."""
    return _absent(conn.dialect.name, table)


def insert_or_replace(conn: AsyncConnection, table: Table) -> Insert:
    """An insert that replaces the row whose primary key is there already, also where another process put it there meanwhile."""
    return _replacing(conn.dialect.name, table)


@cache
def _absent(dialect: str, table: Table) -> Insert:
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def _told(dialect: str, table: Table) -> ReturningInsert[Any]:
    return _absent(dialect, table).returning(*table.primary_key)


@cache
def _replacing(dialect: str, table: Table) -> Insert:
    statement, key = _insert(dialect, table), {column.name for column in table.primary_key}
    values = {name: value for name, value in statement.excluded.items() if name not in key}
    return statement.on_conflict_do_update(index_elements=[*key], set_=values)


def delete_free(table: Table, *which: ColumnElement[bool], most: int | None = None) -> Delete:
    """Delete `most` of these rows, but for those that another transaction has at this moment: they go the next time.

    For what is merely old. Who waited for such a row, having locked others, could wait in a circle.
    """
    key = [*table.primary_key]
    # Within, not before, the statement: of one that begins with WITH, SQLite's driver does not tell how many rows it removed.
    free = select(*key).where(*which).order_by(*key).limit(most).with_for_update(skip_locked=True).cte("free", nesting=True)
    return delete(table).where(tuple_(*key).in_(select(free)))


def _insert(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


_ALONE = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name", type_=String), 0)))


async def alone(conn: AsyncConnection, name: str) -> None:
    """From here to the end of this write transaction no other one gets past the same name.

    It is for what is read and then written where there may be no row to lock: what is read after this cannot change. With
    SQLite a write transaction is alone anyway.
    """
    if conn.dialect.name == "postgresql":
        await conn.execute(_ALONE, {"name": name})


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
        engine = create_async_engine(parsed, hide_parameters=True, **_arguments(parsed))
    except ArgumentError:
        raise SettingsError(f"GOVERNOR_DATABASE_URL: it is no address of a database; write {KNOWN}") from None
    except pg.NoSuchOptionError as error:
        raise SettingsError(f"GOVERNOR_DATABASE_URL: {error}") from None
    except ValueError:  # a part of the password, taken for the port, is what its text would quote
        message = "GOVERNOR_DATABASE_URL: its port is no number; if the password has an @, a : or a /, percent-encode that"
        raise SettingsError(message) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        event.listen(engine.sync_engine, "before_cursor_execute", _in_full, retval=True)
    else:
        event.listen(engine.sync_engine, "connect", pg.prepare)
    return engine


def _arguments(url: URL) -> dict[str, Any]:
    """What an engine for this address is made with. Raises SettingsError for one we cannot use, ValueError."""
    if url.drivername in pg.DRIVERS:
        return pg.arguments(url)
    if url.drivername != "sqlite+aiosqlite":
        raise SettingsError(f"GOVERNOR_DATABASE_URL: {url.drivername} is nothing that we work with; write {KNOWN}")
    if url.database in {None, "", ":memory:"}:
        raise SettingsError(
            "GOVERNOR_DATABASE_URL: readers and the writer need a file to share, such as sqlite+aiosqlite:///governor.db"
        )
    _demand_folder(Path(url.database or ""))
    return {"module": OneTrip()}


def _sync_engine(url: str, prepare: Callable[[Any, object], None]) -> Engine:
    """For SQLite: connections that block."""
    engine = create_engine(make_url(url).set(drivername="sqlite"), hide_parameters=True, pool_reset_on_return=None)
    event.listen(engine, "connect", prepare)
    event.listen(engine, "before_cursor_execute", _in_full, retval=True)
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


def _in_full(_: object, __: object, statement: str, told: Any, *___: object) -> tuple[str, Any]:
    """SQLite's driver refuses a text with a lone surrogate: it is stored as the ledger has it. PostgreSQL's has its own way."""
    return statement, [tuple(map(_characters, row)) for row in told] if isinstance(told, list) else tuple(
        map(_characters, told)
    )


def _characters(value: Any) -> Any:
    return text_in_full(value) if isinstance(value, str) else value


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITES) else "BEGIN")
