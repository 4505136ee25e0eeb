"""What the booking-pace model makes of openings, and what holds whatever the looks were."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from service.core.logic import Bounds
from service.core.pace import Ahead, Look, Outlook, Pace, Rung, expected, fit, outlook

MONDAY = date(2026, 3, 2)
PACE = TypeAdapter(Pace)
Openings = Callable[[int, int], float | None]


def looked(days: int, openings: Openings, service: str = "physio", location: str = "city") -> list[Look]:
    """Looks of days 0 .. `days` - 1; `openings` of a day's number and how many days ahead it is."""
    rows = (tuple(openings(day + n, n) for n in range(14)) for day in range(days))
    return [Look(service, location, MONDAY + timedelta(days=n), row) for n, row in enumerate(rows)]


def last(looks: Sequence[Look]) -> date:
    """The day of the newest look."""
    return max(look.day for look in looks)


def ahead(looks: Sequence[Look], days: int, openings: float | Bounds, **more: object) -> Ahead:
    """A day after the newest look."""
    bounds = openings if isinstance(openings, Bounds) else Bounds.exactly(openings)
    return Ahead("city", last(looks) + timedelta(days=days), days, bounds, **more)  # type: ignore[arg-type] # fields of Ahead


def mean(looks: Sequence[Look], day: Ahead) -> float:
    """What is expected of a day."""
    found = outlook(fit(looks, last(looks)), "physio", day)
    assert found
    return found.mean


def one_a_day(_: int, days: int) -> float:
    return 5.0 + days


def test_a_place_that_loses_one_opening_a_day_is_expected_to_go_on() -> None:
    looks = looked(56, one_a_day)
    assert mean(looks, ahead(looks, 10, 15)) == pytest.approx(5, abs=0.2)
    assert mean(looks, ahead(looks, 3, 8)) == pytest.approx(5, abs=0.2)


def test_weekdays_have_their_own_pace() -> None:
    looks = looked(56, lambda day, days: 5.0 + (days if day % 7 == 0 else 0))
    assert mean(looks, ahead(looks, 8, 13)) < 7.5
    assert mean(looks, ahead(looks, 9, 5)) == pytest.approx(5, abs=0.5)


def test_a_pace_that_doubles_is_followed_within_a_fortnight() -> None:
    def openings(day: int, days: int) -> float:
        return 30 - sum(2.0 if asked >= 42 else 1.0 for asked in range(day - 13, day - days))

    looks = looked(57, openings)
    assert mean(looks, ahead(looks, 10, 25)) == pytest.approx(5, abs=1.5)


def test_one_odd_day_is_no_pace() -> None:
    looks = looked(57, lambda day, days: one_a_day(day, days) + (30 if day - days >= 52 else 0))
    assert mean(looks, ahead(looks, 10, 45)) == pytest.approx(35, abs=2.5)


def test_missing_looks_change_little() -> None:
    looks = [look for n, look in enumerate(looked(57, one_a_day)) if n % 5 not in {1, 2}]
    assert mean(looks, ahead(looks, 10, 15)) == pytest.approx(5, abs=0.3)


def test_with_lead_time_a_day_ends_when_it_is_last_seen() -> None:
    looks = looked(56, lambda day, days: None if days < 2 else one_a_day(day, days))
    assert mean(looks, ahead(looks, 10, 15)) == pytest.approx(7, abs=0.2)


def test_the_part_of_today_that_has_passed_counts() -> None:
    looks = looked(56, one_a_day)
    assert mean(looks, ahead(looks, 1, 6, elapsed=1.0)) == pytest.approx(6)
    assert mean(looks, ahead(looks, 1, 6, elapsed=0.5)) == pytest.approx(5.5, abs=0.1)


def test_today_is_as_it_is() -> None:
    looks = looked(56, one_a_day)
    assert mean(looks, ahead(looks, 0, 4)) == 4


@pytest.mark.parametrize(
    ("days", "rung"), [(0, Rung.OPENINGS_NOW), (1, Rung.OPENINGS_NOW), (6, Rung.OPENINGS_NOW), (7, Rung.PICKUP)]
)
def test_a_week_of_looks_is_enough_to_begin_with(days: int, rung: Rung) -> None:
    looks = looked(days, one_a_day)
    pace = fit(looks, MONDAY + timedelta(days=60))
    found = expected(pace, "physio", [Ahead("city", MONDAY + timedelta(days=65), 5, Bounds.exactly(10))], 14)
    assert found.rung is rung
    assert (found.openings == Bounds.exactly(10)) is (rung is Rung.OPENINGS_NOW)


def test_a_location_that_was_never_looked_at_has_too_little_history() -> None:
    looks = looked(56, one_a_day)
    new = replace(ahead(looks, 5, 10), location="quay")
    pace = fit(looks, last(looks))
    assert expected(pace, "physio", [ahead(looks, 5, 10)], 14).rung is Rung.PICKUP
    assert expected(pace, "physio", [ahead(looks, 5, 10), new], 14).rung is Rung.OPENINGS_NOW
    assert expected(pace, "physio", [ahead(looks, 5, 10), replace(new, works=False)], 14).rung is Rung.PICKUP


def test_a_closed_day_is_nothing_to_fill() -> None:
    looks = looked(56, one_a_day)
    pace = fit(looks, last(looks))
    found = expected(pace, "physio", [ahead(looks, 5, 9, works=False)], 14)
    assert found.openings == found.lower == found.upper == Bounds.exactly(0)
    assert outlook(pace, "physio", ahead(looks, 5, 9, works=False)) is None


def test_nothing_observed_is_unknown_and_not_zero() -> None:
    looks = looked(56, one_a_day)
    found = expected(fit(looks, last(looks)), "physio", [ahead(looks, 5, Bounds(None, 0, 8))], 14)
    assert found.rung is Rung.UNKNOWN
    assert found.openings.estimate is None
    assert found.openings.high > 0


def test_never_more_are_left_than_can_be_open() -> None:
    looks = looked(56, lambda _, days: 20.0 - days)
    assert mean(looks, ahead(looks, 10, 10, most=12)) == 12


def test_spread_alone_leaves_no_doubt_about_a_threshold() -> None:
    looks = looked(56, lambda day, days: 4.0 + days + (day * 7919 % 5 if days == 0 else 0))
    found = expected(fit(looks, last(looks)), "physio", [ahead(looks, n, 6 + n) for n in range(14)], 14, confidence=90)
    assert found.openings.exact
    assert found.lower.exact
    assert found.upper.exact
    assert found.lower.low < found.openings.low < found.upper.low


# --- whatever the looks were --------------------------------------------------------------------------------------------

numbers = st.one_of(st.none(), st.integers(0, 20).map(float), st.sampled_from([math.nan, math.inf, -1.0, 1e300]))
rows = st.lists(numbers, min_size=0, max_size=16).map(tuple)
anything = st.builds(
    Look,
    st.sampled_from(["physio", "podiatry"]),
    st.sampled_from(["city", "beach"]),
    st.integers(0, 40).map(lambda n: MONDAY + timedelta(days=n)),
    rows,
    st.just(()),
)
whole_days = st.lists(st.integers(0, 12).map(float), min_size=14, max_size=14).map(tuple)


@st.composite
def histories(draw: st.DrawFn) -> list[Look]:
    """Two to five weeks of looks, some missing, and a few that are anything."""
    days = draw(st.integers(14, 28))
    kept = [n for n in range(days) if draw(st.integers(0, 5))]
    base = draw(whole_days)
    slope = draw(st.floats(-1, 1))
    looks = [
        Look("physio", "city", MONDAY + timedelta(days=n), tuple(max(base[(n + h) % 7] + slope * h, 0) for h in range(14)))
        for n in kept
    ]
    return looks + draw(st.lists(anything, max_size=12))


@st.composite
def bounds(draw: st.DrawFn) -> Bounds:
    low, estimate, high = sorted(draw(st.lists(st.floats(0, 30), min_size=3, max_size=3)))
    return Bounds(draw(st.sampled_from([estimate, None])), low, high)


ENDS = MONDAY + timedelta(days=41)
coming = st.builds(
    lambda location, n, openings, works, elapsed, most: Ahead(
        location, ENDS + timedelta(days=n), n, openings, works, elapsed, most
    ),
    st.sampled_from(["city", "beach", "elsewhere"]),
    st.integers(0, 13),
    bounds(),
    st.booleans(),
    st.floats(0, 1),
    st.sampled_from([0.0, 5.0, 30.0, math.inf]),
)


@given(histories(), st.lists(coming, max_size=20), st.integers(1, 14), st.integers(50, 99))
def test_bounds_are_in_order_and_finite(looks: list[Look], days: list[Ahead], within: int, confidence: int) -> None:
    found = expected(fit(looks, ENDS), "physio", days, within, confidence)
    for triple in (found.openings, found.lower, found.upper):
        assert 0 <= triple.low <= triple.high < math.inf
        assert triple.estimate is None or triple.low <= triple.estimate <= triple.high
    for name in ("low", "high"):
        assert getattr(found.lower, name) <= getattr(found.openings, name) + 1e-9
        assert getattr(found.openings, name) <= getattr(found.upper, name) + 1e-9


@given(histories(), coming)
def test_a_days_band_holds_its_mean(looks: list[Look], day: Ahead) -> None:
    found = outlook(fit(looks, ENDS), "physio", day)
    assert (found is None) is (not day.works or day.openings.estimate is None)
    if found:
        assert 0 <= found.low <= found.mean <= found.high < math.inf


@given(histories(), coming, st.floats(0, 5))
def test_more_openings_are_never_expected_to_leave_fewer(looks: list[Look], day: Ahead, more: float) -> None:
    pace, fewer = fit(looks, ENDS), day.openings.low
    few, many = (
        expected(pace, "physio", [Ahead(day.location, day.day, day.ahead, Bounds.exactly(x), most=day.most)], 14)
        for x in (fewer, fewer + more)
    )
    assert few.openings.low <= many.openings.low


@given(histories())
def test_a_pace_can_be_stored_and_read_back(looks: list[Look]) -> None:
    pace = fit(looks, ENDS)
    assert PACE.validate_json(PACE.dump_json(pace)) == pace


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_looks_does_not_matter(looks: list[Look], chance: object) -> None:
    mixed = list(looks)
    chance.shuffle(mixed)  # type: ignore[attr-defined] # a random.Random
    assert fit(mixed, ENDS) == fit(looks, ENDS)


@given(histories(), st.integers(0, 35))
def test_looks_of_later_days_do_not_exist_yet(looks: list[Look], day: int) -> None:
    today = MONDAY + timedelta(days=day)
    assert fit(looks, today) == fit([look for look in looks if look.day <= today], today)


def test_an_outlook_is_nothing_that_is_learnt_from() -> None:
    looks = looked(30, one_a_day)
    told = [Look(x.service, x.location, x.day, x.openings, (Outlook(99, 98, 100),) * 14) for x in looks]
    assert fit(told, last(looks)) == fit(looks, last(looks))
