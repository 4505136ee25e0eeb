"""How conditions, metrics and actions read in a sentence: one vocabulary for traces, decisions and explanations. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
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


OPPOSITES: dict[Op, Op] = {Op.AT_LEAST: Op.BELOW, Op.ABOVE: Op.AT_MOST, Op.AT_MOST: Op.ABOVE, Op.BELOW: Op.AT_LEAST}
"""What holds where a comparison fails; `between` has no such word."""

MOST_DECIMALS = 17
"""With so many a float is written exactly enough to tell it from any other."""


def stated(value: Decimal, unit: Unit) -> str:
    """A number of the file as the file writes it, however many decimals it has: `97.25%`, `7.25 h`, `5`."""
    text = f"{value:f}"
    return _with_unit(text.rstrip("0").rstrip(".") if "." in text else text, unit)


def number(value: float, unit: Unit, marks: Iterable[Decimal] = ()) -> str:
    """What was read: `97.2%`, `12.5 h`, `5`; one decimal at most, none where it is zero.

    As many more as it takes to stand on the same side of each of `marks` as it does: 94.96 is not the 95 that it misses.
    """
    if math.isinf(value):
        return "unbounded"
    known = tuple(marks)
    written = (f"{value:.{decimals}f}" for decimals in range(1, MOST_DECIMALS))
    text = next((each for each in written if all(_same_side(each, value, mark) for mark in known)), repr(value))
    return _with_unit(text.rstrip("0").rstrip("."), unit)


def _same_side(written: str, value: float, mark: Decimal) -> bool:
    shown, limit = Decimal(written), float(mark)
    return (shown < mark, shown > mark) == (value < limit, value > limit)


def _with_unit(text: str, unit: Unit) -> str:
    return {Unit.PERCENT: f"{text}%", Unit.HOURS: f"{text} h", Unit.COUNT: text}[unit]


def bounds(value: Bounds, unit: Unit, marks: Iterable[Decimal] = ()) -> str:
    """`97.2%` where exact, `between 90% and 97.2%` where not, `unknown` where nothing is known."""
    known = tuple(marks)
    if value.exact:
        return number(value.low, unit, known)
    if math.isinf(value.low):
        return "unknown"
    if math.isinf(value.high):
        return f"{number(value.low, unit, known)} or more"
    return f"between {number(value.low, unit, known)} and {number(value.high, unit, known)}"


def reading(value: Bounds, against: Compare, margin: Decimal = Decimal(0)) -> str:
    """What was read, as exactly as it takes to see what the comparison came to."""
    marks = [against.threshold] if against.upper is None else [against.threshold, against.upper]
    if margin:
        marks += [against.threshold - margin, against.threshold + margin]
    return bounds(value, UNITS[against.measure.metric], marks)


def duration(value: timedelta) -> str:
    """`0h`, `2h`, `24h`, `7d`, `90m`, as people write durations."""
    minutes = int(value.total_seconds()) // 60
    if minutes % 1440 == 0 and minutes > 1440:
        return f"{minutes // 1440}d"
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


def measure(asked: Measure) -> str:
    """`utilisation over 14 days`, `slots opened in the last 24h over 14 days`."""
    since = f" in the last {duration(asked.since)}" if asked.metric is Metric.SLOTS_OPENED else ""
    sure = "" if asked.confidence is None else f", with {stated(asked.confidence, Unit.PERCENT)} confidence,"
    return f"{NAMES[asked.metric]}{since} over {asked.within} day{'s' if asked.within > 1 else ''}{sure}"


def threshold(compare: Compare, *, negated: bool = False) -> str:
    """`at least 95%`, `between 55% and 80%`; `below 95%`, `not between 55% and 80%` where the comparison is to fail."""
    unit = UNITS[compare.measure.metric]
    upper = "" if compare.upper is None else f" and {stated(compare.upper, unit)}"
    op = OPPOSITES.get(compare.op, compare.op) if negated else compare.op
    return f"{'not ' if negated and op is Op.BETWEEN else ''}{COMPARATORS[op]} {stated(compare.threshold, unit)}{upper}"


def margin_of(margin: Decimal, measured: Measure) -> str:
    """`, margin 8%`; nothing where there is none."""
    return f", margin {stated(margin, UNITS[measured.metric])}" if margin else ""


@once_each
def comparison(compare: Compare) -> str:
    """`utilisation over 14 days at least 95%`."""
    return f"{measure(compare.measure)} {threshold(compare)}"
