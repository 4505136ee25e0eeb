"""The whole reading, over the sandbox where that can show it and over a scripted wire where it cannot."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import httpx
import pytest

from service.cliniko.access import PATHS, Access
from service.cliniko.diaries import CONCURRENCY, READ_SECONDS, ClinikoDiaries
from service.cliniko.outage import OUTAGE
from service.core.errors import CredentialsError, OutsideError, ProtocolError, RefusedError, TransientError
from service.core.model import Diaries, Unseen
from service.sandbox.clinic import Business, Clinic, Hours, Person, Span, Type
from service.sandbox.cliniko.records import BAIT
from service.sandbox.cliniko.server import cliniko_app
from service.sandbox.reading import diaries as faultless
from service.sandbox.scene import API_KEYS, HARBOUR, NORTHSIDE, scene
from service.sandbox.serving import serving
from service.sandbox.world import Fault, World
from tests.cliniko.stage import EMAIL, KEY, PHYSIO, PODIATRY, VirtualTime, Wire, diaries_of, listing, over, sorted_fields

BOTH = (PHYSIO, PODIATRY)
ANA = "1443966597382284301"


@pytest.fixture
def world() -> World:
    return scene()


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


async def read(world: World, time: VirtualTime) -> Diaries:
    async with diaries_of(world, time, limit=10_000) as diaries:
        return await diaries.read(BOTH)


async def test_what_is_read_over_the_wire_is_what_the_world_holds(world: World, time: VirtualTime) -> None:
    account = world.clinics[HARBOUR]
    account.people[ANA].online = False
    account.settings.segment_cap, account.settings.daily_limit = 3, 40
    account.extra.append(Span(ANA, world.now, world.now + timedelta(hours=2), "1443966599630431801"))
    account.unavailable.append(
        Span(ANA, world.now, world.now + timedelta(days=1), "1443966599630431801", notes=f"{BAIT} leave")
    )
    found = await read(world, time)
    assert sorted_fields(found) == sorted_fields(faultless(account, BOTH, world.now))
    assert len(found.probes) == (3 * 2 + 1) * 2
    assert sum(len(probe.starts or ()) for probe in found.probes) > 100


async def test_a_reading_touches_nothing_but_the_allowed_paths_and_keeps_no_bait(world: World, time: VirtualTime) -> None:
    account = world.clinics[HARBOUR]
    account.unavailable.append(Span(ANA, world.now, world.now + timedelta(days=1), notes=f"{BAIT}: Jane Patient"))
    found = await read(world, time)
    assert found.unavailable
    assert BAIT not in repr(found)
    assert "Jane" not in repr(found)
    assert world.trips == []
    assert {request.method for request in world.requests} == {"GET"}
    asked = [request.path.removeprefix("/v1") for request in world.requests]
    assert not [path for path in asked if not any(pattern.fullmatch(path) for pattern in PATHS)]


async def test_it_works_over_a_socket(world: World) -> None:
    with serving(cliniko_app(world)) as address:
        async with ClinikoDiaries(Access.of(API_KEYS[HARBOUR], EMAIL, f"{address}/v1"), clock=world.clock()) as diaries:
            found = await diaries.read(BOTH)
    assert sorted_fields(found) == sorted_fields(faultless(world.clinics[HARBOUR], BOTH, world.now))


async def test_a_throttled_socket_is_waited_out_though_it_sends_two_dates(world: World, time: VirtualTime) -> None:
    world.fail(Fault("cliniko", "rate_limited", "/businesses?", times=1))
    with serving(cliniko_app(world)) as address:
        access = Access.of(API_KEYS[HARBOUR], EMAIL, f"{address}/v1")
        async with ClinikoDiaries(access, clock=world.clock(), timing=time.timing) as diaries:
            await diaries.read(())
    assert 1 <= max(time.slept) <= 6  # two seconds, rounded up, by a Date that may be a second or two old


async def test_no_services_no_probes(world: World, time: VirtualTime) -> None:
    async with diaries_of(world, time) as diaries:
        found = await diaries.read(())
    assert found.probes == ()
    assert not [request for request in world.requests if request.path.endswith("available_times")]


async def test_services_that_share_an_offer_ask_for_it_once(world: World, time: VirtualTime) -> None:
    async with diaries_of(world, time) as diaries:
        await diaries.read((PHYSIO, replace(PHYSIO, name="again")))
    asked = Counter(request.path for request in world.requests if request.path.endswith("available_times"))
    assert set(asked.values()) == {2}


async def test_disabled_online_bookings_are_not_probed(world: World, time: VirtualTime) -> None:
    world.clinics[HARBOUR].settings.enabled = False
    found = await read(world, time)
    assert not found.bookings.enabled
    assert found.probes == ()


async def test_what_a_switch_turns_off_is_not_probed(world: World, time: VirtualTime) -> None:
    account = world.clinics[HARBOUR]
    account.people[ANA].online = False
    account.businesses["1443966599630431802"].online = False
    found = await read(world, time)
    assert ANA not in {probe.offer.practitioner for probe in found.probes}
    assert {probe.offer.location for probe in found.probes} == {"1443966599630431801"}


# --- things that go wrong -----------------------------------------------------------------------------------------------


async def test_one_diary_that_answers_404_is_unobserved_not_full(world: World, time: VirtualTime) -> None:
    world.fail(Fault("cliniko", "not_found", f"practitioners/{ANA}/"))
    found = await read(world, time)
    hers = [probe for probe in found.probes if probe.offer.practitioner == ANA]
    assert {(probe.starts, probe.unseen) for probe in hers} == {(None, Unseen.NOT_FOUND)}
    assert all(probe.starts is not None for probe in found.probes if probe not in hers)


async def test_every_diary_answering_404_is_a_reading_too(world: World, time: VirtualTime) -> None:
    world.fail(Fault("cliniko", "not_found", "available_times"))
    found = await read(world, time)
    assert {probe.unseen for probe in found.probes} == {Unseen.NOT_FOUND}
    assert time.slept == []


@pytest.mark.parametrize("kind", ["down", "truncated", "html", "empty", "page_loop", "foreign_next"])
async def test_one_diary_that_fails_does_not_stop_the_others(world: World, time: VirtualTime, kind: str) -> None:
    world.fail(Fault("cliniko", kind, f"practitioners/{ANA}/appointment_types/1443966599194223901/"))
    found = await read(world, time)
    failed = [probe for probe in found.probes if probe.unseen is Unseen.FAILED]
    assert {(probe.offer.practitioner, probe.offer.type) for probe in failed} == {(ANA, "1443966599194223901")}
    assert len(failed) == 2


async def test_an_outage_among_the_probes_stops_the_reading_early(world: World, time: VirtualTime) -> None:
    world.fail(Fault("cliniko", "down", "available_times"))
    with pytest.raises(TransientError):
        await read(world, time)
    asked = [request for request in world.requests if request.path.endswith("available_times")]
    assert len(asked) <= 4 * (2 * OUTAGE)


async def test_an_outage_of_a_small_clinic_is_one_too(world: World, time: VirtualTime) -> None:
    world.fail(Fault("cliniko", "timeout", "available_times"))
    async with diaries_of(world, time) as diaries:
        with pytest.raises(TransientError):
            await diaries.read((PODIATRY,))


async def test_a_key_revoked_among_the_probes_is_told_as_that(world: World, time: VirtualTime) -> None:
    world.fail(Fault("cliniko", "unauthorized", "available_times"))
    with pytest.raises(CredentialsError):
        await read(world, time)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("down", TransientError),
        ("timeout", TransientError),
        ("rate_limited", TransientError),
        ("reset_in_past", TransientError),
        ("no_reset_header", TransientError),
        ("retry_after_only", TransientError),
        ("unauthorized", CredentialsError),
        ("not_found", RefusedError),
        ("empty", ProtocolError),
        ("html", ProtocolError),
        ("truncated", ProtocolError),
        ("page_loop", ProtocolError),
        ("foreign_next", ProtocolError),
    ],
)
@pytest.mark.parametrize("path", ["/businesses?", "/unavailable_blocks?", "/services?"])
async def test_reference_data_that_cannot_be_read_makes_the_account_unreadable(
    world: World, time: VirtualTime, path: str, kind: str, error: type[OutsideError]
) -> None:
    world.clinics[HARBOUR].unavailable.append(Span(ANA, world.now, world.now + timedelta(days=1)))
    world.fail(Fault("cliniko", kind, path))
    with pytest.raises(error):
        await read(world, time)
    assert not [request for request in world.requests if request.path.endswith("available_times")]


@pytest.mark.parametrize("kind", ["relative_links", "slow"])
async def test_what_is_odd_but_right_is_read_as_ever(world: World, time: VirtualTime, kind: str) -> None:
    world.fail(Fault("cliniko", kind))
    found = await read(world, time)
    assert sorted_fields(found) == sorted_fields(faultless(world.clinics[HARBOUR], BOTH, world.now))


@pytest.mark.parametrize("kind", ["rate_limited", "reset_in_past", "no_reset_header", "retry_after_only", "down", "timeout"])
async def test_a_failure_that_passes_leaves_no_trace(world: World, time: VirtualTime, kind: str) -> None:
    world.fail(Fault("cliniko", kind, times=3))
    found = await read(world, time)
    assert sorted_fields(found) == sorted_fields(faultless(world.clinics[HARBOUR], BOTH, world.now))
    assert time.slept


async def test_another_clinics_key_reads_another_clinic(world: World) -> None:
    access = Access.of(API_KEYS[NORTHSIDE].rpartition("-")[0] + "-au2", EMAIL, "http://cliniko.test/v1")
    async with ClinikoDiaries(access, clock=world.clock(), transport=over(cliniko_app(world))) as diaries:
        found = await diaries.read(())
    assert [location.name for location in found.locations] == ["Northside Chermside"]


# --- windows ------------------------------------------------------------------------------------------------------------


def small(now: datetime, zone: str, account_zone: str | None = None) -> World:
    """One practitioner who works round the clock, on 15-minute starts."""
    world = World(now)
    clinic = Clinic(HARBOUR, "Small", API_KEYS[HARBOUR], account_zone or zone)
    clinic.businesses = {"11": Business("11", "Place", zone)}
    clinic.types = {"21": Type("21", "Initial podiatry consultation", 15)}
    clinic.people = {"31": Person("31", "Eva Lindqvist", ["21"], default_type="21")}
    clinic.hours = [Hours("11", "31", weekday, 0, 24 * 60) for weekday in range(7)]
    world.clinics = {HARBOUR: clinic}
    return world


@pytest.mark.parametrize(
    ("now", "zone", "today"),
    [
        ("2026-03-01T21:00", "Australia/Sydney", date(2026, 3, 2)),
        ("2026-03-02T04:30", "America/New_York", date(2026, 3, 1)),
        ("2026-03-29T14:00", "Australia/Sydney", date(2026, 3, 30)),
        ("2026-09-27T22:00", "Australia/Sydney", date(2026, 9, 28)),
        ("2026-03-20T12:00", "Europe/London", date(2026, 3, 20)),
    ],
    ids=[
        "Sydney's today is tomorrow in UTC",
        "New York's is yesterday",
        "clocks go back",
        "clocks go forward",
        "London's summer",
    ],
)
async def test_fourteen_local_days_are_read_in_two_windows(time: VirtualTime, now: str, zone: str, today: date) -> None:
    world = small(datetime.fromisoformat(now).replace(tzinfo=UTC), zone)
    async with diaries_of(world, time) as diaries:
        found = await diaries.read((PODIATRY,))
    windows = [(probe.first, probe.last) for probe in found.probes]
    week = timedelta(days=6)
    assert windows == [(today, today + week), (today + timedelta(days=7), today + timedelta(days=7) + week)]
    assert found.probes == faultless(world.clinics[HARBOUR], (PODIATRY,), world.now).probes
    assert sum(len(probe.starts or ()) for probe in found.probes) > 1200  # more than a dozen pages of 100


async def test_a_day_that_is_over_in_the_accounts_zone_is_left_out_of_the_question(time: VirtualTime) -> None:
    # Half past nine in the evening in Perth is half past midnight in Sydney, where the account is.
    world = small(datetime(2026, 3, 2, 13, 30, tzinfo=UTC), "Australia/Perth", "Australia/Sydney")
    async with diaries_of(world, time) as diaries:
        found = await diaries.read((PODIATRY,))
    assert [(probe.first.day, probe.last.day) for probe in found.probes] == [(3, 8), (9, 15)]
    assert all(probe.starts for probe in found.probes)


async def test_midnight_during_a_reading_is_asked_about_once_more(time: VirtualTime) -> None:
    world = small(datetime(2026, 3, 1, 12, 59, 59, tzinfo=UTC), "Australia/Sydney")

    def midnight(request: httpx.Request) -> None:
        if request.url.path.endswith("available_times") and world.now.second == 59:
            world.advance(timedelta(seconds=1))

    async with diaries_of(world, time, intercept=midnight) as diaries:
        found = await diaries.read((PODIATRY,))
    assert [(probe.first.day, probe.last.day) for probe in found.probes] == [(2, 7), (8, 14)]
    assert all(probe.starts for probe in found.probes)


async def test_a_400_that_stays_is_a_failed_probe_after_one_more_try(time: VirtualTime) -> None:
    asked: list[str] = []

    def stubborn(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("available_times"):
            return None
        asked.append(request.url.params["from"])
        return httpx.Response(400, json={"message": "no"})

    world = small(datetime(2026, 3, 1, 21, 0, tzinfo=UTC), "Australia/Sydney")
    async with diaries_of(world, time, intercept=stubborn) as diaries:
        found = await diaries.read((PODIATRY,))
    assert [probe.unseen for probe in found.probes] == [Unseen.FAILED, Unseen.FAILED]
    assert sorted(asked) == ["2026-03-02", "2026-03-03", "2026-03-09"]


async def test_a_reading_that_takes_too_long_leaves_the_rest_unobserved(world: World, time: VirtualTime) -> None:
    def crawl(request: httpx.Request) -> None:
        time.now += READ_SECONDS / 8 if request.url.path.endswith("available_times") else 0

    async with diaries_of(world, time, intercept=crawl) as diaries:
        found = await diaries.read(BOTH)
    seen = [probe for probe in found.probes if probe.starts is not None]
    assert 8 <= len(seen) <= 8 + CONCURRENCY
    assert {probe.unseen for probe in found.probes if probe not in seen} == {Unseen.FAILED}


async def test_blocks_are_asked_for_by_overlap_with_the_horizon(time: VirtualTime) -> None:
    wire = Wire(
        lambda request: (
            httpx.Response(200, json={"online_bookings": {"enabled": True}})
            if request.url.path.endswith("/settings/public")
            else listing(request.url.path.rpartition("/")[2], [])
        )
    )
    now = datetime(2026, 3, 1, 21, 0, tzinfo=UTC)
    async with ClinikoDiaries(
        Access.of(KEY, EMAIL), clock=lambda: now, transport=wire.transport, timing=time.timing
    ) as diaries:
        await diaries.read(BOTH)
    asked = {request.url.path.rpartition("/")[2]: request.url.params.get_list("q[]") for request in wire.requests}
    assert asked["unavailable_blocks"] == ["starts_at:<2026-03-16T21:00:00Z", "ends_at:>2026-02-27T21:00:00Z"]
    assert asked["availability_blocks"] == ["starts_at:<2026-03-16T21:00:00Z"]
    assert {request.url.host for request in wire.requests} == {"api.au4.cliniko.com"}


@pytest.mark.parametrize("scheme", ["iso", "sunday0", "monday0"])
async def test_the_day_number_is_handed_on_as_it_came(time: VirtualTime, scheme: Literal["iso", "sunday0", "monday0"]) -> None:
    world = small(datetime(2026, 3, 1, 21, 0, tzinfo=UTC), "Australia/Sydney")
    world.clinics[HARBOUR].day_scheme = scheme
    async with diaries_of(world, time) as diaries:
        found = await diaries.read(())
    assert {hours.day for hours in found.hours} == (set(range(1, 8)) if scheme == "iso" else set(range(7)))
