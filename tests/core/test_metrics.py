"""Each metric's unit and edges, on readings made by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from service.core.logic import UNBOUNDED
from service.core.metrics import asking, forecast
from service.core.model import Diaries, Reason, Unseen
from service.core.rules.language import Measure, Metric
from tests.core.made import (
    MONDAY,
    NOW,
    OPEN,
    alone,
    at,
    diaries,
    every,
    known,
    lead,
    office,
    seen,
    weekly,
)

DAY = timedelta(days=1)
TRIPLE, BENS = ("city", "ana", "first"), ("city", "ben", "first")
HALF = alone([at(day, "09:00") for day in range(5)] + [at(2, "10:00")])
"""Thirty rostered hours in two weeks; one hour open on each day of the first week, two on Wednesday."""


@pytest.mark.parametrize(
    ("metric", "within", "value"),
    [
        (Metric.UTILISATION, 14, 80),
        (Metric.UTILISATION, 1, 100 * (1 - 1 / 3)),
        (Metric.OPEN_SLOTS, 14, 6),
        (Metric.OPEN_SLOTS, 2, 2),
        (Metric.OPEN_HOURS, 3, 4),
        (Metric.WORKING_HOURS, 14, 30),
        (Metric.WORKING_HOURS, 7, 15),
        (Metric.DAYS_TO_NEXT_OPENING, 14, 0),
        (Metric.FULL_DAYS, 14, 5),
        (Metric.FULL_DAYS, 7, 0),
        (Metric.EXPECTED_OPEN_SLOTS, 14, 6),
        (Metric.EXPECTED_UTILISATION, 14, 80),
        (Metric.COVERAGE, 14, 100),
    ],
)
def test_a_metric_in_its_unit_within_its_days(metric: Metric, within: int, value: float) -> None:
    estimate, low, high = known(seen(HALF), metric, within)
    assert estimate == low == high == pytest.approx(value)


def test_a_utilisation_of_exactly_95_percent_is_exactly_95() -> None:
    twenty = weekly("ana", "city", *((day, "08:00", "10:00") for day in range(5)))
    reading = alone([at(0, "09:00")], twenty)
    assert known(seen(reading), Metric.UTILISATION) == (95, 95, 95)


def reading_of(metric: Metric, reading: Diaries, within: int = 14) -> tuple[tuple[float, float], Reason | None]:
    found = asking(seen(reading))(Measure(metric, within))
    return (found.bounds.low, found.bounds.high), found.cause


ANYTHING = (-math.inf, math.inf)


@pytest.mark.parametrize(
    ("metric", "result"),
    [
        (Metric.UTILISATION, (ANYTHING, Reason.CLOSED)),
        (Metric.EXPECTED_UTILISATION, (ANYTHING, Reason.CLOSED)),
        (Metric.WORKING_HOURS, ((0, 0), None)),
        (Metric.OPEN_HOURS, ((0, 0), None)),
        (Metric.OPEN_SLOTS, ((0, 0), None)),
        (Metric.FULL_DAYS, ((0, 0), None)),
        (Metric.DAYS_TO_NEXT_OPENING, ((14, math.inf), None)),
    ],
)
def test_a_closed_clinic_has_no_utilisation_but_knows_the_rest(
    metric: Metric, result: tuple[tuple[float, float], Reason | None]
) -> None:
    assert reading_of(metric, alone([], [])) == result


@pytest.mark.parametrize("metric", [m for m in Metric if m not in {Metric.WORKING_HOURS, Metric.SLOTS_OPENED}])
def test_when_lead_time_masks_everything_nothing_is_known(metric: Metric) -> None:
    assert reading_of(metric, alone([], bookings=lead(336))) == (ANYTHING, Reason.LEAD_TIME)


def test_hours_are_known_though_lead_time_masks_them() -> None:
    assert reading_of(Metric.WORKING_HOURS, alone([], bookings=lead(336))) == ((30, 30), None)


def test_two_days_of_lead_time_mask_today_and_leave_the_fortnight() -> None:
    masked = alone([at(2, "09:00")], bookings=lead(48))
    assert reading_of(Metric.OPEN_SLOTS, masked, 1) == (ANYTHING, Reason.LEAD_TIME)
    assert known(seen(masked), Metric.DAYS_TO_NEXT_OPENING) == (2, 2, 2)
    assert known(seen(masked), Metric.FULL_DAYS) == (7, 7, 7), "a day on which nothing can be sold any more is not full"


@pytest.mark.parametrize("metric", list(Metric))
@pytest.mark.parametrize("why", [Reason.CLINIKO_UNREADABLE, Reason.NOT_SOLD_ONLINE])
def test_without_a_diary_no_metric_is_known(metric: Metric, why: Reason) -> None:
    view = why if why is Reason.CLINIKO_UNREADABLE else seen(alone([], bookings=replace(OPEN, enabled=False)))
    reading = asking(view)(Measure(metric))
    assert (reading.bounds, reading.cause) == (UNBOUNDED, why)


def test_no_opening_in_the_window_is_the_window_or_more() -> None:
    view = seen(alone([at(8, "09:00")]))
    assert known(view, Metric.DAYS_TO_NEXT_OPENING, 7) == (7, 7, math.inf)
    assert known(view, Metric.DAYS_TO_NEXT_OPENING, 14) == (8, 8, 8)


def test_an_unobserved_colleague_may_have_the_next_opening_or_not() -> None:
    view = seen(diaries({TRIPLE: [at(3, "09:00")], BENS: Unseen.FAILED}, [*office(), *office("ben", days=[2])]))
    assert known(view, Metric.DAYS_TO_NEXT_OPENING) == (3, 2, 3)
    assert known(view, Metric.OPEN_SLOTS) == pytest.approx((36 / 30, 1, 7))
    assert known(view, Metric.FULL_DAYS) == (7, 7, 9), "both Wednesdays may be full"
    estimate, low, high = known(view, Metric.UTILISATION)
    assert (low, high) == pytest.approx((100 - 700 / 36, 100 - 100 / 36))
    assert estimate == pytest.approx(100 - 100 / 30), "the unobserved is taken to be as open as the observed"
    assert known(view, Metric.COVERAGE) == pytest.approx((100 * 30 / 36,) * 3)


@pytest.mark.parametrize("unseen", list(Unseen))
def test_nothing_observed_leaves_nothing_to_estimate_from(unseen: Unseen) -> None:
    view = seen(alone(unseen))
    assert known(view, Metric.UTILISATION) == (None, 0, 100)
    assert known(view, Metric.OPEN_SLOTS) == (None, 0, 30)
    assert known(view, Metric.DAYS_TO_NEXT_OPENING) == (None, 0, math.inf)
    assert known(view, Metric.FULL_DAYS) == (None, 0, 10)
    assert known(view, Metric.COVERAGE) == (0, 0, 0)
    assert asking(view)(Measure(Metric.UTILISATION)).cause is Reason.DATA_INCOMPLETE


def test_a_forecast_has_its_days_every_metric_and_its_rung() -> None:
    view = seen(HALF)
    found = forecast(view, "physio", asking(view))
    assert (found.days[0].day, found.days[0].working_minutes, found.days[0].open_minutes.low) == ("2026-03-02", 180, 60)
    assert [day.openings.low for day in found.days[:7]] == [1, 1, 2, 1, 1, 0, 0]
    assert set(found.metrics) == {metric.value for metric in Metric}
    assert found.rung == "openings_now"


def test_a_forecast_without_cliniko_has_no_days() -> None:
    assert forecast(Reason.CLINIKO_UNREADABLE, "physio", asking(Reason.CLINIKO_UNREADABLE)).days == ()


# --- slots_opened -------------------------------------------------------------------------------------------------------

FULL = alone([])
TOMORROW = NOW + DAY


def opened(reading: Diaries, *earlier: tuple[float, Diaries], within: int = 14, since: float = 24) -> tuple[float | None, ...]:
    """`slots_opened` on Tuesday morning; earlier readings as (hours ago, reading)."""
    taken = [(TOMORROW - timedelta(hours=hours), old) for hours, old in earlier]
    return known(seen(reading, TOMORROW, taken), Metric.SLOTS_OPENED, within, timedelta(hours=since))


def tuesday(starts: list[tuple[int, str]], **more: object) -> Diaries:
    """A reading of Tuesday morning, in which Ana shows these starts."""
    reading = diaries({TRIPLE: [at(*start) for start in starts]}, today=MONDAY + DAY)
    return replace(reading, **more)  # type: ignore[arg-type] # fields of Diaries


CLUSTER = [(1, "09:00"), (1, "10:00"), (2, "09:00"), (2, "10:00"), (2, "11:00")]


def test_a_cancellation_cluster_is_counted() -> None:
    assert opened(tuesday(CLUSTER), (24, FULL)) == (5, 5, 5)
    assert opened(tuesday(CLUSTER), (24, FULL), within=1) == (2, 2, 2)


def test_what_was_open_then_has_not_opened() -> None:
    before = alone([at(1, "09:00"), at(2, "11:00")])
    assert opened(tuesday(CLUSTER), (24, before)) == (3, 3, 3)


def test_an_opening_must_fit_into_what_has_opened() -> None:
    before = alone([at(1, "09:30")])
    assert opened(tuesday([(1, "09:00"), (1, "09:30")]), (24, before)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("hours_ago", "found"),
    [(23.9, False), (24, True), (26, True), (27, True), (27.1, False)],
)
def test_the_baseline_is_at_or_up_to_three_hours_before_the_asked_time(hours_ago: float, found: bool) -> None:
    assert opened(tuesday(CLUSTER), (hours_ago, FULL)) == ((5, 5, 5) if found else (None, 0, 5))


def test_the_newest_complete_snapshot_is_the_baseline() -> None:
    older, newest = alone([at(*start) for start in CLUSTER]), FULL
    assert opened(tuesday(CLUSTER), (24, newest), (25, older)) == (5, 0, 5)  # what the older one shows may never have gone
    assert opened(tuesday(CLUSTER), (24, alone(Unseen.FAILED)), (25, older)) == (0, 0, 0)


def test_since_moves_the_baseline() -> None:
    assert opened(tuesday(CLUSTER), (2, tuesday(CLUSTER)), (24, FULL), since=2) == (0, 0, 0)
    assert opened(tuesday(CLUSTER), (2, tuesday(CLUSTER)), (24, FULL), since=24) == (5, 5, 5)


def test_without_history_it_is_unknown_and_says_so() -> None:
    reading = asking(seen(tuesday(CLUSTER), TOMORROW))(Measure(Metric.SLOTS_OPENED))
    assert reading.cause is Reason.NO_HISTORY
    assert reading.bounds.estimate is None


@pytest.mark.parametrize(
    ("now_capped", "then_shown"),
    [
        pytest.param(True, [], id="at its cap now"),
        pytest.param(True, ["10:00"], id="at its cap now and then"),
    ],
)
def test_in_a_capped_segment_the_low_end_is_zero(now_capped: bool, then_shown: list[str]) -> None:
    bookings = replace(OPEN, segment_cap=1 if now_capped else None)
    before = alone([at(1, clock) for clock in then_shown], bookings=bookings)
    estimate, low, high = opened(tuesday([(1, "09:00")], bookings=bookings), (24, before))
    assert (estimate, low) == (1, 0)
    assert high is not None
    assert high >= 1


def test_an_opening_that_a_cap_may_have_hidden_then_is_not_certain() -> None:
    bookings = replace(OPEN, segment_cap=1)
    before = alone([at(1, "09:00")], bookings=bookings)
    assert opened(tuesday([(1, "10:00")], bookings=bookings), (24, before))[:2] == (1, 0)


def test_new_staff_new_days_and_added_hours_do_not_count() -> None:
    starts = every(60, 1, "09:00", "11:00")
    joined = diaries({TRIPLE: [], BENS: starts}, [*office(), *office("ben")], today=MONDAY + DAY)
    assert opened(joined, (24, FULL)) == (0, 0, 0)
    added = replace(tuesday([(1, "13:00")]), hours=tuple(weekly("ana", "city", *((d, "09:00", "14:00") for d in range(5)))))
    assert opened(added, (24, FULL)) == (0, 0, 0)
    last_day = [(14, "09:00"), (13, "09:00")]
    every_day = office(days=range(7))
    assert opened(replace(tuesday(last_day), hours=tuple(every_day)), (24, alone([], every_day))) == (1, 1, 1)


def test_somebody_unobserved_now_may_have_opened_up_to_all_their_hours() -> None:
    unread = diaries({TRIPLE: Unseen.FAILED}, today=MONDAY + DAY)
    assert opened(unread, (24, alone([at(1, "09:00")])), within=1) == (0, 0, 2)


@pytest.mark.parametrize("metric", list(Metric))
@pytest.mark.parametrize("unseen", list(Unseen))
def test_no_answer_and_no_roster_is_not_a_clinic_with_nothing_to_book(metric: Metric, unseen: Unseen) -> None:
    """Cliniko shows bookable starts outside rostered hours, so an empty template alone proves nothing."""
    reading = asking(seen(alone(unseen, hours=[])))(Measure(metric))
    assert (reading.bounds, reading.cause) == (UNBOUNDED, Reason.DATA_INCOMPLETE)


def test_an_answer_without_a_roster_is_a_fact() -> None:
    assert known(seen(alone([], hours=[])), Metric.OPEN_SLOTS) == (0, 0, 0)
