"""Conditions that nothing can satisfy, wholly or in one alternative, and comparisons that everything satisfies. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import count

from service.core.rules import wording
from service.core.rules.language import All, Any, Compare, Condition, Not, Rule, RuleSet
from service.core.rules.lint.model import Alternative, Check, Finding, Place
from service.core.rules.lint.regions import empty, holds, may_fail, occupied
from service.core.rules.lint.said import condition


def when(rules: RuleSet) -> Iterator[Finding]:
    """A `when` that contradicts itself, or asks for what a metric cannot be."""
    for rule in rules.rules:
        if rule.when is not None and empty(partial(holds, rule.when)):
            yield Finding(
                Check.WHEN_NEVER_HOLDS,
                Place(rule, path=("when",)),
                f"the `when` of “{rule.name}” can never hold: {condition(rule.when)}",
                "change or take out one of its thresholds; `any` if one of them is enough",
                rule.name,
            )


def until(rules: RuleSet) -> Iterator[Finding]:
    """A latch that nothing ends."""
    for rule in rules.rules:
        if rule.until is not None and empty(partial(holds, rule.until)):
            yield Finding(
                Check.UNTIL_NEVER_HOLDS,
                Place(rule, path=("until",)),
                f"the `until` of “{rule.name}” can never hold, so once on the rule stays on: {condition(rule.until)}",
                "change or take out one of its thresholds; `any` if one of them is enough",
            )


def alternative(rules: RuleSet) -> Iterator[Finding]:
    """One item of an `any` that contradicts itself or what stands around it, while others do not."""
    for rule in rules.rules:
        for key, stated in (("when", rule.when), ("until", rule.until)):
            if stated is None or not occupied(partial(holds, stated)):
                continue
            for where, term, alone in _alternatives(stated, count()):
                if empty(partial(holds, alone)):
                    yield _dead(rule, key, where, term)


def _dead(rule: Rule, key: str, where: Alternative, term: Condition) -> Finding:
    return Finding(
        Check.ALTERNATIVE_NEVER_HOLDS,
        Place(rule, path=(key, where)),
        f"alternative {where.index + 1} of `any` in the `{key}` of “{rule.name}” can never hold: {condition(term)}",
        "change one of its thresholds, or take it out",
    )


def _alternatives(stated: Condition, numbers: count[int]) -> Iterator[tuple[Alternative, Condition, Condition]]:
    """Each item of each `any`, and the whole condition with no other item in its place; those under `not` are left out."""
    match stated:
        case Any():
            number = next(numbers)
            for index, term in enumerate(stated.terms):
                yield Alternative(number, index), term, term
                yield from _alternatives(term, numbers)
        case All():
            for n, term in enumerate(stated.terms):
                for where, item, alone in _alternatives(term, numbers):
                    yield where, item, All((*stated.terms[:n], alone, *stated.terms[n + 1 :]))
        case Not():
            for _ in _alternatives(stated.term, numbers):
                pass
        case Compare():
            pass


def nothing_said(rules: RuleSet) -> Iterator[Finding]:
    """A comparison in a `when` that no number can fail."""
    for rule in rules.rules:
        for compare in _stated(rule.when):
            if empty(partial(may_fail, compare)):
                yield Finding(
                    Check.COMPARISON_SAYS_NOTHING,
                    Place(rule, path=("when",)),
                    f"every number satisfies `{wording.comparison(compare)}` in the `when` of “{rule.name}”",
                    "change its threshold, or take it out",
                )


def _stated(condition_: Condition | None) -> Iterator[Compare]:
    """The comparisons that are to hold; under `not` they are to fail."""
    match condition_:
        case Compare():
            yield condition_
        case All() | Any():
            for term in condition_.terms:
                yield from _stated(term)
        case _:
            pass
