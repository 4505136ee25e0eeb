"""What one rule comes to for one service, now: the actions still possible, and what the rule remembers.

A rule whose condition is unknown may act or may not, so it yields every outcome the unobserved admits; `propose` then
makes a move only if all of them lie on one side of what is in force. Remembering follows the same logic: a condition has
*certainly* held since it was last seen to begin, and *possibly* held since it was last seen to fail. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from service.core.decide.model import RuleState
from service.core.logic import Bounds, Truth
from service.core.memo import once_each
from service.core.metrics import Ask
from service.core.model import Reason
from service.core.rules.conditions import Judgement, Look, faced, holds, judge
from service.core.rules.language import Action, Bands, Compare, Op, Pause, Rule, Step

GAP = timedelta(hours=3)
"""Runs further apart than this have not seen what held in between."""

NO_MATCH = None
"""The outcome of a rule that does not match: the rules below it are asked."""

TELL = Pause()
"""Stands in for the action of a rule that only notifies, as long as it is looked at; never leaves this module."""


@dataclass(slots=True, unsafe_hash=True)  # not frozen, for speed: nobody changes one that `consider` has handed out
class Considered:
    """One rule's possible outcomes (an action, or None for no match), its new state, its trace, and why it is unsure.

    `asleep`: it was not looked at, because this is not its time. `turned`: it matches, and did not when last seen. `said` keeps
    why it matches in words, once somebody has asked for that: every campaign it decides for does.
    """

    outcomes: tuple[Action | None, ...]
    state: RuleState
    looks: tuple[Look, ...] = ()
    cause: Reason | None = None
    latched: bool = False
    asleep: bool = False
    turned: bool = False
    said: list[str] = field(default_factory=list, init=False, compare=False, repr=False)


def consider(rule: Rule, ask: Ask, state: RuleState, now: datetime, *, awake: bool = True) -> Considered:
    """Hold `rule` against the metrics of one service; `awake` says whether this is a time at which it is looked at."""
    if not awake:
        latched = rule.then is not None and rule.until is not None and state.on_since is not None
        state = replace(state, true_since=None, maybe_since=None)  # what has to last begins anew when it is looked at again
        return Considered((rule.then if latched else NO_MATCH,), state, latched=latched, asleep=True)
    broken = state.seen_at is not None and now - state.seen_at > GAP
    state = replace(state, seen_at=now, true_since=None if broken else state.true_since)
    found = _awake(rule, rule.then or TELL, ask, state, now)
    matched = NO_MATCH not in found.outcomes
    if matched != state.matched and (matched or found.outcomes == (NO_MATCH,)):
        found.state, found.turned = replace(found.state, matched=matched), matched
    if rule.then is None and rule.bands is None:
        found.outcomes, found.cause, found.latched = (NO_MATCH,), None, False
    return found


def _awake(rule: Rule, action: Action, ask: Ask, state: RuleState, now: datetime) -> Considered:
    if rule.bands is not None:
        return _ladder(rule.bands, ask, state)
    if rule.until is not None and state.on_since is not None:
        return _latched(action, judge(rule.until, ask), state)
    return _waiting(rule, action, judge(rule.when, ask), state, now)


def _latched(action: Action, until: Judgement, state: RuleState) -> Considered:
    if until.truth is Truth.TRUE:
        return Considered((NO_MATCH,), replace(state, on_since=None, true_since=None, maybe_since=None), until.looks)
    outcomes = (action,) if until.truth is Truth.FALSE else (action, NO_MATCH)
    return Considered(outcomes, state, until.looks, until.cause, latched=True)


def _waiting(rule: Rule, action: Action, when: Judgement, state: RuleState, now: datetime) -> Considered:
    if when.truth is Truth.FALSE:
        return Considered((NO_MATCH,), _since(state, None, None), when.looks)
    state = _since(state, (state.true_since or now) if when.truth is Truth.TRUE else None, state.maybe_since or now)
    if state.true_since is not None and now - state.true_since >= rule.hold_for:
        on_since = now if rule.until else None
        return Considered((action,), state if state.on_since == on_since else replace(state, on_since=on_since), when.looks)
    if state.maybe_since is not None and now - state.maybe_since >= rule.hold_for:
        return Considered((action, NO_MATCH), state, when.looks, when.cause or Reason.DATA_INCOMPLETE)
    return Considered((NO_MATCH,), state, when.looks)


def _since(state: RuleState, surely: datetime | None, maybe: datetime | None) -> RuleState:
    if state.true_since == surely and state.maybe_since == maybe:
        return state
    return replace(state, true_since=surely, maybe_since=maybe)


def _ladder(bands: Bands, ask: Ask, state: RuleState) -> Considered:
    reading = ask(bands.measure)
    possible: list[int | None] = []
    looks = []
    for index, (step, compare) in enumerate(_rungs(bands)):
        margin = bands.margin if step.key == state.band else Decimal(0)
        value = reading if step.op is None else faced(reading, step.op)
        truth = _holds(value.bounds, step, margin)
        if compare is not None:
            looks.append(Look(compare, value, truth, margin))
        if truth is not Truth.FALSE:
            possible.append(index)
        if truth is Truth.TRUE:
            break
    else:
        possible.append(None)
    outcomes = tuple(NO_MATCH if index is None else bands.steps[index].action for index in possible)
    if len(possible) > 1:
        return Considered(outcomes, state, tuple(looks), reading.cause or Reason.DATA_INCOMPLETE)
    band = None if possible[0] is None else bands.steps[possible[0]].key
    return Considered(outcomes, state if state.band == band else replace(state, band=band), tuple(looks))


@once_each
def _rungs(bands: Bands) -> tuple[tuple[Step, Compare | None], ...]:
    """The steps of a ladder, each with the comparison it rests on; `otherwise` rests on none."""
    return tuple(
        (step, None if step.op is None or step.threshold is None else Compare(bands.measure, step.op, step.threshold))
        for step in bands.steps
    )


def _holds(value: Bounds, step: Step, margin: Decimal) -> Truth:
    """Whether a step holds; the one in force is left only once its threshold is passed by the margin."""
    if step.op is None or step.threshold is None:
        return Truth.TRUE
    threshold = step.threshold - margin if step.op in {Op.AT_LEAST, Op.ABOVE} else step.threshold + margin
    return holds(value, step.op, float(threshold))
