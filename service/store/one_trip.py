"""A quicker way to the same SQLite driver: one trip to its thread per statement, where SQLAlchemy takes four.

aiosqlite gives each connection a thread. As SQLAlchemy drives it, a cursor is opened, asked, read and closed by four trips to
that thread, and each wakes two sleepers; a run of some eighty statements spent more time on trips than on anything else.
Here the thread does all four at once. Rows were always fetched as a whole; cursors on the server's side (`stream`) are left
as they are.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from typing import Any, NamedTuple

import aiosqlite
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_connection
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)


class _Told(NamedTuple):
    """What is known of a statement that was executed, as a cursor names it (PEP 249)."""

    description: Any = None
    rowcount: int = -1
    lastrowid: int | None = None
    arraysize: int = 1


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """Holds rows and facts rather than a cursor: that is closed before they arrive."""

    __slots__ = ()

    def __init__(self, adapt_connection: AsyncAdapt_dbapi_connection) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection  # noqa: SLF001 - as in the class this replaces
        self._soft_closed_memoized = {}  # type: ignore[assignment] # theirs is an immutable one
        self._rows = deque()
        self._cursor = _Told()  # type: ignore[assignment] # asked for no more than a cursor's facts

    async def _execute_async(self, operation: Any, parameters: Any) -> None:
        await self._sent("execute", operation, parameters or ())

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        await self._sent("executemany", operation, seq_of_parameters)

    async def _sent(self, how: str, *what: Any) -> None:
        async with self._adapt_connection._execute_mutex:  # noqa: SLF001 - as in the class this replaces
            told, rows = await self._connection._execute(_done, self._connection._conn, how, *what)  # noqa: SLF001 - the one way to its thread
        self._cursor, self._rows = told, deque(rows)

    async def _async_soft_close(self) -> None:
        """Nothing is open."""

    def close(self) -> None:
        self._rows.clear()


def _done(connection: sqlite3.Connection, how: str, *what: Any) -> tuple[_Told, list[Any]]:
    cursor = connection.cursor()
    try:
        getattr(cursor, how)(*what)
        rows = cursor.fetchall() if cursor.description else []
        return _Told(cursor.description, cursor.rowcount, cursor.lastrowid, cursor.arraysize), rows
    finally:
        cursor.close()


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()

    _cursor_cls = _Cursor


class OneTrip(AsyncAdapt_aiosqlite_dbapi):
    """The driver, for `create_async_engine(module=...)`."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *arg: Any, **kw: Any) -> AsyncAdapt_aiosqlite_connection:
        """A connection whose cursors take one trip."""
        usual = super().connect(*arg, **kw)
        return _Connection(self, usual._connection)  # noqa: SLF001 - there is no other way to it
