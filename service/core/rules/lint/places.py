"""From where a finding is in a rule set to the file and line it is at, by the positioned trees of the files. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from service.core.errors import Problem
from service.core.rules.language import Rule
from service.core.rules.lint.model import Alternative, Finding, Place, Step
from service.core.rules.tree import Mapping as Tree
from service.core.rules.tree import Node, Scalar, Sequence


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was read: its path for messages, and its tree."""

    file: str
    tree: Node | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """The files a rule set was read from: its own, and its packs by name."""

    own: Source
    packs: Mapping[str, Source] = field(default_factory=dict)

    def problem(self, finding: Finding) -> Problem:
        """The finding at its file and line."""
        file, line = self._at(finding.place)
        return Problem(file, line, f"{finding.check}: {finding.message}", finding.advice)

    def _at(self, place: Place) -> tuple[str, int]:
        if place.rule is not None:
            source = self.packs.get(place.rule.pack, self.own) if place.rule.pack else self.own
            return source.file, _line(_rule(source.tree, place.rule), place.path, place.rule.line)
        within = ("campaigns", place.campaign) if place.campaign else ()
        return self.own.file, _line(self.own.tree, (*within, *place.path), 1)


def _rule(tree: Node | None, rule: Rule) -> Node | None:
    """A rule's node; two rules may begin on one line, so the name counts too."""
    listed = _under(tree, "rules")
    for item in listed.items if isinstance(listed, Sequence) else ():
        name = _under(item, "name")
        if item.line == rule.line and isinstance(name, Scalar) and name.text.strip() == rule.name.strip():
            return item
    return None


def _line(node: Node | None, path: tuple[Step, ...], line: int) -> int:
    """The line of the last step of a path that there is."""
    for step in path:
        line = _line_of(node, step, line)
        node = _under(node, step)
    return line


def _line_of(node: Node | None, step: Step, otherwise: int) -> int:
    if isinstance(step, str) and isinstance(node, Tree):
        return next((entry.line for entry in node.entries if entry.key == step), otherwise)
    found = _under(node, step)
    return otherwise if found is None else found.line


def _under(node: Node | None, step: Step) -> Node | None:
    match step:
        case str():
            entries = node.entries if isinstance(node, Tree) else ()
            return next((entry.value for entry in entries if entry.key == step), None)
        case int():
            return node.items[step] if isinstance(node, Sequence) and step < len(node.items) else None
        case Alternative():
            lists = [] if node is None else list(_alternatives(node))
            return _under(lists[step.number], step.index) if step.number < len(lists) else None


def _alternatives(node: Node) -> Iterator[Sequence]:
    """Every `any` of a condition, in the order in which the condition's terms are read."""
    match node:
        case Tree():
            for entry in node.entries:
                if entry.key == "any" and isinstance(entry.value, Sequence):
                    yield entry.value
                yield from _alternatives(entry.value)
        case Sequence():
            for item in node.items:
                yield from _alternatives(item)
        case Scalar():
            pass
