"""Numbers in words never contradict what was decided by them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.logic import Bounds
from service.core.rules.language import Compare, Measure, Metric, Op, Unit
from service.core.rules.wording import number, reading, stated, threshold

UTILISATION, HOURS = Measure(Metric.UTILISATION), Measure(Metric.OPEN_HOURS)


def compare(threshold: str, op: Op = Op.AT_LEAST, measure: Measure = UTILISATION, upper: str | None = None) -> Compare:
    return Compare(measure, op, Decimal(threshold), None if upper is None else Decimal(upper))


READ = {
    "plain": (97.2, compare("95"), "97.2%"),
    "whole": (97.0, compare("95"), "97%"),
    "a hundred": (100.0, compare("95"), "100%"),
    "short of it": (94.96, compare("95"), "94.96%"),
    "past it": (60.04, compare("60", Op.BELOW), "60.04%"),
    "below it": (59.98, compare("60", Op.BELOW), "59.98%"),
    "by very little": (94.99996, compare("95"), "94.99996%"),
    "exactly it": (97.25, compare("97.25"), "97.25%"),
    "not past a threshold with decimals": (94.96, compare("94.97"), "94.96%"),
    "near the upper end": (80.04, compare("60", Op.BETWEEN, upper="80"), "80.04%"),
    "hours": (7.24, compare("7.25", Op.BELOW, HOURS), "7.2 h"),
    "short hours": (7.2499, compare("7.2", Op.BELOW, HOURS), "7.25 h"),
}


@pytest.mark.parametrize(("value", "against", "says"), READ.values(), ids=READ)
def test_a_reading_is_written_on_its_side_of_the_threshold(value: float, against: Compare, says: str) -> None:
    assert reading(Bounds.exactly(value), against) == says


def test_the_margin_of_a_ladder_is_a_threshold_too() -> None:
    assert reading(Bounds.exactly(81.96), compare("90"), Decimal(8)) == "81.96%"
    assert reading(Bounds.exactly(81.96), compare("90")) == "82%"


def test_both_ends_of_a_reading_are_written_so() -> None:
    assert reading(Bounds(None, 94.96, 95.04), compare("95")) == "between 94.96% and 95.04%"


@given(value=st.floats(0, 100), mark=st.decimals(0, 100, places=4))
def test_whoever_compares_the_words_comes_to_the_same(value: float, mark: Decimal) -> None:
    written = Decimal(number(value, Unit.PERCENT, [mark]).removesuffix("%"))
    assert (written < mark, written > mark) == (value < float(mark), value > float(mark))


def test_a_threshold_reads_as_the_file_has_it() -> None:
    written = [stated(Decimal(each), Unit.HOURS) for each in ("7.25", "7.0", "120", "0.0001")]
    assert written == ["7.25 h", "7 h", "120 h", "0.0001 h"]
    assert threshold(compare("97.25")) == "at least 97.25%"


NEGATED = {
    Op.AT_LEAST: "below 95%", Op.ABOVE: "at most 95%", Op.AT_MOST: "above 95%", Op.BELOW: "at least 95%",
    Op.BETWEEN: "not between 95% and 99%",
}  # fmt: skip


@pytest.mark.parametrize("op", Op)
def test_what_is_to_fail_reads_as_its_opposite(op: Op) -> None:
    assert threshold(compare("95", op, upper="99" if op is Op.BETWEEN else None), negated=True) == NEGATED[op]
