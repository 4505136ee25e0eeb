"""Where a rule wants what, and which rules below it still get their word. Pure.

pieces   what a rule wants where, going by the situation alone: one piece, or one per step of a ladder
own      everywhere a rule may want something, what it remembers included (a latch that is on, a step kept by its margin)
lets_by  everywhere the rules below are asked: where the rule does not match, and what it is about is defined
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import product

from service.core.rules.language import Action, Bands, Compare, Op, Rule, RuleSet, Step, Window
from service.core.rules.lint.regions import Region, both, either, empty, holds, may_fail, may_hold


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing a rule wants, and where; `step` is the place of a ladder's step."""

    action: Action
    region: Region
    step: int | None = None


def decides(rule: Rule) -> bool:
    """Whether a rule decides anything; one that only notifies does not."""
    return rule.then is not None or rule.bands is not None


def above(rules: RuleSet, rule: Rule, campaign: str) -> list[Rule]:
    """The deciding rules that are asked before `rule` about a campaign."""
    before = rules.rules[: rules.rules.index(rule)]
    return [each for each in before if decides(each) and campaign in each.campaigns]


def below(rules: RuleSet, rule: Rule, campaign: str) -> list[Rule]:
    """The deciding rules that are asked after `rule` about a campaign."""
    after = rules.rules[rules.rules.index(rule) + 1 :]
    return [each for each in after if decides(each) and campaign in each.campaigns]


# --- regions of a rule --------------------------------------------------------------------------------------------------


def pieces(rule: Rule) -> tuple[Piece, ...]:
    """What the rule wants where. Raises `TooManyError`."""
    if rule.bands is not None:
        return tuple(Piece(step.action, step_region(rule.bands, n), n) for n, step in enumerate(rule.bands.steps))
    return () if rule.then is None else (Piece(rule.then, holds(rule.when)),)


def step_region(bands: Bands, index: int, *, kept: bool = False) -> Region:
    """Where a step holds and none before it; `kept`: where it may be in force because its margin is not passed."""
    missed = [may_fail(compared(bands, step)) for step in bands.steps[:index]]
    step = bands.steps[index]
    return both(*missed, may_hold(compared(bands, step, bands.margin if kept else Decimal(0))))


def no_step(bands: Bands) -> Region:
    """Where no step of a ladder holds."""
    return both(*(may_fail(compared(bands, step)) for step in bands.steps))


def compared(bands: Bands, step: Step, margin: Decimal = Decimal(0)) -> Compare | None:
    """What a step asks for, by so much of a margin; nothing if it is `otherwise`."""
    if step.op is None or step.threshold is None:
        return None
    moved = -margin if step.op in {Op.AT_LEAST, Op.ABOVE} else margin
    return Compare(bands.measure, step.op, step.threshold + moved)


def own(rule: Rule) -> Region:
    """Everywhere the rule may want something. Raises `TooManyError`."""
    if rule.bands is not None:
        reached = [n for n in range(len(rule.bands.steps)) if step_region(rule.bands, n)]
        return either(*(step_region(rule.bands, n, kept=True) for n in reached))
    begins = may_hold(rule.when)
    if rule.until is None or not begins:
        return begins
    return either(begins, may_fail(rule.until))


def lets_by(rule: Rule) -> Region:
    """Everywhere the rules below this one are asked, but for the one run in which it ends as a latch and begins anew.

    Raises `TooManyError`.
    """
    return may_fail(rule.when) if rule.bands is None else no_step(rule.bands)


# --- rules against rules ------------------------------------------------------------------------------------------------


def undecided(region: Region, before: Iterable[Rule]) -> Region:
    """What of a region these rules, asked before, leave to those below them. Raises `TooManyError`."""
    for rule in before:
        region = both(region, lets_by(rule))
    return region


def stops(before: Rule, rule: Rule) -> bool:
    """Whether `before` matches whenever its condition holds and `rule` is looked at: no waiting, no other hours."""
    same_hours = before.active is None or (before.active == rule.active and rule.until is None)
    return not before.hold_for and same_hours


def outlasts(before: Rule, rule: Rule) -> bool:
    """Whether `before`, though it waits or `rule` is a latch, is on whenever `rule` is: it begins no later, ends no sooner."""
    if before.hold_for > rule.hold_for or before.bands is not None:
        return False
    if rule.until is not None and _latch(before) == _latch(rule):
        return True
    if before.until is not None and not empty(lambda: both(may_hold(before.when), may_hold(before.until))):
        return False  # it may end while its condition holds, and then waits again
    if rule.until is None:
        return before.active in {None, rule.active} and empty(lambda: undecided(own(rule), [before]))
    ends_later = before.until is not None and empty(lambda: both(may_hold(before.until), may_fail(rule.until)))
    return ends_later and before.active == rule.active and empty(lambda: undecided(may_hold(rule.when), [before]))


def _latch(rule: Rule) -> tuple[object, ...]:
    return rule.when, rule.until, rule.hold_for, rule.active


def mended_at(rule: Rule, before: Rule) -> Rule:
    """Which of the two to tell it at that `before` stands in `rule`'s way: a pack is not to be changed for one clinic."""
    return before if rule.pack and before.pack != rule.pack else rule


def meet_in_time(one: Window | None, other: Window | None) -> bool:
    """Whether two parts of the week have a minute in common."""
    one, other = one or Window(), other or Window()
    shared = max(one.starts, other.starts) < min(one.ends, other.ends)
    return shared and any(a == b for a, b in product(one.days, other.days))


def needed(before: Sequence[Rule], wanted: Region) -> list[Rule]:
    """Those of the rules before, which together leave nothing of a region, that it takes: each is needed, the upper rather."""
    found = list(before)
    for each in reversed(before):
        rest = [other for other in found if other is not each]
        if empty(partial(undecided, wanted, rest)):
            found = rest
    return found
