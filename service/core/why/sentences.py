"""How a tipping point reads: `Two more openings in the next 7 days (at least 5) would lift the pause: ...`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from service.core.decide.model import Proposal
from service.core.logic import Bounds, Truth
from service.core.model import State
from service.core.money import shown
from service.core.rules import wording
from service.core.rules.conditions import Look
from service.core.rules.language import UNITS, Measure, Metric, Op, Unit
from service.core.why.moves import WHOLE
from service.core.why.question import Question

WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def point(asking: Question, then: Question, measure: Measure, change: Decimal, proposal: Proposal, lasting: timedelta) -> str:
    """What changes by how much, how it reads then, and what the rules want then; `then` is the question so changed."""
    days = measure.metric is Metric.DAYS_TO_NEXT_OPENING
    where = "" if days else f" ({_reads(asking, then, measure)})"
    time = f", lasting {wording.duration(lasting)}," if lasting else ""
    what = _changed(measure, change, asking.ask(measure).bounds, then.ask(measure).bounds)
    return _capital(f"{what}{where}{time} would {_effect(asking, proposal)}")


def in_time(asking: Question, hours: int, then: Proposal) -> str:
    """`In 2 hours, if no reading changes, the rules want it paused (“Booked solid”)`."""
    when = f"In {hours} hour{'s' * (hours > 1)}, if no reading changes,"
    if then.target is None:
        return f"{when} the rules cannot tell what they want, so it stays {_state(asking, asking.in_force)}"
    return f"{when} the rules want it {_state(asking, then.target)} ({_by(then.rule)})"


def once_known(asking: Question, measure: Measure, targets: Sequence[State]) -> str:
    """`Once open slots over 7 days is known for sure (now between 2 and 7), the rules can decide: paused or ...`."""
    bounds = asking.ask(measure).bounds
    now = f" (now {wording.bounds(bounds, UNITS[measure.metric])})" if bounds.low >= 0 else ""
    wanted = " or ".join(_state(asking, target) for target in targets)
    return f"Once {_name(measure)} is known for sure{now}, the rules can decide: {wanted}"


# --- what changes -------------------------------------------------------------------------------------------------------


def _changed(measure: Measure, change: Decimal, before: Bounds, after: Bounds) -> str:
    if measure.metric is Metric.DAYS_TO_NEXT_OPENING:
        return _next_opening(measure, change, before, after)
    size = abs(change)
    if UNITS[measure.metric] is Unit.PERCENT:
        return f"{wording.measure(measure)} {_amount(size)} point{_s(size)} {'higher' if change > 0 else 'lower'}"
    much = _amount(size, whole=measure.metric in WHOLE)
    return f"{much} {'more' if change > 0 else 'fewer'} {_COUNTED[measure.metric](measure, size)}{_sure(measure)}"


_COUNTED: Mapping[Metric, Callable[[Measure, Decimal], str]] = {
    Metric.OPEN_SLOTS: lambda asked, n: f"opening{_s(n)} {_ahead(asked)}",
    Metric.OPEN_HOURS: lambda asked, n: f"open hour{_s(n)} {_ahead(asked)}",
    Metric.WORKING_HOURS: lambda asked, n: f"rostered hour{_s(n)} {_ahead(asked)}",
    Metric.FULL_DAYS: lambda asked, n: f"full day{_s(n)} {_ahead(asked)}",
    Metric.SLOTS_OPENED: lambda asked, n: f"slot{_s(n)} opened in the last {wording.duration(asked.since)} {_over(asked)}",
    Metric.EXPECTED_OPEN_SLOTS: lambda asked, n: f"opening{_s(n)} expected to stay unfilled {_over(asked)}",
}


def _next_opening(measure: Measure, change: Decimal, before: Bounds, after: Bounds) -> str:
    """`a next opening tomorrow instead of in 3 days`, `no opening in the next 14 days instead of the first in 3 days`."""
    was, is_ = (_day(measure, value) for value in (before, after))
    if was is None or is_ is None:
        size = abs(change)
        return f"the next opening {_amount(size, whole=True)} day{_s(size)} {'later' if change > 0 else 'sooner'}"
    if after.low >= measure.within:
        return f"no opening {_ahead(measure)} instead of the next {was}"
    return f"a next opening {is_} instead of {was}"


def _day(measure: Measure, value: Bounds) -> str | None:
    if value.low >= measure.within:
        return f"none {_ahead(measure)}"
    if not value.exact:
        return None
    return {0: "today", 1: "tomorrow"}.get(int(value.low), f"in {int(value.low)} days")


def _ahead(measure: Measure) -> str:
    return "today" if measure.within == 1 else f"in the next {measure.within} days"


def _over(measure: Measure) -> str:
    return f"over {measure.within} day{'s' * (measure.within > 1)}"


def _sure(measure: Measure) -> str:
    return "" if measure.confidence is None else f", with {wording.stated(measure.confidence, Unit.PERCENT)} confidence"


def _name(measure: Measure) -> str:
    return wording.measure(measure).rstrip(",")


def _amount(size: Decimal, *, whole: bool = False) -> str:
    if whole and size < len(WORDS):
        return WORDS[int(size)]
    return wording.stated(size, Unit.COUNT)


def _s(size: Decimal) -> str:
    return "s" * (size != 1)


# --- how it reads then --------------------------------------------------------------------------------------------------


def _reads(asking: Question, then: Question, measure: Measure) -> str:
    """The comparison that turns, if it is only one, else the value."""
    before, turned = _looks(asking, measure), {}
    for key, look in _looks(then, measure).items():
        if key in before and before[key].truth is not look.truth:
            turned[_bound(look)] = look
    plain = {said for said in turned if said is not None}
    if len(turned) == len(plain) == 1:
        return plain.pop()
    marks = (look.compare.threshold + off for look in turned.values() for off in (Decimal(0), _slack(look)))
    return wording.bounds(then.ask(measure).bounds, UNITS[measure.metric], marks)


def _looks(asking: Question, measure: Measure) -> dict[tuple[str, str], Look]:
    found = ((rule.name, look) for rule, result in asking.considered() for look in result.looks)
    return {(name, wording.threshold(look.compare)): look for name, look in found if look.compare.measure == measure}


def _bound(look: Look) -> str | None:
    """`at least 95%` where a comparison holds, `below 95%` where it does not; None where that is not one simple bound."""
    compare = replace(look.compare, threshold=look.compare.threshold + _slack(look))
    if look.truth is Truth.TRUE:
        return wording.threshold(compare)
    if look.truth is Truth.FALSE and compare.op in wording.OPPOSITES:
        return wording.threshold(compare, negated=True)
    return None


def _slack(look: Look) -> Decimal:
    """What a ladder's margin adds to the threshold of the step in force."""
    return -look.margin if look.compare.op in {Op.AT_LEAST, Op.ABOVE} else look.margin


# --- what the rules want then -------------------------------------------------------------------------------------------


def _effect(asking: Question, then: Proposal) -> str:
    now = asking.wish()
    if then.target is None:
        return f"leave open what the rules want, so that it stays {_state(asking, asking.in_force)}"
    if not then.target.running:
        return f"{'pause it' if asking.in_force.running else 'leave it paused'} ({_by(then.rule)})"
    money = shown(then.target.budget, asking.inputs.rules.currency)
    if now.running:
        return f"make it {money} a day instead of {shown(now.budget, asking.inputs.rules.currency)} ({_by(then.rule)})"
    lifted = "call off the pause" if asking.in_force.running else "lift the pause"
    return f"{lifted}: then {_state(asking, then.target)} ({_by(then.rule)})"


def _by(rule: str | None) -> str:
    return "no rule matches: base budget" if rule is None else f"“{rule}”"


def _state(asking: Question, state: State) -> str:
    return f"running at {shown(state.budget, asking.inputs.rules.currency)}" if state.running else "paused"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
