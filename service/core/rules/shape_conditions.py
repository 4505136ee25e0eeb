"""Reading conditions and ladders: metrics, comparators, thresholds in the metric's unit, `any`, `all`, `not`, `bands`. Pure."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from service.core.rules import vocabulary as words
from service.core.rules.fields import Fields, FlawError, Parse, Problems, did_you_mean, entries, items, listing, near
from service.core.rules.language import (
    UNITS,
    Action,
    All,
    Any,
    Bands,
    Compare,
    Condition,
    Measure,
    Metric,
    Not,
    Op,
    Step,
    Unit,
    one,
)
from service.core.rules.limits import COUNTS, DURATIONS, PERCENTAGES
from service.core.rules.tree import Entry, Mapping, Node, Scalar, described, quoted
from service.core.rules.values import DAY, duration, hours, one_of, percent, plain, whole, within

NEVER = All(())
"""Stands in for a condition that could not be read; the file is refused before anybody looks at it."""

JOINED = {"or": "any", "and": "all", "none": "not"}
"""What other languages call the ways to join conditions."""

CONDITION = "{utilisation: {at_least: 95%}}"
EXAMPLES = {Unit.PERCENT: "95%", Unit.HOURS: "12h", Unit.COUNT: "5"}
THRESHOLDS: dict[Unit, Parse[Decimal]] = {
    Unit.PERCENT: percent(*PERCENTAGES["threshold"]),
    Unit.HOURS: hours,
    Unit.COUNT: whole(*COUNTS["threshold"]),
}
DAY_COUNTS = {Metric.DAYS_TO_NEXT_OPENING, Metric.FULL_DAYS}
RISING, FALLING = (Op.AT_LEAST, Op.ABOVE), (Op.AT_MOST, Op.BELOW)


def condition(node: Node, what: str, problems: Problems) -> Condition:
    """A mapping of metrics, `any`, `all` and `not`, all of which must hold."""
    found = problems.attempt(lambda value, key: entries(value, key, CONDITION), node, what, ())
    terms = [_term(entry, problems) for entry in found]
    if isinstance(node, Mapping) and not found:
        problems.add(node.line, f"{what} states no condition", f"write {CONDITION}")
    return terms[0] if len(terms) == 1 else All(tuple(terms))


def _term(entry: Entry, problems: Problems) -> Condition:
    match entry.key:
        case "any":
            return Any(_terms(entry, problems))
        case "all":
            return All(_terms(entry, problems))
        case "not":
            return Not(condition(entry.value, "`not`", problems))
        case key if key in list(Metric):
            return _comparison(entry, Metric(key), problems)
    guess = JOINED.get(entry.key.casefold()) or near(entry.key, [*Metric, *words.JUNCTIONS])
    advice = did_you_mean(guess) if guess else "the metrics are " + listing(Metric)
    problems.add(entry.line, f"there is no metric {quoted(entry.key)}", advice)
    return NEVER


def _terms(entry: Entry, problems: Problems) -> tuple[Condition, ...]:
    example = "[{utilisation: {below: 88%}}, {open_slots: {at_least: 5}}]"
    found = problems.attempt(lambda node, what: items(node, what, example), entry.value, f"`{entry.key}`", ())
    return tuple(condition(item, f"an item of `{entry.key}`", problems) for item in found)


def _comparison(entry: Entry, metric: Metric, problems: Problems) -> Condition:
    example = f"write {metric}: {{at_least: {EXAMPLES[UNITS[metric]]}}}"
    if isinstance(entry.value, Scalar):
        problems.add(entry.line, f"{metric} needs a comparator, not just {described(entry.value)}", example)
        return NEVER
    fields = Fields(entry.value, words.COMPARISON, problems)
    measure = measure_of(fields, metric)
    compares = [_compare(fields, Op(key), measure) for key in fields.present if key in list(Op)]
    if not compares and not fields.broken:
        problems.add(entry.line, f"{metric} has no comparator", example)
    return compares[0] if len(compares) == 1 else All(tuple(compares))


def measure_of(fields: Fields, metric: Metric) -> Measure:
    """The metric with what is said about it, each parameter only where it means something."""
    if "since" in fields and not words.looks_back(metric):
        fields.flaw("since", f"`since` means nothing for {metric}", "take it out; only slots_opened looks back")
    if "confidence" in fields and not words.is_forecast(metric):
        fields.flaw("confidence", f"`confidence` means nothing for {metric}", "take it out; only expected_* metrics have it")
    found = Measure(
        metric=metric,
        within=fields.read("within", within, 14),
        since=fields.read("since", duration(*DURATIONS["since"]), DAY),
        confidence=fields.read("confidence", percent(*PERCENTAGES["confidence"]), None),
    )
    return one(found)


def _compare(fields: Fields, op: Op, measure: Measure) -> Compare:
    parse = threshold(measure)
    if op is not Op.BETWEEN:
        return Compare(measure, op, fields.read(op.value, parse, Decimal(0), measure.metric.value))
    low, high = fields.read(op.value, _pair(parse), (Decimal(0), Decimal(0)), measure.metric.value)
    return Compare(measure, op, low, high)


def threshold(measure: Measure) -> Parse[Decimal]:
    """The parser for thresholds of a metric: its unit, and no more days than are looked at."""
    if measure.metric in DAY_COUNTS:
        return whole(0, measure.within)
    return THRESHOLDS[UNITS[measure.metric]]


def _pair(parse: Parse[Decimal]) -> Parse[tuple[Decimal, Decimal]]:
    def parse_pair(node: Node, what: str) -> tuple[Decimal, Decimal]:
        found = items(node, f"`between` of {what}", "[lowest, highest]")
        if len(found) != 2:
            raise FlawError(node, f"`between` of {what} has {len(found)} values", "write [lowest, highest]")
        low, high = (parse(item, what) for item in found)
        if low > high:
            raise FlawError(node, f"`between` of {what} has its ends the wrong way round", "write the smaller one first")
        return low, high

    return parse_pair


# --- ladders ------------------------------------------------------------------------------------------------------------


def bands(node: Node, problems: Problems, budget: Parse[Action]) -> Bands | None:
    """A ladder of budgets, each read by `budget`; None where its metric cannot be read and so nor can its thresholds."""
    fields = Fields(node, words.BANDS, problems)
    by, steps = fields.node("by"), fields.node("steps")
    measured = _by(by, problems) if by else None
    if measured is None or steps is None:
        return None
    example = "[{at_least: 90%, budget: floor}, {otherwise: 130%}]"
    found = problems.attempt(lambda value, what: items(value, what, example), steps, "`steps`", ())
    read = [(item.line, _step(item, measured[0], problems, budget)) for item in found]
    good = [(line, step) for line, step in read if step is not None]
    if len(read) == 1 and good and good[0][1].op is None:
        problems.add(good[0][0], "a ladder of nothing but `otherwise` has no steps", "write steps above it, or use `then`")
    _check_steps(good, UNITS[measured[0].metric], problems)
    return Bands(*measured, tuple(step for _, step in good))


def _by(node: Node, problems: Problems) -> tuple[Measure, Decimal] | None:
    fields = Fields(node, words.BY, problems)
    metric = fields.read("metric", one_of(Metric), None)
    if metric is None:
        return None
    measure = measure_of(fields, metric)
    return measure, fields.read("margin", THRESHOLDS[UNITS[metric]], Decimal(0), f"`margin` of {metric}")


def _step(node: Node, measure: Measure, problems: Problems, budget: Parse[Action]) -> Step | None:
    fields = Fields(node, words.STEP, problems)
    if fields.present == ("otherwise",):
        return _stepped(None, None, fields.read("otherwise", budget, None))
    ops = [Op(key) for key in fields.present if key in list(Op)]
    if fields.broken:
        return None
    if len(ops) != 1 or "budget" not in fields or "otherwise" in fields:
        problems.add(
            node.line, "a step is one comparator and a budget", "write {at_least: 90%, budget: floor} or {otherwise: 130%}"
        )
        return None
    value = fields.read(ops[0].value, threshold(measure), None, measure.metric.value)
    return _stepped(ops[0], value, fields.read("budget", budget, None))


def _stepped(op: Op | None, value: Decimal | None, action: Action | None) -> Step | None:
    return None if action is None or (op and value is None) else Step(op, value, action)


def _check_steps(steps: list[tuple[int, Step]], unit: Unit, problems: Problems) -> None:
    """All in one direction, each reachable past the ones above it, `otherwise` last."""
    for (_, above), (line, step) in pairwise(steps):
        if above.op is None:
            problems.add(line, "a step below `otherwise` is never reached", "make `otherwise` the last step")
        elif step.op is not None and (above.op in RISING) != (step.op in RISING):
            problems.add(
                line, "the steps of a ladder go one way", f"write all of them with {listing(_same_way(above.op), 'or')}"
            )
        elif step.op is not None and not _reachable(above, step):
            covered = f"{plain(step.threshold or Decimal(0))}{unit}"
            order = "highest" if above.op in RISING else "lowest"
            problems.add(
                line, f"this step is never reached: the one above covers {covered}", f"put the {order} threshold first"
            )


def _same_way(op: Op) -> tuple[Op, ...]:
    return RISING if op in RISING else FALLING


def _reachable(above: Step, step: Step) -> bool:
    """Whether some value satisfies `step` that does not satisfy the one above it (both in the same direction)."""
    if above.threshold is None or step.threshold is None:
        return True
    if above.threshold == step.threshold:
        return above.op in {Op.ABOVE, Op.BELOW} and step.op in {Op.AT_LEAST, Op.AT_MOST}
    return (step.threshold < above.threshold) == (above.op in RISING)
