"""What is odd about real clinics, as options of the sandbox's world, and the faults that can be placed in its answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import httpx
import pytest

from service.sandbox.clinic import Anomaly, BookingSettings, Business, Clinic, Hours, Person, Reservation, Span, Type
from service.sandbox.cliniko.server import cliniko_app
from service.sandbox.controls import controls_app
from service.sandbox.minutes import Repeat
from service.sandbox.world import Fault, World
from tests.cliniko.stage import over

MONDAY = datetime(2026, 6, 7, 20, 0, tzinfo=UTC)
"""Monday 8 June 2026, 06:00 in Brisbane, where there is no summer time."""

PLACE, ANA, SHORT, LONG = "10", "20", "30", "31"
HOUR = timedelta(hours=1)


def at(clock: str, day: int = 0) -> datetime:
    """A wall-clock time in Brisbane, `day` days after the Monday."""
    hour, minute = map(int, clock.split(":"))
    return MONDAY + timedelta(days=day, hours=hour - 6, minutes=minute)


@pytest.fixture
def clinic() -> Clinic:
    """Ana works on Mondays from nine to twelve; her default type takes half an hour."""
    made = Clinic("odd", "Odd", "MS0x-key-au1", "Australia/Brisbane", BookingSettings())
    made.businesses = {PLACE: Business(PLACE, "Place", "Australia/Brisbane")}
    made.types = {SHORT: Type(SHORT, "Short", 30), LONG: Type(LONG, "Long", 60)}
    made.people = {ANA: Person(ANA, "Ana", [SHORT, LONG], SHORT)}
    made.hours = [Hours(PLACE, ANA, 0, 9 * 60, 12 * 60)]
    return made


@pytest.fixture
def world(clinic: Clinic) -> World:
    world = World(MONDAY)
    world.clinics = {clinic.slug: clinic}
    return world


@pytest.fixture
async def cliniko(world: World, clinic: Clinic) -> AsyncIterator[httpx.AsyncClient]:
    transport = over(cliniko_app(world, patience=0.0, largest_page=2))
    base = "http://cliniko.test/v1"
    async with httpx.AsyncClient(transport=transport, base_url=base, auth=(clinic.api_key, "")) as client:
        yield client


def shown(clinic: Clinic, type_: str = SHORT, now: datetime = MONDAY) -> list[str] | None:
    """Monday's starts by the local wall clock."""
    day = at("12:00").date()
    starts = clinic.starts(PLACE, ANA, type_, day, day, now)
    return None if starts is None else [f"{start + 10 * HOUR:%H:%M}" for start in starts]


async def everything(client: httpx.AsyncClient, path: str) -> list[Any]:
    """The items of all pages."""
    url, found = f"{path}?per_page=100", []
    while url:
        body = (await client.get(url)).json()
        found += body[path.strip("/")]
        url = body["links"].get("next", "")
    return found


# --- grids, reservations, blocks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("anchor", "starts"), [("window", ["10:00", "10:30", "11:00", "11:30"]), ("gap", ["09:40", "10:10", "10:40", "11:10"])]
)
def test_a_grid_stays_put_or_begins_again_after_an_appointment(
    clinic: Clinic, anchor: Literal["window", "gap"], starts: list[str]
) -> None:
    clinic.anchor = anchor
    clinic.appointments.append(Span(ANA, at("09:00"), at("09:40")))
    assert shown(clinic) == starts


@pytest.mark.parametrize(("booked", "afterwards"), [(False, "09:00"), (True, "10:00")])
def test_a_start_vanishes_while_somebody_books_it_and_is_then_taken_or_back(
    clinic: Clinic, booked: bool, afterwards: str
) -> None:
    since, until = at("06:10"), at("06:20")
    clinic.reservations.append(Reservation(Span(ANA, at("09:00"), at("10:00")), since, until, booked))
    first = [(shown(clinic, LONG, now) or [""])[0] for now in (since - HOUR / 60, since, until)]
    assert first == ["09:00", "10:00", afterwards]


async def test_a_repeating_block_is_a_rule_or_rows_and_the_same_hours(clinic: Clinic, cliniko: httpx.AsyncClient) -> None:
    clinic.extra.append(Span(ANA, at("22:00"), at("02:00", 1), PLACE, repeat=Repeat("Daily", 2, 2)))
    expected = [clinic.working(PLACE, ANA, at("12:00", day).date())[-1] for day in (0, 2, 4)]
    assert expected == [(at("22:00", day), at("00:00", day + 1)) for day in (0, 2, 4)]
    for served, rules in (("rule", [True]), ("rows", [False] * 3), ("both", [True, False, False])):
        clinic.repeats_as = served  # type: ignore[assignment]
        rows = await everything(cliniko, "/availability_blocks")
        assert [bool(row["repeat_rule"]) for row in rows] == rules


async def test_withdrawn_blocks_take_nothing_away_listed_or_not(clinic: Clinic, cliniko: httpx.AsyncClient) -> None:
    clinic.unavailable.append(Span(ANA, at("09:00"), at("12:00"), PLACE, withdrawn="archived"))
    assert len(shown(clinic) or []) == 6
    assert await everything(cliniko, "/unavailable_blocks") == []
    clinic.lists_withdrawn = True
    assert [row["archived_at"] is None for row in await everything(cliniko, "/unavailable_blocks")] == [False]


def test_the_days_are_cut_by_the_business_or_by_the_account(clinic: Clinic) -> None:
    clinic.zone = "Pacific/Auckland"  # two hours ahead: its Monday ends at ten in the evening here
    clinic.extra.append(Span(ANA, at("21:30"), at("22:30"), PLACE))
    late = {"business": ["21:30", "22:00"], "account": ["21:30"]}
    for cut, starts in late.items():
        clinic.days_cut_by = cut  # type: ignore[assignment]
        assert [start for start in shown(clinic) or [] if start > "12:00"] == starts


# --- what answers 404, and what should ----------------------------------------------------------------------------------


async def test_who_has_left_is_inactive_and_on_leave_answers_404(clinic: Clinic, cliniko: httpx.AsyncClient) -> None:
    clinic.people[ANA].on_leave = True
    assert shown(clinic) is None
    assert [each["id"] for each in await everything(cliniko, "/practitioners")] == [ANA]
    clinic.people[ANA].active = False
    assert await everything(cliniko, "/practitioners") == await everything(cliniko, "/services") == []


def test_a_type_that_a_business_does_not_sell_and_a_place_without_hours_answer_404(clinic: Clinic) -> None:
    clinic.businesses[PLACE].types = [LONG]
    assert shown(clinic) is None
    assert shown(clinic, LONG)
    clinic.hours.clear()
    clinic.people[ANA].also_at = (PLACE,)
    assert shown(clinic, LONG) is None
    assert clinic.offering(PLACE, LONG) == [ANA]


@pytest.mark.parametrize(
    ("anomaly", "type_", "last"),
    [("past_closing", LONG, "11:30"), ("ignores_unavailable", SHORT, "11:30"), ("types_not_offered", LONG, "10:00")],
)
def test_reported_anomalies_can_be_switched_on(clinic: Clinic, anomaly: Anomaly, type_: str, last: str) -> None:
    if anomaly != "past_closing":
        clinic.unavailable.append(Span(ANA, at("11:00"), at("12:00"), PLACE))
    if anomaly == "types_not_offered":
        clinic.people[ANA].types.remove(LONG)
    tidy = shown(clinic, type_)
    clinic.anomalies = frozenset({anomaly})
    odd = shown(clinic, type_)
    assert odd is not None
    assert tidy is None or tidy[-1] < odd[-1]
    assert odd[-1] == last


# --- faults -------------------------------------------------------------------------------------------------------------


async def test_a_fault_can_be_placed_in_the_worlds_time(world: World, cliniko: httpx.AsyncClient) -> None:
    world.fail(Fault("cliniko", "bad_gateway", "/businesses", since=MONDAY + HOUR, until=MONDAY + 9 * HOUR))
    statuses = []
    for _ in range(3):
        statuses.append((await cliniko.get("/businesses")).status_code)
        world.advance(timedelta(hours=4, minutes=30))
    assert statuses == [200, 502, 200]


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("bad_gateway", 502, "<html>"),
        ("server_error", 500, '{"message"'),
        ("forbidden", 403, "not authorized"),
        ("moved", 301, ""),
        ("empty_array", 200, "[]"),
        ("null", 200, "null"),
        ("blank", 200, ""),
        ("empty_list", 200, '{"appointment_types": [], "total_entries": 0'),
        ("half_a_page", 200, '"total_entries": 2'),
        ("reset_garbled", 429, "Rate limit"),
    ],
)
async def test_further_faults_do_what_they_say(
    world: World, cliniko: httpx.AsyncClient, kind: str, status: int, text: str
) -> None:
    world.fail(Fault("cliniko", kind, "/appointment_types"))
    answer = await cliniko.get("/appointment_types")
    assert answer.status_code == status
    assert text in answer.text
    if kind == "half_a_page":
        assert len(answer.json()["appointment_types"]) == 1


@pytest.mark.parametrize(("kind", "skew", "wait"), [("clock_ahead", 1, 2), ("clock_behind", -1, 2), ("reset_far", 0, 3600)])
async def test_a_servers_clock_can_be_wrong(world: World, cliniko: httpx.AsyncClient, kind: str, skew: int, wait: int) -> None:
    world.fail(Fault("cliniko", kind))
    answer = await cliniko.get("/businesses")
    dates = [parsedate_to_datetime(date) for date in answer.headers.get_list("date")]
    assert len(dates) == 1
    assert abs(dates[0] - datetime.now(UTC) - skew * HOUR) < HOUR / 60
    assert abs(int(answer.headers["x-ratelimit-reset"]) - dates[0].timestamp() - wait) < 3


async def test_pages_end_early_or_repeat_an_item(world: World, clinic: Clinic, cliniko: httpx.AsyncClient) -> None:
    clinic.types["32"] = Type("32", "Third", 15)
    whole = [each["id"] for each in await everything(cliniko, "/appointment_types")]
    assert whole == [SHORT, LONG, "32"]
    world.fail(Fault("cliniko", "duplicated"))
    assert [each["id"] for each in await everything(cliniko, "/appointment_types")] == [SHORT, LONG, LONG, "32"]
    world.heal()
    world.fail(Fault("cliniko", "early_end"))
    assert [each["id"] for each in await everything(cliniko, "/appointment_types")] == [SHORT, LONG]


async def test_what_is_hidden_or_missing_can_be_named(world: World, clinic: Clinic, cliniko: httpx.AsyncClient) -> None:
    clinic.people["21"] = Person("21", "Ben", [SHORT], SHORT)
    clinic.hours.append(Hours(PLACE, "21", 1, 540, 720))
    world.fail(Fault("cliniko", "hidden", "/services", what="21"))
    assert "/practitioners/21" not in json.dumps(await everything(cliniko, "/services"))
    assert len(await everything(cliniko, "/practitioners")) == 2
    world.fail(Fault("cliniko", "hidden", "/appointment_types", what=LONG))
    assert [each["id"] for each in await everything(cliniko, "/appointment_types")] == [SHORT]
    world.fail(Fault("cliniko", "partial", "/settings", what="enabled daily_bookings_limit"))
    assert "daily_bookings_limit" not in (await cliniko.get("/settings/public")).text


async def test_times_and_places_can_be_in_a_wrong_zone(world: World, cliniko: httpx.AsyncClient) -> None:
    path = f"/businesses/{PLACE}/practitioners/{ANA}/appointment_types/{SHORT}/available_times?from=2026-06-08&to=2026-06-08"
    world.fail(Fault("cliniko", "wrong_zone"))
    first = (await cliniko.get(path)).json()["available_times"][0]["appointment_start"]
    assert first == "2026-06-08T09:00:00Z"
    assert "America/New_York" in (await cliniko.get("/businesses")).text


# --- controls -----------------------------------------------------------------------------------------------------------


async def test_the_clinic_is_edited_and_faulted_over_http(world: World, clinic: Clinic) -> None:
    async with httpx.AsyncClient(transport=over(controls_app(world)), base_url="http://controls.test") as controls:
        edits = [
            {"of": "people", "id": ANA, "changes": {"active": False}},
            {"of": "settings", "changes": {"segment_cap": 2}},
            {"of": "clinic", "changes": {"anchor": "gap"}},
        ]
        for edit in edits:
            assert (await controls.post("/edit", json={"clinic": "odd", **edit})).status_code == 201
        wrong = await controls.post("/edit", json={"clinic": "odd", "of": "settings", "changes": {"cap": 2}})
        assert wrong.status_code == 400
        await controls.post("/fail", json={"system": "cliniko", "kind": "down", "hours": 2})
    assert (clinic.people[ANA].active, clinic.settings.segment_cap, clinic.anchor) == (False, 2, "gap")
    assert world.faults == [Fault("cliniko", "down", until=MONDAY + 2 * HOUR)]
