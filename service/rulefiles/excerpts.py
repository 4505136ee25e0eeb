"""What a rule file says of each of its rules, word for word: the answer to "by which rule?" years later. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from service.core.rules.language import Rule, RuleSet
from service.rulefiles.source import parts


def rule_texts(rules: RuleSet, text: str) -> dict[str, str]:
    """The lines of each rule, by its name; `text` is what `whole` made of the file and the packs that `rules` came from."""
    lines = {pack: part.splitlines() for pack, part in parts(text).items()}
    return {rule.name: _excerpt(rule, lines[rule.pack]) for rule in rules.rules if rule.pack in lines}


def _excerpt(rule: Rule, lines: list[str]) -> str:
    """From the rule's first line on, whatever stands deeper; a comment or blank line counts only if something follows it."""
    first, *rest = lines[rule.line - 1 :] or [""]
    indent = _indent(first)
    own = [first, *takewhile(lambda line: not line.strip() or _indent(line) > indent, rest)]
    while own and (not own[-1].strip() or own[-1].lstrip().startswith("#")):
        own.pop()
    return "\n".join(_dedented(own, indent))


def _dedented(lines: list[str], indent: int) -> Iterator[str]:
    return (line[indent:].rstrip() for line in lines)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
