"""What is asked of Cliniko and what is derived, over the wire: the reading is always the one from asking everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from service.cliniko.diaries import READ_SECONDS
from service.cliniko.proofs import PROOF_LASTS
from service.core.model import Diaries, Unseen
from service.core.rules.language import Service
from service.sandbox.clinic import Clinic, Span
from service.sandbox.reading import diaries as faultless
from service.sandbox.scene import HARBOUR
from service.sandbox.world import Fault, World
from tests.cliniko.sizes import clinic_of, selling, world_of
from tests.cliniko.stage import VirtualTime, diaries_of, sorted_fields

HOUR = timedelta(hours=1)
FIRST_AND_STANDARD = (selling(0, 1),)


@pytest.fixture
def world() -> World:
    """Three people, a first consultation of 60 minutes and a standard one of 30, which spaces the starts."""
    return world_of(clinic_of(3))


def clinic(world: World) -> Clinic:
    return world.clinics[HARBOUR]


def types_asked(world: World) -> Counter[str]:
    """How many questions each type was part of, by its name."""
    paths = [request.path.split("/") for request in world.requests if request.path.endswith("available_times")]
    names = {type_.id: type_.name for type_ in clinic(world).types.values()}
    return Counter(names[parts[7]] for parts in paths)


async def readings(
    world: World, *changes: Callable[[World], object], by: timedelta = HOUR, sold: tuple[Service, ...] = FIRST_AND_STANDARD
) -> Diaries:
    """The last of several readings by one process, a change before each; each is what the world holds."""
    async with diaries_of(world, VirtualTime(), limit=100_000) as diaries:
        for change in changes:
            change(world)
            world.requests.clear()
            found = await diaries.read(sold)
            if not world.faults:
                assert sorted_fields(found) == sorted_fields(faultless(clinic(world), sold, world.now))
            world.advance(by)
    return found


def as_it_is(_: World) -> None:
    pass


async def test_a_process_that_starts_asks_for_both_and_then_for_the_one_the_other_follows_from(world: World) -> None:
    await readings(world, as_it_is)
    assert types_asked(world) == {"Type 0": 6, "Type 1": 6}
    await readings(world, as_it_is, as_it_is)
    assert types_asked(world) == {"Type 1": 6}


async def test_of_types_alike_only_the_first_listed_is_ever_asked_for() -> None:
    world = world_of(clinic_of(3, minutes=(45, 45, 45)))
    await readings(world, as_it_is, sold=(selling(1, 0, 2),))
    assert types_asked(world) == {"Type 1": 6}


async def test_a_proof_is_renewed_in_its_time(world: World) -> None:
    await readings(world, as_it_is, as_it_is, by=PROOF_LASTS)
    assert types_asked(world) == {"Type 0": 6, "Type 1": 6}


async def test_what_was_derived_proves_nothing(world: World) -> None:
    def somebody_stops(world: World) -> None:
        someone = list(clinic(world).people.values())[-1]
        someone.types.remove(next(iter(clinic(world).types)))

    by = PROOF_LASTS / 2
    await readings(world, as_it_is, somebody_stops, as_it_is, by=by)
    assert types_asked(world)["Type 0"] == 4


async def test_a_first_consultation_that_nobody_can_book_is_not_derived(world: World) -> None:
    for who in clinic(world).people.values():
        for day in range(14):
            morning = world.now + timedelta(days=day, hours=1)
            clinic(world).appointments += [Span(who.id, morning + n * HOUR, morning + n * HOUR + HOUR / 2) for n in range(8)]
    found = await readings(world, as_it_is, as_it_is)
    assert not [probe for probe in found.probes if probe.starts and probe.offer.type == next(iter(clinic(world).types))]
    assert types_asked(world) == {"Type 0": 6, "Type 1": 6}


async def test_another_default_type_has_to_be_proved_anew(world: World) -> None:
    def other_grid(world: World) -> None:
        someone = next(iter(clinic(world).people.values()))
        someone.default_type = someone.types[0]

    await readings(world, as_it_is, other_grid)
    assert types_asked(world) == {"Type 0": 2, "Type 1": 6}


async def test_somebody_who_stops_offering_what_was_derived_is_known_in_that_run(world: World) -> None:
    def stops(world: World) -> None:
        someone = next(iter(clinic(world).people.values()))
        someone.types.remove(someone.types[0])

    found = await readings(world, as_it_is, stops)
    assert len(found.offers) == 5


@pytest.mark.parametrize("kind", ["not_found", "down", "truncated"])
async def test_where_the_answer_to_derive_from_is_missing_the_other_is_asked_for(world: World, kind: str) -> None:
    standard = list(clinic(world).types)[1]
    someone = next(iter(clinic(world).people))

    def missing(world: World) -> None:
        world.fail(Fault("cliniko", kind, f"practitioners/{someone}/appointment_types/{standard}/"))

    found = await readings(world, as_it_is, missing)
    unseen = {(probe.offer.practitioner, probe.offer.type) for probe in found.probes if probe.starts is None}
    assert unseen == {(someone, standard)}
    assert types_asked(world)["Type 0"] == 2


async def test_while_nobody_can_say_who_offers_what_nothing_that_needs_proof_is_derived(world: World) -> None:
    def unreadable(world: World) -> None:
        world.fail(Fault("cliniko", "down", "/services?"))

    await readings(world, as_it_is, unreadable)
    assert types_asked(world) == {"Type 0": 6, "Type 1": 6}


async def test_a_grid_that_is_not_what_the_default_type_says_is_never_derived_from(world: World) -> None:
    """The hour is asked for on a half-hour grid, but the server's starts are an hour apart."""

    def hourly_only(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("available_times"):
            return None
        parts = request.url.path.split("/")
        starts = faultless(clinic(world), FIRST_AND_STANDARD, world.now).probes
        first = request.url.params["from"]
        mine = next(
            probe.starts or ()
            for probe in starts
            if [probe.offer.practitioner, probe.offer.type] == [parts[5], parts[7]] and f"{probe.first}" == first
        )
        items = [{"appointment_start": f"{start:%Y-%m-%dT%H:%M:%SZ}"} for start in mine if not start.minute]
        return httpx.Response(200, json={"available_times": items, "links": {}})

    asked: list[str] = []

    def counted(request: httpx.Request) -> httpx.Response | None:
        answer = hourly_only(request)
        asked.extend(request.url.path.split("/")[7:8] if answer else ())
        return answer

    async with diaries_of(world, VirtualTime(), intercept=counted) as diaries:
        for _ in range(3):
            found = await diaries.read(FIRST_AND_STANDARD)
    initial = [probe for probe in found.probes if probe.offer.type == next(iter(clinic(world).types))]
    assert all(probe.starts for probe in initial)
    assert Counter(asked) == dict.fromkeys(clinic(world).types, 3 * 6)


async def test_a_lead_time_past_the_horizon_is_not_asked_about() -> None:
    world = world_of(clinic_of(2, minutes=(60, 30)))
    next(iter(clinic(world).types.values())).lead_hours = 672
    found = await readings(world, as_it_is)
    assert types_asked(world) == {"Type 1": 4}
    assert {probe.starts for probe in found.probes if probe.offer.type == next(iter(clinic(world).types))} == {()}


async def test_a_capped_account_is_asked_for_every_duration() -> None:
    world = world_of(clinic_of(2, minutes=(60, 30, 30)))
    clinic(world).settings.segment_cap = 2
    await readings(world, as_it_is, as_it_is, sold=(selling(0, 1, 2),))
    assert types_asked(world) == {"Type 0": 4, "Type 1": 4}


async def test_what_there_was_no_time_for_comes_first_the_next_time() -> None:
    time = VirtualTime()
    sold = (replace(FIRST_AND_STANDARD[0], appointment_types=("Type 0",)),)

    def crawl(request: httpx.Request) -> None:
        time.now += READ_SECONDS if request.url.path.endswith("available_times") else 0

    seen: list[set[str]] = []
    async with diaries_of(world_of(clinic_of(30)), time, intercept=crawl) as diaries:
        for _ in range(2):
            found = await diaries.read(sold)
            seen.append({probe.offer.practitioner for probe in found.probes if probe.starts is not None})
            assert {probe.unseen for probe in found.probes if probe.starts is None} == {Unseen.FAILED}
    assert seen[0]
    assert seen[1]
    assert not seen[0] & seen[1]
