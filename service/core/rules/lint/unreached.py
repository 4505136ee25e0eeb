"""Rules that never get their word, because what stands above them decides wherever they would. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from service.core.rules.language import Rule, RuleSet
from service.core.rules.lint.model import Check, Finding, Place
from service.core.rules.lint.reach import above, decides, mended_at, needed, outlasts, own, pieces, stops, undecided
from service.core.rules.lint.regions import Region, TooManyError, both, either, empty
from service.core.rules.lint.said import condition, listed, named


def never_reached(rules: RuleSet) -> Iterator[Finding]:
    """A rule that is decided over for every campaign it is about."""
    for rule in rules.rules:
        if deciding := overruling(rules, rule):
            yield _finding(rule, deciding)


def overruling(rules: RuleSet, rule: Rule) -> list[Rule]:
    """The rules above that leave one no word about any of its campaigns; none if it has a word about some."""
    found = [_deciding(rules, rule, name) for name in rule.campaigns] if decides(rule) else []
    return list({each.name: each for some in found for each in some}.values()) if all(found) else []


def _deciding(rules: RuleSet, rule: Rule, campaign: str) -> list[Rule]:
    """The rules above that decide about a campaign wherever this one would; none if it has a word."""
    before = above(rules, rule, campaign)
    if longer := next((each for each in before if outlasts(each, rule)), None):
        return [longer]
    try:
        region = own(rule)
    except TooManyError:
        return []
    steady = [each for each in before if stops(each, rule)]
    return needed(steady, region) if steady and region and empty(partial(undecided, region, steady)) else []


def _finding(rule: Rule, deciding: list[Rule]) -> Finding:
    at, message = mended_at(rule, deciding[0]), f"“{rule.name}” is never reached: {_why(rule, deciding)}"
    return Finding(Check.NEVER_REACHED, Place(at), message, _advice(rule, deciding), rule.name)


def _why(rule: Rule, deciding: list[Rule]) -> str:
    names, one = listed(map(named, deciding)), len(deciding) == 1
    if one and deciding[0].when is None and deciding[0].bands is None:
        return f"{names} always matches"
    if empty(partial(_together, rule, deciding)):
        return f"where it would match ({condition(rule.when)}), {names} above it cannot be judged, and then nothing is moved"
    verb = "decides" if one else "decide"
    return f"{names} above it {verb} wherever it matches ({condition(rule.when) if rule.bands is None else 'any of its steps'})"


def _together(rule: Rule, deciding: list[Rule]) -> Region:
    return both(own(rule), either(*(piece.region for each in deciding for piece in pieces(each))))


def _advice(rule: Rule, deciding: list[Rule]) -> str:
    first = deciding[0]
    if mended_at(rule, first) is not rule:
        return f"give the file's rule the name “{rule.name}” to put it in the pack's place, or narrow “{first.name}”"
    out = "or leave it its `notify` alone" if rule.notify else f"or take “{rule.name}” out"
    return f"move “{rule.name}” above “{first.name}”, narrow “{first.name}”, {out}"
