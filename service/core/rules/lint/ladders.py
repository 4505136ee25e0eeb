"""Ladders with numbers that no step covers, and with steps that no number reaches. Pure.

The loader already refuses steps out of order and anything below `otherwise`; here a ladder is seen with the rules around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial

from service.core.rules import wording
from service.core.rules.language import UNITS, Bands, Op, Rule, RuleSet, Step
from service.core.rules.lint.model import Check, Finding, Place
from service.core.rules.lint.reach import above, below, compared, needed, no_step, own, step_region, stops, undecided
from service.core.rules.lint.regions import NOWHERE, Region, both, empty, may_fail, occupied
from service.core.rules.lint.said import listed, named
from service.core.rules.lint.unreached import overruling


def gap(rules: RuleSet) -> Iterator[Finding]:
    """Numbers for which neither a step nor any rule around the ladder says anything."""
    for rule in rules.rules:
        if rule.bands is not None and any(_open(rules, rule, rule.bands, name) for name in rule.campaigns):
            yield Finding(
                Check.BANDS_WITH_GAP,
                Place(rule, path=("bands", "steps")),
                f"the steps of “{rule.name}” say nothing {_beyond(rule.bands)}, and no rule below does: the base budget holds",
                "add {otherwise: base} as the last step if that is meant, or the budget that is",
            )


def _open(rules: RuleSet, rule: Rule, bands: Bands, campaign: str) -> bool:
    """Whether a gap is left for a campaign that no rule above closes, and no rule below cares about."""
    if not occupied(partial(_gap, bands, above(rules, rule, campaign))):
        return False
    left = _gap(bands, above(rules, rule, campaign))
    return not any(occupied(partial(_taken, left, each)) for each in below(rules, rule, campaign))


def _gap(bands: Bands, before: list[Rule]) -> Region:
    return undecided(no_step(bands), before)


def _taken(left: Region, rule: Rule) -> Region:
    return both(left, own(rule))


def _beyond(bands: Bands) -> str:
    """`for a utilisation over 14 days below 55%`."""
    last = bands.steps[-1]
    unit, mark = UNITS[bands.measure.metric], last.threshold or Decimal(0)
    word = {Op.AT_LEAST: "below", Op.ABOVE: "at", Op.AT_MOST: "above", Op.BELOW: "at"}[last.op or Op.AT_LEAST]
    more = {Op.ABOVE: " or below", Op.BELOW: " or above"}.get(last.op or Op.AT_LEAST, "")
    return f"where {wording.measure(bands.measure)} is {word} {wording.stated(mark, unit)}{more}"


def step_never_reached(rules: RuleSet) -> Iterator[Finding]:
    """A step that what stands above it, in the ladder or in the file, leaves nothing to, in a ladder that has a word."""
    for rule in rules.rules:
        if rule.bands is None or not rule.campaigns or overruling(rules, rule):
            continue
        for n, step in enumerate(rule.bands.steps):
            if all(_dead(rules, rule, rule.bands, n, name) for name in rule.campaigns):
                yield _unreached(rules, rule, rule.bands, n, step)


def _dead(rules: RuleSet, rule: Rule, bands: Bands, index: int, campaign: str) -> bool:
    before = [each for each in above(rules, rule, campaign) if stops(each, rule)]
    return empty(partial(_reached, bands, index, before))


def _reached(bands: Bands, index: int, before: list[Rule]) -> Region:
    """Where a step may decide: kept by its margin, if it can be entered at all."""
    if not step_region(bands, index):
        return NOWHERE
    return undecided(step_region(bands, index, kept=True), before)


def _unreached(rules: RuleSet, rule: Rule, bands: Bands, index: int, step: Step) -> Finding:
    which = f"step {index + 1} of “{rule.name}” ({_step(bands, step)})"
    before = [each for each in above(rules, rule, rule.campaigns[0]) if stops(each, rule)]
    if empty(partial(step_region, bands, index)):
        why = "the steps above it leave it no number" if index else "there is no such number"
    else:
        deciding = needed(before, step_region(bands, index, kept=True))
        why = f"{listed(map(named, deciding))} above the ladder {'decide' if len(deciding) > 1 else 'decides'} there"
    return Finding(
        Check.STEP_NEVER_REACHED,
        Place(rule, path=("bands", "steps", index)),
        f"{which} is never reached: {why}",
        "take the step out, or move its threshold to where nothing above decides",
    )


def step_never_left(rules: RuleSet) -> Iterator[Finding]:
    """A margin so wide that a step, once entered, holds whatever its metric comes to."""
    for rule in rules.rules:
        kept = [] if rule.bands is None else [step for n, step in enumerate(rule.bands.steps) if _for_good(rule.bands, n)]
        if rule.bands is not None and kept:
            margin, what = rule.bands.margin, wording.measure(rule.bands.measure).rstrip(",")
            yield Finding(
                Check.STEP_NEVER_LEFT,
                Place(rule, path=("bands", "by")),
                f"the margin of {wording.stated(margin, UNITS[rule.bands.measure.metric])} reaches past every value of {what}: "
                f"once at {listed(_step(rule.bands, step) for step in kept)}, “{rule.name}” never leaves it for a step below",
                "write a smaller margin: as wide as the metric moves within a day is enough",
            )


def _for_good(bands: Bands, index: int) -> bool:
    """Whether nothing takes a ladder back from a step that it can enter, and would leave without a margin."""
    alone = replace(bands, steps=(bands.steps[index],))
    loose = replace(alone, margin=Decimal(0))
    return bool(step_region(bands, index)) and empty(partial(_failed, alone)) and occupied(partial(_failed, loose))


def _failed(bands: Bands) -> Region:
    return may_fail(compared(bands, bands.steps[0], bands.margin))


def _step(bands: Bands, step: Step) -> str:
    if step.op is None or step.threshold is None:
        return "`otherwise`"
    return f"{wording.COMPARATORS[step.op]} {wording.stated(step.threshold, UNITS[bands.measure.metric])}"
