"""Two rules that go by the same measures, overlap, and want opposite things. Pure.

Rules that overlap are ordinary: the first match decides, and an exception stands above what it is an exception from. An
exception asks about something else as well, though. Where two rules ask about exactly the same measures and one of them raises
where the other cuts, a threshold is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import product

from service.core.rules.language import Pause, Rule, RuleSet
from service.core.rules.lint.model import Check, Finding, Place
from service.core.rules.lint.reach import Piece, above, meet_in_time, pieces, stops, undecided
from service.core.rules.lint.regions import Region, TooManyError, meet, occupied
from service.core.rules.lint.relations import possible
from service.core.rules.lint.said import action, named
from service.core.rules.lint.wishes import Wish, wish

OPPOSITE = {(Wish.RAISE, Wish.CUT), (Wish.CUT, Wish.RAISE)}


def opposite_wishes(rules: RuleSet) -> Iterator[Finding]:
    """Each rule with the first one above it that wants the opposite in the same terms."""
    for rule in rules.rules:
        pairs = ((each, name) for name in rule.campaigns for each in above(rules, rule, name))
        found = next((pair for each, name in pairs if (pair := _opposed(rules, each, rule, name))), None)
        if found is not None:
            yield found


def _opposed(rules: RuleSet, upper: Rule, lower: Rule, campaign: str) -> Finding | None:
    if not meet_in_time(upper.active, lower.active):
        return None
    before = [each for each in above(rules, upper, campaign) if stops(each, lower)]
    try:
        pairs = list(product(pieces(upper), pieces(lower)))
    except TooManyError:
        return None
    for one, other in pairs:
        if _contrary(rules, one, other, campaign) and occupied(partial(_left, one, other, before)):
            return _finding(upper, lower, one, other)
    return None


def _contrary(rules: RuleSet, one: Piece, other: Piece, campaign: str) -> bool:
    """Whether one raises and the other cuts; a raise above a pause is another check's business."""
    entry = rules.campaigns[campaign]
    wishes = wish(one.action, entry), wish(other.action, entry)
    return wishes in OPPOSITE and not (wishes[0] is Wish.RAISE and isinstance(other.action, Pause))


def _left(one: Piece, other: Piece, before: list[Rule]) -> Region:
    """What the two share in the same terms, as far as no rule before decides it."""
    same = [(a, b) for a, b in product(one.region, other.region) if a and a.keys() == b.keys()]
    shared = tuple(box for a, b in same if possible(box := meet(a, b)))
    return undecided(shared, before)


def _finding(upper: Rule, lower: Rule, one: Piece, other: Piece) -> Finding:
    path = () if other.step is None else ("bands", "steps", other.step)
    return Finding(
        Check.OPPOSITE_WISHES,
        Place(lower, path=path),
        f"“{lower.name}” wants {action(other.action)} and {named(upper)}, which stands above it and goes by the same measures, "
        f"wants {action(one.action)}: their conditions overlap",
        "move the thresholds apart, so that no situation satisfies both",
        lower.name,
    )
