"""Expectations scored when their days come."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.pace import Look, Outlook, Score, scored

MONDAY = date(2026, 3, 2)


def look(
    day: int, openings: tuple[float | None, ...], outlook: tuple[Outlook | None, ...] = (), service: str = "physio"
) -> Look:
    """A look of one day."""
    return Look(service, "city", MONDAY + timedelta(days=day), openings, outlook)


def steadily(days: int, mean: float, band: tuple[float, float] = (1, 9)) -> list[Look]:
    """Ten openings a day, of which four are always left, and what was expected."""
    expected = (None, *[Outlook(mean, *band)] * 13)
    return [look(n, (4.0, *[10.0] * 13), expected) for n in range(days)]


def total(looks: list[Look], service: str | None = "physio") -> Score:
    """The one line about all distances."""
    (line,) = [line for line in scored(looks).totals if line.service == service]
    return line


def test_errors_are_held_against_openings_staying_as_they_are() -> None:
    found = total(steadily(20, 5))
    assert found.wape == pytest.approx(0.25)
    assert found.naive_wape == pytest.approx(1.5)
    assert found.bias == pytest.approx(1)
    assert found.coverage == 1
    assert found.gain == pytest.approx(5 / 6)


def test_every_expectation_whose_day_came_is_counted_once_and_no_other() -> None:
    assert total(steadily(20, 5)).count == sum(min(13, 19 - n) for n in range(20))


def test_a_band_that_misses_is_not_coverage() -> None:
    assert total(steadily(20, 5, (4.5, 6))).coverage == 0


def test_distances_are_scored_apart() -> None:
    lines = [line for line in scored(steadily(20, 5)).lines if line.service == "physio"]
    assert [(line.first, line.last) for line in lines] == [(1, 13), (1, 2), (3, 6), (7, 13)]
    assert lines[0].count == sum(line.count for line in lines[1:])


def test_all_services_are_scored_together_too() -> None:
    other = [look(n, x.openings, x.outlook, "podiatry") for n, x in enumerate(steadily(20, 5))]
    assert total(steadily(20, 5) + other, None).count == 2 * total(steadily(20, 5)).count


def test_with_lead_time_the_newest_reading_is_what_came() -> None:
    hidden = [look(n, (None, None, 4.0, *[10.0] * 11), (None, None, None, *[Outlook(5, 1, 9)] * 11)) for n in range(20)]
    assert total(hidden).wape == pytest.approx(0.25)


def test_a_day_whose_last_look_is_missing_is_not_scored() -> None:
    whole = steadily(30, 5)
    assert total(whole[:20] + whole[21:]).count == total(whole).count - 13 - 9


def test_a_day_that_closed_after_it_was_seen_open_is_not_scored() -> None:
    looks = steadily(20, 5)
    looks[15] = look(15, (None, *looks[15].openings[1:]), looks[15].outlook)
    assert total(looks).count == total(steadily(20, 5)).count - 13


def test_without_expectations_there_are_no_scores() -> None:
    assert scored([]).lines == ()
    assert scored([look(n, (4.0,) * 14) for n in range(20)]).lines == ()


def test_the_verdict_is_said_in_plain_words() -> None:
    assert total(steadily(20, 5)).verdict == (
        "physio: off by 25% of the openings left over 169 days, 83% less than if openings stayed as they are; "
        "1.0 a day too many, 100% within the 80% band."
    )
    assert total(steadily(4, 5)).verdict == "physio: too early to tell, 6 expected days have come so far."


@given(st.integers(5, 25), st.integers(0, 24), st.floats(0, 20))
def test_a_later_look_changes_nothing_about_days_that_had_come(days: int, until: int, later: float) -> None:
    looks = steadily(days, 5)
    so_far = [each for each in looks if each.day <= MONDAY + timedelta(days=until)]
    added = look(days + 20, (later,) * 14, (Outlook(later, later, later),) * 14)
    assert scored(so_far) == scored([*so_far, added])
