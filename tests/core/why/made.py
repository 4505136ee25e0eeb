"""Runs for tipping points: generated rule files with readings near their thresholds, and a way to ask them by a whole run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from service.core.decide.model import Proposal, Reading, RuleState, RunInputs
from service.core.engine import decide
from service.core.logic import UNBOUNDED, Bounds
from service.core.model import Campaign, Platform, Reason, Snapshot, State, Unreadable
from service.core.outlook import Outlook
from service.core.rules.language import Measure, Metric, RuleSet
from service.core.why.moves import WHOLE, asked, bounded, grain, marks, span
from service.rulefiles.source import check
from tests.rulefiles.generated import files, written

NOON = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
CENT = Decimal("0.01")
ONE = "one"
Readings = Mapping[Measure, Reading]


@dataclass(frozen=True, slots=True)
class Made:
    """What a run knows: its inputs and what each metric reads; a metric that nobody thought of reads 0."""

    inputs: RunInputs
    readings: Readings
    worth: Reading = field(default_factory=lambda: Reading(Bounds.exactly(20)))

    def outlook(self) -> Outlook:
        asks = {name: lambda asked: self.readings.get(asked, Reading(Bounds.exactly(0))) for name in self.inputs.rules.services}
        return Outlook(asks, lambda *_: self.worth, {})

    def reading(self, measure: Measure, value: Reading) -> Made:
        return replace(self, readings={**self.readings, measure: value})

    @property
    def in_force(self) -> State:
        seen = self.inputs.snapshot.campaigns[ONE]
        assert isinstance(seen, Campaign)
        return seen.state

    def proposal(self) -> Proposal:
        """What a whole run would propose."""
        return decide(self.inputs, self.outlook()).proposals[ONE]

    def wish(self, hours: int = 0) -> State:
        """What hourly runs would want in so many hours, if the readings stay and nothing is done about it."""
        made = self
        for _ in range(hours):
            states = decide(made.inputs, made.outlook()).rule_states
            made = replace(made, inputs=replace(made.inputs, now=made.inputs.now + HOUR, rule_states=states))
        return made.proposal().target or self.in_force


def run(rules: RuleSet, here: State, states: Mapping[str, RuleState] | None = None) -> RunInputs:
    """A run at noon that saw every campaign at `here`."""
    shown: dict[str, Campaign | Unreadable] = {
        name: Campaign(Platform.GOOGLE, entry.id, name, here, rules.currency, CENT) for name, entry in rules.campaigns.items()
    }
    snapshot = Snapshot(rules.clinic, NOON, Unreadable("cliniko", "not asked"), shown)
    return RunInputs("run", rules.clinic, NOON, "test", rules, snapshot, rule_states=dict(states or {}))


# --- generated ----------------------------------------------------------------------------------------------------------


@st.composite
def made(draw: st.DrawFn) -> Made:
    """A run over a generated file, what its rules remember, and readings near the thresholds of the file."""
    rules = soon(check(written(draw(files())), "quay.yaml"), draw(st.integers(1, 4)) * HOUR)
    here = State(draw(st.booleans()), draw(st.sampled_from([Decimal("60.00"), Decimal("1.00"), Decimal("35.00")])))
    states = {f"physio/{rule.name}": draw(remembered(rule)) for rule in rules.rules}
    readings = {measure: draw(reading(measure, rules)) for measure in asked(rules.rules)}
    low = draw(st.floats(0, 90))
    worth = Reading(draw(st.sampled_from([Bounds.exactly(low), Bounds(low, low, low + 20)])))
    return Made(run(rules, here, states), readings, worth)


def soon(rules: RuleSet, hours: timedelta) -> RuleSet:
    """The rules with every `for` cut to so long: more than a day is not looked ahead."""
    return replace(rules, rules=tuple(replace(rule, hold_for=min(rule.hold_for, hours)) for rule in rules.rules))


@st.composite
def remembered(draw: st.DrawFn, rule: Any) -> RuleState:
    hours = st.one_of(st.none(), st.integers(1, 30).map(lambda n: NOON - n * HOUR))
    keys = [step.key for step in rule.bands.steps] if rule.bands else [None]
    held = draw(hours)
    on = draw(hours) if rule.until else None
    return RuleState(held, held, on, draw(st.sampled_from([*keys, None])), NOON - HOUR)


@st.composite
def reading(draw: st.DrawFn, measure: Measure, rules: RuleSet) -> Reading:
    """Exact more often than not; sometimes between bounds, seldom not known at all."""
    near = draw(st.sampled_from(sorted(set(marks(measure, rules.rules))))) + draw(st.integers(-25, 25)) * grain(measure)
    fraction = draw(st.sampled_from(["0", "0.0333"])) if measure.metric not in WHOLE else "0"
    room = span(measure, lambda _: Reading(Bounds.exactly(200)))
    value = min(max(float(near + Decimal(fraction)), room.low), room.high)
    kind = draw(st.sampled_from(["exact", "exact", "exact", "between", "unknown"]))
    if kind == "unknown":
        return Reading(UNBOUNDED, draw(st.sampled_from([Reason.CLOSED, Reason.DATA_INCOMPLETE])))
    wide = draw(st.integers(1, 9)) if kind == "between" else 0
    bounds = bounded(measure, Bounds(value, value, min(value + wide, room.high)))
    quantiles = (bounds, bounds) if measure.confidence is not None else (None, None)
    return Reading(bounds, None if bounds.exact else Reason.DATA_INCOMPLETE, *quantiles)


def exact_at(measure: Measure, value: Decimal) -> Reading:
    """A metric that is known to be `value`."""
    bounds = bounded(measure, Bounds.exactly(float(value)))
    return Reading(bounds, None, *((bounds, bounds) if measure.confidence is not None else (None, None)))


def value_of(measure: Measure, value: Reading) -> float | None:
    """The one number that a reading is, if it is; `within` for no opening in the window."""
    if measure.metric is Metric.DAYS_TO_NEXT_OPENING and value.bounds.low >= measure.within:
        return measure.within
    return value.bounds.low if value.bounds.exact and value.bounds != UNBOUNDED else None
