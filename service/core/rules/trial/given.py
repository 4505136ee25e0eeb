"""Reading what is given: metrics as the rules ask for them, exact, within bounds, or missing. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from service.core.decide.model import Reading
from service.core.logic import UNBOUNDED, Bounds
from service.core.model import Reason
from service.core.rules.fields import Fields, FlawError, Parse, Problems, did_you_mean, items, listing, near
from service.core.rules.language import UNITS, CostPerBooking, Measure, Metric, Rule, RuleSet, Unit
from service.core.rules.shape_conditions import DAY_COUNTS, EXAMPLES, measure_of, threshold
from service.core.rules.tree import Entry, Node, Scalar, Sequence, described, quoted
from service.core.rules.tree import Mapping as Tree
from service.core.rules.trial.model import Given
from service.core.rules.trial.words import METRIC_GAPS, SERVICE_GAPS, VALUE, Gap
from service.core.rules.values import plain, scalar, written
from service.core.rules.walk import comparisons

Known = dict[Measure, Reading]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the rules ask of each service: every metric with its parameters, and the first rule that asks for it."""

    services: Mapping[str, Mapping[Measure, str]]

    @classmethod
    def by(cls, rules: RuleSet) -> Asked:
        """What a rule set asks."""
        found: dict[str, dict[Measure, str]] = {service: {} for service in rules.services}
        for rule in rules.rules:
            for service in {rules.campaigns[name].service for name in rule.campaigns}:
                for measure in measures_of(rule):
                    found[service].setdefault(measure, rule.name)
        return cls(found)


def measures_of(rule: Rule) -> Iterator[Measure]:
    """Everything that one rule asks for, what a booking may cost included."""
    for condition in (rule.when, rule.until):
        yield from (each.measure for each in comparisons(condition))
    if rule.bands is not None:
        yield rule.bands.measure
    actions = [rule.then] if rule.bands is None else [step.action for step in rule.bands.steps]
    for action in actions:
        if isinstance(action, CostPerBooking):
            yield Measure(Metric.EXPECTED_OPEN_SLOTS, action.within)


def given(node: Node, before: Given, asked: Asked, problems: Problems) -> Given:
    """What is given by now: what was given `before`, with what is written here over it."""
    if isinstance(node, Scalar):
        return problems.attempt(lambda value, what: _whole(value, what, before, asked), node, "`given`", before)
    if not isinstance(node, Tree):
        problems.add(node.line, f"`given` is a mapping of services or metrics, not {described(node)}", _EXAMPLE)
        return before
    found = {service: dict(known) for service, known in before.readings.items()}
    for entry in node.entries:
        for service, known in _entry(entry, asked, problems):
            found.setdefault(service, {}).update(known)
    return Given(found)


_EXAMPLE = "write {physio: {utilisation: 97%}}"


def _whole(node: Node, what: str, before: Given, asked: Asked) -> Given:
    """One word for everything that is given."""
    word = scalar(node, what, "{physio: {utilisation: 97%}}")
    if word == Gap.CLINIKO_UNREADABLE:
        return replace(before, unreadable=True)
    if word == Gap.MISSING:
        return Given({service: _all(Gap.MISSING, measures) for service, measures in asked.services.items()})
    raise FlawError(node, f"{what} cannot be {quoted(word)}", f"{_EXAMPLE}, missing or cliniko_unreadable")


def _entry(entry: Entry, asked: Asked, problems: Problems) -> Iterable[tuple[str, Known]]:
    """A service with its metrics, or a metric that is said of every service."""
    if entry.key in asked.services:
        return [(entry.key, _service(entry, asked.services[entry.key], problems))]
    if entry.key in list(Metric):
        return [(service, _metric(entry, asks, problems)) for service, asks in asked.services.items()]
    guess = near(entry.key, [*asked.services, *Metric])
    advice = did_you_mean(guess) if guess else f"the services are {listing(asked.services)}, the metrics {listing(Metric)}"
    problems.add(entry.line, f"there is no service or metric {quoted(entry.key)}", advice)
    return []


def _service(entry: Entry, asks: Iterable[Measure], problems: Problems) -> Known:
    if isinstance(entry.value, Scalar):
        return problems.attempt(lambda node, what: _all(_service_gap(node, what), asks), entry.value, f"`{entry.key}`", {})
    if not isinstance(entry.value, Tree):
        problems.add(entry.line, f"`{entry.key}` is a mapping of metrics, not {described(entry.value)}", _EXAMPLE)
        return {}
    found: Known = {}
    for each in entry.value.entries:
        if each.key in list(Metric):
            found |= _metric(each, asks, problems)
        else:
            guess = near(each.key, Metric)
            advice = did_you_mean(guess) if guess else f"the metrics are {listing(Metric)}"
            problems.add(each.line, f"there is no metric {quoted(each.key)}", advice)
    return found


def _service_gap(node: Node, what: str) -> Gap:
    word = scalar(node, what, "{utilisation: 97%}, or missing")
    if word in SERVICE_GAPS:
        return Gap(word)
    advice = f"write its metrics, like {{utilisation: 97%}}, or {listing(SERVICE_GAPS, 'or')}"
    if word == Gap.CLINIKO_UNREADABLE:
        advice = "Cliniko is one for all services: write `given: cliniko_unreadable`"
    if word == Gap.CLOSED:
        advice = "say what being closed means: {utilisation: closed, working_hours: 0h}"
    raise FlawError(node, f"{what} cannot be {quoted(word)}", advice)


# --- one metric ---------------------------------------------------------------------------------------------------------


def _metric(entry: Entry, asks: Iterable[Measure], problems: Problems) -> Known:
    """A metric: a number or a word, bounds or parameters by mapping, several ways of asking by list."""
    metric, node = Metric(entry.key), entry.value
    if isinstance(node, Sequence):
        found: Known = {}
        for item in problems.attempt(lambda value, what: items(value, what, _ways(metric)), node, f"`{metric}`", ()):
            found |= _one(item, metric, asks, problems)
        return found
    return _one(node, metric, asks, problems)


def _ways(metric: Metric) -> str:
    value = EXAMPLES[UNITS[metric]]
    return f"[{{is: {value}}}, {{is: {value}, within: 7d}}]"


def _one(node: Node, metric: Metric, asks: Iterable[Measure], problems: Problems) -> Known:
    if isinstance(node, Scalar):
        return problems.attempt(lambda value, what: _plainly(value, what, metric, asks), node, metric.value, {})
    fields = Fields(node, VALUE, problems)
    measure = measure_of(fields, metric)
    stated = [key for key in fields.present if key in _BOUNDS]
    if len(stated) != 1:
        if not fields.broken:
            problems.add(
                node.line, f"{metric} needs one of {listing(_BOUNDS, 'or')}", f"write {{is: {EXAMPLES[UNITS[metric]]}}}"
            )
        return {}
    reading = fields.read(stated[0], _BOUNDS[stated[0]](measure), None, metric.value)
    return {} if reading is None else {measure: reading}


def _plainly(node: Node, what: str, metric: Metric, asks: Iterable[Measure]) -> Known:
    """A number for the metric as it is by default; a word for it whichever way it is asked for."""
    word = scalar(node, what, EXAMPLES[UNITS[metric]])
    measure = Measure(metric)
    if word == Gap.CLINIKO_UNREADABLE:
        raise FlawError(node, f"{what} cannot be {quoted(word)}", "write `given: cliniko_unreadable`")
    if word in METRIC_GAPS:
        return _all(Gap(word), [measure, *(each for each in asks if each.metric is metric)])
    return {measure: _exactly(measure)(node, what)}


def _exactly(measure: Measure) -> Parse[Reading]:
    def parse(node: Node, what: str) -> Reading:
        if isinstance(node, Scalar) and node.text in METRIC_GAPS:
            return reading_of(Gap(node.text), measure)
        value = float(threshold(measure)(node, what))
        # No opening within the days that are looked at: it may be any number of days further on.
        beyond = measure.metric is Metric.DAYS_TO_NEXT_OPENING and value >= measure.within
        return _known(measure, value, math.inf if beyond else value, None)

    return parse


def _between(measure: Measure) -> Parse[Reading]:
    def parse(node: Node, what: str) -> Reading:
        found = items(node, f"`between` of {what}", "[lowest, highest]")
        if len(found) != 2:
            raise FlawError(node, f"`between` of {what} has {len(found)} values", "write [lowest, highest]")
        low, high = (float(threshold(measure)(item, what)) for item in found)
        if low > high:
            raise FlawError(node, f"`between` of {what} has its ends the wrong way round", "write the smaller one first")
        return _known(measure, low, high, Reason.DATA_INCOMPLETE)

    return parse


def _at_least(measure: Measure) -> Parse[Reading]:
    return lambda node, what: _known(measure, float(threshold(measure)(node, what)), _most(measure), Reason.DATA_INCOMPLETE)


def _at_most(measure: Measure) -> Parse[Reading]:
    return lambda node, what: _known(measure, 0, float(threshold(measure)(node, what)), Reason.DATA_INCOMPLETE)


_BOUNDS = {"is": _exactly, "between": _between, "at_least": _at_least, "at_most": _at_most}


def _most(measure: Measure) -> float:
    if measure.metric is Metric.FULL_DAYS:
        return measure.within
    return 100 if UNITS[measure.metric] is Unit.PERCENT else math.inf


def _known(measure: Measure, low: float, high: float, cause: Reason | None) -> Reading:
    """Within bounds; with `confidence` that is what the comparison is held against."""
    bounds = Bounds(low if low == high else None, low, high)
    sure = None if measure.confidence is None else bounds
    return Reading(bounds, None if low == high else cause, lower=sure, upper=sure)


def reading_of(word: Gap, measure: Measure) -> Reading:
    """What a run would know: nothing but what the metric's unit says, or no value at all."""
    if word is not Gap.MISSING:
        return Reading(UNBOUNDED, Reason(word.value))
    cause = Reason.NO_HISTORY if measure.metric is Metric.SLOTS_OPENED else Reason.DATA_INCOMPLETE
    return _known(measure, 0, _most(measure), cause)


def _all(word: Gap, measures: Iterable[Measure]) -> Known:
    return {measure: reading_of(word, measure) for measure in measures}


def written_as(measure: Measure) -> str:
    """How to give a metric that is asked for: `utilisation: 95%`, `open_slots: {is: 5, within: 7d}`."""
    value, plainly = EXAMPLES[UNITS[measure.metric]], Measure(measure.metric)
    if measure.metric in DAY_COUNTS:
        value = str(min(int(value), measure.within))
    parts = [f"is: {value}"]
    if measure.within != plainly.within:
        parts.append(f"within: {measure.within}d")
    if measure.since != plainly.since:
        parts.append(f"since: {written(measure.since)}")
    if measure.confidence is not None:
        parts.append(f"confidence: {plain(measure.confidence)}%")
    return f"{measure.metric}: {value if len(parts) == 1 else '{' + ', '.join(parts) + '}'}"
