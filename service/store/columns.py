"""A column type: instants that come back as aware UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Dialect, String
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import TypeDecorator, TypeEngine

from service.core.canonical import instant


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant: `timestamptz` where the database has it, else text of fixed width, which sorts by time.

    Raises ValueError for an instant without a zone. `damaged` is what text that is no instant comes back as; without it,
    reading such text raises ValueError.
    """

    impl = String(27)
    cache_ok = True

    def __init__(self, damaged: datetime | None = None) -> None:
        self.damaged = damaged
        super().__init__()

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The database's own type of an instant, where it has one."""
        return TIMESTAMP(timezone=True) if dialect.name == "postgresql" else String(27)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | str | None:
        """To the database."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"an instant needs a time zone: {value.isoformat()}")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else _text(value)

    def process_result_value(self, value: datetime | str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """From the database."""
        if value is None or isinstance(value, datetime):
            return value and value.astimezone(UTC)
        try:
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, TypeError):
            if self.damaged is None:
                raise
            return self.damaged


def _text(value: datetime) -> str:
    # Not `strftime`: some systems write the year 33 as `33`, which sorts after 2026.
    return value.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def written(value: object) -> str:
    """The canonical text of an instant, out of what the driver read of its column; of a damaged one, no instant's text."""
    if isinstance(value, str):
        return value.replace(".000000Z", "Z")
    return instant(value) if isinstance(value, datetime) else repr(value)
