"""How old reference data may be: what changes the meaning of an hour is never old, the rest shows when it is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from service.cliniko.diaries import ClinikoDiaries
from service.cliniko.reference import KEPT, OLDEST
from service.core.errors import CredentialsError, OutsideError, ProtocolError, TransientError
from service.core.model import Diaries, Unseen
from service.core.rules.language import Service
from service.sandbox.clinic import Business, Clinic, Hours, Person, Span, Type
from service.sandbox.cliniko.records import Records
from service.sandbox.reading import diaries as faultless
from service.sandbox.scene import HARBOUR
from service.sandbox.world import Fault, World
from tests.cliniko.sizes import clinic_of, selling, world_of
from tests.cliniko.stage import BASE, VirtualTime, diaries_of, listing, sorted_fields

HOUR = timedelta(hours=1)
SOLD = (selling(0, 1),)
KEPT_LISTS = {"businesses", "services"}
HOURLY_LISTS = {
    "public",
    "practitioners",
    "appointment_types",
    "daily_availabilities",
    "availability_blocks",
    "unavailable_blocks",
}


@pytest.fixture
def world() -> World:
    """Nothing is derived here: everybody's default type is the longer one."""
    clinic = clinic_of(3, locations=2)
    for who in clinic.people.values():
        who.default_type = who.types[0]
    return world_of(clinic)


async def after(
    world: World, change: Callable[[World], object], by: timedelta = HOUR, sold: tuple[Service, ...] = SOLD
) -> Diaries:
    """The reading `by` after a first one, something having changed in between; the requests are those of the second."""
    async with diaries_of(world, VirtualTime(), limit=10_000) as diaries:
        return await again(diaries, world, change, by, sold)


async def again(
    diaries: ClinikoDiaries, world: World, change: Callable[[World], object], by: timedelta, sold: tuple[Service, ...]
) -> Diaries:
    await diaries.read(SOLD)
    world.advance(by)
    change(world)
    world.requests.clear()
    return await diaries.read(sold)


def lists_read(world: World) -> Counter[str]:
    asked = (request.path.rpartition("/")[2] for request in world.requests)
    return Counter(name for name in asked if name != "available_times")


def nothing(_: World) -> None:
    pass


async def test_an_hour_later_only_what_gives_an_hour_its_meaning_is_read(world: World) -> None:
    found = await after(world, nothing)
    assert lists_read(world) == dict.fromkeys(HOURLY_LISTS, 1)
    assert sorted_fields(found) == sorted_fields(faultless(world.clinics[HARBOUR], SOLD, world.now))


async def test_the_rest_is_read_again_in_its_time_and_not_before(world: World) -> None:
    await after(world, nothing, by=KEPT - timedelta(seconds=1))
    assert not lists_read(world).keys() & KEPT_LISTS
    await after(world, nothing, by=KEPT)
    assert lists_read(world) == dict.fromkeys(HOURLY_LISTS | KEPT_LISTS, 1)


async def test_a_clock_that_was_put_back_leaves_nothing_to_be_trusted(world: World) -> None:
    await after(world, nothing, by=-HOUR)
    assert lists_read(world).keys() >= KEPT_LISTS


# --- what no answer would show is never old -----------------------------------------------------------------------------


def clinic(world: World) -> Clinic:
    return world.clinics[HARBOUR]


def person(world: World) -> Person:
    return next(iter(clinic(world).people.values()))


def place(world: World) -> Business:
    return next(iter(clinic(world).businesses.values()))


def first_type(world: World) -> Type:
    return next(iter(clinic(world).types.values()))


def fewer_hours(world: World) -> None:
    clinic(world).hours[:] = [hours for hours in clinic(world).hours if hours.weekday != 2]


def longer_hours(world: World) -> None:
    clinic(world).hours.append(Hours(place(world).id, person(world).id, 5, 8 * 60, 20 * 60))


def leave(world: World) -> None:
    clinic(world).unavailable.append(Span(person(world).id, world.now, world.now + 100 * HOUR, place(world).id))


def extra(world: World) -> None:
    clinic(world).extra.append(Span(person(world).id, world.now + 10 * HOUR, world.now + 12 * HOUR, place(world).id))


def lead_time(world: World) -> None:
    first_type(world).lead_hours = 72


def account_lead_time(world: World) -> None:
    clinic(world).settings.lead_hours = 48


def cap(world: World) -> None:
    clinic(world).settings.segment_cap = 1


def duration(world: World) -> None:
    first_type(world).minutes = 90


def default_type(world: World) -> None:
    person(world).default_type = person(world).types[1]


def switched_off(world: World) -> None:
    person(world).online = False


def type_off(world: World) -> None:
    first_type(world).online = False


def renamed_practitioner(world: World) -> None:
    person(world).name = "Hydro pod"


def left(world: World) -> None:
    person(world).active = False


HOURLY_CHANGES = [
    fewer_hours,
    longer_hours,
    leave,
    extra,
    lead_time,
    account_lead_time,
    cap,
    duration,
    default_type,
    switched_off,
    type_off,
    renamed_practitioner,
    left,
]


@pytest.mark.parametrize("change", HOURLY_CHANGES)
async def test_what_changes_the_meaning_of_an_hour_is_known_in_the_next_run(
    world: World, change: Callable[[World], object]
) -> None:
    before = faultless(clinic(world), SOLD, world.now + HOUR)
    found = await after(world, change)
    true = faultless(clinic(world), SOLD, world.now)
    assert sorted_fields(found) == sorted_fields(without_the_inactive(true, world))
    assert sorted_fields(found) != sorted_fields(before)


def without_the_inactive(true: Diaries, world: World) -> Diaries:
    """The sandbox's `/services` leaves out who is not active; the world's own view does not."""
    gone = {who.id for who in clinic(world).people.values() if not who.active}
    return replace(true, offers=tuple(offer for offer in true.offers if offer.practitioner not in gone))


# --- what is kept is read at once when it looks off ---------------------------------------------------------------------


def joined(world: World) -> None:
    known = person(world)
    clinic(world).people["1999"] = Person("1999", "New", list(known.types), known.default_type)
    clinic(world).hours += [replace(hours, person="1999") for hours in clinic(world).hours if hours.person == known.id]


def new_type(world: World) -> None:
    clinic(world).types["1998"] = Type("1998", "Type 9", 45)
    person(world).types.append("1998")


def new_place(world: World) -> None:
    clinic(world).businesses["1997"] = Business("1997", "New place", "Australia/Sydney")
    clinic(world).hours.append(Hours("1997", person(world).id, 5, 600, 900))


def place_off(world: World) -> None:
    place(world).online = False


def place_gone(world: World) -> None:
    gone = clinic(world).businesses.pop(place(world).id)
    clinic(world).hours[:] = [hours for hours in clinic(world).hours if hours.business != gone.id]


def offers_less(world: World) -> None:
    person(world).types.remove(first_type(world).id)


@pytest.mark.parametrize("change", [joined, new_type, new_place, place_off, place_gone, offers_less])
async def test_a_change_that_shows_is_followed_in_the_run_that_sees_it(world: World, change: Callable[[World], object]) -> None:
    found = await after(world, change)
    assert sorted_fields(found) == sorted_fields(faultless(clinic(world), SOLD, world.now))
    assert lists_read(world) == dict.fromkeys(HOURLY_LISTS | KEPT_LISTS, 1)


async def test_somebody_who_is_switched_on_again_is_counted_in_the_next_run(world: World) -> None:
    person(world).online = False

    def on(world: World) -> None:
        person(world).online = True

    found = await after(world, on)
    assert sorted_fields(found) == sorted_fields(faultless(clinic(world), SOLD, world.now))


@pytest.mark.parametrize(
    "sold",
    [(replace(SOLD[0], locations=("Place 0", "Elsewhere")),), (*SOLD, Service("other", ("No such type",)))],
    ids=["an unknown location", "nothing to sell"],
)
async def test_a_rule_file_that_names_what_is_not_known_has_it_looked_up(world: World, sold: tuple[Service, ...]) -> None:
    await after(world, nothing, sold=sold)
    assert lists_read(world).keys() >= KEPT_LISTS


async def test_a_diary_that_was_missing_before_is_no_news(world: World) -> None:
    world.fail(Fault("cliniko", "not_found", f"practitioners/{person(world).id}/"))
    found = await after(world, nothing)
    assert Unseen.NOT_FOUND in {probe.unseen for probe in found.probes}
    assert lists_read(world) == dict.fromkeys(HOURLY_LISTS, 1)


async def test_a_diary_that_is_newly_missing_with_all_switches_on_is_unobserved(world: World) -> None:
    def away(world: World) -> None:
        world.fail(Fault("cliniko", "not_found", f"practitioners/{person(world).id}/"))

    found = await after(world, away)
    mine = [probe for probe in found.probes if probe.offer.practitioner == person(world).id]
    assert {(probe.starts, probe.unseen) for probe in mine} == {(None, Unseen.NOT_FOUND)}
    assert lists_read(world) == dict.fromkeys(HOURLY_LISTS | KEPT_LISTS, 1)


# --- zones --------------------------------------------------------------------------------------------------------------


def moved(world: World) -> None:
    place(world).zone = "Australia/Perth"


async def test_a_business_that_moves_to_another_zone_is_read_there_at_once(world: World) -> None:
    found = await after(world, moved)
    assert sorted_fields(found) == sorted_fields(faultless(clinic(world), SOLD, world.now))


@pytest.mark.parametrize("path", ["/businesses?", "/daily_availabilities?"])
async def test_a_business_and_its_hours_in_different_zones_make_the_account_unreadable(world: World, path: str) -> None:
    with pytest.raises(ProtocolError, match="one time zone for the business and another one for its weekly hours"):
        await after(world, failing(path, "wrong_zone"), by=KEPT)


async def test_two_names_of_one_zone_agree(world: World) -> None:
    def rename(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/daily_availabilities"):
            return None
        items = [
            each | {"time_zone_identifier": "Australia/NSW"} for each in Records(clinic(world), BASE).daily_availabilities()
        ]
        return listing("daily_availabilities", list(items))

    async with diaries_of(world, VirtualTime(), limit=10_000, intercept=rename) as diaries:
        found = await diaries.read(SOLD)
    assert sorted_fields(found) == sorted_fields(faultless(clinic(world), SOLD, world.now))


# --- lists that cannot be read ------------------------------------------------------------------------------------------


def failing(path: str, kind: str = "down") -> Callable[[World], object]:
    return lambda world: world.fail(Fault("cliniko", kind, path))


@pytest.mark.parametrize("path", ["/businesses?", "/services?"])
@pytest.mark.parametrize("kind", ["down", "truncated", "empty", "not_found"])
async def test_kept_lists_that_cannot_be_read_serve_on_until_they_are_too_old(world: World, path: str, kind: str) -> None:
    found = await after(world, failing(path, kind), by=KEPT)
    assert sorted_fields(found) == sorted_fields(faultless(clinic(world), SOLD, world.now))
    world.heal()
    with pytest.raises(OutsideError):
        await after(world, failing(path, kind), by=OLDEST)


async def test_a_key_that_may_not_read_them_any_more_makes_the_account_unreadable(world: World) -> None:
    with pytest.raises(CredentialsError):
        await after(world, failing("/businesses?", "unauthorized"), by=KEPT)


@pytest.mark.parametrize(
    "path", ["/settings", "/practitioners?", "/appointment_types?", "/daily_availabilities?", "/availability_", "/unavailable_"]
)
async def test_what_gives_an_hour_its_meaning_is_never_taken_from_before(world: World, path: str) -> None:
    with pytest.raises(TransientError):
        await after(world, failing(path))


async def test_what_looks_off_and_cannot_be_read_again_is_left_as_it_was_known(world: World) -> None:
    def joined_in_an_outage(world: World) -> None:
        joined(world)
        failing("/services?")(world)

    async with diaries_of(world, VirtualTime(), limit=10_000) as diaries:
        found = await again(diaries, world, joined_in_an_outage, HOUR, SOLD)
        assert "1999" not in {probe.offer.practitioner for probe in found.probes}
        world.heal()
        found = await diaries.read(SOLD)
    assert sorted_fields(found) == sorted_fields(faultless(clinic(world), SOLD, world.now))
