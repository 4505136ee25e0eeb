"""The ways that a rule can go: all of them, and those it went at one run. Pure.

What a condition comes to is not all there is to test about it: each of its parts must once be what decides, or nobody would
notice if the part were taken out. So a list of conditions that must all hold counts one way per part, with that part alone
failing, and a list of which any will do one per part, with that part alone holding.
"""

from __future__ import annotations

from collections.abc import Iterator

from service.core.decide.model import RuleState
from service.core.logic import Truth
from service.core.metrics import Ask
from service.core.rules import wording
from service.core.rules.conditions import holds, judge
from service.core.rules.evaluate import Considered
from service.core.rules.explain import phrase
from service.core.rules.language import UNITS, All, Any, Bands, Compare, Condition, Not, Rule, Step
from service.core.rules.trial.model import Branch

MATCHES, FAILS, UNKNOWN, ASLEEP = "matches", "does not match", "cannot be told", "is not looked at"
STAYS, ENDS, UNKNOWN_END = "stays on", "ends", "cannot be told whether it ends"
NO_STEP = "no step holds"


def every_way(rule: Rule) -> Iterator[Branch]:
    """All the ways that a rule can go, in an order to read them in."""
    return (Branch(rule.name, way) for way in _every(rule))


def _every(rule: Rule) -> Iterator[str]:
    if rule.active is not None:
        yield ASLEEP
    if rule.bands is not None:
        yield from _steps(rule.bands)
        return
    yield MATCHES
    if rule.when is not None:
        yield from (FAILS, UNKNOWN)
        yield from _parts(rule.when)
    if rule.hold_for:
        yield _waits(rule)
    if rule.until is not None:
        yield from (STAYS, ENDS, UNKNOWN_END)
        yield from (f"until: {part}" for part in _parts(rule.until))


def _waits(rule: Rule) -> str:
    return f"holds, but not yet for {wording.duration(rule.hold_for)}"


def ways(rule: Rule, before: RuleState, found: Considered, ask: Ask) -> Iterator[Branch]:
    """The ways that a rule went at one run, by what it remembered before it and what it came to."""
    return (Branch(rule.name, way) for way in _went(rule, before, found, ask))


def _went(rule: Rule, before: RuleState, found: Considered, ask: Ask) -> Iterator[str]:
    if found.asleep:
        yield ASLEEP
    elif rule.bands is not None:
        yield _stepped(rule.bands, found)
    else:
        yield from _looked_at(rule, before, found, ask)


def _looked_at(rule: Rule, before: RuleState, found: Considered, ask: Ask) -> Iterator[str]:
    """By its `until` if it was on, by its `when` if not, and both ways where nobody knew."""
    latched = rule.until is not None and before.on_since is not None
    if latched:
        yield {Truth.TRUE: ENDS, Truth.FALSE: STAYS, Truth.UNKNOWN: UNKNOWN_END}[judge(rule.until, ask).truth]
        yield from (f"until: {part}" for part in _decisive(rule.until, ask))
    if not latched or before.maybe_off:
        yield from _waited(rule, found, judge(rule.when, ask).truth)
        yield from _decisive(rule.when, ask)


def _waited(rule: Rule, found: Considered, when: Truth) -> Iterator[str]:
    """A rule that is not on: what its `when` came to, and whether that has lasted."""
    if when is Truth.FALSE:
        yield FAILS
    elif when is Truth.TRUE and found.state.true_since is not None and found.state.seen_at is not None:
        lasted = found.state.seen_at - found.state.true_since >= rule.hold_for
        yield MATCHES if lasted else _waits(rule)
    elif len(found.outcomes) > 1 or rule.then is None:
        yield UNKNOWN


# --- parts of conditions ------------------------------------------------------------------------------------------------


def _parts(condition: Condition) -> Iterator[str]:
    match condition:
        case All(terms=terms) | Any(terms=terms):
            for term in terms:
                if len(terms) > 1:
                    yield _only(condition, term)
                yield from _parts(term)
        case Not(term=term):
            yield from _parts(term)
        case Compare():
            return


def _only(condition: All | Any, term: Condition) -> str:
    return f"only ({phrase(term)}) {'holds' if isinstance(condition, Any) else 'fails'}"


def _decisive(condition: Condition | None, ask: Ask) -> Iterator[str]:
    """Of the parts, those that decided."""
    match condition:
        case All(terms=terms) | Any(terms=terms):
            truths = [judge(term, ask).truth for term in terms]
            alone = Truth.of(isinstance(condition, Any))
            for term, truth in zip(terms, truths, strict=True):
                if truth is alone and truths.count(alone) == 1 and Truth.UNKNOWN not in truths and len(terms) > 1:
                    yield _only(condition, term)
                yield from _decisive(term, ask)
        case Not(term=term):
            yield from _decisive(term, ask)
        case _:
            return


# --- ladders ------------------------------------------------------------------------------------------------------------


def _steps(bands: Bands) -> Iterator[str]:
    for step in bands.steps:
        yield _step(bands, step)
        if step.op is not None and bands.margin:
            yield _kept(bands, step)
    if bands.steps[-1].op is not None:
        yield NO_STEP
    yield UNKNOWN


def _step(bands: Bands, step: Step) -> str:
    if step.op is None or step.threshold is None:
        return "step otherwise"
    return f"step {wording.threshold(Compare(bands.measure, step.op, step.threshold))}"


def _kept(bands: Bands, step: Step) -> str:
    return f"{_step(bands, step)}, kept by its margin of {wording.stated(bands.margin, UNITS[bands.measure.metric])}"


def _stepped(bands: Bands, found: Considered) -> str:
    if len(found.outcomes) > 1:
        return UNKNOWN
    step = next((each for each in bands.steps if each.key == found.state.band), None)
    if step is None:
        return NO_STEP
    look = found.looks[-1] if step.op is not None else None
    if look is None or not look.margin or step.op is None or step.threshold is None:
        return _step(bands, step)
    without = holds(look.reading.bounds, step.op, float(step.threshold))
    return _step(bands, step) if without is Truth.TRUE else _kept(bands, step)
