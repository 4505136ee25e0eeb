"""What only looks like a cancellation: reservations while somebody books, and grids anchored anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from service.core.model import Diaries, OnlineBookings, Practitioner
from service.core.rules.language import Metric
from tests.core.made import ANA, BEN, MONDAY, NOW, OPEN, Shown, at, diaries, every, known, seen

DAY = timedelta(days=1)
TUESDAY = NOW + DAY
RESERVING = replace(OPEN, reservation=timedelta(minutes=10))
COARSE = replace(ANA, default_type="first")
"""Ana's starts are 60 minutes apart, whatever is booked."""


Reading = Callable[[date], Diaries]
"""What is shown, as read on a date."""


def opened(now: Reading, *earlier: tuple[float, Reading]) -> tuple[float | None, ...]:
    """(estimate, low, high) on Tuesday morning; earlier readings as (hours ago, reading)."""
    taken = [(TUESDAY - timedelta(hours=hours), reading(MONDAY)) for hours, reading in earlier]
    return known(seen(now(MONDAY + DAY), TUESDAY, taken), Metric.SLOTS_OPENED)


def firsts(shown: Shown, bookings: OnlineBookings = OPEN) -> Reading:
    return lambda today: diaries({("city", "ana", "first"): shown}, bookings=bookings, today=today)


def test_a_start_that_a_patient_was_booking_at_the_baseline_and_left_is_no_cancellation() -> None:
    whole = [at(2, "09:00"), at(2, "10:00"), at(2, "11:00")]
    during, before = firsts(whole[1:], bookings=RESERVING), firsts(whole, bookings=RESERVING)
    assert opened(firsts(whole, bookings=RESERVING), (24, during), (25, before)) == (0, 0, 1)


def test_what_was_open_shortly_before_the_baseline_has_opened_and_not_certainly() -> None:
    whole = [at(2, "09:00"), at(2, "10:00"), at(2, "11:00")]
    assert opened(firsts(whole), (24, firsts(whole[1:])), (25, firsts(whole))) == (1, 0, 1)
    assert opened(firsts(whole), (24, firsts(whole[1:])), (25, firsts(whole[1:]))) == (1, 1, 1)


def test_hours_of_empty_answers_a_day_ago_are_no_certain_cluster() -> None:
    whole = [at(2, "09:00"), at(2, "10:00"), at(2, "11:00")]
    assert opened(firsts(whole), (24, firsts([])), (25, firsts([])), (26, firsts(whole))) == (3, 0, 3)


def test_a_real_cancellation_is_certain_where_reservations_are_held() -> None:
    whole = [at(2, "09:00"), at(2, "10:00"), at(2, "11:00")]
    full = firsts([], bookings=RESERVING)
    assert opened(firsts(whole, bookings=RESERVING), (24, full), (25, full)) == (3, 3, 3)


def test_a_start_held_now_is_not_open_now() -> None:
    whole = [at(2, "09:00"), at(2, "10:00")]
    full = firsts([], bookings=RESERVING)
    assert opened(firsts(whole[:1], bookings=RESERVING), (24, full), (25, full)) == (1, 1, 1)


def standards(starts: list[str], practitioners: tuple[Practitioner, ...] = (COARSE, BEN)) -> Reading:
    """Half-hour appointments on Wednesday morning."""
    shown = [at(2, clock) for clock in starts]
    return lambda today: diaries({("city", "ana", "standard"): shown}, practitioners=practitioners, today=today)


def test_a_grid_that_moves_by_half_an_hour_opens_nothing_for_certain() -> None:
    """Free from nine to twelve; somebody books the first half hour, and the starts move into the holes between them."""
    before, after = standards(["09:00", "10:00", "11:00"]), standards(["09:30", "10:30", "11:30"])
    assert opened(after, (24, before)) == (0, 0, 3)


def test_without_a_default_type_the_commonest_gap_between_starts_tells_the_grid() -> None:
    before = standards(["09:00", "10:00", "11:00"], (ANA, BEN))
    assert opened(standards(["09:30", "10:30", "11:30"], (ANA, BEN)), (24, before)) == (0, 0, 3)


def test_what_opens_far_from_anything_shown_then_is_certain_on_a_coarse_grid_too() -> None:
    assert opened(standards(["09:00", "11:00"]), (24, standards(["09:00"]))) == (1, 1, 1)


@pytest.mark.parametrize("shift", [5, 10, 15, 20, 30, 45])
def test_appointments_as_long_as_the_grid_never_open_by_a_shift(shift: int) -> None:
    """A gap hides less than one step after its last start, so no appointment of that length fits into it."""
    before = firsts(every(60, 2, "09:00", "10:00"))
    moved = [start + timedelta(minutes=shift) for start in every(60, 2, "09:00", "10:00")]
    assert opened(firsts(moved), (24, before))[1] == 0
