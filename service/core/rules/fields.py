"""Reading a mapping key by key while collecting everything that is wrong with it.

A parser turns a node into a value or raises `FlawError`; `Fields` catches, keeps the complaint, and goes on with a
stand-in, so that one pass over a file reports all of its problems. Pure.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import TypeVar

from service.core.errors import Problem, RuleFileError
from service.core.rules.tree import Entry, Mapping, Node, Scalar, Sequence, described, quoted
from service.core.rules.vocabulary import Section

T = TypeVar("T")
D = TypeVar("D")
Parse = Callable[[Node, str], T]
"""Reads a node; the text is what the value is called in complaints (a key, a metric)."""

MOST = 50
"""A person mends the first page of complaints before looking at a second one."""

ENOUGH = 500
"""So many problems, and reading on is a waste: this is some other file."""


class FlawError(Exception):
    """One thing is wrong with one value; never leaves this package."""

    def __init__(self, node: Node, message: str, advice: str = "") -> None:
        self.line = node.line
        self.message = message
        self.advice = advice
        super().__init__(message)


class Problems:
    """What is wrong with one file, so far."""

    def __init__(self, file: str, known: Iterable[Problem] = ()) -> None:
        self.file = file
        self.found: list[Problem] = list(known)

    def add(self, line: int, message: str, advice: str = "") -> None:
        """Note a problem; at `ENOUGH` of them refuse the file there and then."""
        self.found.append(Problem(self.file, line, message, advice))
        if len(self.found) >= ENOUGH:
            self.refuse_if_any()

    def attempt(self, parse: Parse[T], node: Node, what: str, default: D) -> T | D:
        """The parsed value; `default` with the problem noted where there is a flaw."""
        try:
            return parse(node, what)
        except FlawError as flaw:
            self.add(flaw.line, flaw.message, flaw.advice)
            return default

    def refuse_if_any(self) -> None:
        """Raise what was found, by line, at most `MOST` of it."""
        if not self.found:
            return
        ordered = sorted(dict.fromkeys(self.found), key=lambda problem: problem.line)
        shown, rest = ordered[:MOST], ordered[MOST:]
        if rest:
            shown.append(Problem(self.file, rest[0].line, f"{len(rest)} more from here on", "mend the ones above first"))
        raise RuleFileError(tuple(shown))


class Fields:
    """The entries of a mapping that a section allows; everything else about it is a problem noted at once.

    `guesses` are the keys that unknown ones were probably meant to be; `broken` says that something was not understood, so
    that what seems to be missing may well be there.
    """

    def __init__(self, node: Node, section: Section, problems: Problems) -> None:
        self.line = node.line
        self.broken = not isinstance(node, Mapping)
        self.guesses: set[str] = set()
        self._problems = problems
        self._entries: dict[str, Entry] = {}
        if not isinstance(node, Mapping):
            problems.add(node.line, f"{section.title} is a mapping of keys, not {described(node)}", _example(section))
            return
        for entry in node.entries:
            self._take(entry, section)
        for before, entry in pairwise(node.entries):
            if _behind_a_comma(entry):
                self._split_number(before.key)
        for key in section.required:
            if key not in self._entries and key not in self.guesses:
                problems.add(node.line, f"{section.title} needs `{key}`", f"add `{key}:`")

    def _split_number(self, key: str) -> None:
        """`1,200.00` within braces: YAML ends the value at the comma, and takes what stands behind it for a key."""
        self.flaw(key, f"{quoted(key)} has a comma in it", "write an amount like 35.00 or 1000.00")
        self._entries.pop(key, None)
        self.guesses.add(key)
        self.broken = True

    def _take(self, entry: Entry, section: Section) -> None:
        if _behind_a_comma(entry):
            return
        if entry.key in section.keys:
            self._entries[entry.key] = entry
        elif entry.key in section.later:
            self._problems.add(entry.line, f"`{entry.key}` is not available yet", "take it out")
        else:
            self._complain(entry, section)

    def _complain(self, entry: Entry, section: Section) -> None:
        self.broken = True
        guess = near(entry.key, section.keys)
        advice = did_you_mean(guess) if guess else "it has " + listing(section.keys)
        self._problems.add(entry.line, f"{section.title} has no key {quoted(entry.key)}", advice)
        if guess:
            self.guesses.add(guess)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    @property
    def present(self) -> tuple[str, ...]:
        """The known keys, as the file orders them."""
        return tuple(self._entries)

    def node(self, key: str) -> Node | None:
        """What is written under `key`."""
        return self._entries[key].value if key in self._entries else None

    def line_of(self, key: str) -> int:
        """Where `key` is written, or where the mapping begins."""
        return self._entries[key].line if key in self._entries else self.line

    def flaw(self, key: str, message: str, advice: str = "") -> None:
        """Note a problem at `key`."""
        self._problems.add(self.line_of(key), message, advice)

    def read(self, key: str, parse: Parse[T], default: D, what: str | None = None) -> T | D:
        """The value under `key`; `default` if the key is absent or its value flawed (which is then noted)."""
        entry = self._entries.get(key)
        return default if entry is None else self._problems.attempt(parse, entry.value, what or f"`{key}`", default)


def near(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that `word` was probably meant to be."""
    plain = word.strip().lower().replace("-", "_").replace(" ", "_")
    by_plain = {known.lower().replace("-", "_").replace(" ", "_"): known for known in words}
    found = difflib.get_close_matches(plain[:100], by_plain, n=1, cutoff=0.7)
    return by_plain[found[0]] if found else None


def close(name: str, names: Iterable[str]) -> str | None:
    """The one of people's own names that `name` was probably meant to be; capitals and blanks do not matter."""
    folded = {" ".join(each.split()).casefold(): each for each in names}
    found = difflib.get_close_matches(" ".join(name.split()).casefold()[:200], folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def did_you_mean(guess: str) -> str:
    """The question that goes with a near miss."""
    return f"did you mean `{guess}`?"


def listing(words: Iterable[str], joint: str = "and") -> str:
    """`a`, `b` and `c`."""
    shown = [f"`{word}`" for word in words]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {joint} {shown[-1]}"


def absent(node: Node) -> bool:
    """Whether nothing is written there, or YAML's word for nothing."""
    return isinstance(node, Scalar) and not node.quoted and node.text in {"", "~", "null", "Null", "NULL"}


def _behind_a_comma(entry: Entry) -> bool:
    return absent(entry.value) and re.fullmatch("[0-9.]+", entry.key) is not None


def entries(node: Node, what: str, example: str) -> tuple[Entry, ...]:
    """The entries of a mapping whose keys are the file's own choice."""
    if not isinstance(node, Mapping):
        raise FlawError(node, f"{what} is a mapping of keys, not {described(node)}", f"write {example}")
    return node.entries


def items(node: Node, what: str, example: str) -> tuple[Node, ...]:
    """The items of a list that has some."""
    if not isinstance(node, Sequence):
        raise FlawError(node, f"{what} is a list, not {described(node)}", f"write {example}")
    if not node.items:
        raise FlawError(node, f"{what} is an empty list", f"write {example}, or take it out")
    return node.items


def _example(section: Section) -> str:
    return "write its keys indented below it: " + ", ".join(section.required or section.keys)
