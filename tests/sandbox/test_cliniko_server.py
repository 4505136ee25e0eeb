"""The sandbox's Cliniko against the documented API: its schema, its windows, its envelopes, its refusals."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal

import httpx
import jsonschema
import pytest

from service.sandbox.clinic import Span
from service.sandbox.cliniko import faults
from service.sandbox.cliniko.records import BAIT
from service.sandbox.cliniko.server import cliniko_app
from service.sandbox.scene import API_KEYS, HARBOUR, NORTHSIDE, scene
from service.sandbox.world import Fault, World
from tests.cliniko.stage import over

SCHEMAS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "cliniko" / "openapi.json").read_text())
DEVIATIONS = {
    "DailyAvailability": {"day_of_week": "older documents number days 1-7, which the enumeration 0-6 leaves out"},
}
CITY, ANA, FIRST = "1443966599630431801", "1443966597382284301", "1443966599194223901"
TIMES = f"/businesses/{CITY}/practitioners/{ANA}/appointment_types/{FIRST}/available_times"
WINDOW = {"from": "2026-11-22", "to": "2026-11-28"}


@pytest.fixture
def world() -> World:
    world = scene()
    clinic = world.clinics[HARBOUR]
    clinic.extra.append(Span(ANA, world.now, world.now + timedelta(hours=2), CITY))
    clinic.unavailable.append(Span(ANA, world.now, world.now + timedelta(hours=1)))
    return world


@pytest.fixture
async def cliniko(world: World) -> AsyncIterator[httpx.AsyncClient]:
    transport = over(cliniko_app(world, patience=0.0))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://cliniko.test/v1", auth=(API_KEYS[HARBOUR], "")
    ) as client:
        yield client


async def body(client: httpx.AsyncClient, path: str, **params: str) -> Any:
    response = await client.get(path, params=params or None)
    assert response.status_code == 200, response.text
    return response.json()


# --- documented shapes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/businesses", "Business"),
        ("/practitioners", "Practitioner"),
        (f"/businesses/{CITY}/practitioners", "Practitioner"),
        (f"/appointment_types/{FIRST}/practitioners", "Practitioner"),
        ("/practitioners/inactive", "Practitioner"),
        ("/appointment_types", "AppointmentType"),
        (f"/practitioners/{ANA}/appointment_types", "AppointmentType"),
        ("/services", "Service"),
        (f"/businesses/{CITY}/services", "Service"),
        ("/daily_availabilities", "DailyAvailability"),
        (f"/businesses/{CITY}/daily_availabilities", "DailyAvailability"),
        (f"/practitioners/{ANA}/daily_availabilities", "DailyAvailability"),
        ("/availability_blocks", "AvailabilityBlock"),
        ("/unavailable_blocks", "UnavailableBlock"),
        (TIMES, "AvailableTime"),
    ],
)
@pytest.mark.parametrize("scheme", ["sunday0", "iso"])
@pytest.mark.sampled(2)
async def test_lists_are_as_documented(
    world: World, cliniko: httpx.AsyncClient, path: str, schema: str, scheme: Literal["sunday0", "iso"]
) -> None:
    world.clinics[HARBOUR].day_scheme = scheme
    world.clinics[HARBOUR].people["1443966597382284306"].active = False
    found = await body(cliniko, path, **(WINDOW if path == TIMES else {}))
    records = found["practitioners" if path.endswith("inactive") else path.rpartition("/")[2]]
    assert records
    assert found["total_entries"] == len(records) or "next" in found["links"]
    exempt = DEVIATIONS.get(schema, {}) if scheme == "iso" else {}
    for record in records:
        assert set(record) <= set(SCHEMAS[schema]["properties"])
        jsonschema.validate({name: value for name, value in record.items() if name not in exempt}, SCHEMAS[schema])


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/settings/public", "PublicSettings"),
        (f"/businesses/{CITY}", "Business"),
        (f"/practitioners/{ANA}", "Practitioner"),
        (f"/appointment_types/{FIRST}", "AppointmentType"),
    ],
)
async def test_single_records_are_as_documented(cliniko: httpx.AsyncClient, path: str, schema: str) -> None:
    jsonschema.validate(await body(cliniko, path), SCHEMAS[schema])


async def test_records_carry_bait_where_the_real_ones_carry_what_nobody_should_keep(cliniko: httpx.AsyncClient) -> None:
    for path in ("/businesses", "/practitioners", "/appointment_types", "/unavailable_blocks", "/settings/public"):
        assert BAIT in (await cliniko.get(path)).text, path
    assert "/invoices" in (await cliniko.get("/practitioners")).text


async def test_ids_are_strings_of_nineteen_digits(cliniko: httpx.AsyncClient) -> None:
    for resource in ("businesses", "practitioners", "appointment_types", "daily_availabilities", "unavailable_blocks"):
        ids = [record["id"] for record in (await body(cliniko, f"/{resource}"))[resource]]
        assert all(isinstance(id_, str) and len(id_) == 19 and id_.isdecimal() for id_ in ids)
        assert len(set(ids)) == len(ids)


# --- keys ---------------------------------------------------------------------------------------------------------------


async def test_the_key_chooses_the_account_with_or_without_its_shard(cliniko: httpx.AsyncClient) -> None:
    for key in (API_KEYS[NORTHSIDE], API_KEYS[NORTHSIDE].rpartition("-")[0]):
        response = await cliniko.get("/businesses", auth=(key, "ignored"))
        assert response.json()["businesses"][0]["label"] == "Northside Chermside"


@pytest.mark.parametrize("authorization", ["", "Basic", "Basic !!", "Basic Og==", "Bearer x", "Basic d3Jvbmc6"])
async def test_without_a_known_key_there_is_nothing(cliniko: httpx.AsyncClient, authorization: str) -> None:
    request = httpx.Request("GET", "http://cliniko.test/v1/businesses", headers={"Authorization": authorization})
    response = await cliniko.send(request, auth=None)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Basic")


# --- windows ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "status"),
    [
        ("2026-11-22", "2026-11-28", 200),
        ("2026-11-22", "2026-11-22", 200),
        ("2026-11-29", "2026-12-05", 200),
        ("2026-11-22", "2026-11-29", 400),
        ("2026-11-21", "2026-11-27", 400),
        ("2026-11-23", "2026-11-22", 400),
        ("2026-11-22T00:00:00Z", "2026-11-28", 400),
        ("20261122", "20261128", 400),
        ("2026-11-31", "2026-12-02", 400),
        ("", "2026-11-28", 400),
        (None, "2026-11-28", 400),
        ("2026-11-22", None, 400),
    ],
)
async def test_a_window_is_seven_dates_at_most_and_none_of_them_past(
    cliniko: httpx.AsyncClient, first: str | None, last: str | None, status: int
) -> None:
    # It is 08:00 on 22 November in Sydney, the account's zone, and still the 21st in UTC.
    given = {name: value for name, value in (("from", first), ("to", last)) if value is not None}
    response = await cliniko.get(TIMES, params=given)
    assert response.status_code == status
    if status == 400:
        assert response.json()["message"].startswith("Invalid time frame")


async def test_starts_are_the_worlds_in_order(world: World, cliniko: httpx.AsyncClient) -> None:
    found = [each["appointment_start"] for each in (await body(cliniko, TIMES, **WINDOW))["available_times"]]
    first, last = (datetime.fromisoformat(day).date() for day in WINDOW.values())
    starts = world.clinics[HARBOUR].starts(CITY, ANA, FIRST, first, last, world.now)
    assert starts
    assert found == [f"{start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for start in starts]


async def test_what_is_not_bookable_online_is_not_found_in_both_bodies(world: World, cliniko: httpx.AsyncClient) -> None:
    world.clinics[HARBOUR].people[ANA].online = False
    responses = [await cliniko.get(TIMES, params=WINDOW) for _ in range(2)]
    assert [response.status_code for response in responses] == [404, 404]
    assert {response.text for response in responses} == {'{"status": "404", "error": "Not Found"}', ""}


async def test_the_next_available_time_is_the_first_start(cliniko: httpx.AsyncClient) -> None:
    following = await body(cliniko, TIMES.replace("available_times", "next_available_time"))
    starts = (await body(cliniko, TIMES, **WINDOW))["available_times"]
    assert following["appointment_start"] == starts[0]["appointment_start"]


# --- pages and filters --------------------------------------------------------------------------------------------------


async def test_pages_link_to_their_neighbours_and_keep_the_question(cliniko: httpx.AsyncClient) -> None:
    url: str | None = "/daily_availabilities?per_page=7"
    ids: list[str] = []
    while url:
        response = await cliniko.get(url)
        found = response.json()
        ids += [record["id"] for record in found["daily_availabilities"]]
        assert found["links"]["self"].startswith("http://cliniko.test/v1/daily_availabilities?per_page=7")
        assert ("previous" in found["links"]) is (len(ids) > 7)
        url = found["links"].get("next")
    assert len(ids) == len(set(ids)) == found["total_entries"] == 30


@pytest.mark.parametrize(
    ("params", "status"),
    [("per_page=100", 200), ("per_page=101", 400), ("per_page=0", 400), ("page=0", 400), ("page=x", 400), ("page=9", 200)],
)
async def test_page_sizes_have_limits(cliniko: httpx.AsyncClient, params: str, status: int) -> None:
    assert (await cliniko.get(f"/businesses?{params}")).status_code == status


async def test_filters_narrow_and_lose_their_effect_with_their_brackets(world: World, cliniko: httpx.AsyncClient) -> None:
    async def count(query: str, path: str = "/unavailable_blocks") -> int:
        found: int = (await body(cliniko, f"{path}?{query}"))["total_entries"]
        return found

    now = f"{world.now:%Y-%m-%dT%H:%M:%SZ}"
    assert await count("") == 1
    assert await count(f"q[]=starts_at:<{now}") == 0
    assert await count(f"q[]=starts_at:<={now}") == 1
    assert await count(f"q[]=starts_at:<={now}&q[]=ends_at:>{now}") == 1
    assert await count(f"q=starts_at:<{now}") == 1
    assert await count("q[]=show_in_online_bookings:=true", "/businesses") == 2
    assert await count("q[]=show_in_online_bookings:!=true", "/businesses") == 0
    assert await count(f"q[]=practitioner_id:={ANA}", "/daily_availabilities") == 5


async def test_a_filter_that_does_not_exist_is_a_bad_request(cliniko: httpx.AsyncClient) -> None:
    for query in ("shoe_size:=43", "label:like:x", "practitioners:=1", "nonsense"):
        response = await cliniko.get("/businesses", params={"q[]": query})
        assert response.status_code == 400, query
        assert response.json()["message"].endswith("is not filterable")


# --- limits, tripwires, faults ------------------------------------------------------------------------------------------


async def test_the_201st_request_of_a_minute_is_refused_per_user(cliniko: httpx.AsyncClient) -> None:
    for _ in range(200):
        assert (await cliniko.get("/businesses")).status_code == 200
    response = await cliniko.get("/businesses", auth=(API_KEYS[HARBOUR].rpartition("-")[0], ""))
    assert response.status_code == 429
    wait = int(response.headers["x-ratelimit-reset"]) - parsedate_to_datetime(response.headers["date"]).timestamp()
    assert 50 <= wait <= 62
    assert "retry-after" not in response.headers
    assert (await cliniko.get("/businesses", auth=(API_KEYS[NORTHSIDE], ""))).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/patients"),
        ("GET", "/patients/1"),
        ("GET", "/individual_appointments"),
        ("GET", f"/practitioners/{ANA}/appointments"),
        ("GET", f"/businesses/{CITY}/appointments"),
        ("GET", "/bookings"),
        ("GET", "/users"),
        ("GET", "/settings"),
        ("GET", "/unavailable_blocks/1/conflicts"),
        ("POST", "/businesses"),
        ("DELETE", "/unavailable_blocks/1"),
        ("PATCH", f"/practitioners/{ANA}"),
    ],
)
async def test_what_nobody_should_ask_trips(world: World, cliniko: httpx.AsyncClient, method: str, path: str) -> None:
    response = await cliniko.request(method, path, auth=None)
    assert response.status_code == 403
    assert world.trips == [f"{method} /v1{path}"]


async def test_outside_v1_there_is_nothing(world: World, cliniko: httpx.AsyncClient) -> None:
    for path in ("/", "/v2/businesses", "/businesses"):
        assert (await cliniko.get(f"http://cliniko.test{path}")).status_code == 404, path
    assert world.trips == []


async def test_every_request_is_seen(world: World, cliniko: httpx.AsyncClient) -> None:
    await cliniko.get("/businesses?page=1")
    await cliniko.post("/patients")
    assert [(seen.method, seen.path) for seen in world.requests] == [("GET", "/v1/businesses"), ("POST", "/v1/patients")]


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("down", 503, "<html>"),
        ("timeout", 504, "<html>"),
        ("slow", 200, '"businesses"'),
        ("unauthorized", 401, "Access denied"),
        ("not_found", 404, "Not Found"),
        ("html", 200, "<html>"),
        ("empty", 200, "{}"),
        ("truncated", 200, '{"businesses"'),
        ("rate_limited", 429, ""),
        ("reset_in_past", 429, ""),
        ("retry_after_only", 429, ""),
        ("no_reset_header", 429, ""),
        ("page_loop", 200, "page=2"),
        ("foreign_next", 200, "cliniko.example"),
        ("relative_links", 200, '"self": "/v1/'),
        ("no_such_fault", 501, "knows no fault"),
    ],
)
async def test_each_fault_does_what_it_says(
    world: World, cliniko: httpx.AsyncClient, kind: str, status: int, text: str
) -> None:
    world.fail(Fault("cliniko", kind, "GET /v1/businesses", times=1))
    assert (await cliniko.get("/practitioners")).status_code == 200
    response = await cliniko.get("/businesses")
    assert response.status_code == status
    assert text in response.text
    assert response.headers.get("retry-after") == ("1" if kind == "retry_after_only" else None)
    reset = {"rate_limited": 2, "reset_in_past": -30}.get(kind)
    assert ("x-ratelimit-reset" in response.headers) is (reset is not None)
    if reset is not None:
        assert abs(int(response.headers["x-ratelimit-reset"]) - time.time() - reset) < 3
    if kind == "truncated":
        with pytest.raises(json.JSONDecodeError):
            response.json()
    assert (await cliniko.get("/businesses")).status_code == 200


def test_every_documented_fault_exists() -> None:
    documented = {line.split()[0] for line in (faults.__doc__ or "").splitlines() if line.startswith("    ")}
    assert documented == faults.KINDS
