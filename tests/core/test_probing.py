"""What is derived instead of asked for, against what asking for everything shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.core.metrics import asking
from service.core.model import Diaries, Offer, Probe
from service.core.probing import Derivation, derived, plan
from service.core.rules.language import Measure, Metric, Service
from service.sandbox.clinic import Business, Clinic, Hours, Person, Type
from service.sandbox.reading import diaries
from tests.core.made import seen
from tests.core.truth import Truth
from tests.core.worlds import DATES, Found, found, seeded, with_holes

SHORT = 20
SEEDS = [*range(SHORT), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(SHORT, 2000))]
WITHIN = (1, 2, 7, 14)
NOW = DATES[2]


def world_of(seed: int, *, hiding: bool) -> Found:
    """A random clinic; every other one has types that are more alike than chance makes them, and a short default type."""
    chance = seeded(seed)
    world = found(chance, hiding=hiding)
    for type_ in world.clinic.types.values() if seed % 2 else ():
        type_.minutes = chance.choice([15, 30, 30, 45, 60])
        type_.lead_hours = chance.choice([None, None, None, 24, 336])
        type_.online, type_.max_attendees = True, 1
    for person in world.clinic.people.values() if seed % 2 else ():
        person.types = list(world.clinic.types)
        person.default_type = min(person.types, key=lambda name: world.clinic.types[name].minutes)
    for person in world.clinic.people.values():  # a 404 proves nothing, so nothing is derived from or for it
        person.on_leave = False
    for place in world.clinic.businesses.values():
        place.types = None
    return world


def services_of(world: Found) -> tuple[Service, ...]:
    """The world's service and a second one that lists all its types the other way round: they share diaries."""
    names = tuple(type_.name for type_ in reversed(world.clinic.types.values()))
    return world.service, Service("other", names)


def reduced(full: Diaries, services: tuple[Service, ...], world: Found) -> tuple[Diaries, tuple[Derivation, ...], int]:
    """The same reading from as few answers as possible, what was derived, and how many offers were not looked at."""
    wanted = plan(replace(full, probes=()), services, world.now)
    zones = {location.id: location.zone for location in full.locations}
    answers: dict[Offer, list[Probe]] = {}
    for probe in full.probes:
        answers.setdefault(probe.offer, []).append(probe)
    found = {offer: [replace(probe, starts=(), unseen=None) for probe in answers[offer]] for offer in wanted.hidden}
    used = []
    for how in wanted.derivations:
        known = [probe for probe in answers[how.base] if probe.starts is not None]
        made = [derived(how, probe, zones[how.offer.location], world.now) for probe in known]
        if len(known) == len(answers[how.base]) and None not in made:
            found[how.offer] = [probe for probe in made if probe is not None]
            used.append(how)
    probes = tuple(probe for offer in wanted.offers for probe in found.get(offer, answers[offer]))
    return replace(full, probes=probes), tuple(used), len(found)


def read(world: Found) -> Diaries:
    return diaries(world.clinic, services_of(world), world.now)


@pytest.mark.parametrize("hiding", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_fewer_questions_give_the_same_reading(seed: int, hiding: bool) -> None:
    world = world_of(seed, hiding=hiding)
    full = read(world)
    assert reduced(full, services_of(world), world)[0] == full


@pytest.mark.soak
def test_the_worlds_of_this_test_leave_something_to_derive() -> None:
    worlds = [world_of(seed, hiding=False) for seed in range(3 * SHORT)]
    readings = [reduced(read(world), services_of(world), world) for world in worlds]
    hows = [(how, reading) for reading, used, _ in readings for how in used]
    asked = sum(len({probe.offer for probe in reading.probes}) for reading, _, _ in readings)
    assert sum(saved for _, _, saved in readings) > asked / 6
    for kind in (
        lambda how: how.longer,
        lambda how: not how.longer and how.needs_proof,
        lambda how: not how.needs_proof,
        lambda how: how.lead is not None,
    ):
        assert sum(bool(kind(how)) and shows(reading, how.offer) for how, reading in hows) >= 3


def shows(reading: Diaries, offer: Offer) -> bool:
    return any(probe.starts for probe in reading.probes if probe.offer == offer)


@pytest.mark.parametrize("seed", SEEDS)
def test_with_answers_missing_the_bounds_are_no_wider_and_hold_the_truth(seed: int) -> None:
    world = world_of(seed, hiding=seed % 4 > 1)
    full = with_holes(read(world), seeded(seed))
    fewer, _, _ = reduced(full, services_of(world), world)
    truth = Truth(world.clinic, world.service, world.now)
    wide, narrow = (asking(seen(each, world.now, (), world.service)) for each in (full, fewer))
    for metric in (Metric.OPEN_SLOTS, Metric.OPEN_HOURS):
        for within in WITHIN if truth.people else ():
            outer, inner = wide(Measure(metric, within)).bounds, narrow(Measure(metric, within)).bounds
            assert outer.low <= inner.low
            assert inner.high <= outer.high
            if truth.working_hours(within) and truth.sellable_minutes(within):
                value = float(getattr(truth, metric.value)(within))
                assert inner.low - 1e-9 <= value <= inner.high + 1e-9


# --- one diary ----------------------------------------------------------------------------------------------------------


def one(minutes: Mapping[str, int], default: str | None, **leads: int) -> Clinic:
    """One practitioner from nine to five who offers types of these minutes, named by their ids."""
    clinic = Clinic("one", "One", "key-au1", "UTC")
    clinic.businesses = {"place": Business("place", "Place", "UTC")}
    clinic.types = {name: Type(name, name, length, leads.get(name)) for name, length in minutes.items()}
    clinic.people = {"ana": Person("ana", "Ana", list(minutes), default)}
    clinic.hours = [Hours("place", "ana", weekday, 9 * 60, 17 * 60) for weekday in range(7)]
    return clinic


def derivations(clinic: Clinic, *listed: str) -> dict[str, tuple[str, bool]]:
    """By type: the type its answer follows from, and whether that wants proof."""
    services = tuple(Service(names, tuple(names.split("+"))) for names in listed)
    wanted = plan(diaries(clinic, services, NOW), services, NOW)
    return {how.offer.type: (how.base.type, how.needs_proof) for how in wanted.derivations}


@pytest.mark.parametrize(
    ("minutes", "default", "listed", "expected"),
    [
        ({"a": 45, "b": 45}, None, ["a+b"], {"b": ("a", False)}),
        ({"a": 45, "b": 45}, None, ["a+b", "b"], {"b": ("a", True)}),
        ({"a": 60, "b": 30}, "b", ["a+b"], {"a": ("b", True)}),
        ({"a": 30, "b": 60}, "a", ["a+b"], {"b": ("a", True)}),
        ({"a": 30, "b": 45}, "a", ["a+b"], {}),
        ({"a": 60, "b": 30}, "a", ["a+b"], {}),
        ({"a": 60, "b": 30}, None, ["a+b"], {}),
        ({"a": 60, "b": 45, "c": 30}, "c", ["a+b+c"], {"a": ("c", True)}),
        ({"a": 75, "b": 45, "c": 30}, "c", ["a+b+c"], {"a": ("b", True)}),
    ],
    ids=[
        "equal durations",
        "equal durations, both listed first somewhere",
        "twice the default type",
        "the longer one listed second",
        "no multiple of the step",
        "the shorter one does not fill the grid",
        "no default type known",
        "one of three",
        "from another than the default",
    ],
)
def test_what_follows_from_what(
    minutes: dict[str, int], default: str | None, listed: list[str], expected: dict[str, tuple[str, bool]]
) -> None:
    assert derivations(one(minutes, default), *listed) == expected


def test_a_default_type_that_is_not_listed_any_more_spaces_nothing() -> None:
    clinic = one({"a": 60, "b": 30}, "b")
    reading = diaries(clinic, (), NOW)
    gone = replace(reading, practitioners=(replace(reading.practitioners[0], default_type="x"),))
    assert plan(gone, [Service("s", ("a", "b"))], NOW).derivations == ()


def test_a_cap_leaves_only_types_that_show_the_same_starts() -> None:
    clinic = one({"a": 60, "b": 30, "c": 30}, "b", c=24)
    assert set(derivations(clinic, "a+b+c")) == {"a", "c"}
    clinic.settings.segment_cap = 3
    assert derivations(clinic, "a+b+c") == {}
    clinic.types["c"].lead_hours = 0
    assert derivations(clinic, "a+b+c") == {"c": ("b", False)}


def test_a_longer_lead_time_is_derived_for_open_time_only() -> None:
    clinic = one({"a": 30, "b": 30}, "a", b=24)
    assert derivations(clinic, "a+b") == {"b": ("a", False)}
    assert derivations(clinic, "a+b", "b+a") == {}


def test_a_lead_time_past_the_horizon_is_not_asked_about_unless_there_are_no_hours() -> None:
    clinic, services = one({"a": 30, "b": 30}, "a", b=336), (Service("s", ("a", "b")),)
    assert {offer.type for offer in plan(diaries(clinic, services, NOW), services, NOW).hidden} == {"b"}
    without = replace(diaries(clinic, services, NOW), hours=())
    assert not plan(without, services, NOW).hidden


def test_two_weeks_of_lead_time_fall_short_of_a_horizon_with_an_hour_more() -> None:
    # Sydney's clocks go back on 5 April 2026: the fortnight from 28 March has 337 hours.
    clinic, services = one({"a": 30, "b": 30}, "a", b=336), (Service("s", ("a", "b")),)
    clinic.zone = clinic.businesses["place"].zone = "Australia/Sydney"
    midnight = datetime(2026, 3, 27, 13, tzinfo=UTC)
    for minutes, hidden in ((0, set()), (59, set()), (60, {"b"})):
        now = midnight + timedelta(minutes=minutes)
        assert {offer.type for offer in plan(diaries(clinic, services, now), services, now).hidden} == hidden


def test_starts_closer_than_a_step_are_no_ground_for_deriving() -> None:
    clinic, services = one({"a": 60, "b": 30}, "b"), (Service("s", ("a", "b")),)
    reading = diaries(clinic, services, NOW)
    (how,) = plan(reading, services, NOW).derivations
    base = next(probe for probe in reading.probes if probe.offer == how.base)
    assert derived(how, base, "UTC", NOW) in reading.probes
    starts = base.starts or ()
    finer = replace(base, starts=tuple(sorted({*starts, *(start + timedelta(minutes=15) for start in starts)})))
    assert derived(how, finer, "UTC", NOW) is None


def test_an_appointment_longer_than_a_gap_is_not_derived_across_it() -> None:
    clinic = one({"a": 60, "b": 30}, "b")
    clinic.hours = [Hours("place", "ana", day, *window) for day in range(7) for window in ((540, 750), (750, 780), (840, 900))]
    world = Found(clinic, Service("s", ("a", "b")), NOW)
    full = diaries(clinic, (world.service,), NOW)
    fewer, used, _ = reduced(full, (world.service,), world)
    assert fewer == full
    assert len(used) == 1
