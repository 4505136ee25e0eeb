"""Pages of a listing that stay right while it grows: a cursor names the last item seen, not a count of items.

A cursor is opaque outside this package.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from service.core.errors import InputError

LARGEST = 2**63
"""Whole numbers that a database does not take."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A stretch of a listing. `cursor` goes on after its last item (None: the page is empty), `more` says whether to."""

    items: tuple[T, ...]
    cursor: str | None
    more: bool

    @classmethod
    def of(cls, rows: Sequence[R], limit: int, item: Callable[[R], T], cursor: Callable[[R], str]) -> Page[T]:
        """The page of the first `limit` of `rows`; one row beyond them says that there is more."""
        shown = rows[:limit]
        return cls(tuple(map(item, shown)), cursor(shown[-1]) if shown else None, len(rows) > limit)


def cursor_of(*values: datetime | str | int) -> str:
    """The cursor of the item with these sort keys."""
    plain = [value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain, separators=(",", ":")).encode()).decode().rstrip("=")


def position(cursor: str, *kinds: type[datetime | str | int]) -> list[Any]:
    """The sort keys in a cursor, which must be of these types. Raises InputError for a cursor of another listing."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return [_as(kind, value) for kind, value in zip(kinds, values, strict=True)]
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(f"not a cursor of this listing: {cursor!r}; take it from the page before, or leave it out") from error


def _as(kind: type[datetime | str | int], value: object) -> datetime | str | int:
    if kind is datetime and isinstance(value, str):
        return datetime.fromisoformat(value).astimezone(UTC)
    if kind is int and type(value) is int and abs(value) < LARGEST:
        return value
    if kind is str and isinstance(value, str) and value.isprintable():
        return value
    raise TypeError(f"{value!r} is no {kind.__name__}")
