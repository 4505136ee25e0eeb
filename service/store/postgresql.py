"""What is PostgreSQL's own: how we connect to it, and what it does not take.

Nothing waits for it forever: each wait of ours has an end, after which the caller is told. What an address itself says of
these counts more. psycopg is loaded only where it is used.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL

from service.core.canonical import text_in_full

if TYPE_CHECKING:
    from psycopg.abc import Buffer, Dumper, Loader

DRIVERS = frozenset({"postgresql+psycopg", "postgresql+psycopg_async"})

SESSION = {
    "timezone": "UTC",
    "lock_timeout": "30s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "15s",
}
"""Of each session: how long it waits for a lock, works on one statement, and may leave a transaction open and do nothing.

The last is for a machine that stands still in the middle of one: what it has locked is free again after that time, while those
who wait for it still do.
"""

CONNECTION = {
    "application_name": "governor",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""Of each connection, in libpq's words: a server that is gone is noticed within about a minute."""

POOL = {"pool_size": 5, "max_overflow": 10, "pool_timeout": 30, "pool_pre_ping": True}
"""Connections that a process keeps, and opens at most. One that was lost meanwhile, as when the server was started anew, is
noticed before it is used, at the price of a round trip."""


def arguments(url: URL) -> dict[str, Any]:
    """What an engine for PostgreSQL is made with. Raises ValueError for what an address says that is no option."""
    from psycopg import ProgrammingError  # noqa: PLC0415 - see above
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415

    said = url.query.get("options", "")
    options = [*(f"-c {name}={value}" for name, value in SESSION.items()), *([said] if isinstance(said, str) else said)]
    ours = {name: value for name, value in CONNECTION.items() if name not in url.query} | {"options": " ".join(options)}
    try:
        make_conninfo(**{name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()})
    except ProgrammingError as error:
        raise NoSuchOptionError(str(error).strip()) from None
    return {"connect_args": ours, **POOL}


class NoSuchOptionError(ValueError):
    """Something in an address that is no option of a connection; its text names it, never its value."""


def prepare(connection: Any, _: object) -> None:
    """Have values written and read that PostgreSQL, or Python, does not take as they are."""
    text, instant = _adapters()
    adapters = connection.driver_connection.adapters
    adapters.register_dumper(str, text)
    adapters.register_loader("timestamptz", instant)


@cache
def _adapters() -> tuple[type[Dumper], type[Loader]]:
    from psycopg import DataError  # noqa: PLC0415 - see above
    from psycopg.types.datetime import TimestamptzLoader  # noqa: PLC0415
    from psycopg.types.string import StrDumperUnknown  # noqa: PLC0415

    class Text(StrDumperUnknown):
        """PostgreSQL knows no NUL character, which nobody means to say. JSON, as in the ledger, has it escaped.

        A lone surrogate is no character for anybody.
        """

        def dump(self, obj: str) -> Buffer | None:
            return super().dump(text_in_full(obj).replace("\0", "\N{REPLACEMENT CHARACTER}"))

    class Instant(TimestamptzLoader):
        """An instant that Python cannot say, such as `infinity`, is left as its text: who verifies shall name its record."""

        def load(self, data: Buffer) -> Any:
            try:
                return super().load(data)
            except DataError:
                return bytes(data).decode()

    return Text, Instant
