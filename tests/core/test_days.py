"""Local days, compared with a walk through every minute of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.days import Day, day_of, horizon, local_date
from service.core.intervals import Spans, length, union

SYDNEY, LORD_HOWE = "Australia/Sydney", "Australia/Lord_Howe"
ODD_ZONES = [
    SYDNEY, LORD_HOWE, "America/Santiago", "America/Asuncion", "America/Havana", "Asia/Beirut", "Africa/Cairo",
    "America/Nuuk", "America/St_Johns", "Pacific/Chatham", "Europe/Lisbon", "Asia/Kathmandu", "UTC",
]  # fmt: skip
DATES = st.dates(date(2021, 1, 1), date(2028, 12, 31))


def walked(zone: str, day: date, starts: int, ends: int) -> Spans:
    """Every UTC minute of the day whose wall clock reads within the window, one by one."""
    noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp())
    found = []
    for second in range(noon - 30 * 3600, noon + 30 * 3600, 60):
        there = datetime.fromtimestamp(second, UTC).astimezone(ZoneInfo(zone))
        if there.date() == day and starts <= there.hour * 60 + there.minute < ends:
            found.append((second, second + 60))
    return union(found)


def hours_of(day: Day) -> float:
    return (day.span[1] - day.span[0]) / 3600


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        pytest.param(SYDNEY, date(2026, 10, 3), 24, id="an ordinary day"),
        pytest.param(SYDNEY, date(2026, 10, 4), 23, id="clocks go forward in Sydney"),
        pytest.param(SYDNEY, date(2026, 4, 5), 25, id="clocks go back in Sydney"),
        pytest.param(LORD_HOWE, date(2026, 10, 4), 23.5, id="half an hour forward on Lord Howe Island"),
        pytest.param(LORD_HOWE, date(2026, 4, 5), 24.5, id="half an hour back on Lord Howe Island"),
        pytest.param("Australia/Brisbane", date(2026, 10, 4), 24, id="Brisbane has no summer time"),
        pytest.param("America/Santiago", date(2026, 9, 6), 23, id="midnight is skipped in Santiago"),
        pytest.param("America/Santiago", date(2026, 4, 4), 25, id="the last hour comes twice in Santiago"),
        pytest.param("Asia/Beirut", date(2026, 3, 29), 23, id="midnight is skipped in Beirut"),
        pytest.param("America/Havana", date(2026, 11, 1), 25, id="the first hour comes twice in Havana"),
    ],
)
def test_a_day_is_as_long_as_its_zone_makes_it(zone: str, day: date, hours: float) -> None:
    assert hours_of(day_of(zone, day)) == hours


@pytest.mark.parametrize(
    ("day", "window", "hours"),
    [
        pytest.param(date(2026, 10, 4), (60, 240), 2, id="the skipped hour is not in it"),
        pytest.param(date(2026, 10, 4), (120, 180), 0, id="a window inside the skipped hour is empty"),
        pytest.param(date(2026, 4, 5), (60, 240), 4, id="the repeated hour is in it twice"),
        pytest.param(date(2026, 4, 5), (540, 1020), 8, id="office hours are not touched"),
    ],
)
def test_a_window_of_wall_clock_across_the_change(day: date, window: tuple[int, int], hours: int) -> None:
    assert length(day_of(SYDNEY, day).wall(*window)) == hours * 3600


@given(st.sampled_from(ODD_ZONES), DATES, st.integers(0, 1440), st.integers(0, 1440))
def test_wall_clock_windows_are_what_a_minute_walk_finds(zone: str, day: date, starts: int, ends: int) -> None:
    assert day_of(zone, day).wall(starts, ends) == walked(zone, day, starts, ends)


CHANGES = [
    (SYDNEY, date(2026, 10, 4)), (SYDNEY, date(2026, 4, 5)), (LORD_HOWE, date(2026, 10, 4)), (LORD_HOWE, date(2026, 4, 5)),
    ("America/Santiago", date(2026, 9, 6)), ("America/Santiago", date(2026, 4, 4)), ("Asia/Beirut", date(2026, 3, 29)),
    ("Asia/Beirut", date(2026, 10, 24)), ("America/Havana", date(2026, 3, 8)), ("America/Havana", date(2026, 11, 1)),
    ("America/Nuuk", date(2026, 3, 28)), ("America/Nuuk", date(2026, 10, 24)), ("Africa/Cairo", date(2026, 4, 24)),
]  # fmt: skip


@given(st.sampled_from(CHANGES), st.integers(0, 1440), st.integers(0, 1440))
def test_they_are_on_the_days_of_a_change_too(change: tuple[str, date], starts: int, ends: int) -> None:
    assert day_of(*change).wall(starts, ends) == walked(*change, starts, ends)


@given(st.sampled_from(ODD_ZONES), DATES)
def test_days_follow_each_other_without_a_gap_and_segments_make_the_day(zone: str, day: date) -> None:
    here, tomorrow = day_of(zone, day), day_of(zone, day + timedelta(days=1))
    assert here.span[1] == tomorrow.span[0]
    assert sum(length(segment) for segment in here.segments()) == here.span[1] - here.span[0]
    assert union(span for segment in here.segments() for span in segment) == union([here.span])


def test_the_horizon_is_local_dates_and_a_utc_today_may_be_yesterday_there() -> None:
    now = datetime(2026, 10, 1, 20, 0, tzinfo=UTC)
    assert local_date(now, SYDNEY) == date(2026, 10, 2)
    dates = horizon(now, SYDNEY)
    assert (dates[0], dates[-1], len(dates)) == (date(2026, 10, 2), date(2026, 10, 15), 14)
    assert all(b - a == timedelta(days=1) for a, b in pairwise(dates))
