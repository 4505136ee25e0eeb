"""Names in a rule file that Cliniko does not have: found in the file's tree, so that each is told at its own line. Pure.

It is no mistake of the file, because a type may be made tomorrow; but a misspelt one is never sold, and nobody is told.
"""

from __future__ import annotations

from collections.abc import Iterator

from service.core.errors import Problem
from service.core.known_names import Names, items, key_of
from service.core.model import Diaries, NameOf
from service.core.offers import fold, renamed
from service.core.rules.fields import close, did_you_mean
from service.core.rules.tree import Mapping, Node, Scalar, Sequence, quoted

KINDS = {
    "appointment_types": (NameOf.TYPE, "appointment type"),
    "locations": (NameOf.LOCATION, "business"),
    "practitioners": (NameOf.PRACTITIONER, "practitioner"),
    "exclude_practitioners": (NameOf.PRACTITIONER, "practitioner"),
}
"""The lists of a service that name what Cliniko has: what of it, and the word for one."""


def unknown(tree: Node, file: str, diaries: Diaries, names: Names) -> tuple[Problem, ...]:
    """Every name under `services` that the newest reading of Cliniko does not know, with the one probably meant.

    `names` is what runs remember, so that what was renamed in Cliniko is told by its new name.
    """
    return tuple(
        Problem(file, item.line, f"Cliniko has no {word} {quoted(item.text)}", _advice(item.text, what, diaries, names))
        for service in _values(_value(tree, "services"))
        for key, (what, word) in KINDS.items()
        for item in _items(_value(service, key))
        if all(fold(item.text) != fold(each.name) for each in items(diaries, what))
    )


def _advice(name: str, what: NameOf, diaries: Diaries, names: Names) -> str:
    listed = items(diaries, what)
    if now := renamed(fold(name), names.get(key_of(what, fold(name)), ()), listed, ()):
        return f"it is called {quoted(now[0].name)} by now, and means that as before; write the new name"
    guess = close(name, [each.name for each in listed])
    return did_you_mean(guess) if guess else "it counts for nothing until Cliniko has one of that name"


def _value(node: Node | None, key: str) -> Node | None:
    entries = node.entries if isinstance(node, Mapping) else ()
    return next((entry.value for entry in entries if entry.key == key), None)


def _values(node: Node | None) -> Iterator[Node]:
    return (entry.value for entry in (node.entries if isinstance(node, Mapping) else ()))


def _items(node: Node | None) -> Iterator[Scalar]:
    return (item for item in (node.items if isinstance(node, Sequence) else ()) if isinstance(item, Scalar))
