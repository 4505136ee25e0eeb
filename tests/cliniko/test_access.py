from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.cliniko.access import FIELDS, PATHS, Access, available_times_path, keep, shard_of
from service.core.errors import ProtocolError, RefusedError, SettingsError
from service.core.model import Offer
from tests.cliniko.stage import BASE, EMAIL, KEY

DOCUMENTED = json.loads((Path(__file__).parent / "openapi.json").read_text())
SCHEMAS = {
    "settings": "PublicSettings",
    "businesses": "Business",
    "practitioners": "Practitioner",
    "appointment_types": "AppointmentType",
    "services": "Service",
    "daily_availabilities": "DailyAvailability",
    "availability_blocks": "AvailabilityBlock",
    "unavailable_blocks": "UnavailableBlock",
    "available_times": "AvailableTime",
}
NEVER = (
    "/patients",
    "/patients/1",
    "/individual_appointments",
    "/group_appointments",
    "/bookings",
    "/attendees",
    "/appointments",
    "/businesses/1/appointments",
    "/practitioners/1/appointments",
    "/practitioners/1/invoices",
    "/invoices",
    "/treatment_notes",
    "/medical_alerts",
    "/patient_forms",
    "/communications",
    "/recalls",
    "/contacts",
    "/users",
    "/user",
    "/settings",
    "/businesses/../patients",
    "/businesses/%2e%2e/patients",
    "/businesses/1/practitioners/2/appointment_types/3/available_times/../../../../../../patients",
    "/businesses/",
    "/businesses/x/practitioners/2/appointment_types/3/available_times",
    "",
)


@pytest.fixture
def access() -> Access:
    return Access.of(KEY, EMAIL)


@pytest.mark.parametrize(
    ("key", "shard"),
    [("abc-au2", "au2"), ("a-b-c-uk2", "uk2"), ("abc-AU10", "au10"), ("MS0xLWFiYw", "au1"), ("x-can1", "can1")],
)
def test_the_shard_is_what_follows_the_last_hyphen(key: str, shard: str) -> None:
    assert shard_of(key) == shard
    assert str(Access.of(key, EMAIL).base_url) == f"https://api.{shard}.cliniko.com/v1"


@pytest.mark.parametrize("key", ["abc-", "abc-evil.example/", "abc-au", "abc-1", "abc-au123", "abc-au2.evil", "abc-au٢"])
def test_a_key_whose_end_is_no_shard_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Access.of(key, EMAIL)
    assert key not in str(raised.value)


@pytest.mark.parametrize(
    ("key", "email", "base_url"),
    [
        ("", EMAIL, None),
        ("a key-au1", EMAIL, None),
        ("key:x-au1", EMAIL, None),
        (KEY, "nobody", None),
        (KEY, "a@b.example)\r\nX: y", None),
        (KEY, EMAIL, "http://127.0.0.1:8000"),
        (KEY, EMAIL, "ftp://127.0.0.1/v1"),
        (KEY, EMAIL, "https://user@host/v1"),
        (KEY, EMAIL, "https://host/v1?x=1"),
        (KEY, EMAIL, "nonsense"),
        (KEY, EMAIL, "http://host:port/v1"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(key: str, email: str, base_url: str | None) -> None:
    with pytest.raises(SettingsError):
        Access.of(key, email, base_url)


def test_an_override_reaches_up_to_and_including_v1() -> None:
    access = Access.of("key-without-shard", EMAIL, "http://127.0.0.1:8001/v1/")
    assert str(access.url("/businesses", [("page", "2")])) == "http://127.0.0.1:8001/v1/businesses?page=2"


@pytest.mark.parametrize("path", NEVER)
def test_no_other_path_may_be_asked(access: Access, path: str) -> None:
    with pytest.raises(RefusedError):
        access.permit("GET", httpx.URL(f"{BASE}{path}"))


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "get"])
def test_no_other_method_may_be_used(access: Access, method: str) -> None:
    with pytest.raises(RefusedError):
        access.permit(method, httpx.URL(f"{BASE}/businesses"))


@pytest.mark.parametrize(
    "url",
    [
        "http://api.au4.cliniko.com/v1/businesses",
        "https://api.au4.cliniko.com:8443/v1/businesses",
        "https://api.au5.cliniko.com/v1/businesses",
        "https://api.au4.cliniko.com/v2/businesses",
        "https://api.au4.cliniko.com/businesses",
        "https://api.au4.cliniko.com.evil.example/v1/businesses",
        "https://x@api.au4.cliniko.com/v1/businesses",
    ],
)
def test_no_other_place_may_be_asked_or_followed(access: Access, url: str) -> None:
    with pytest.raises(RefusedError):
        access.permit("GET", httpx.URL(url))
    with pytest.raises(ProtocolError):
        access.follow(httpx.URL(f"{BASE}/businesses"), url)


def test_what_the_adapter_reads_is_permitted(access: Access) -> None:
    offer = Offer("1443966599630431868", "1443966597382284362", "1443966599194223996")
    for path in ("/settings/public", "/businesses", "/services", "/unavailable_blocks", available_times_path(offer)):
        access.permit("GET", access.url(path, [("per_page", "100")]))


def test_a_relative_link_is_resolved(access: Access) -> None:
    page = access.url("/businesses")
    assert str(access.follow(page, "/v1/businesses?page=2")) == f"{BASE}/businesses?page=2"
    assert str(access.follow(page, "?page=2")) == f"{BASE}/businesses?page=2"


@pytest.mark.parametrize(
    "link", ["/v1/patients?page=2", "//evil.example/v1/businesses", "http://[", "?page=\x00", "/v2/businesses", "../patients"]
)
def test_a_link_off_our_lists_is_not_followed(access: Access, link: str) -> None:
    with pytest.raises(ProtocolError):
        access.follow(access.url("/businesses"), link)


def test_only_allowed_fields_are_kept_at_every_depth() -> None:
    block = {
        "id": "1",
        "starts_at": "2026-03-02T22:00:00Z",
        "ends_at": {"notes": "Jane Patient"},
        "notes": "Jane Patient",
        "business": {"links": {"self": f"{BASE}/businesses/1", "patients": "x"}, "name": "Jane"},
        "practitioner": "Jane Patient",
        "conflicts": {"links": {"self": "x"}},
    }
    assert keep("unavailable_blocks", block) == {
        "starts_at": "2026-03-02T22:00:00Z",
        "ends_at": None,
        "business": {"links": {"self": f"{BASE}/businesses/1"}},
        "practitioner": None,
    }
    lists = keep("services", {"practitioners": [{"links": {"self": "a"}, "name": "Jane"}, "Jane"]})
    assert lists == {"practitioners": [{"links": {"self": "a"}}, None]}


@pytest.mark.parametrize(("resource", "name"), [(resource, name) for resource, names in FIELDS.items() for name in names])
def test_every_kept_field_is_documented(resource: str, name: str) -> None:
    schema: dict[str, Any] = DOCUMENTED[SCHEMAS[resource]]
    for part in name.split("."):
        schema = schema.get("items", schema)["properties"][part]


def test_no_kept_field_is_free_text_that_people_write_about_patients() -> None:
    kept = {name for names in FIELDS.values() for name in names}
    assert not {name for name in kept if any(word in name for word in ("note", "email", "patient", "description", "contact"))}


def test_no_path_names_patients_or_appointments_of_people() -> None:
    assert not [p.pattern for p in PATHS if "patient" in p.pattern or p.pattern.endswith(("appointments", "invoices"))]


def test_redaction_takes_out_key_credentials_and_addresses(access: Access) -> None:
    header = httpx.BasicAuth(KEY, "")._auth_header
    text = access.redact(f"{KEY} {KEY.removesuffix('-au4')} {header} jane@clinic.example " + "x" * 500)
    assert "kEyBoDy" not in text
    assert header.split()[1] not in text
    assert "jane" not in text
    assert len(text) == 200
    assert "kEyBoDy" not in repr(access)
    assert "kEyBoDy" not in access.user


def test_a_key_is_one_user_with_and_without_its_shard_and_several_keys_are_one_where_that_is_said() -> None:
    bare = Access.of("MS0xLWtleQ", EMAIL)
    assert {Access.of(key, EMAIL).user for key in ("MS0xLWtleQ-au1", "MS0xLWtleQ-AU1")} == {bare.user}
    assert Access.of("b3RoZXI", EMAIL).user != bare.user
    named = [Access.of(key, EMAIL, owner="governor@harbour") for key in ("MS0xLWtleQ-au1", "b3RoZXI-au1")]
    assert named[0].user == named[1].user != bare.user
    assert Access.of("MS0xLWtleQ", EMAIL, owner=" ").user == bare.user
