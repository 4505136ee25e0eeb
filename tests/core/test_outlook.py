"""What a run compares with is believed no sooner than what it sees itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from service.core.decide.model import Reading
from service.core.model import Diaries, Reason
from service.core.outlook import prospect, sights
from service.core.rules.language import Measure, Metric
from service.core.sighting import Sighting
from tests.core.made import ANA, BEN, MONDAY, NOW, OPEN, SERVICE, at, diaries, every, lead, office

STARTS = [*every(60, 2, "09:00", "11:00"), *every(60, 3, "09:00", "11:00")]
TUESDAY = NOW + timedelta(days=1)

Read = Callable[[date], Diaries]


def right(today: date) -> Diaries:
    """Ana has six openings and Ben is full."""
    return diaries({("city", "ana", "first"): STARTS, ("city", "ben", "first"): [at(9, "09:00")]}, HOURS, today=today)


HOURS = [*office("ana"), *office("ben")]

WRONG: dict[str, Callable[[Diaries], Diaries]] = {
    "all starts gone": lambda d: replace(d, probes=tuple(replace(probe, starts=()) for probe in d.probes)),
    "somebody not listed": lambda d: replace(
        d,
        practitioners=(BEN,),
        offers=tuple(offer for offer in d.offers if offer.practitioner == "ben"),
        probes=tuple(probe for probe in d.probes if probe.offer.practitioner == "ben"),
    ),
    "hours gone": lambda d: replace(d, hours=()),
    "bookings off": lambda d: replace(d, bookings=replace(OPEN, enabled=False)),
    "nothing offered": lambda d: replace(d, offers=(), probes=()),
}


def opened(*earlier: tuple[float, Diaries]) -> Reading:
    """`slots_opened` on Tuesday morning, where earlier readings are (hours ago, reading), newest first."""
    before = [Sighting(TUESDAY - timedelta(hours=hours), reading) for hours, reading in earlier]
    found = sights(Sighting(TUESDAY, right(MONDAY + timedelta(days=1))), before)
    return prospect({"physio": SERVICE}, found, None).asks["physio"](Measure(Metric.SLOTS_OPENED))


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_reading_that_was_not_believed_is_no_baseline_a_day_later(wrong: Callable[[Diaries], Diaries]) -> None:
    faulty, good = wrong(right(MONDAY)), right(MONDAY)
    assert opened((24, faulty), (25, good), (26, good)).bounds.exact
    assert opened((24, faulty), (25, good), (26, good)).bounds.low == 0
    alone = opened((24, faulty), (28, good))  # whose hours are gone is rostered as before, so that reading can be compared with
    assert alone.cause is Reason.NO_HISTORY or (alone.bounds.exact and alone.bounds.low == 0)


def test_what_was_doubted_and_confirmed_is_a_baseline() -> None:
    full = WRONG["all starts gone"](right(MONDAY))
    found = opened(*((hours, full) for hours in range(24, 28)), (28, right(MONDAY))).bounds
    assert (found.estimate, found.low, found.high) == (7, 7, 7)


def test_what_a_longer_lead_time_hid_may_have_been_open_all_the_time() -> None:
    hidden = replace(right(MONDAY), bookings=lead(24 * 7), practitioners=(ANA, BEN))
    hidden = replace(
        hidden, probes=tuple(replace(p, starts=tuple(s for s in p.starts or () if s > at(8, "00:00"))) for p in hidden.probes)
    )
    found = opened((24, hidden), (25, hidden)).bounds
    assert (found.estimate, found.low, found.high) == (0, 0, 6)


def test_how_days_are_numbered_is_not_forgotten_while_nothing_shows_it() -> None:
    week = [replace(hours, day=(hours.day - 1) % 7) for hours in office("ana", days=range(5))]  # Monday is 0 here
    fridays = [at(4, "09:00"), at(11, "09:00")]
    telling = Sighting(NOW, diaries({("city", "ana", "first"): fridays}, week))
    silent = Sighting(NOW + timedelta(hours=30), diaries({("city", "ana", "first"): [at(8, "09:00")]}, week))
    known = sights(telling, ()).numbers
    assert known.monday_is_zero
    assert not sights(silent, ()).numbers.monday_is_zero
    assert sights(silent, (), known).numbers.monday_is_zero
