"""Rule files with one thing about their rules changed, as a slip of the hand would: what good tests of a file must notice.

Made from the text's plain data, one change each, and put through the loader like any other file: what the loader refuses is
no mutant, because nobody could run it. No mutant is left out for any other reason.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from service.core.errors import RuleFileError
from service.core.rules.shape import read
from service.core.rules.shape_packs import PackFile
from service.core.rules.tree import Entry, Mapping, Node, Scalar, Sequence
from service.rulefiles.trials import Subject, of_pack, subject_of

OPS = ("at_least", "above", "at_most", "below")
EDGE = {"at_least": "above", "above": "at_least", "at_most": "below", "below": "at_most"}
TURNED = {"at_least": "below", "above": "at_most", "at_most": "above", "below": "at_least"}

Data = Any
Site = tuple[str | int, ...]


@dataclass(frozen=True)
class Mutant:
    """A change: its kind, where and what in words, and what the file says with it."""

    kind: str
    what: str
    subject: Subject


def mutants(file: Path) -> Iterator[Mutant]:
    """Every mutant of a rule file or pack that loads."""
    data, good = yaml.load(file.read_text("utf-8"), yaml.BaseLoader), subject_of(file)  # noqa: S506 - makes nothing but text
    for kind, what, changed in changes(data["rules"]):
        try:
            found = loaded({**data, "rules": changed}, file)
        except RuleFileError:
            continue
        if told(found) != told(good):
            yield Mutant(kind, what, found)


def told(subject: Subject) -> Any:
    """What a file states, without where it states it."""
    return [replace(rule, line=0) for rule in subject.rules.rules]


def loaded(data: Data, file: Path) -> Subject:
    if file.parent.name == "packs":
        return of_pack(file, PackFile(str(file), tree(data)))
    rules = read(tree(data), file=str(file))
    return Subject(file, rules, rules.rules)


def tree(data: Data) -> Node:
    """Plain data as the tree that its YAML would be, all of it on one line."""
    if isinstance(data, dict):
        return Mapping(tuple(Entry(key, 1, tree(value)) for key, value in data.items()), 1)
    return Sequence(tuple(map(tree, data)), 1) if isinstance(data, list) else Scalar(data, 1)


# --- one change each ----------------------------------------------------------------------------------------------------


def changes(rules: Data) -> Iterator[tuple[str, str, Data]]:
    """Everything that may be changed about some rules: its kind, what in words, and the rules with it."""
    for site, node in walked(rules, ()):
        for kind, what, new in at(site, node):
            changed = copy.deepcopy(rules)
            put(changed, site, new)
            yield kind, f"{'/'.join(map(str, site))}: {what}", changed
    for n in range(len(rules) - 1):
        swapped = [*rules[:n], rules[n + 1], rules[n], *rules[n + 2 :]]
        yield "order", f"{rules[n]['name']} after {rules[n + 1]['name']}", swapped
    for n in range(len(rules)):
        yield "rule", f"without {rules[n]['name']}", rules[:n] + rules[n + 1 :]


def walked(node: Data, site: Site) -> Iterator[tuple[Site, Data]]:
    yield site, node
    below = enumerate(node) if isinstance(node, list) else node.items() if isinstance(node, dict) else ()
    for key, each in below:
        yield from walked(each, (*site, key))


def put(rules: Data, site: Site, new: Data) -> None:
    node = rules
    for key in site[:-1]:
        node = node[key]
    node[site[-1]] = new


def at(site: Site, node: Data) -> Iterator[tuple[str, str, Data]]:
    """What may be changed about one place: a new value for it, or for the mapping that it is."""
    key = site[-1] if site else None
    if isinstance(node, str):
        yield from scalars(key, node)
    if isinstance(node, dict):
        yield from comparators(node)
        yield from parts(node, when=key == "when")
    if isinstance(node, list) and key in {"any", "all", "steps"} and len(node) > 1:
        for n in range(len(node)):
            yield ("step" if key == "steps" else "condition"), f"without its part {n + 1}", node[:n] + node[n + 1 :]
    if key == "steps":
        for n in range(len(node) - 1):
            yield "order", f"step {n + 1} after the next", [*node[:n], node[n + 1], node[n], *node[n + 2 :]]


def scalars(key: str | int | None, value: str) -> Iterator[tuple[str, str, Data]]:
    if key in OPS:
        yield from (("threshold", f"{key} {new}", new) for new in shifted(value))
    elif key in {"margin", "for", "stabilise", "within", "since"}:
        yield from ((str(key), new, new) for new in shifted(value))
    elif key in {"budget", "otherwise", "then"}:
        yield from (("action", f"{value} to {new}", new) for new in actions(value))


def shifted(value: str) -> Iterator[str]:
    """A step up and a step down: a point, one, an hour, a day."""
    number = value.rstrip("%hd")
    for by in (1, -1):
        yield f"{int(number) + by}{value.removeprefix(number)}"


def actions(value: str) -> Iterator[Data]:
    if value == "pause":
        yield from ({"budget": other} for other in ("floor", "base"))
    elif value.endswith("%"):
        yield from (f"{int(value[:-1]) + by}%" for by in (10, -10))
        yield from ("floor", "base")
    else:
        yield from (other for other in ("floor", "base", "ceiling") if other != value)


def comparators(node: Data) -> Iterator[tuple[str, str, Data]]:
    for op in OPS:
        if op in node:
            for new in (EDGE[op], TURNED[op]):
                yield "comparator", f"{op} to {new}", {(new if key == op else key): value for key, value in node.items()}


def parts(node: Data, *, when: bool) -> Iterator[tuple[str, str, Data]]:
    """Without a part of a rule or a condition; with `any` for `all`, and back; pausing for setting a budget."""
    for key in ("for", "until", "stabilise", "margin", "service", "when"):
        if key in node:
            yield key, "taken out", {other: value for other, value in node.items() if other != key}
    for key, other in (("any", "all"), ("all", "any")):
        if key in node:
            yield "junction", f"{key} to {other}", {(other if each == key else each): value for each, value in node.items()}
    if when and len(node) > 1:
        yield "junction", "all of it to any of it", {"any": [{key: value} for key, value in node.items()]}
        for key in node:
            yield "condition", f"without {key}", {other: value for other, value in node.items() if other != key}
    if isinstance(node.get("then"), dict):
        yield "action", "budget to pause", {**node, "then": "pause"}
