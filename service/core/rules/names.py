"""Names in a rule file that Cliniko does not have: found in the file's tree, so that each is told at its own line. Pure.

It is no mistake of the file, because a type may be made tomorrow; but a misspelt one is never sold, and nobody is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from service.core.errors import Problem
from service.core.model import Diaries
from service.core.offers import fold
from service.core.rules.fields import close, did_you_mean
from service.core.rules.tree import Mapping, Node, Scalar, Sequence, quoted

KINDS = {
    "appointment_types": "appointment type",
    "locations": "business",
    "practitioners": "practitioner",
    "exclude_practitioners": "practitioner",
}
"""The lists of a service that name what Cliniko has."""


def unknown(tree: Node, file: str, diaries: Diaries) -> tuple[Problem, ...]:
    """Every name under `services` that the newest reading of Cliniko does not know, with the one probably meant."""
    known = {
        "appointment_types": [each.name for each in diaries.types],
        "locations": [each.name for each in diaries.locations],
        "practitioners": [each.name for each in diaries.practitioners],
    }
    known["exclude_practitioners"] = known["practitioners"]
    return tuple(
        Problem(file, item.line, f"Cliniko has no {KINDS[key]} {quoted(item.text)}", _advice(item.text, known[key]))
        for service in _values(_value(tree, "services"))
        for key in KINDS
        for item in _items(_value(service, key))
        if fold(item.text) not in map(fold, known[key])
    )


def _advice(name: str, names: Iterable[str]) -> str:
    guess = close(name, names)
    return did_you_mean(guess) if guess else "it counts for nothing until Cliniko has one of that name"


def _value(node: Node | None, key: str) -> Node | None:
    entries = node.entries if isinstance(node, Mapping) else ()
    return next((entry.value for entry in entries if entry.key == key), None)


def _values(node: Node | None) -> Iterator[Node]:
    return (entry.value for entry in (node.entries if isinstance(node, Mapping) else ()))


def _items(node: Node | None) -> Iterator[Scalar]:
    return (item for item in (node.items if isinstance(node, Sequence) else ()) if isinstance(item, Scalar))
