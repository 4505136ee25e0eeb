"""Reading packs: rules that several clinics share, and how they come together with a clinic's own. Pure.

A clinic's own rules come first, then each listed pack's, in order. A rule of the clinic's own that bears the name of a pack's
rule takes its place: where it stands, and in everything it says.
"""

from __future__ import annotations

from collections.abc import Mapping as Lookup
from collections.abc import Sequence
from dataclasses import dataclass, replace

from service.core.errors import Problem
from service.core.rules import vocabulary as words
from service.core.rules.fields import Fields, FlawError, Problems, items
from service.core.rules.language import Rule
from service.core.rules.shape_rules import Known, reference, rule
from service.core.rules.tree import Node, quoted
from service.core.rules.values import listed, slug, version


@dataclass(frozen=True, slots=True)
class PackFile:
    """A pack as it lies on disk: its path for messages, its tree (None: unreadable as YAML), and what is wrong with that."""

    file: str
    tree: Node | None
    problems: tuple[Problem, ...] = ()


Packs = Lookup[str, PackFile]
"""The packs there are, by name."""


def packed(fields: Fields, packs: Packs, known: Known, problems: Problems) -> dict[str, tuple[Rule, ...]]:
    """The rules of the packs that a file lists, in listed order."""
    there = f"there are {', '.join(sorted(packs))}" if packs else "there are none in `packs/` beside the rule files"
    names = fields.read("packs", listed(reference(frozenset(packs), "pack", there), "[full-diary]"), ())
    found = {name: pack(name, packs[name], known, problems) for name in names}
    first: dict[str, str] = {}
    for name, rules in found.items():
        for each in rules:
            other = first.setdefault(each.name.casefold(), name)
            if other != name:
                text = f"the packs {other} and {name} both have a rule {quoted(each.name)}"
                fields.flaw("packs", text, "leave one of the packs out")
    return found


def pack(name: str, source: PackFile, known: Known, problems: Problems) -> tuple[Rule, ...]:
    """The rules of one pack, for the campaigns of `known`; what is wrong is noted under the pack's own file."""
    own = Problems(source.file, source.problems)
    found: tuple[Rule, ...] = ()
    if source.tree is not None:
        fields = Fields(source.tree, words.PACK, own)
        fields.read("version", version, "")
        fields.read("pack", lambda node, what: _named(name, node, what), "")
        found = rules(fields.node("rules"), known, own, words.PACK_RULE)
    problems.found += own.found
    return tuple(replace(each, pack=name) for each in found)


def _named(name: str, node: Node, what: str) -> str:
    value = slug(node, what)
    if value != name:
        raise FlawError(node, f"{what} is {quoted(value)} in a file named {quoted(name + '.yaml')}", "give both the same name")
    return value


def rules(node: Node | None, known: Known, problems: Problems, section: words.Section = words.RULE) -> tuple[Rule, ...]:
    """A list of rules, no two of one name."""
    example = "`- name: ...` and its keys below it"
    found = () if node is None else problems.attempt(lambda value, what: items(value, what, example), node, "`rules`", ())
    read = tuple(rule(item, known, problems, section) for item in found)
    first: dict[str, int] = {}
    for each in read:
        line = first.setdefault(each.name.casefold(), each.line)
        if each.name and line != each.line:
            problems.add(each.line, f"two rules are named {quoted(each.name)}, the first on line {line}", "rename one of them")
    return read


def together(own: Sequence[Rule], packs: Lookup[str, Sequence[Rule]]) -> tuple[Rule, ...]:
    """All rules in the order in which they are asked."""
    named = {each.name.casefold(): each for each in own}
    shared = [each for found in packs.values() for each in found]
    overridden = {each.name.casefold() for each in shared} & named.keys()
    first = [each for each in own if each.name.casefold() not in overridden]
    return (*first, *(named.get(each.name.casefold(), each) for each in shared))
