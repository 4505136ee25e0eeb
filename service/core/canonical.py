"""The one text of a value: what is hashed, stored and compared, to the byte. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import singledispatch
from typing import Any


def canonical(value: object) -> str:
    """The one JSON text of a value: sorted keys, no spaces, nothing escaped that need not be.

    Decimals are plain strings (`"60.00"`), instants UTC (`2026-11-22T08:00:00Z`), dates and durations ISO 8601, enums their
    value, dataclasses objects, tuples lists. A float is written as the shortest number equal to it (5.0 as `5`, RFC 8785),
    one that is no number as null. Raises TypeError for what has no canonical form, ValueError for an instant without a zone.
    """
    return encoded(plain(value))


How = Callable[[Any], Any]

_hows: dict[type, How] = {}
"""What makes a value of a type plain: looked up once for each type, for a run's outcome has tens of thousands of values."""


def plain(value: object) -> Any:
    """The JSON value whose text `canonical` is. Raises as it does."""
    kind = type(value)
    how = _hows.get(kind)
    if how is None:
        how = _hows[kind] = _of_fields(kind) if _is_object(kind) else _plainly.dispatch(kind)
    return how(value)


def _is_object(kind: type) -> bool:
    return is_dataclass(kind) and _plainly.dispatch(kind) is _plainly.dispatch(object)


def _of_fields(kind: type) -> How:
    names = tuple(each.name for each in fields(kind))
    return lambda value: {name: plain(getattr(value, name)) for name in names}


encoded = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
"""The JSON of what is made of plain values already."""


@singledispatch
def _plainly(value: object) -> Any:
    raise TypeError(f"{type(value).__name__} has no canonical form")


@_plainly.register(int)
@_plainly.register(type(None))
def _as_it_is(value: object) -> object:
    return value


@_plainly.register
def text_in_full(value: str) -> str:
    """A text that can be hashed and stored."""
    if value.isascii():
        return str.__str__(value)
    # A lone surrogate is no character: it can be neither hashed nor stored.
    return str.__str__(value).encode("utf-8", "replace").decode("utf-8")


def in_full(value: Any) -> Any:
    """A JSON value of which every text can be hashed, stored and printed: a lone surrogate cannot."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.loads(text.encode("utf-8", "replace"))
    return value


@_plainly.register
def _enum(value: Enum) -> object:
    return plain(value.value)


@_plainly.register
def _number(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


@_plainly.register
def _decimal(value: Decimal) -> str | None:
    return f"{value:f}" if value.is_finite() else None


@_plainly.register
def instant(value: datetime) -> str:
    """The canonical text of an instant. Raises ValueError for one without a zone."""
    if value.utcoffset() is None:
        raise ValueError(f"an instant needs a time zone: {value.isoformat()}")
    return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


@_plainly.register
def _day(value: date) -> str:
    return value.isoformat()


@_plainly.register
def _duration(value: timedelta) -> str:
    sign, value = ("-", -value) if value < timedelta(0) else ("", value)
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{value.microseconds:06d}".rstrip("0") if value.microseconds else ""
    parts = ((hours, f"{hours}H"), (minutes, f"{minutes}M"), (seconds or fraction, f"{seconds}{fraction}S"))
    clock = "".join(text for amount, text in parts if amount)
    days = f"{value.days}D" if value.days else ""
    return f"{sign}P{days}" + (f"T{clock}" if clock else "") if days or clock else "PT0S"


@_plainly.register
def _object(value: Mapping) -> dict[str, Any]:  # type: ignore[type-arg] # singledispatch takes no parametrised type
    return {_key(key): plain(item) for key, item in value.items()}


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"the key of an object is text, not {type(key).__name__}")
    return text_in_full(key)


@_plainly.register(tuple)
@_plainly.register(list)
def _list(value: Iterable[object]) -> list[Any]:
    return [plain(item) for item in value]
