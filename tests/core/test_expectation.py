"""What is expected of the coming days, what a look teaches, and what `confidence` does to a comparator."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from service.core.expectation import Expectation, look_key, looks, shared
from service.core.logic import Bounds, Truth
from service.core.metrics import Seen, asking, forecast
from service.core.model import Diaries, Reason, Unseen
from service.core.observation import Observation
from service.core.pace import Look, Pace, Rung, fit
from service.core.rules.conditions import compare, faced
from service.core.rules.language import Compare, Measure, Metric, Op
from tests.core.made import MONDAY, NOW, OPEN, alone, at, diaries, every, lead, office, seen

TRIPLE, BENS = ("city", "ana", "first"), ("city", "ben", "first")
DAY = timedelta(days=1)
OPENING = [start for day in [*range(5), *range(7, 12)] for start in every(60, day, "09:00", "11:00")]
"""Three openings on each of ten working days."""


def halving(days: int = 56) -> Pace:
    """A clinic of which, from a week ahead to the day itself, all but one of three openings are booked."""
    past = [MONDAY - n * DAY for n in range(1, days + 1)]
    return fit([Look("physio", "city", day, tuple(_left(day, n) for n in range(14))) for day in past], MONDAY)


def _left(day: date, ahead: int) -> float | None:
    """Three openings a week ahead and more, two from three days ahead, one on the day; weekends are closed."""
    works = (day + ahead * DAY).weekday() < 5
    return (3.0 if ahead >= 7 else 2.0 if ahead >= 3 else 1.0) if works else None


def ask(view: Seen, metric: Metric, within: int = 14, confidence: int | None = None) -> tuple[float | None, float, float]:
    bounds = asking(view)(Measure(metric, within, confidence=None if confidence is None else Decimal(confidence))).bounds
    return bounds.estimate, bounds.low, bounds.high


# --- expected metrics ---------------------------------------------------------------------------------------------------


def test_without_history_openings_are_expected_to_stay_as_they_are() -> None:
    view = seen(alone(OPENING))
    assert ask(view, Metric.EXPECTED_OPEN_SLOTS) == ask(view, Metric.OPEN_SLOTS) == (30, 30, 30)
    assert ask(view, Metric.EXPECTED_UTILISATION) == ask(view, Metric.UTILISATION) == (0, 0, 0)
    assert forecast(view, "physio", asking(view)).rung == Rung.OPENINGS_NOW


def test_what_the_pace_books_is_expected_to_go() -> None:
    view = seen(alone(OPENING), pace=halving())
    expected, low, high = ask(view, Metric.EXPECTED_OPEN_SLOTS)
    assert expected == low == high
    assert 10 <= high <= 20
    assert 30 < ask(view, Metric.EXPECTED_UTILISATION)[1] < 70
    assert forecast(view, "physio", asking(view)).rung == Rung.PICKUP


def test_closed_days_are_expected_to_stay_closed() -> None:
    assert ask(seen(alone([], hours=[]), pace=halving()), Metric.EXPECTED_OPEN_SLOTS) == (0, 0, 0)


@pytest.mark.parametrize("metric", [Metric.EXPECTED_OPEN_SLOTS, Metric.EXPECTED_UTILISATION])
def test_unobserved_capacity_widens_what_is_expected(metric: Metric) -> None:
    half = diaries({TRIPLE: OPENING, BENS: Unseen.FAILED}, [*office(), *office("ben")])
    reading = asking(seen(half, pace=halving()))(Measure(metric))
    assert reading.cause is Reason.DATA_INCOMPLETE
    assert reading.bounds.low < reading.bounds.high


@pytest.mark.parametrize(
    ("reading", "cause"),
    [
        (alone(OPENING, bookings=lead(336)), Reason.LEAD_TIME),
        (alone([], hours=[]), Reason.CLOSED),
        (alone(OPENING, bookings=replace(OPEN, enabled=False)), Reason.NOT_SOLD_ONLINE),
    ],
)
def test_expected_utilisation_is_undefined_for_the_reasons_that_utilisation_is(reading: Diaries, cause: Reason) -> None:
    view = seen(reading, pace=halving())
    for metric in (Metric.UTILISATION, Metric.EXPECTED_UTILISATION):
        assert asking(view)(Measure(metric)).cause is cause


# --- confidence ---------------------------------------------------------------------------------------------------------


def test_confidence_makes_every_comparator_harder_to_satisfy() -> None:
    reading = asking(seen(alone(OPENING), pace=halving()))(Measure(Metric.EXPECTED_OPEN_SLOTS, confidence=Decimal(90)))
    assert reading.lower is not None
    assert reading.upper is not None
    assert reading.lower.high <= reading.bounds.low <= reading.bounds.high <= reading.upper.low
    for op in (Op.AT_LEAST, Op.ABOVE):
        assert faced(reading, op).bounds == reading.lower
    for op in (Op.AT_MOST, Op.BELOW):
        assert faced(reading, op).bounds == reading.upper


def test_spread_gives_true_or_false_and_never_unknown() -> None:
    view = seen(alone(OPENING), pace=halving())
    measure = Measure(Metric.EXPECTED_OPEN_SLOTS, confidence=Decimal(80))
    for op in Op:
        for threshold in range(0, 35, 3):
            condition = Compare(measure, op, Decimal(threshold), Decimal(threshold + 2) if op is Op.BETWEEN else None)
            assert compare(asking(view)(measure), condition) is not Truth.UNKNOWN


def test_between_needs_both_ends_to_be_sure() -> None:
    reading = asking(seen(alone(OPENING), pace=halving()))(Measure(Metric.EXPECTED_OPEN_SLOTS, confidence=Decimal(90)))
    assert reading.lower is not None
    assert reading.upper is not None
    lowest, highest = Decimal(str(reading.lower.low - 1)), Decimal(str(reading.upper.high + 1))
    condition = Compare(Measure(Metric.EXPECTED_OPEN_SLOTS, confidence=Decimal(90)), Op.BETWEEN, lowest, highest)
    too_high = replace(condition, threshold=Decimal(str(reading.bounds.low)))
    assert reading.lower.low < reading.bounds.low
    assert [compare(reading, each) for each in (condition, too_high)] == [Truth.TRUE, Truth.FALSE]


# --- looks --------------------------------------------------------------------------------------------------------------


def look(reading: Diaries, looked: dict[str, date] | None = None, hours_later: float = 0) -> tuple[Look, ...]:
    now = NOW + timedelta(hours=hours_later)
    view, observation = seen(reading, now), Observation.of(reading, now)
    return tuple(looks(observation, view.capacity, Expectation("physio", Pace(MONDAY), view.expects.ahead), looked or {}))


def test_a_look_counts_openings_by_days_ahead_and_says_nothing_of_closed_days() -> None:
    (found,) = look(alone([*every(60, 0, "09:00", "10:00"), at(8, "09:00")]))
    assert (found.service, found.location, found.day) == ("physio", "city", MONDAY)
    assert list(found.openings) == [2, 0, 0, 0, 0, None, None, 0, 1, 0, 0, 0, None, None]
    assert [each is None for each in found.outlook] == [each is None for each in found.openings]


def test_only_the_first_look_of_a_day_is_taken() -> None:
    key = look_key("physio", "city")
    assert len(look(alone(OPENING), {key: MONDAY})) == 0
    assert len(look(alone(OPENING), {key: MONDAY - DAY})) == 1


def test_a_look_that_is_not_whole_is_left_to_a_later_run() -> None:
    assert len(look(diaries({TRIPLE: OPENING, BENS: Unseen.FAILED}, [*office(), *office("ben")]))) == 0


def test_somebody_whom_cliniko_does_not_offer_is_left_out_of_the_look() -> None:
    (found,) = look(diaries({TRIPLE: OPENING, BENS: Unseen.NOT_FOUND}, [*office(), *office("ben")]))
    assert found.openings[:5] == (3, 3, 3, 3, 3)


def test_what_lead_time_or_a_cap_hides_is_not_learnt() -> None:
    (late,) = look(alone(OPENING[1:]), hours_later=4)
    assert late.openings[:2] == (None, 3)
    (capped,) = look(alone([at(0, "09:00"), at(1, "09:00"), at(1, "10:00")], bookings=replace(OPEN, segment_cap=2)))
    assert capped.openings[:3] == (1, None, 0)


# --- a shared diary -----------------------------------------------------------------------------------------------------


def test_a_diary_shared_by_two_services_counts_half() -> None:
    reading = diaries({TRIPLE: [at(0, "09:00")], BENS: [at(0, "09:00"), at(0, "10:00")]}, [*office(), *office("ben")])
    found = seen(reading).capacity
    assert shared(Bounds.exactly(3), found, 14, {"ana": 2, "ben": 1}) == Bounds.exactly(2.5)
    assert shared(Bounds.exactly(3), found, 14, {"ana": 1, "ben": 1}) == Bounds.exactly(3)


def test_of_no_openings_now_a_shared_diary_gets_its_part_of_what_is_expected() -> None:
    found = seen(diaries({TRIPLE: [], BENS: []}, [*office(), *office("ben")])).capacity
    assert shared(Bounds.exactly(4), found, 14, {"ana": 2, "ben": 1}) == Bounds.exactly(3)
