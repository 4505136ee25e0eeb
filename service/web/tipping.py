"""How the core's tipping points become part of an answer: one list, in the order in which people read them."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from service.core.rules.language import Measure
from service.core.why import model
from service.web.answers import Metric, State, metric, state, state_or_none


class Tip(StrEnum):
    """What would have to happen: a metric changes, time passes, or a metric that is not known becomes known."""

    CHANGE = "change"
    TIME = "time"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric as a rule asks for it; `since_seconds` is how far `slots_opened` looks back."""

    metric: str
    within_days: int
    since_seconds: int
    confidence: float | None


@dataclass(frozen=True, slots=True)
class TippingPoint:
    """Something with which the rules would want another state of the campaign; the guardrails come after them.

    `change`: the smallest change of one metric, in its unit and below 0 for less, that does it while everything else stays;
    `before` and `after` are its readings, and it has to last `seconds`, because a rule says `for` (0: it counts at once).
    `time`: nothing changes and `seconds` pass. `known`: the metric becomes known, whatever it turns out to be.
    `targets` are the states that the rules want then: one, several if it is `known`, none where they could not tell and the
    campaign would stay as it is. `rule` is the rule that would decide.
    """

    kind: Tip
    sentence: str
    measure: Measured | None
    change: float | None
    before: Metric | None
    after: Metric | None
    seconds: int
    targets: tuple[State, ...]
    rule: str | None


def tips(found: model.Tipping) -> Iterator[TippingPoint]:
    """All of it: what would decide once known, changes with the nearest first, time."""
    yield from map(_known, found.once_known)
    yield from map(_change, found.points)
    if (timed := found.in_time) is not None:
        seconds, wanted = int(timed.after.total_seconds()), state_or_none(timed.target)
        yield TippingPoint(Tip.TIME, timed.sentence, None, None, None, None, seconds, (wanted,) if wanted else (), timed.rule)


def _known(each: model.OnceKnown) -> TippingPoint:
    return TippingPoint(
        kind=Tip.KNOWN,
        sentence=each.sentence,
        measure=_measured(each.measure),
        change=None,
        before=metric(each.reading),
        after=None,
        seconds=0,
        targets=tuple(map(state, each.targets)),
        rule=None,
    )


def _change(each: model.TippingPoint) -> TippingPoint:
    return TippingPoint(
        kind=Tip.CHANGE,
        sentence=each.sentence,
        measure=_measured(each.measure),
        change=float(each.change),
        before=metric(each.before),
        after=metric(each.after),
        seconds=int(each.lasting.total_seconds()),
        targets=() if each.target is None else (state(each.target),),
        rule=each.rule,
    )


def _measured(asked: Measure) -> Measured:
    confidence = None if asked.confidence is None else float(asked.confidence)
    return Measured(asked.metric.value, asked.within, int(asked.since.total_seconds()), confidence)
