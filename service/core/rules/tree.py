"""A rule file as a tree of positioned text: what is written where, before anything is known about what it means.

The adapter that knows YAML builds it and everything after works on it, so that no value is ever guessed from its looks
(`12:30`, `on`, `1e3` stay what they are: text) and every complaint can name a line. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value, as text; `quoted` tells `""` from nothing written at all."""

    text: str
    line: int
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a mapping; `line` is the key's."""

    key: str
    line: int
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys with values, each key once; `line` is that of the key or dash it stands behind."""

    entries: tuple[Entry, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list; `line` as for `Mapping`."""

    items: tuple[Node, ...]
    line: int


Node = Scalar | Mapping | Sequence


def described(node: Node) -> str:
    """What a node is, in a person's words."""
    if isinstance(node, Mapping):
        return "a mapping of keys"
    if isinstance(node, Sequence):
        return "a list"
    return quoted(node.text) if node.text or node.quoted else "nothing"


def quoted(text: str, longest: int = 60) -> str:
    """`text` fit to stand in a message: shortened, and without characters that a terminal would act upon."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return f"`{shown if len(shown) <= longest else shown[: longest - 3] + '...'}`"
