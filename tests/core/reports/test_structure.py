"""Who is persistently over- or under-booked, and how sure that is."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.reports.files import structure_csv
from service.core.reports.seen import DaySeen, DiarySeen
from service.core.reports.structure import Booked, Entry, Kind, StructureReport, _outside, structure

MONDAY = date(2026, 9, 7)
DAY = timedelta(days=1)
ANA, BEN = "1", "2"
NAMES = {ANA: "Ana Silva", BEN: "Ben Ode", "c": "City", "q": "Quay"}

Open = Callable[[str, date], int | None]
"""Open minutes of somebody's 500 rostered ones on a day."""


def looks(weeks: int, free: Open, services: tuple[str, ...] = ("physio",), first: date = MONDAY - 7 * DAY) -> list[DaySeen]:
    """Daily looks from a week before the first Monday on; Ana works in the City, Ben at the Quay, on weekdays."""
    made = []
    for n in range(7 * (weeks + 1)):
        ahead = [first + (n + k) * DAY for k in range(14)]
        diaries = tuple(
            DiarySeen(who, [place] * 14, [500 * (day.weekday() < 5) for day in ahead], [free(who, day) for day in ahead])
            for who, place in ((ANA, "c"), (BEN, "q"))
        )
        made += [DaySeen(service, ahead[0], "Australia/Sydney", diaries, NAMES) for service in services]
    return made


def report(weeks: int, free: Open, services: tuple[str, ...] = ("physio",)) -> StructureReport:
    return structure("harbour", looks(weeks, free, services), MONDAY, MONDAY + 7 * weeks * DAY)


def entry(found: StructureReport, name: str) -> Entry:
    return next(each for each in found.entries if each.name == name)


def ana_is_full(who: str, day: date) -> int:
    return day.day % 3 * 10 if who == ANA else 300


def test_somebody_over_booked_and_somebody_under_booked_are_named() -> None:
    found = report(6, ana_is_full)
    assert [entry(found, name).booked for name in ("Ana Silva", "Ben Ode", "City", "Quay", "physio")] == [
        Booked.OVER, Booked.UNDER, Booked.OVER, Booked.UNDER, Booked.USUAL,
    ]  # fmt: skip
    assert "Ana Silva is persistently over 90% booked: 98% in the middle of 6 weeks (98%)." in found.findings
    assert "Ben Ode is persistently under 60% booked: 40% in the middle of 6 weeks (40%)." in found.findings
    assert (entry(found, "Ana Silva").days, entry(found, "Ana Silva").weeks) == (30, 6)


def test_a_weekday_is_told_apart() -> None:
    found = report(8, lambda who, day: 0 if who == ANA and day.weekday() == 1 else 150)
    assert found.findings[0] == "Ana Silva has been 95% booked or more on 8 of the last 8 Tuesdays (100%)."
    tuesday = next(each for each in entry(found, "Ana Silva").weekdays if each.weekday == 1)
    assert (tuesday.booked, tuesday.full, tuesday.sold.count) == (Booked.OVER, 8, 8)


@pytest.mark.parametrize(("weeks", "booked"), [(3, Booked.THIN), (4, Booked.OVER)])
def test_nothing_is_persistent_before_four_weeks(weeks: int, booked: Booked) -> None:
    assert entry(report(weeks, ana_is_full), "Ana Silva").booked is booked


def test_one_bad_week_of_four_is_not_persistent() -> None:
    found = report(4, lambda who, day: 100 if day < MONDAY + 7 * DAY else ana_is_full(who, day))
    assert entry(found, "Ana Silva").booked is Booked.USUAL


def test_what_was_sold_a_week_ahead_is_told_beside_it() -> None:
    seen = looks(4, lambda _, __: 0)
    filling = [DaySeen(each.service, each.day, each.zone, _filling(each), each.names) for each in seen]
    found = entry(structure("harbour", filling, MONDAY, MONDAY + 28 * DAY), "Ana Silva")
    assert found.sold is not None
    assert found.week_ahead is not None
    assert (found.sold.median, found.week_ahead.median) == (100, 30)


def _filling(look: DaySeen) -> tuple[DiarySeen, ...]:
    """A tenth of each day is sold each day."""
    return tuple(each._replace(open=[50 * k for k in range(14)]) for each in look.diaries)


def test_one_diary_with_two_services_counts_once() -> None:
    one, two = report(5, ana_is_full), report(5, ana_is_full, ("physio", "podiatry"))
    assert entry(two, "Ana Silva") == entry(one, "Ana Silva")
    assert entry(two, "City") == entry(one, "City")
    assert {each.name for each in two.entries if each.kind is Kind.SERVICE} == {"physio", "podiatry"}


def test_days_that_were_not_observed_count_for_nothing() -> None:
    found = report(6, lambda who, day: None if who == BEN or day.weekday() == 0 else 0)
    assert entry(found, "Ana Silva").days == 24
    assert not [each for each in found.entries if each.name in {"Ben Ode", "Quay", "physio"}]


def test_a_clinic_never_looked_at_has_no_entries() -> None:
    assert structure("harbour", [], MONDAY, MONDAY + DAY).entries == ()


def test_a_name_is_no_formula_in_a_spreadsheet() -> None:
    made = [DaySeen(e.service, e.day, e.zone, e.diaries, NAMES | {ANA: "=cmd()"}) for e in looks(4, ana_is_full)]
    text = structure_csv(structure("harbour", made, MONDAY, MONDAY + 28 * DAY)).decode()
    assert "practitioner,'=cmd(),1,weeks,over,98.0,98.0,98.0,4,,2026-09-07,2026-10-05\r\n" in text


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_whatever_a_formula_may_begin_with_is_quoted(first: str) -> None:
    made = [DaySeen(e.service, e.day, e.zone, e.diaries, NAMES | {ANA: f"{first}1"}) for e in looks(4, ana_is_full)]
    text = structure_csv(structure("harbour", made, MONDAY, MONDAY + 28 * DAY)).decode()
    assert f"'{first}1" in text
    assert {line[1] for line in csv.reader(io.StringIO(text, newline="")) if line[2] == ANA} == {f"'{first}1"}


def test_somebody_with_services_at_two_locations_on_a_day_is_judged_by_both() -> None:
    made = []
    for each in looks(6, lambda _, __: 0):
        full, ahead = each.diaries[0], [each.day + n * DAY for n in range(14)]
        empty = full._replace(locations=["q"] * 14, open=[500 * (day.weekday() < 5) for day in ahead])
        made += [replace(each, diaries=(full,)), replace(each, service="podiatry", diaries=(empty,))]
    found = structure("harbour", made, MONDAY, MONDAY + 42 * DAY)
    medians = {name: sold.median for name in ("Ana Silva", "City", "Quay") if (sold := entry(found, name).sold) is not None}
    assert medians == {"Ana Silva": 50, "City": 100, "Quay": 0}


@pytest.mark.parametrize("days", [1, 2])
def test_weeks_of_which_hardly_a_day_was_observed_do_not_count(days: int) -> None:
    found = report(6, lambda _, day: 0 if day.weekday() < days else None)
    ana = entry(found, "Ana Silva")
    assert (ana.days, ana.weeks, ana.sold, ana.booked) == (6 * days, 0, None, Booked.THIN)
    assert not [each for each in found.findings if "persistently" in each]


def test_sixteen_days_that_touch_four_weeks_are_too_few() -> None:
    made = looks(4, lambda _, __: 0)
    everyday = [replace(e, diaries=tuple(d._replace(rostered=[500] * 14, open=[0] * 14) for d in e.diaries)) for e in made]
    found = entry(structure("harbour", everyday, MONDAY - DAY, MONDAY + 15 * DAY), "Ana Silva")
    assert (found.days, found.weeks, found.booked) == (16, 2, Booked.THIN)


@given(count=st.integers(1, 400))
def test_the_interval_holds_the_median_nine_times_in_ten_where_so_many_values_can(count: int) -> None:
    """It misses where so few of as many coin tosses are heads, or tails; fewer values left out would be wider than need be."""
    cut = _outside(count)
    outside, one_more = (2 * sum(comb(count, k) for k in range(end + 1)) / 2**count for end in (cut, cut + 1))
    assert outside <= 0.1 or cut == 0
    assert one_more > 0.1 or 2 * (cut + 1) > count - 1


@given(shares=st.lists(st.integers(0, 500), min_size=35, max_size=35))
def test_more_sold_never_makes_anybody_less_booked(shares: list[int]) -> None:
    order = [Booked.UNDER, Booked.USUAL, Booked.OVER]
    found = []
    for less in (0, 150, 400):
        free = {MONDAY + n * DAY: max(share - less, 0) for n, share in enumerate(shares)}
        found.append(entry(report(5, lambda _, day, free=free: free.get(day, 0)), "Ana Silva").booked)  # type: ignore[misc] # bound
    assert all(order.index(a) <= order.index(b) for a, b in pairwise(found))
