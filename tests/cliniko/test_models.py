from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from service.cliniko import models
from service.cliniko.models import Business, DailyAvailability, Person, Settings, Triples, Type, UnavailableBlock, parse
from service.core.errors import ProtocolError
from service.core.model import Block, Offer


def link(path: str) -> dict[str, Any]:
    return {"links": {"self": f"https://api.au4.cliniko.com/v1/{path}"}}


def settings(**changes: Any) -> Any:
    return parse(Settings, {"online_bookings": {"enabled": True, **changes}}).bookings()


@pytest.mark.parametrize(("wire", "cap"), [(None, None), (0, None), (1, 1), (5, 5), (6, None), (999, None), (-1, None)])
def test_a_segment_cap_counts_only_from_one_to_five(wire: int | None, cap: int | None) -> None:
    assert settings(max_appointments_per_day_segment=wire).segment_cap == cap


@pytest.mark.parametrize(
    ("wire", "minutes"), [(10, 10), (0, 0), (None, 0), (-5, 0), ("10 minutes", 0), (99_999, 0), (True, 0), (2.5, 0)]
)
def test_a_reservation_is_read_where_it_can_be_and_none_elsewhere(wire: Any, minutes: int) -> None:
    assert settings(booking_reservation_minutes=wire).reservation == timedelta(minutes=minutes)
    assert settings().reservation == timedelta(0)


def test_settings_that_are_missing_mean_no_limit_but_a_missing_switch_means_nothing_is_known() -> None:
    bookings = settings()
    assert (bookings.lead, bookings.segment_cap, bookings.daily_limit) == (timedelta(0), None, None)
    unknown: list[Any] = [{}, {"online_bookings": {}}, [], {"online_bookings": {"enabled": "perhaps"}}]
    for payload in unknown:
        with pytest.raises(ProtocolError):
            parse(Settings, payload)


def test_an_account_without_online_bookings_has_them_disabled() -> None:
    assert not parse(Settings, {"online_bookings": None}).bookings().enabled


def test_ids_are_strings_whatever_they_came_as() -> None:
    person = parse(Person, {"id": 7, "label": "Ana", "unknown": 1})
    assert person.practitioner().id == "7"
    assert parse(Person, {"id": "1443966597382284362"}).practitioner().name == "1443966597382284362"


@pytest.mark.parametrize(
    ("fields", "online"),
    [
        ({}, True),
        ({"show_in_online_bookings": None}, False),
        ({"show_in_online_bookings": False}, False),
        ({"show_in_online_bookings": True, "active": False}, False),
        ({"active": None}, True),
    ],
)
def test_a_practitioner_is_online_unless_switched_off(fields: dict[str, Any], online: bool) -> None:
    assert parse(Person, {"id": "1", "label": "Ana", **fields}).practitioner().online is online


@pytest.mark.parametrize(
    ("given", "default"),
    [
        (link("appointment_types/7"), "7"),
        (None, None),
        ({"links": {"self": None}}, None),
        ({"links": {"self": "https://x/v1/appointment_types/"}}, None),
        ("7", None),
    ],
)
def test_a_default_type_that_cannot_be_told_is_not_known(given: Any, default: str | None) -> None:
    assert parse(Person, {"id": "1", "default_appointment_type": given}).practitioner().default_type == default
    assert parse(Person, {"id": "1"}).practitioner().default_type is None


def test_a_location_is_named_as_people_see_it_and_archived_ones_are_not_online() -> None:
    fields = {"id": "1", "business_name": "Pty", "display_name": "Harbour", "time_zone_identifier": "US/Eastern"}
    assert parse(Business, fields).location().name == "Harbour"
    assert parse(Business, {**fields, "label": "Harbour City"}).location().name == "Harbour City"
    assert not parse(Business, {**fields, "archived_at": "2025-01-01T00:00:00Z"}).location().online


@pytest.mark.parametrize("zone", ["Sydney", "", "../etc/passwd", "Australia", None, 3])
def test_a_location_without_a_known_zone_is_refused(zone: Any) -> None:
    with pytest.raises(ProtocolError):
        parse(Business, {"id": "1", "time_zone_identifier": zone})


def test_a_type_for_several_attendees_is_a_group_type() -> None:
    fields = {"id": "1", "name": "Class", "duration_in_minutes": 60}
    assert parse(Type, {**fields, "max_attendees": 6}).appointment_type().group
    assert not parse(Type, fields).appointment_type().group
    assert parse(Type, {**fields, "online_bookings_lead_time_hours": 0}).appointment_type().lead == timedelta(0)
    assert parse(Type, fields).appointment_type().lead is None


def test_a_service_is_one_offer_per_practitioner() -> None:
    fields = {"business": link("businesses/1"), "appointment_type": link("internal/appointment_types/7")}
    people = [link("practitioners/3"), link("practitioners/4/")]
    assert parse(Triples, {**fields, "practitioners": people}).offers() == [Offer("1", "3", "7"), Offer("1", "4", "7")]
    assert parse(Triples, {**fields, "practitioners": None}).offers() == []


def test_weekly_windows_are_minutes_of_the_day_under_the_day_number_given() -> None:
    payload = {
        "day_of_week": 7,
        "availabilities": [{"starts_at": "09:00", "ends_at": "12:30"}, {"starts_at": "22:00:00", "ends_at": "00:00"}],
        "business": link("businesses/1"),
        "practitioner": link("practitioners/2"),
    }
    hours = parse(DailyAvailability, payload).hours()
    assert [(each.day, each.starts, each.ends) for each in hours] == [(7, 540, 750), (7, 1320, 1440)]
    assert parse(DailyAvailability, {**payload, "availabilities": None}).hours() == []
    assert parse(DailyAvailability, {**payload, "day_of_week": None}).hours() == []
    for clock in ("9", "24:30", "09:60", 9, None):
        with pytest.raises(ProtocolError):
            parse(DailyAvailability, {**payload, "availabilities": [{"starts_at": clock, "ends_at": "12:00"}]})


@pytest.mark.parametrize(("day", "following"), [(5, 6), (6, 0), (7, 1), (0, 1)])
def test_a_window_past_midnight_is_the_next_days_too(day: int, following: int) -> None:
    windows = [("22:00", "06:00"), ("09:00", "09:00"), ("24:00", "06:00"), ("00:00", "00:00")]
    payload = {
        "day_of_week": day,
        "availabilities": [{"starts_at": starts, "ends_at": ends} for starts, ends in windows],
        "business": link("businesses/1"),
        "practitioner": link("practitioners/2"),
    }
    found = [(each.day, each.starts, each.ends) for each in parse(DailyAvailability, payload).hours()]
    assert found == [(day, 1320, 1440), (following, 0, 360), (day, 0, 1440)]


def test_a_withdrawn_block_takes_nothing_away() -> None:
    payload = {
        "starts_at": "2026-03-02T22:00:00Z",
        "ends_at": "2026-03-02T23:00:00+00:00",
        "practitioner": link("practitioners/2"),
    }
    starts, ends = datetime(2026, 3, 2, 22, tzinfo=UTC), datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert parse(UnavailableBlock, payload).block() == Block(None, "2", starts, ends)
    assert parse(UnavailableBlock, {**payload, "deleted_at": "2026-01-01T00:00:00Z"}).block() is None


def test_starts_ascend_and_come_once() -> None:
    given = ["2026-03-02T22:30:00Z", "2026-03-02T22:00:00Z", "2026-03-02T22:30:00Z"]
    assert [at.minute for at in models.starts([{"appointment_start": at} for at in given])] == [0, 30]


@pytest.mark.parametrize("wrong", [None, 1_700_000_000, "soon", "2026-03-02T22:30:00", "2026-03-02"])
def test_a_start_that_is_no_instant_is_refused(wrong: Any) -> None:
    with pytest.raises(ProtocolError):
        models.starts([{"appointment_start": wrong}])


@pytest.mark.parametrize("model", [Business, Person, Type, Triples, DailyAvailability, UnavailableBlock])
def test_an_error_names_fields_and_shows_no_values(model: type[BaseModel]) -> None:
    with pytest.raises(ProtocolError) as raised:
        parse(model, {"id": "Jane Patient", "starts_at": "Jane Patient", "business": "Jane Patient"})
    assert "Jane" not in str(raised.value)
    assert model.__name__ in str(raised.value)
