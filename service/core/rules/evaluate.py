"""What one rule comes to for one service, now: the actions still possible, and what the rule remembers.

A rule whose condition is unknown may act or may not, so it yields every outcome the unobserved admits; `propose` then
makes a move only if all of them lie on one side of what is in force. Remembering follows the same logic: a condition has
*certainly* held since it was last seen to begin, and *possibly* held since it was last seen to fail; and a latch or a ladder
that an hour may have turned without anybody seeing it is remembered as being either way. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from service.core.decide.model import Reading, RuleState
from service.core.logic import Bounds, Truth
from service.core.memo import once_each
from service.core.metrics import Ask
from service.core.model import Reason
from service.core.rules.conditions import UNDEFINED, Judgement, Look, faced, foremost, holds, judge
from service.core.rules.language import Action, Bands, Compare, Op, Pause, Rule, Step

GAP = timedelta(hours=3)
"""Runs further apart than this have not seen what held in between."""

NO_MATCH = None
"""The outcome of a rule that does not match: the rules below it are asked."""

NO_STEP = ""
"""How `RuleState.maybe_bands` says that no step holds."""

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
        return _asleep(rule, state)
    broken = state.seen_at is not None and now - state.seen_at > GAP
    state = replace(state, seen_at=now, true_since=None if broken else state.true_since)
    found = _awake(rule, rule.then or TELL, ask, state, now)
    matched = NO_MATCH not in found.outcomes
    if matched != state.matched and (matched or found.outcomes == (NO_MATCH,)):
        found.state, found.turned = replace(found.state, matched=matched), matched
    if rule.then is None and rule.bands is None:
        found.outcomes, found.cause, found.latched = (NO_MATCH,), None, False
    return found


def _asleep(rule: Rule, state: RuleState) -> Considered:
    """A latch stays as it is; what has to last begins anew when it is looked at again."""
    latched = rule.then is not None and rule.until is not None and state.on_since is not None
    state = replace(state, true_since=None, maybe_since=None)
    if latched and state.maybe_off:
        return Considered((rule.then, NO_MATCH), state, cause=Reason.DATA_INCOMPLETE, asleep=True)
    return Considered((rule.then if latched else NO_MATCH,), state, latched=latched, asleep=True)


def _awake(rule: Rule, action: Action, ask: Ask, state: RuleState, now: datetime) -> Considered:
    if rule.bands is not None:
        return _ladder(rule.bands, ask, state)
    if rule.until is None or state.on_since is None:
        return _waiting(rule, action, judge(rule.when, ask), state, now)
    on = _latched(action, judge(rule.until, ask), replace(state, maybe_off=False))
    if not state.maybe_off:
        return on
    off = replace(state, on_since=None, maybe_off=False)
    return _either(on, _waiting(rule, action, judge(rule.when, ask), off, now))


def _latched(action: Action, until: Judgement, state: RuleState) -> Considered:
    ended = replace(state, on_since=None, true_since=None, maybe_since=None)
    if until.truth is Truth.TRUE:
        return Considered((NO_MATCH,), ended, until.looks)
    if until.truth is Truth.FALSE:
        return Considered((action,), state, until.looks, latched=True)
    if until.hidden:
        state = replace(ended, on_since=state.on_since, maybe_off=True)
    return Considered((action, NO_MATCH), state, until.looks, until.cause, latched=True)


def _waiting(rule: Rule, action: Action, when: Judgement, state: RuleState, now: datetime) -> Considered:
    if when.truth is Truth.FALSE:
        return Considered((NO_MATCH,), _since(state, None, None), when.looks)
    state = _since(state, (state.true_since or now) if when.truth is Truth.TRUE else None, state.maybe_since or now)
    if state.true_since is not None and now - state.true_since >= rule.hold_for:
        on_since = now if rule.until else None
        return Considered((action,), state if state.on_since == on_since else replace(state, on_since=on_since), when.looks)
    if state.maybe_since is not None and now - state.maybe_since >= rule.hold_for:
        if rule.until is not None and (when.hidden or when.truth is Truth.TRUE):
            state = replace(state, on_since=now, maybe_off=True)
        return Considered((action, NO_MATCH), state, when.looks, when.cause or Reason.DATA_INCOMPLETE)
    return Considered((NO_MATCH,), state, when.looks)


def _since(state: RuleState, surely: datetime | None, maybe: datetime | None) -> RuleState:
    if state.true_since == surely and state.maybe_since == maybe:
        return state
    return replace(state, true_since=surely, maybe_since=maybe)


def _either(on: Considered, off: Considered) -> Considered:
    """What a latch comes to of which nobody knows whether it was on: all that it may come to either way."""
    outcomes = tuple(dict.fromkeys((*on.outcomes, *off.outcomes)))
    may_be_on, may_be_off = _may_be_on(on) or _may_be_on(off), _may_be_off(on) or _may_be_off(off)
    state = replace(
        off.state,
        true_since=None if _may_be_off(on) else off.state.true_since,
        on_since=(on.state.on_since or off.state.on_since) if may_be_on else None,
        maybe_off=may_be_on and may_be_off,
    )
    cause = foremost((on.cause, off.cause)) or Reason.DATA_INCOMPLETE if len(outcomes) > 1 else None
    return Considered(outcomes, state, (*off.looks, *on.looks), cause)


def _may_be_on(found: Considered) -> bool:
    return found.state.on_since is not None


def _may_be_off(found: Considered) -> bool:
    return found.state.on_since is None or found.state.maybe_off


# --- ladders ------------------------------------------------------------------------------------------------------------


def _ladder(bands: Bands, ask: Ask, state: RuleState) -> Considered:
    """Where a ladder is by the step it was at; by each of them, where nobody knows which."""
    reading = ask(bands.measure)
    possible, looks = _steps(bands, reading, state.band)
    for band in state.maybe_bands:
        possible |= _steps(bands, reading, band or None)[0]
    found = sorted(possible, key=lambda index: len(bands.steps) if index is None else index)
    outcomes = tuple(dict.fromkeys(NO_MATCH if index is None else bands.steps[index].action for index in found))
    keys = tuple(dict.fromkeys(NO_STEP if index is None else bands.steps[index].key for index in found))
    if len(keys) > 1 and reading.cause in UNDEFINED:
        return Considered(outcomes, state, looks, reading.cause)
    here = (state.band or NO_STEP) if (state.band or NO_STEP) in keys else keys[0]
    state = replace(state, band=here or None, maybe_bands=tuple(key for key in keys if key != here))
    return Considered(outcomes, state, looks, (reading.cause or Reason.DATA_INCOMPLETE) if len(outcomes) > 1 else None)


def _steps(bands: Bands, reading: Reading, band: str | None) -> tuple[set[int | None], tuple[Look, ...]]:
    """The steps that a ladder may be at if it was at `band`, by their places (None: no step holds), and what was looked at."""
    possible: set[int | None] = set()
    looks = []
    for index, (step, compare) in enumerate(_rungs(bands)):
        margin = bands.margin if step.key == band else Decimal(0)
        value = reading if step.op is None else faced(reading, step.op)
        truth = _holds(value.bounds, step, margin)
        if compare is not None:
            looks.append(Look(compare, value, truth, margin))
        if truth is not Truth.FALSE:
            possible.add(index)
        if truth is Truth.TRUE:
            return possible, tuple(looks)
    return possible | {None}, tuple(looks)


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
