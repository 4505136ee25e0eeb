"""What the tests of a file leave untried: rules that decide in no test, and ways that no rule went in any. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service.core.rules.language import Rule
from service.core.rules.trial.branches import every_way
from service.core.rules.trial.model import Branch, Result


@dataclass(frozen=True, slots=True)
class Coverage:
    """The ways of a file's rules, those that tests went, and the rules that decide in none."""

    branches: tuple[Branch, ...]
    went: frozenset[Branch]
    untested: tuple[str, ...]

    @property
    def missed(self) -> tuple[Branch, ...]:
        """The ways that no test went."""
        return tuple(branch for branch in self.branches if branch not in self.went)

    @property
    def covered(self) -> int:
        """How many of the ways some test went."""
        return len(self.branches) - len(self.missed)

    @property
    def percent(self) -> int:
        """The share of them, rounded down; 100 where there is nothing to test."""
        return 100 * self.covered // len(self.branches) if self.branches else 100


def coverage(rules: Iterable[Rule], results: Sequence[Result]) -> Coverage:
    """What tests cover of `rules`: a clinic's own, or a pack's."""
    listed = tuple(rules)
    decided = {check.got.rule for result in results for check in result.checks}
    told = {name for result in results for each in result.notices for name in each.got}
    return Coverage(
        branches=tuple(branch for rule in listed for branch in every_way(rule)),
        went=frozenset().union(*(result.went for result in results)),
        untested=tuple(rule.name for rule in listed if rule.name not in decided | told),
    )
