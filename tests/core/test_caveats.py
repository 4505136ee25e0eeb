"""Everything that hides free time is recognised and said in one sentence; a clinic that hides nothing has no caveat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from service.core.caveats import caveats, listed
from service.core.decide.model import Blind
from service.core.logic import UNBOUNDED, Bounds
from service.core.metrics import asking, forecast
from service.core.model import Diaries, Reason, Unseen
from service.core.observation import Observation
from service.core.roster import DayNumbers
from service.core.rules.language import Measure, Metric
from tests.core.made import (
    ANA,
    BEN,
    CITY,
    FIRST,
    NOW,
    OPEN,
    QUAY,
    SERVICE,
    STANDARD,
    alone,
    at,
    diaries,
    every,
    lead,
    office,
    seen,
    sold,
    weekly,
)

TRIPLE, BENS = ("city", "ana", "first"), ("city", "ben", "first")
SHOWN = [at(0, "09:00"), at(0, "10:00")]


def said(reading: Diaries, numbers: DayNumbers | None = None) -> list[tuple[Blind, str]]:
    view = Observation.of(reading, NOW, numbers)
    return [(each.kind, each.sentence) for each in caveats(view, SERVICE, sold(reading))]


def test_a_diary_that_hides_nothing_has_no_caveat() -> None:
    assert said(alone(SHOWN)) == []


HALF_OFF = diaries({TRIPLE: SHOWN, BENS: SHOWN}, [*office(), *office("ben")])
CASES: list[tuple[str, Diaries, Blind, Sequence[str]]] = [
    ("bookings off", alone(SHOWN, bookings=replace(OPEN, enabled=False)), Blind.BOOKINGS_OFF, ["whole account"]),
    ("a practitioner is off", replace(HALF_OFF, practitioners=(ANA, replace(BEN, online=False))), Blind.SWITCHED_OFF, ["Ben"]),
    ("a type is off", alone(SHOWN, types=(replace(FIRST, online=False), STANDARD)), Blind.SWITCHED_OFF, ["First"]),
    ("a location is off", alone(SHOWN, locations=(replace(CITY, online=False), QUAY)), Blind.SWITCHED_OFF, ["City"]),
    ("not found", alone(Unseen.NOT_FOUND), Blind.NOT_FOUND, ["Ana", "404", "neither full nor empty"]),
    ("failed", alone(Unseen.FAILED), Blind.FAILED, ["Ana", "could not be read"]),
    ("a diary emptied of a sudden", alone(Unseen.DOUBTED), Blind.DOUBTED, ["Ana", "once the next reading agrees"]),
    ("local times as UTC", alone(every(60, 0, "19:00", "21:00")), Blind.CONTRADICTED, ["Ana", "most starts", "unknown"]),
    ("lead time", alone(SHOWN, bookings=lead(72)), Blind.LEAD_TIME, ["9 h of 30 h", "3 days"]),
    ("a cap", alone(SHOWN, bookings=replace(OPEN, segment_cap=2)), Blind.SEGMENT_CAP, ["at most 2", "1 diary day "]),
    ("a daily limit", alone(SHOWN, bookings=replace(OPEN, daily_limit=4)), Blind.DAILY_LIMIT, ["at most 4", "9 diary days"]),
    ("a start past closing", alone([at(0, "11:30")]), Blind.OUTSIDE_HOURS, ["1 start of Ana", "outside rostered hours"]),
    (
        "starts an hour apart for half an hour",
        diaries(
            {("city", "ana", "standard"): [at(0, "09:00"), at(0, "10:00")]},
            practitioners=(replace(ANA, default_type="first"), BEN),
        ),
        Blind.COARSE_STARTS,
        ["Ana", "60 minutes apart", "1 h"],
    ),
]


@pytest.mark.parametrize(("reading", "kind", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_hides_free_time_is_said_in_one_sentence(reading: Diaries, kind: Blind, words: Sequence[str]) -> None:
    (found,) = said(reading)
    assert found[0] is kind
    for word in words:
        assert word in found[1]


def test_every_kind_of_caveat_is_told_here() -> None:
    assert {case[2] for case in CASES} | {Blind.DAY_NUMBERS, Blind.RENAMED, Blind.UNKNOWN_NAME} == set(Blind)


def test_rooms_that_sell_something_else_are_not_named() -> None:
    reading = replace(HALF_OFF, practitioners=(ANA, replace(BEN, online=False)))
    assert said(replace(reading, offers=reading.offers[:1])) == []


def test_monday_as_zero_is_said() -> None:
    ((kind, sentence),) = said(alone(SHOWN), DayNumbers(monday=("ana", "ben")))
    assert kind is Blind.DAY_NUMBERS
    assert "Monday as 0" in sentence


def test_many_names_are_counted() -> None:
    assert listed(["Ana", "Ben", "Cy", "Di", "Ed"]) == "Ana, Ben, Cy and 2 more"
    assert listed(["Ana"]) == "Ana"


def test_the_past_of_today_is_no_lead_time() -> None:
    half_past_ten = alone([at(0, "11:00"), *every(60, 1, "09:00", "11:00")])
    view = Observation.of(half_past_ten, NOW + timedelta(hours=4.5))
    ((kind, sentence),) = [(c.kind, c.sentence) for c in caveats(view, SERVICE, sold(half_past_ten, now=view.now))]
    assert (kind, "are over" in sentence) == (Blind.LEAD_TIME, True)


def test_a_week_of_starts_on_both_numberings_is_told_apart() -> None:
    monday_is_zero = weekly("ana", "city", *((day, "09:00", "12:00") for day in range(5)))
    as_zero = [replace(hours, day=(hours.day - 1) % 7) for hours in monday_is_zero]
    starts = [at(day, "09:00") for day in (*range(5), *range(7, 12))]
    assert [kind for kind, _ in said(alone(starts, as_zero))] == [Blind.DAY_NUMBERS]
    assert said(alone(starts, monday_is_zero)) == []


def test_a_first_type_that_its_own_lead_time_hides_has_no_openings_anybody_could_know() -> None:
    slow, quick = replace(FIRST, lead=timedelta(days=14)), replace(STANDARD, lead=timedelta(0))
    shown = {("city", "ana", "first"): [], ("city", "ana", "standard"): every(30, 1, "09:00", "11:30")}
    reading = diaries(shown, types=(slow, quick))
    ask = asking(seen(reading))
    for metric in (Metric.OPEN_SLOTS, Metric.DAYS_TO_NEXT_OPENING, Metric.FULL_DAYS, Metric.EXPECTED_OPEN_SLOTS):
        assert (ask(Measure(metric)).cause, ask(Measure(metric)).bounds) == (Reason.LEAD_TIME, UNBOUNDED)
    assert ask(Measure(Metric.OPEN_HOURS)).bounds == Bounds.exactly(3)
    assert all(day.openings == UNBOUNDED for day in forecast(seen(reading), "physio", ask).days if day.working_minutes)
    (sentence,) = [
        c.sentence for c in caveats(Observation.of(reading, NOW), SERVICE, sold(reading)) if c.kind is Blind.LEAD_TIME
    ]
    assert sentence.startswith("First, which openings are counted in, can be booked no later than 14 days ahead")
    assert "30 h" in sentence


def test_where_nothing_is_known_no_day_is_said_to_be_closed() -> None:
    off = alone([at(1, "09:00")], bookings=replace(OPEN, enabled=False))
    assert forecast(seen(off), "physio", asking(seen(off))).days == ()
