"""How conditions, metrics and actions read in a sentence: one vocabulary for traces, decisions and explanations. Pure."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal

from service.core.logic import Bounds
from service.core.memo import once_each
from service.core.rules.language import UNITS, Compare, Measure, Metric, Op, Unit

NAMES: dict[Metric, str] = {
    Metric.UTILISATION: "utilisation",
    Metric.OPEN_SLOTS: "open slots",
    Metric.OPEN_HOURS: "open hours",
    Metric.WORKING_HOURS: "working hours",
    Metric.DAYS_TO_NEXT_OPENING: "days to the next opening",
    Metric.FULL_DAYS: "full days",
    Metric.SLOTS_OPENED: "slots opened",
    Metric.EXPECTED_OPEN_SLOTS: "expected open slots",
    Metric.EXPECTED_UTILISATION: "expected utilisation",
    Metric.COVERAGE: "coverage",
}

COMPARATORS: dict[Op, str] = {
    Op.AT_LEAST: "at least",
    Op.AT_MOST: "at most",
    Op.ABOVE: "above",
    Op.BELOW: "below",
    Op.BETWEEN: "between",
}


def number(value: float | Decimal, unit: Unit) -> str:
    """`97.2%`, `12.5 h`, `5`; one decimal at most, none where it is zero."""
    if math.isinf(value):
        return "unbounded"
    text = f"{value:.1f}".removesuffix(".0")
    return {Unit.PERCENT: f"{text}%", Unit.HOURS: f"{text} h", Unit.COUNT: text}[unit]


def bounds(value: Bounds, unit: Unit) -> str:
    """`97.2%` where exact, `between 90% and 97.2%` where not, `unknown` where nothing is known."""
    if value.exact:
        return number(value.low, unit)
    if math.isinf(value.low):
        return "unknown"
    if math.isinf(value.high):
        return f"{number(value.low, unit)} or more"
    return f"between {number(value.low, unit)} and {number(value.high, unit)}"


def duration(value: timedelta) -> str:
    """`0h`, `2h`, `24h`, `7d`, `90m`, as people write durations."""
    minutes = int(value.total_seconds()) // 60
    if minutes % 1440 == 0 and minutes > 1440:
        return f"{minutes // 1440}d"
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


def measure(asked: Measure) -> str:
    """`utilisation over 14 days`, `slots opened in the last 24h over 14 days`."""
    since = f" in the last {duration(asked.since)}" if asked.metric is Metric.SLOTS_OPENED else ""
    sure = "" if asked.confidence is None else f", with {number(asked.confidence, Unit.PERCENT)} confidence,"
    return f"{NAMES[asked.metric]}{since} over {asked.within} day{'s' if asked.within > 1 else ''}{sure}"


def threshold(compare: Compare) -> str:
    """`at least 95%`, `between 55% and 80%`."""
    unit = UNITS[compare.measure.metric]
    upper = "" if compare.upper is None else f" and {number(compare.upper, unit)}"
    return f"{COMPARATORS[compare.op]} {number(compare.threshold, unit)}{upper}"


@once_each
def comparison(compare: Compare) -> str:
    """`utilisation over 14 days at least 95%`."""
    return f"{measure(compare.measure)} {threshold(compare)}"
