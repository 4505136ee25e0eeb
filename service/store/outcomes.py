"""A run's outcome as its canonical text, and what that text does not tell of the value. Pure.

The text is what replays are compared with, byte for byte, so it is what is stored. It has no infinite numbers, one way of
writing a decimal, and its keys in alphabetical order. Where the value is otherwise is in two lists, of `[path, value]` and of
`[path, keys]`, nearly the same in run after run. The value is the text with those put back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from service.core.decide.model import RunOutcome
from service.store.documents import dump, load

Path = tuple[str | int, ...]


def losses(plain: object, outcome: RunOutcome) -> bytes:
    """What the outcome's canonical text, of which `plain` is the JSON value, lost of the outcome, as JSON."""
    values = _differing(plain, json.loads(dump(RunOutcome, outcome)), ())
    orders: list[tuple[Path, list[str]]] = []
    _find_orders(outcome, (), orders)
    return json.dumps([list(values), orders], separators=(",", ":")).encode()


def restored(text: bytes, lost: bytes) -> RunOutcome:
    """The outcome. `lost` may also be the outcome itself, as it was stored at first. Raises StoreError."""
    found = json.loads(lost)
    if isinstance(found, dict):
        return load(RunOutcome, lost)
    whole, (values, orders) = json.loads(text), found
    for path, value in values:
        _at(whole, path[:-1])[path[-1]] = value
    for path, keys in orders:
        place = _at(whole, path)
        ordered = {key: place[key] for key in keys}
        place.clear()
        place.update(ordered)
    return load(RunOutcome, json.dumps(whole))


def _at(whole: Any, path: Path) -> Any:
    for step in path:
        whole = whole[step]
    return whole


def _differing(plain: Any, exact: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if plain == exact:  # nearly everywhere, and compared far quicker as a whole
        return
    match plain, exact:
        case (dict(), dict()) if plain.keys() == exact.keys():
            for name in plain:
                yield from _differing(plain[name], exact[name], (*path, name))
        case (list(), list()) if len(plain) == len(exact):
            for n, (one, other) in enumerate(zip(plain, exact, strict=True)):
                yield from _differing(one, other, (*path, n))
        case _:
            yield path, exact


def _find_orders(value: object, path: Path, found: list[tuple[Path, list[str]]]) -> None:
    """Where a mapping's keys are in another order than the alphabet's, and in which."""
    if isinstance(value, Mapping):
        if [*value] != sorted(value):
            found.append((path, [*value]))
        items: Iterable[tuple[Any, object]] = value.items()
    elif isinstance(value, tuple):
        items = enumerate(value)
    else:
        items = ((name, getattr(value, name)) for name in _ordered(type(value)))  # type: ignore[arg-type] # a class can be hashed
    for name, item in items:
        _find_orders(item, (*path, name), found)


@cache
def _ordered(kind: Any) -> tuple[str, ...]:
    """The fields of a dataclass in which there may be a mapping; most of what a run came to need not be looked through."""
    hints = get_type_hints(kind) if is_dataclass(kind) else {}
    return tuple(name for name, hint in hints.items() if _may_hold_one(hint))


@cache
def _may_hold_one(hint: Any) -> bool:
    return get_origin(hint) is dict or any(map(_may_hold_one, get_args(hint))) or bool(_ordered(hint))
