"""Openings filled, less those freed again, from what hourly looks saw of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from service.core.reports.bookings import Filled, filled
from service.core.reports.seen import RunSeen, ServiceSeen

BEGINS = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)
TODAY = BEGINS.date().toordinal()


def look(hour: float, days: dict[int, int], staying: dict[int, int] | None = None, **changed: object) -> RunSeen:
    """A look so many hours on, at openings by day after the first; the days of a look are local ones, here UTC's."""
    passed = int(hour // 24)
    low = [days.get(passed + n, 0) for n in range(14)]
    stay = [(staying or {}).get(passed + n, low[n]) for n in range(14)]
    seen = ServiceSeen("physio", TODAY + passed, low, low, stay, [480] * 14, full=False, least=None, most=None)
    return RunSeen(BEGINS + hour * HOUR, (), (), (seen._replace(**changed),))  # type: ignore[arg-type] # any field


def count(looks: Sequence[RunSeen], hours: int = 48) -> Filled | None:
    return filled("physio", looks, BEGINS.timestamp(), (BEGINS + hours * HOUR).timestamp())


def quiet(first: int = 0, last: int = 48, days: dict[int, int] | None = None) -> list[RunSeen]:
    return [look(hour, days or {5: 6}) for hour in range(first, last + 1)]


def test_openings_that_are_gone_were_filled_and_those_that_are_back_freed() -> None:
    assert count([*quiet(0, 9), *quiet(10, 30, {5: 2}), *quiet(31, 48, {5: 3})]) == Filled(3.0, 0.0, 49)


def test_openings_whose_time_has_come_were_not_filled() -> None:
    looks = [look(hour, {0: max(8 - hour, 0)}, {0: max(7 - hour, 0)}) for hour in range(24)]
    assert count([*looks, *[look(hour, {}) for hour in range(24, 49)]]) == Filled(0.0, 0.0, 49)


def test_days_that_come_into_sight_and_days_that_pass_count_for_nothing() -> None:
    assert count([look(hour, {0: 0, 14: 5, 15: 4}) for hour in range(49)]) == Filled(0.0, 0.0, 49)


def test_a_roster_that_changes_is_no_booking() -> None:
    shorter = [look(hour, {5: 2}, working=[480] * 5 + [240] + [480] * 8) for hour in range(10, 24)]
    found = count([*quiet(0, 9), *shorter], hours=23)
    assert found is not None
    assert found.count == 0
    assert found.variance > 0


def test_what_a_look_did_not_see_is_settled_by_the_next_that_does() -> None:
    blind = [look(hour, {5: 1}, high=[0] * 5 + [9] + [0] * 8) for hour in range(10, 14)]
    assert count([*quiet(0, 9), *blind, *quiet(14, 48, {5: 4})]) == Filled(2.0, 0.0, 49)


def test_openings_that_nobody_saw_go_are_divided_and_less_sure() -> None:
    """On the second day some hours are missing in which, as the first day tells, openings lapse rather than are filled."""
    left = [{day: min(max(18 + 24 * day - hour, 0), 18) for day in (0, 1)} for hour in range(50)]
    looks = [look(hour, left[hour], left[hour + 1]) for hour in range(49)]
    found = count([each for hour, each in enumerate(looks) if not 34 <= hour < 38])
    assert found is not None
    assert 0 < found.count < 2
    assert found.variance > 0


def test_too_few_looks_tell_nothing() -> None:
    assert count(quiet(0, 10)) is None


@pytest.mark.parametrize(("first", "estimated"), [(2, True), (20, False)], ids=["two hours", "most of a day"])
def test_only_a_short_beginning_without_a_look_is_made_up_for(first: int, *, estimated: bool) -> None:
    looks = [look(hour, {9: 200 - hour}) for hour in range(first, 49)]
    found = count(looks)
    assert found is not None
    assert found.count == (48 if estimated else 28)
