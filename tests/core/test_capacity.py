"""What `available_times` does and does not say, sentence by sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.intervals import length
from service.core.model import Block, Diaries, Offer, Unseen, WeeklyHours
from service.core.offers import sold_offers
from service.core.packing import Region, pack
from service.core.rules.language import Metric, Service
from tests.core.made import (
    ANA,
    CITY,
    FIRST,
    NOW,
    OPEN,
    SERVICE,
    STANDARD,
    Shown,
    alone,
    at,
    diaries,
    every,
    known,
    lead,
    office,
    only_day,
    seen,
    sold,
    weekly,
)

HOUR = 3600
TRIPLE = ("city", "ana", "first")


def capped(cap: int | None) -> Diaries:
    """Nine to twelve every weekday; on Monday 09:00 and 10:00 are shown, and nothing on any other day."""
    return alone([at(0, "09:00"), at(0, "10:00")], bookings=replace(OPEN, segment_cap=cap))


# --- which diaries --------------------------------------------------------------------------------------------------------


def without_switch(reading: Diaries, which: str) -> Diaries:
    return {
        "location": replace(reading, locations=(replace(CITY, online=False),)),
        "practitioner": replace(reading, practitioners=(replace(ANA, online=False),)),
        "type": replace(reading, types=(replace(FIRST, online=False),)),
        "account": replace(reading, bookings=replace(OPEN, enabled=False)),
        "practitioner is gone": replace(reading, practitioners=()),
        "group type": replace(reading, types=(replace(FIRST, group=True),)),
        "renamed type": replace(reading, types=(replace(FIRST, name="Erstgespräch"),)),
    }[which]


@pytest.mark.parametrize(
    "which", ["location", "practitioner", "type", "account", "practitioner is gone", "group type", "renamed type"]
)
def test_what_is_not_sold_online_is_no_part_of_a_service(which: str) -> None:
    reading = without_switch(alone(every(60, 0, "09:00", "11:00")), which)
    assert sold_offers(reading, SERVICE) == ()
    assert sold(reading).diaries == ()


@pytest.mark.parametrize(
    ("service", "people"),
    [
        pytest.param(SERVICE, ["ana", "ben"], id="everybody by default"),
        pytest.param(replace(SERVICE, exclude_practitioners=(" BEN ",)), ["ana"], id="names ignore case and outer blanks"),
        pytest.param(replace(SERVICE, practitioners=("Ben",)), ["ben"], id="only those listed"),
        pytest.param(replace(SERVICE, locations=("Quay",)), ["ben"], id="only where listed"),
        pytest.param(replace(SERVICE, appointment_types=("Standard",)), [], id="only the types listed"),
    ],
)
def test_a_service_chooses_its_people_places_and_types(service: Service, people: list[str]) -> None:
    reading = diaries({TRIPLE: [], ("quay", "ben", "first"): []}, [*office(), *office("ben", "quay")])
    assert [diary.practitioner for diary in sold(reading, service).diaries] == people


def test_offers_come_in_the_order_of_the_services_types() -> None:
    reading = diaries({("city", "ana", "standard"): [], TRIPLE: []})
    assert sold_offers(reading, SERVICE) == (Offer(*TRIPLE), Offer("city", "ana", "standard"))


# --- open time and openings ---------------------------------------------------------------------------------------------


def test_starts_15_minutes_apart_for_a_60_minute_type_are_a_union_not_a_product() -> None:
    day = only_day(alone(every(15, 0, "09:00", "10:30")))
    assert length(day.open_low) == length(day.open_high) == 2.5 * HOUR
    assert (day.tally.openings_low, day.tally.openings_high) == (2, 2)


def test_two_types_free_at_one_time_are_one_time() -> None:
    both = diaries({TRIPLE: every(30, 0, "09:00", "10:00"), ("city", "ana", "standard"): every(30, 0, "09:00", "11:30")})
    assert length(only_day(both).open_low) == 3 * HOUR


def test_openings_are_of_the_first_listed_type_that_the_practitioner_offers() -> None:
    starts = every(30, 0, "09:00", "11:00")
    both = diaries({TRIPLE: starts, ("city", "ana", "standard"): every(30, 0, "09:00", "11:30")})
    assert only_day(both).tally.openings_low == 3
    assert only_day(diaries({("city", "ana", "standard"): starts})).tally.openings_low == 5


def test_a_start_half_an_hour_before_closing_is_an_opening_and_its_tail_is_clipped() -> None:
    day = only_day(alone([at(0, "11:30")]))
    assert length(day.open_high) == HOUR // 2
    assert (day.tally.openings_low, day.tally.openings_high) == (1, 1)


def test_a_start_outside_rostered_time_can_be_booked_so_it_is_an_opening_but_no_rostered_time() -> None:
    day = only_day(alone([at(0, "18:00")]))
    assert (day.tally.openings_low, length(day.open_high)) == (1, 0)


def test_one_week_in_the_wrong_zone_is_unknown_and_the_other_is_known() -> None:
    right = [start for day in (1, 2) for start in every(60, day, "09:00", "11:00")]
    wrong = [at(day, clock) for day in (7, 8) for clock in ("19:00", "20:00")]
    (diary,) = sold(alone(right + wrong)).diaries
    assert diary.contradicted
    assert all(day.seen == day.sellable for day in diary.days[:7])
    assert all(day.seen == () and day.tally.openings_low == 0 for day in diary.days[7:])
    assert diary.days[1].tally.openings_low == 3


def test_a_location_where_most_diaries_contradict_the_roster_is_believed_of_nobody() -> None:
    people = [replace(ANA, id=name, name=name) for name in ("ana", "ben", "cy")]
    evening = [at(day, clock) for day in (1, 8) for clock in ("19:00", "20:00")]
    half = [*evening, *(at(day, "09:00") for day in range(1, 5)), at(8, "09:00")]
    shown = {("city", "ana", "first"): evening, ("city", "ben", "first"): evening, ("city", "cy", "first"): half}
    hours = [row for person in people for row in office(person.id)]
    assert not sold(diaries({("city", "cy", "first"): half}, hours, practitioners=people)).diaries[0].contradicted
    together = sold(diaries(shown, hours, practitioners=people))
    assert all(diary.contradicted for diary in together.diaries)
    assert together.sums[-1].openings_low == 0
    elsewhere = sold(
        diaries(shown | {("quay", "cy", "first"): [at(9, "09:00")]}, [*hours, *office("cy", "quay")], practitioners=people)
    )
    assert elsewhere.diaries[2].contradicted == ("city",)


def test_a_practitioner_at_two_locations_has_one_diary() -> None:
    hours = [*office(), *office("ana", "quay")]
    starts = every(60, 0, "09:00", "11:00")
    day = only_day(diaries({TRIPLE: starts, ("quay", "ana", "first"): starts}, hours))
    assert length(day.working) == length(day.open_low) == length(day.open_high) == 3 * HOUR
    assert (day.tally.openings_low, day.tally.openings_high) == (3, 3)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5)), max_size=9))
def test_packing_finds_as_many_as_an_exhaustive_search(starts: list[tuple[int, int]]) -> None:
    spans = sorted({(start, start + size) for start, size in starts})

    def most(rest: list[tuple[int, int]], free_from: int) -> int:
        fits = [span for span in rest if span[0] >= free_from]
        return max((1 + most([s for s in fits if s > span], span[1]) for span in fits), default=0)

    assert pack(spans) == most(spans, 0)


@given(
    st.lists(st.integers(0, 20), max_size=4),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 8)), max_size=3),
    st.integers(1, 4),
)
def test_packing_into_regions_is_packing_every_start_they_allow(
    shown: list[int], hidden: list[tuple[int, int]], size: int
) -> None:
    spans = [(start, start + size) for start in shown]
    regions = [Region(first, first + more, size) for first, more in hidden]
    allowed = [(at_, at_ + size) for region in regions for at_ in range(region.first, region.last + 1)]
    assert pack(spans, regions) == pack([*spans, *allowed])


# --- working time -------------------------------------------------------------------------------------------------------


def test_working_time_is_the_template_plus_extra_minus_unavailable_across_midnight_too() -> None:
    reading = alone(
        [],
        extra=(Block("city", "ana", at(0, "22:00"), at(1, "02:00")), Block("quay", "ana", at(2, "14:00"), at(2, "15:00"))),
        unavailable=(Block(None, "ana", at(0, "23:00"), at(1, "01:00")), Block("city", "ana", at(3, "08:00"), at(3, "10:00"))),
    )
    days = sold(reading).diaries[0].days
    assert [length(day.working) / HOUR for day in days[:6]] == [4, 4, 3, 2, 3, 0]


def test_blocks_of_other_people_and_of_other_places_do_not_matter() -> None:
    away = (Block(None, "ben", at(0, "00:00"), at(14, "00:00")), Block("quay", "ana", at(0, "00:00"), at(14, "00:00")))
    assert length(only_day(alone([], unavailable=away)).working) == 3 * HOUR


@pytest.mark.parametrize(
    ("numbers", "starts_on", "working_on"),
    [
        pytest.param([1, 2, 3, 4, 5], [], [0, 1, 2, 3, 4], id="1-5 without starts are Monday to Friday"),
        pytest.param([7, 1], [], [6, 0], id="a 7 means ISO numbers"),
        pytest.param([0, 1], [], [6, 0], id="a 0 without starts is Sunday"),
        pytest.param([0, 1], [6, 0], [6, 0], id="a 0 with starts on Sunday is Sunday"),
        pytest.param([0, 1], [1, 8], [0, 1], id="a 0 is Monday where starts fall on Monday and Tuesday"),
        pytest.param(
            [1, 2, 3, 4, 5], [1, 2, 5, 12], [1, 2, 3, 4, 5], id="1-5 with starts on Saturdays: a clinic shut on Mondays"
        ),
        pytest.param([1, 2, 3, 4, 5], [1, 2, 5], [0, 1, 2, 3, 4], id="a start on a single Saturday renumbers nothing"),
    ],
)
def test_the_days_of_the_week_are_numbered_as_the_starts_say(
    numbers: list[int], starts_on: list[int], working_on: list[int]
) -> None:
    hours = [WeeklyHours("city", "ana", number, 540, 720) for number in numbers]
    days = sold(alone([at(day, "09:00") for day in starts_on], hours)).diaries[0].days
    assert [n for n in range(7) if days[n].working] == sorted(working_on)


def test_starts_in_extra_hours_say_nothing_about_the_numbering() -> None:
    saturday = Block("city", "ana", at(5, "09:00"), at(5, "12:00"))
    days = sold(alone([at(5, "09:00")], extra=(saturday,))).diaries[0].days
    assert [n for n in range(7) if days[n].working] == [0, 1, 2, 3, 4, 5]


# --- the mask -----------------------------------------------------------------------------------------------------------


def test_lead_time_masks_working_and_open_from_the_start_of_today() -> None:
    day = only_day(alone([at(0, "11:00")], bookings=lead(4)))
    assert length(day.working) == 3 * HOUR
    assert length(day.sellable) == 2 * HOUR
    assert length(day.open_low) == HOUR


def test_the_lead_time_of_a_type_goes_before_the_accounts_and_the_shortest_masks() -> None:
    types = (replace(FIRST, lead=timedelta(hours=48)), replace(STANDARD, lead=timedelta(0)))
    shown: dict[tuple[str, str, str], Shown] = {TRIPLE: [], ("city", "ana", "standard"): []}
    assert length(only_day(diaries(shown, types=types, bookings=lead(24))).sellable) == 3 * HOUR
    assert length(only_day(diaries({TRIPLE: []}, types=types, bookings=lead(0))).sellable) == 0


def test_a_lead_time_of_two_weeks_masks_everything() -> None:
    view = seen(alone([], bookings=lead(24 * 14)))
    assert known(view, Metric.WORKING_HOURS) == (30, 30, 30)
    assert all(not day.sellable for day in view.capacity.diaries[0].days)


# --- unknown is not zero --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unseen", list(Unseen))
def test_what_was_not_observed_may_be_open_or_not(unseen: Unseen) -> None:
    reading = alone(unseen)
    day = only_day(reading)
    assert (day.open_low, day.open_high, day.seen) == ((), day.sellable, ())
    assert (day.tally.openings_low, day.tally.openings_high) == (0, 3)
    assert not sold(reading).complete


def test_one_type_unobserved_leaves_what_the_other_shows() -> None:
    day = only_day(diaries({TRIPLE: Unseen.FAILED, ("city", "ana", "standard"): [at(0, "09:00")]}))
    assert (length(day.open_low), length(day.open_high)) == (HOUR // 2, 3 * HOUR)
    assert (day.tally.openings_low, day.tally.openings_high) == (0, 3)


def test_one_location_unobserved_leaves_what_the_other_shows() -> None:
    hours = [*office(), *weekly("ana", "quay", (0, "11:00", "14:00"))]
    day = only_day(diaries({TRIPLE: [at(0, "11:00")], ("quay", "ana", "first"): Unseen.FAILED}, hours))
    assert (length(day.open_low), length(day.open_high), length(day.seen)) == (HOUR, 3 * HOUR, 2 * HOUR)
    assert (day.tally.openings_low, day.tally.openings_high) == (1, 3)


def test_half_of_the_window_unobserved_leaves_the_other_half_known() -> None:
    reading = alone([at(0, "09:00")])
    reading = replace(reading, probes=(reading.probes[0], replace(reading.probes[1], starts=None, unseen=Unseen.FAILED)))
    days = sold(reading).diaries[0].days
    assert [(day.tally.openings_low, day.tally.openings_high) for day in days[:9]] == [(1, 1), *[(0, 0)] * 6, (0, 3), (0, 3)]


def test_a_cap_hides_only_time_after_the_last_shown_start() -> None:
    day = only_day(capped(2))
    assert (length(day.open_low), length(day.open_high)) == (2 * HOUR, 3 * HOUR)
    assert (day.tally.openings_low, day.tally.openings_high) == (2, 3)


def test_a_cap_does_not_reach_into_the_next_segment() -> None:
    hours = weekly("ana", "city", *((day, "09:00", "17:00") for day in range(5)))
    reading = alone([at(0, "09:00")], hours, bookings=replace(OPEN, segment_cap=1))
    day = only_day(reading)
    assert (length(day.open_low), length(day.open_high)) == (HOUR, 4 * HOUR - 1), (
        "a hidden start before 12:00 may end before 13:00"
    )
    assert (day.tally.openings_low, day.tally.openings_high) == (1, 3)


def test_a_segment_below_its_cap_hides_nothing() -> None:
    day = only_day(capped(3))
    assert day.open_low == day.open_high
    assert (day.tally.openings_low, day.tally.openings_high) == (2, 2)


@pytest.mark.parametrize("cap", [None, 0, 6, 99, -1])
def test_null_zero_and_more_than_five_are_no_cap(cap: int | None) -> None:
    day = only_day(capped(cap))
    assert day.open_low == day.open_high
    assert day.tally.openings_high == 2


def test_a_segment_that_shows_no_start_has_exactly_no_openings_under_a_cap() -> None:
    day = only_day(capped(1), index=1)
    assert (day.tally.openings_low, day.tally.openings_high, day.open_high) == (0, 0, ())


def test_a_day_without_starts_under_a_daily_limit_has_no_openings_but_may_have_open_time() -> None:
    reading = alone([at(0, "09:00")], bookings=replace(OPEN, daily_limit=4))
    shown, limited = only_day(reading), only_day(reading, 1)
    assert shown.open_low == shown.open_high
    assert (limited.tally.openings_low, limited.tally.openings_high) == (0, 0)
    assert (limited.open_low, limited.open_high) == ((), limited.sellable)


# --- days ---------------------------------------------------------------------------------------------------------------


def test_today_is_the_locations_today_not_the_utc_one() -> None:
    assert NOW.date().isoformat() == "2026-03-01"
    assert sold(alone([])).dates[0].isoformat() == "2026-03-02"


def late_and_early() -> list[datetime]:
    return [at(0, "23:30"), at(1, "00:30")]


def test_starts_around_midnight_belong_to_their_local_day() -> None:
    reading = alone(late_and_early(), weekly("ana", "city", (0, "22:00", "24:00"), (1, "00:00", "02:00")))
    days = sold(reading).diaries[0].days
    assert [day.tally.openings_low for day in days[:3]] == [1, 1, 0]


def test_saturdays_of_one_of_several_practitioners_renumber_nothing() -> None:
    undeclared = {("city", "ana", "first"): [at(5, "09:00"), at(12, "09:00")], ("city", "ben", "first"): [at(1, "09:00")]}
    found = sold(diaries(undeclared, [*office("ana"), *office("ben")]))
    assert [n for n in range(7) if found.diaries[0].days[n].working] == [0, 1, 2, 3, 4]


def test_a_shift_across_midnight_is_one_stretch_of_time() -> None:
    night = Block("city", "ana", at(1, "22:30"), at(2, "01:30"))
    shown = [at(1, "22:30"), at(1, "23:30"), at(2, "00:30")]
    found = sold(alone(shown, [], extra=(night,)))
    assert (found.sums[-1].working, found.sums[-1].open_low, found.sums[-1].openings_low) == (3 * HOUR, 3 * HOUR, 3)
    assert sum(day.outside for day in found.diaries[0].days) == 0
    long = Block("city", "ana", at(1, "22:30"), at(2, "02:00"))
    crowded = sold(alone([*every(30, 1, "22:30", "23:30"), *every(30, 2, "00:00", "01:00")], [], extra=(long,)))
    assert (crowded.sums[-1].openings_low, crowded.sums[-1].openings_high) == (3, 3)
