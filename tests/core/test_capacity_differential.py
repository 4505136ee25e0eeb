"""The capacity of random clinics against a minute by minute count of what they can really sell.

Fully observed: the same numbers. With answers missing, caps, limits and 404s: the truth always lies within the bounds. A good
part of the readings come through the real adapter, from the sandbox's answers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from service.core.metrics import Ask, Seen, asking
from service.core.model import Diaries, Reason
from service.core.roster import CLEAR, day_numbers
from service.core.rules.language import Measure, Metric
from service.sandbox.clinic import Anomaly
from service.sandbox.world import Fault
from tests.core.made import seen
from tests.core.truth import Truth, slots_opened
from tests.core.wired import read_over_the_wire
from tests.core.worlds import Found, book, found, seeded, with_holes

SEEDS = [*range(16), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(16, 2000))]
WIRED = [*range(8), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(8, 1000))]
WITHIN = (1, 2, 5, 7, 14)
MEASURED = (Metric.OPEN_SLOTS, Metric.OPEN_HOURS, Metric.DAYS_TO_NEXT_OPENING, Metric.FULL_DAYS, Metric.UTILISATION)
PAGES = (7, 25, 100)


def view(world: Found, reading: Diaries, *earlier: tuple[Found, Diaries]) -> Seen:
    taken = [(old.now, old_reading) for old, old_reading in earlier]
    return seen(reading, world.now, taken, world.service)


def true_value(truth: Truth, metric: Metric, within: int) -> float:
    return float(getattr(truth, metric.value)(within))


def undefined(truth: Truth, metric: Metric, within: int) -> Reason | None:
    """Why a metric has no value at all, whatever is observed."""
    if not truth.people:
        return Reason.NOT_SOLD_ONLINE
    if not truth.working_hours(within):
        return Reason.CLOSED if metric is Metric.UTILISATION else None
    in_time = metric in {Metric.UTILISATION, Metric.OPEN_HOURS}
    sold = truth.sellable_minutes(within) if in_time else truth.first_sellable_minutes(within)
    return None if sold else Reason.LEAD_TIME


def is_the_truth(ask: Ask, truth: Truth) -> None:
    for metric in MEASURED:
        for within in WITHIN:
            reading = ask(Measure(metric, within))
            if cause := undefined(truth, metric, within):
                assert (reading.cause, reading.bounds.low, reading.bounds.high) == (cause, -math.inf, math.inf)
            elif (value := true_value(truth, metric, within)) == math.inf:
                assert (reading.bounds.estimate, reading.bounds.low, reading.bounds.high) == (within, within, math.inf)
            else:
                assert reading.bounds.exact
                assert reading.bounds.low == pytest.approx(value, abs=1e-9), (metric, within)
    if truth.people:
        assert ask(Measure(Metric.COVERAGE)).bounds.low in {100, -math.inf}
        assert ask(Measure(Metric.WORKING_HOURS)).bounds.low == pytest.approx(truth.working_hours(14))


def bounds_the_truth(ask: Ask, truth: Truth) -> None:
    for metric in MEASURED:
        for within in WITHIN:
            reading = ask(Measure(metric, within))
            if cause := undefined(truth, metric, within):
                assert reading.cause is cause or reading.bounds.low == -math.inf, (metric, within)
            else:
                value = true_value(truth, metric, within)
                assert reading.bounds.low - 1e-9 <= value <= reading.bounds.high + 1e-9, (metric, within)


@pytest.mark.parametrize("seed", SEEDS)
def test_fully_observed_capacity_is_the_truth(seed: int) -> None:
    world = found(seeded(seed), hiding=False)
    is_the_truth(asking(view(world, world.read())), Truth(world.clinic, world.service, world.now))


@pytest.mark.parametrize("seed", SEEDS)
def test_with_answers_missing_caps_limits_and_leave_the_truth_lies_within_the_bounds(seed: int) -> None:
    chance = seeded(seed)
    world = found(chance, hiding=True)
    ask = asking(view(world, with_holes(world.read(), chance)))
    bounds_the_truth(ask, Truth(world.clinic, world.service, world.now))


@pytest.mark.parametrize("seed", WIRED)
async def test_what_the_adapter_reads_fully_is_the_truth(seed: int) -> None:
    world = found(seeded(seed), hiding=False)
    reading = await read_over_the_wire(world, largest_page=PAGES[seed % 3])
    ask, truth = asking(view(world, reading)), Truth(world.clinic, world.service, world.now)
    (bounds_the_truth if is_ahead(world) else is_the_truth)(ask, truth)


def is_ahead(world: Found) -> bool:
    """Whether it is tomorrow already in the account's zone while it is today at some place: today cannot be asked for."""
    zones = [world.clinic.zone, *(place.zone for place in world.clinic.businesses.values())]
    today, *theirs = (world.now.astimezone(ZoneInfo(zone)).date() for zone in zones)
    return any(today > there for there in theirs)


@pytest.mark.parametrize("seed", WIRED)
async def test_the_truth_lies_within_what_the_adapter_reads(seed: int) -> None:
    chance = seeded(seed)
    world = found(chance, hiding=True)
    unseen = [Fault("cliniko", "not_found", f"/practitioners/{person}/") for person in world.clinic.people]
    reading = await read_over_the_wire(world, *(f for f in unseen if chance.random() < 0.2), largest_page=PAGES[seed % 3])
    bounds_the_truth(asking(view(world, reading)), Truth(world.clinic, world.service, world.now))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("anomaly", ["ignores_unavailable", "past_closing"])
def test_what_is_shown_outside_rostered_time_lies_within_the_bounds(seed: int, anomaly: Anomaly) -> None:
    """Reported of the real Cliniko (API issues 199 and 279): it can be booked, so it is an opening, but no rostered time."""
    world = found(seeded(seed), hiding=False)
    world.clinic.anomalies = frozenset({anomaly})
    bounds_the_truth(asking(view(world, world.read())), Truth(world.clinic, world.service, world.now))


@pytest.mark.parametrize("seed", WIRED)
async def test_whoever_cuts_the_days_the_truth_lies_within_the_bounds(seed: int) -> None:
    chance = seeded(seed)
    world = found(chance, hiding=False)
    world.clinic.days_cut_by = "account"
    world.clinic.zone = chance.choice(list(world.clinic.businesses.values())).zone  # one in use: no answer tells of another
    reading = await read_over_the_wire(world)
    bounds_the_truth(asking(view(world, reading)), Truth(world.clinic, world.service, world.now))


@pytest.mark.parametrize("seed", WIRED)
async def test_the_starts_tell_that_a_monday_is_day_zero(seed: int) -> None:
    world = found(seeded(seed), hiding=False)
    world.clinic.day_scheme = "monday0"
    world.clinic.extra.clear()
    reading = await read_over_the_wire(world)
    known = day_numbers(reading).monday_is_zero
    assert known or not tells(world, reading)
    if known:
        truth = Truth(world.clinic, world.service, world.now)
        (bounds_the_truth if is_ahead(world) else is_the_truth)(asking(view(world, reading)), truth)


def tells(world: Found, reading: Diaries) -> bool:
    """Whether nobody could doubt it: several people, or the only one who shows any, start on days free by Sunday as 0."""
    hours = {(h.business, h.person, (h.weekday - 1) % 7) for h in world.clinic.hours}
    zones = {id_: ZoneInfo(place.zone) for id_, place in world.clinic.businesses.items()}
    days: dict[str, set[date]] = {}
    for probe in reading.probes:
        place, person = probe.offer.location, probe.offer.practitioner
        for at in probe.starts or ():
            day = at.astimezone(zones[place]).date()
            telling = days.setdefault(person, set())
            if (place, person, day.weekday()) not in hours:
                telling.add(day)
    clear = [person for person, found in days.items() if len(found) > 2 * CLEAR]  # only some starts of a person are looked at
    return len(clear) > 1 or (len(clear) == 1 and clear == [*days])


# --- what has opened since ----------------------------------------------------------------------------------------------


def a_day_later(world: Found, chance: Random, kept: float = 0.5) -> Found:
    """The same clinic 24 hours on: some appointments were cancelled, others made."""
    staying = [span for span in world.clinic.appointments if chance.random() < kept]
    clinic = replace(world.clinic, appointments=staying)
    person = chance.choice(list(clinic.people))
    clinic.appointments += book(clinic, person, world.now, chance, share=0.1)
    return replace(world, clinic=clinic, now=world.now + timedelta(hours=24))


def looks(world: Found) -> Sequence[tuple[Found, Diaries]]:
    """The baseline's reading, and the hourly ones before it that may still serve as a baseline."""
    times = [replace(world, now=world.now - timedelta(hours=hours)) for hours in range(3)]
    return [(at, at.read()) for at in times]


def steady(world: Found) -> bool:
    """Nobody holds starts, the grid stays put, and it is no coarser than what is booked: all that opens is seen to open."""
    view_then = view(world, world.read())
    fine = all(each.step <= each.length for each in view_then.capacity.diaries)
    return fine and not world.clinic.reservations and world.clinic.anchor == "window"


@pytest.mark.parametrize("seed", SEEDS)
def test_slots_opened_is_the_truth_or_bounds_it(seed: int) -> None:
    chance = seeded(seed)
    before = found(chance, hiding=bool(seed % 2))
    after = a_day_later(before, chance)
    truth, then = (Truth(world.clinic, world.service, world.now) for world in (after, before))
    reading = with_holes(after.read(), chance, share=0.3 if seed % 2 else 0)
    ask = asking(view(after, reading, *looks(before)))
    for within in WITHIN if truth.people else ():
        bounds, value = ask(Measure(Metric.SLOTS_OPENED, within)).bounds, slots_opened(truth, then, within)
        assert bounds.low <= value <= bounds.high
        assert seed % 2 or bounds.exact or not steady(before)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_only_looks_like_a_cancellation_is_never_certain(seed: int) -> None:
    """Reservations that ended, grids anchored anew, caps that moved on: without a cancellation nothing has surely opened."""
    chance = seeded(seed)
    before = found(chance, hiding=bool(seed % 2))
    after = a_day_later(before, chance, kept=1.0)
    ask = asking(view(after, after.read(), *looks(before)))
    assert ask(Measure(Metric.SLOTS_OPENED)).bounds.low <= 0


@pytest.mark.parametrize("seed", SEEDS)
def test_no_more_has_surely_opened_than_was_cancelled(seed: int) -> None:
    chance = seeded(seed)
    before = found(chance, hiding=bool(seed % 2))
    after = a_day_later(before, chance, kept=0.8)
    truth = Truth(after.clinic, after.service, after.now)
    ask = asking(view(after, after.read(), *looks(before)))
    gone = [span for span in before.clinic.appointments if span not in after.clinic.appointments]
    for within in WITHIN if truth.people else ():
        assert ask(Measure(Metric.SLOTS_OPENED, within)).bounds.low <= truth.freed(gone, within)
