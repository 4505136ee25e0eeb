from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.cliniko.blocks import expanded, occurrences, within
from service.cliniko.models import AvailabilityBlock, parse
from service.core.model import Block

SYDNEY = "Australia/Sydney"


def block(starts: str, ends: str, **rule: Any) -> AvailabilityBlock:
    return parse(
        AvailabilityBlock,
        {
            "starts_at": starts,
            "ends_at": ends,
            "business": {"links": {"self": "https://x/v1/businesses/1"}},
            "practitioner": {"links": {"self": "https://x/v1/practitioners/2"}},
            "repeat_rule": rule or None,
        },
    )


def rule(type_: str, times: int, interval: int | None = 1) -> dict[str, Any]:
    return {"repeat_type": type_, "number_of_repeats": times, "repeating_interval": interval}


def starts_of(given: AvailabilityBlock, zone: str = SYDNEY) -> list[str]:
    return [f"{each.starts:%m-%dT%H:%M}" for each in occurrences(given, zone)]


def test_repeats_keep_the_wall_clock_across_daylight_saving() -> None:
    # Sydney's clocks go back on 5 April 2026: 09:00 is 22:00Z before and 23:00Z after.
    saturday = block("2026-04-03T22:00:00Z", "2026-04-04T00:00:00Z", **rule("Daily", 2))
    found = list(occurrences(saturday, SYDNEY))
    assert starts_of(saturday) == ["04-03T22:00", "04-04T23:00", "04-05T23:00"]
    assert {each.ends - each.starts for each in found} == {timedelta(hours=2)}


def test_a_repeat_over_midnight_and_over_the_change_of_clocks_ends_where_the_wall_clock_says() -> None:
    # 22:00 to 06:00 each night; the night of 4 to 5 April 2026 has nine hours of it.
    nights = block("2026-04-02T11:00:00Z", "2026-04-02T19:00:00Z", **rule("Daily", 2))
    found = [(f"{each.starts:%d %H}", (each.ends - each.starts) / timedelta(hours=1)) for each in occurrences(nights, SYDNEY)]
    assert found == [("02 11", 8), ("03 11", 8), ("04 11", 9)]


def test_a_repeat_of_the_hour_that_comes_twice_lasts_as_long_as_the_first() -> None:
    # 02:30 to 02:30 on 5 April 2026 in Sydney is an hour, the clocks having gone back in between.
    twice = block("2026-04-04T15:30:00Z", "2026-04-04T16:30:00Z", **rule("Daily", 1))
    assert {each.ends - each.starts for each in occurrences(twice, SYDNEY)} == {timedelta(hours=1)}


def test_a_repeat_in_the_hour_that_is_skipped_moves_on_with_the_clocks() -> None:
    # 02:15 does not exist on 4 October 2026 in Sydney.
    skipped = block("2026-10-02T16:15:00Z", "2026-10-02T16:45:00Z", **rule("Daily", 2))
    assert starts_of(skipped) == ["10-02T16:15", "10-03T16:15", "10-04T15:15"]


def test_overlapping_repeats_are_all_handed_on() -> None:
    wide, narrow = (block("2026-03-09T00:00:00Z", f"2026-03-09T0{hours}:00:00Z", **rule("Weekly", 1)) for hours in (3, 2))
    found = expanded([wide, narrow], {"1": "UTC"}, datetime(2026, 3, 9, tzinfo=UTC), datetime(2026, 3, 20, tzinfo=UTC))
    assert [(each.starts.day, each.ends.hour) for each in found] == [(9, 2), (9, 3), (16, 2), (16, 3)]


@pytest.mark.parametrize(
    ("given", "starts"),
    [
        (rule("Weekly", 2, 2), ["01-31T00:00", "02-14T00:00", "02-28T00:00"]),
        (rule("Monthly", 2), ["01-31T00:00", "02-28T00:00", "03-31T00:00"]),
        (rule("Daily", 1, None), ["01-31T00:00", "02-01T00:00"]),
        ({"repeat_type": None, "number_of_repeats": 3}, ["01-31T00:00"]),
        ({"repeat_type": "Weekly", "number_of_repeats": None}, ["01-31T00:00"]),
        ({}, ["01-31T00:00"]),
    ],
)
def test_repeats_follow_their_rule(given: dict[str, Any], starts: list[str]) -> None:
    assert starts_of(block("2026-01-31T00:00:00Z", "2026-01-31T01:00:00Z", **given), "UTC") == starts


def test_occurrences_that_also_come_as_rows_count_once_and_only_those_in_the_window() -> None:
    repeated = block("2026-03-02T00:00:00Z", "2026-03-02T02:00:00Z", **rule("Weekly", 9))
    row = block("2026-03-09T00:00:00Z", "2026-03-09T02:00:00Z")
    first, last = datetime(2026, 3, 9, 1, tzinfo=UTC), datetime(2026, 3, 16, tzinfo=UTC)
    found = expanded([repeated, row], {"1": "UTC"}, first, last)
    assert [each.starts.day for each in found] == [9]


def test_extra_hours_at_a_business_that_is_gone_are_left_out() -> None:
    given = block("2026-03-09T00:00:00Z", "2026-03-09T02:00:00Z")
    assert expanded([given], {}, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)) == ()


def test_a_block_that_is_already_running_is_within_and_one_that_touches_is_not() -> None:
    first = datetime(2026, 3, 9, tzinfo=UTC)
    hour = timedelta(hours=1)
    running, before = Block("1", "2", first - hour, first + hour), Block("1", "2", first - hour, first)
    backwards = Block("1", "2", first + hour, first)
    assert within([running, before, backwards, running], first, first + timedelta(days=1)) == (running,)
