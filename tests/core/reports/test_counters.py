"""A month's counter as spend: late, taken back, begun anew, with gaps."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.reports.counters import DAY, HOUR, counter, month_turns

MONDAY = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
MONTH_END = datetime(2026, 12, 1, tzinfo=UTC).timestamp()


def hourly(begins: float, hours: int, rate: float = 2.0, told: float = 100.0) -> list[tuple[float, float]]:
    return [(begins + n * HOUR, told + n * rate) for n in range(hours + 1)]


def test_steady_spend_is_what_the_counter_grew_by() -> None:
    count = counter(hourly(MONDAY, 72), "google", "UTC")
    assert count.between(MONDAY + DAY, MONDAY + 2 * DAY) == pytest.approx(48)
    least, most = count.bounds(MONDAY + DAY, MONDAY + 2 * DAY)
    assert least < 48 < most


def test_a_reading_tells_of_the_time_before_it() -> None:
    """All of a burst at noon is told an hour and a half late: half of Google's three hours."""
    noon = MONDAY + 12 * HOUR
    readings = [(MONDAY + n * HOUR / 2, 0.0 if MONDAY + n * HOUR / 2 < noon + 1.5 * HOUR else 50.0) for n in range(96)]
    count = counter(readings, "google", "UTC")
    assert count.between(noon - HOUR, noon + HOUR) == pytest.approx(50)


def test_what_is_taken_back_is_not_spent() -> None:
    readings = [*hourly(MONDAY, 23), *hourly(MONDAY + DAY, 48, told=100 + 24 * 2 - 7)]
    assert counter(readings, "meta", "UTC").between(MONDAY + HOUR, MONDAY + 2 * DAY) == pytest.approx(47 * 2 - 7)


@pytest.mark.parametrize("platform", ["google", "meta"])
def test_a_new_month_begins_at_nothing_and_its_last_hours_are_taken_for_those_of_the_day_before(platform: str) -> None:
    before = hourly(MONTH_END - 3 * DAY, 71)
    after = [(MONTH_END + n * HOUR, 2.0 * max(n - 1, 0)) for n in range(1, 49)]
    count = counter([*before, *after], platform, "UTC")
    assert count.between(MONTH_END - DAY, MONTH_END + DAY) == pytest.approx(96, abs=4)
    assert count.error(MONTH_END - DAY, MONTH_END + DAY) > count.error(MONTH_END + HOUR, MONTH_END + DAY)


def test_hours_without_a_reading_are_known_in_sum() -> None:
    readings = [each for n, each in enumerate(hourly(MONDAY, 96)) if not 20 <= n < 60]
    assert counter(readings, "meta", "UTC").between(MONDAY + 10 * HOUR, MONDAY + 80 * HOUR) == pytest.approx(140)


def test_months_turn_at_the_accounts_own_midnight() -> None:
    (turn,) = month_turns(MONTH_END - 2 * DAY, MONTH_END + 2 * DAY, "Australia/Sydney")
    assert turn == MONTH_END - 11 * HOUR


@given(steps=st.lists(st.floats(0, 50), min_size=2, max_size=60), at=st.floats(0, 1), to=st.floats(0, 1))
def test_spend_adds_up_however_time_is_cut(steps: list[float], at: float, to: float) -> None:
    total, readings = 0.0, []
    for n, step in enumerate(steps):
        total += step
        readings.append((MONDAY + n * HOUR, total))
    count = counter(readings, "google", "UTC")
    first, second = sorted(count.begins + (count.ends - count.begins) * part for part in (at, to))
    parts = count.between(count.begins, first) + count.between(first, second) + count.between(second, count.ends)
    assert parts == pytest.approx(count.between(count.begins, count.ends), abs=1e-6)
    assert count.between(first, second) >= -1e-9


def by_the_month(begins: float, hours: int, rate: float = 2.0) -> list[tuple[float, float]]:
    """Hourly readings of a month that costs the same each hour, through the end of November."""
    ats = [begins + n * HOUR for n in range(hours + 1)]
    return [(at, rate * (at - (MONTH_END if at >= MONTH_END else MONTH_END - 30 * DAY)) / HOUR) for at in ats]


@pytest.mark.parametrize("off", [-20 * 60, -120, 120], ids=["twenty minutes early", "two minutes early", "two minutes late"])
def test_a_reading_labelled_on_the_wrong_side_of_a_months_turn_costs_nothing(off: int) -> None:
    begins, ends = MONTH_END - 4 * DAY, MONTH_END + 4 * DAY
    readings = by_the_month(begins, 8 * 24)
    n = next(n for n, (at, _) in enumerate(readings) if at == MONTH_END)
    readings[n] = (MONTH_END + off, 0.0 if off < 0 else readings[n - 1][1] + 2.0)
    count = counter(readings, "meta", "UTC")
    least, most = count.bounds(begins, ends)
    assert count.between(begins, ends) == pytest.approx(8 * 48, abs=4)
    assert least <= 8 * 48 <= most
    assert min(count.spent) >= 0


@pytest.mark.parametrize("missed", [2.0, 5.0, 33.0])
def test_days_without_a_reading_before_a_months_end_are_taken_for_usual_ones_and_may_be_off(missed: float) -> None:
    last = MONTH_END - missed * DAY
    readings = [each for each in by_the_month(last - 3 * DAY, 24 * 40) if each[0] <= last or each[0] >= MONTH_END + 12 * HOUR]
    if missed > 30:  # the whole of November goes unseen
        readings = [(at, 500.0 + 2.0 * n if at <= last else month) for n, (at, month) in enumerate(readings)]
    count = counter(readings, "meta", "UTC")
    begins, ends = last - 2 * DAY, MONTH_END + 2 * DAY
    least, most = count.bounds(begins, ends)
    assert count.between(begins, ends) == pytest.approx(2 * (ends - begins) / HOUR, abs=6)
    assert least <= 2 * 4 * 24 + 4
    assert most >= 2 * (4 + 2 * missed) * 24 - 4


def test_a_campaign_at_rest_before_days_without_a_reading_may_have_run_in_them() -> None:
    last = MONTH_END - 3 * DAY
    ran, rested = hourly(last - 20 * DAY, 240), [(last - 10 * DAY + n * HOUR, 580.0) for n in range(1, 241)]
    count = counter([*ran, *rested, (MONTH_END + HOUR, 0.0), (MONTH_END + 2 * HOUR, 0.0)], "meta", "UTC")
    least, most = count.bounds(last - DAY, MONTH_END + HOUR)
    assert (least <= 0, count.between(last - DAY, MONTH_END)) == (True, 0)
    assert most >= 3 * 24


@given(
    steps=st.lists(st.floats(-80, 50), min_size=2, max_size=60),
    begins=st.floats(-0.2, 1.2),
    ends=st.floats(-0.2, 1.2),
    first=st.sampled_from([MONDAY, MONTH_END - DAY]),
)
def test_the_least_is_never_more_than_the_estimate_nor_that_more_than_the_most(
    steps: list[float], begins: float, ends: float, first: float
) -> None:
    month, readings = 0.0, []
    for n, step in enumerate(steps):
        month = max(month + step, 0.0)
        readings.append((first + n * HOUR, month))
    count = counter(readings, "google", "UTC")
    one, other = sorted(count.begins + (count.ends - count.begins) * part for part in (begins, ends))
    least, most = count.bounds(one, other)
    assert least <= count.between(one, other) <= most
