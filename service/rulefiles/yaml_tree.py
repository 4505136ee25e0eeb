"""YAML to a positioned tree, refusing everything in YAML that makes a file mean something other than what it looks like.

Built from the parser's events rather than its objects: scalars stay text, keys keep their lines, and anchors, aliases, merge
keys, tags, second documents and duplicate keys are seen before anything could resolve them. No I/O.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
)

from service.core.errors import Problem
from service.core.rules.fields import Problems, absent
from service.core.rules.tree import Entry, Mapping, Node, Scalar, Sequence, quoted
from service.rulefiles.unreadable import check_blanks, complain

DEEPEST = 24
"""Nesting that no rule file needs; deeper is a mistake or mischief."""

NOTHING = Scalar("", 1)


@dataclass(slots=True)
class _Open:
    """A collection whose end has not been seen. `key` waits for its value; a `broken` one is already complained about."""

    line: int
    is_mapping: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: Scalar | None = None


class _StopError(Exception):
    """Nothing further in this text is worth reading."""


def parse(text: str, file: str) -> tuple[Node | None, tuple[Problem, ...]]:
    """The tree of a YAML document, and what is wrong with it as YAML.

    The tree is None where the text cannot be followed to its end; then there is at least one problem.
    """
    problems = Problems(file)
    check_blanks(text, problems)
    if problems.found:
        return None, tuple(problems.found)  # what such a blank does to the rest is not worth telling
    _check_tabs(text, problems)
    builder = _Builder(problems)
    try:
        for event in yaml.parse(text.removeprefix("\ufeff"), Loader=yaml.BaseLoader):
            builder.take(event)
    except _StopError:
        return None, tuple(problems.found)
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the latter two: `"\UFFFFFFFF"`, `%YAML 1.<5000 digits>`
        if not problems.found:
            complain(error, text, builder.opened, problems)
        return None, tuple(problems.found)
    return builder.root, tuple(problems.found)


class _Builder:
    """Takes parser events one by one and builds the tree; iterative, so that deep nesting cannot exhaust the stack."""

    def __init__(self, problems: Problems) -> None:
        self.root: Node = NOTHING
        self._problems = problems
        self._open: list[_Open] = []
        self._documents = 0

    @property
    def opened(self) -> int:
        """The line of the innermost collection whose end has not been seen."""
        return self._open[-1].line if self._open else 1

    def take(self, event: Event) -> None:
        """Grow the tree by one event."""
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, DocumentStartEvent):
            self._document(line)
        elif isinstance(event, AliasEvent):
            self._problems.add(line, f"`*{event.anchor}` is an alias, and aliases are not allowed", "write the value out")
            self._place(Scalar(f"*{event.anchor}", line, quoted=True))
        elif isinstance(event, ScalarEvent):
            self._check_plain(event, line)
            self._place(Scalar(event.value, line, quoted=event.style is not None))
        elif isinstance(event, CollectionStartEvent):
            self._check_plain(event, line)
            self._begin(isinstance(event, MappingStartEvent), line)
        elif isinstance(event, CollectionEndEvent):
            self._end()

    def _document(self, line: int) -> None:
        self._documents += 1
        if self._documents > 1:
            self._problems.add(line, "a second document begins here", "keep one document per file and take the `---` out")
            raise _StopError

    def _check_plain(self, event: ScalarEvent | CollectionStartEvent, line: int) -> None:
        if event.anchor is not None:
            self._problems.add(line, f"`&{event.anchor}` is an anchor, and anchors are not allowed", "take it out")
        if event.tag is not None:
            tag = quoted(event.tag.replace("tag:yaml.org,2002:", "!!"))
            self._problems.add(line, f"{tag} is a tag, and tags are not allowed", "take it out")

    def _begin(self, is_mapping: bool, line: int) -> None:
        key = self._open[-1].key if self._open else None
        self._open.append(_Open(key.line if key else line, is_mapping))
        if len(self._open) > DEEPEST:
            self._problems.add(line, f"nested more than {DEEPEST} deep", "take some of the brackets or indentation out")
            raise _StopError

    def _end(self) -> None:
        done = self._open.pop()
        self._place(
            Mapping(tuple(done.entries.values()), done.line) if done.is_mapping else Sequence(tuple(done.items), done.line)
        )

    def _place(self, node: Node) -> None:
        """Put a finished node where it belongs: root, item, key or value."""
        if not self._open:
            self.root = node
            return
        into = self._open[-1]
        if not into.is_mapping:
            into.items.append(node)
        elif into.key is None:
            into.key = self._as_key(node)
        else:
            self._enter(into, into.key, node)
            into.key = None

    def _as_key(self, node: Node) -> Scalar:
        if isinstance(node, Scalar):
            return node
        self._problems.add(node.line, "a key is a single word, not a list or mapping", "write `key: value`")
        raise _StopError

    def _enter(self, into: _Open, key: Scalar, value: Node) -> None:
        if re.fullmatch(r"[0-9.]+", key.text) and absent(value):  # what stands behind the comma of a number; may come twice
            into.entries[f"{key.text}, {len(into.entries)}"] = Entry(key.text, key.line, value)
            return
        first = into.entries.get(key.text)
        if key.text == "<<":
            self._problems.add(key.line, "`<<` is a merge key, and those are not allowed", "write the keys out")
        elif first is not None:
            advice = "keep one of the two"
            self._problems.add(key.line, f"{quoted(key.text)} is written twice, first on line {first.line}", advice)
        else:
            into.entries[key.text] = Entry(key.text, key.line, value)


def _check_tabs(text: str, problems: Problems) -> None:
    """YAML allows tabs in places and means different things by them; here they are allowed in comments only."""
    for number, line in enumerate(text.split("\n"), 1):
        if "\t" in line.split("#", 1)[0]:
            problems.add(number, "there is a tab on this line", "use spaces")
