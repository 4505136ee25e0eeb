"""Cliniko's payloads as pydantic models, and their translation into the words of the core.

Models know only allowed fields and tolerate unknown ones. A field that a decision hangs on must be there; without it nothing
may be concluded (`ProtocolError`). Ids are opaque strings: they are 64-bit numbers that must never become floats. Pure.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from service.cliniko.access import SYSTEM
from service.core.errors import ProtocolError
from service.core.model import AppointmentType, Block, Location, Offer, OnlineBookings, Practitioner, WeeklyHours

HIGHEST_CAP = 5
"""Cliniko offers segment caps of 1 to 5 or none; how it writes "none" is undocumented, so all else counts as none."""

WIRE = ConfigDict(extra="ignore", frozen=True)
_ID = re.compile(r"[0-9]{1,20}")
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?")
_DAY = 24 * 60

Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], payload: object) -> Model:
    """`payload` as `model`; `ProtocolError` names the offending fields, never their values."""
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        wrong = {".".join(map(str, each["loc"])) or "it" for each in error.errors(include_input=False, include_url=False)}
        text = f"Cliniko's {model.__name__} is not as documented: {', '.join(sorted(wrong))}"
        raise ProtocolError(SYSTEM, text, code="wrong_shape") from None


def _id(value: object) -> object:
    """An id; old examples show small bare integers."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise ValueError("not an id")
    return text


def _linked_id(value: object) -> object:
    """The id that a link object refers to: the last segment of its own address."""
    match value:
        case {"links": {"self": str(link)}}:
            return _id(urlsplit(link).path.rstrip("/").rpartition("/")[2])
    raise ValueError("not a link")


def _linked_or_none(value: object) -> object:
    try:
        return _linked_id(value)
    except ValueError:
        return None


def _minutes_or_none(value: object) -> object:
    """Minutes within a day; how "none" is written is undocumented, so all else counts as none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _DAY else None


def _text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("not a string")  # noqa: TRY004 - pydantic wants a ValueError
    return value


def _zone(value: str) -> str:
    """An IANA zone name, legacy aliases included."""
    try:
        ZoneInfo(value)
    except (KeyError, OSError) as error:
        raise ValueError("not a time zone") from error
    return value


def _minutes(value: object) -> object:
    """`HH:MM` as minutes after midnight."""
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    minutes = int(found[1]) * 60 + int(found[2]) if found else _DAY + 1
    if minutes > _DAY:
        raise ValueError("not a time of day")
    return minutes


Id = Annotated[str, BeforeValidator(_id)]
LinkedId = Annotated[str, BeforeValidator(_linked_id)]
Instant = Annotated[AwareDatetime, BeforeValidator(_text), AfterValidator(lambda at: at.astimezone(UTC))]
Clock = Annotated[int, BeforeValidator(_minutes)]
OptionalLink = Annotated[str | None, BeforeValidator(_linked_or_none)]
"""The id that a link object refers to; None for anything else, because nothing but requests saved hangs on it."""

Switch = bool | None
"""An online switch: null is off; where the key is missing the switch counts as on, and the probe will tell."""


class Bookings(BaseModel):
    """`online_bookings` of `/settings/public`."""

    model_config = WIRE
    enabled: bool
    max_appointments_per_day_segment: int | None = None
    min_hours_advance_required_to_book: Annotated[int, Field(ge=0)] | None = None
    daily_bookings_limit: int | None = None
    booking_reservation_minutes: Annotated[int | None, BeforeValidator(_minutes_or_none)] = None


class Settings(BaseModel):
    """`/settings/public`; an account whose plan has no online bookings answers null for them."""

    model_config = WIRE
    online_bookings: Bookings | None

    def bookings(self) -> OnlineBookings:
        """The online-booking settings, with every way of writing "no limit" as None."""
        found = self.online_bookings or Bookings(enabled=False)
        cap, limit = found.max_appointments_per_day_segment, found.daily_bookings_limit
        return OnlineBookings(
            enabled=found.enabled,
            lead=timedelta(hours=found.min_hours_advance_required_to_book or 0),
            segment_cap=cap if cap is not None and 0 < cap <= HIGHEST_CAP else None,
            daily_limit=limit if limit is not None and limit > 0 else None,
            reservation=timedelta(minutes=found.booking_reservation_minutes or 0),
        )


class Business(BaseModel):
    """An item of `/businesses`. Without per-business zones it shows the account's zone."""

    model_config = WIRE
    id: Id
    label: str | None = None
    display_name: str | None = None
    business_name: str | None = None
    time_zone_identifier: Annotated[str, AfterValidator(_zone)]
    show_in_online_bookings: Switch = True
    archived_at: str | None = None
    deleted_at: str | None = None

    def location(self) -> Location:
        """As the core's word; the name is the one people see in Cliniko."""
        name = self.label or self.display_name or self.business_name or self.id
        online = bool(self.show_in_online_bookings) and not self.archived_at and not self.deleted_at
        return Location(self.id, name, self.time_zone_identifier, online)


class Person(BaseModel):
    """An item of `/practitioners`."""

    model_config = WIRE
    id: Id
    label: str | None = None
    active: bool | None = True
    show_in_online_bookings: Switch = True
    default_appointment_type: OptionalLink = None

    def practitioner(self) -> Practitioner:
        """As the core's word; somebody inactive is not online."""
        online = bool(self.show_in_online_bookings) and self.active is not False
        return Practitioner(self.id, self.label or self.id, online, self.default_appointment_type)


class Type(BaseModel):
    """An item of `/appointment_types`."""

    model_config = WIRE
    id: Id
    name: str
    duration_in_minutes: Annotated[int, Field(gt=0)]
    max_attendees: int | None = 1
    show_in_online_bookings: Switch = True
    online_bookings_lead_time_hours: Annotated[int, Field(ge=0)] | None = None
    archived_at: str | None = None

    def appointment_type(self) -> AppointmentType:
        """As the core's word."""
        lead = self.online_bookings_lead_time_hours
        return AppointmentType(
            id=self.id,
            name=self.name,
            duration=timedelta(minutes=self.duration_in_minutes),
            lead=None if lead is None else timedelta(hours=lead),
            group=(self.max_attendees or 1) > 1,
            online=bool(self.show_in_online_bookings) and not self.archived_at,
        )


class Triples(BaseModel):
    """An item of `/services`: one type at one business, by these practitioners."""

    model_config = WIRE
    business: LinkedId
    appointment_type: LinkedId
    practitioners: list[LinkedId] | None = None

    def offers(self) -> list[Offer]:
        """One offer per practitioner."""
        return [Offer(self.business, practitioner, self.appointment_type) for practitioner in self.practitioners or ()]


class Window(BaseModel):
    """One window of a weekly template."""

    model_config = WIRE
    starts_at: Clock
    ends_at: Clock

    def parts(self, day: int) -> list[tuple[int, int, int]]:
        """As (day number, starts, ends) within single days, in minutes after midnight; none where it has no length."""
        if self.starts_at < (ends := self.ends_at or _DAY):
            return [(day, self.starts_at, ends)]
        if self.starts_at in {self.ends_at, _DAY}:
            return []
        return [(day, self.starts_at, _DAY), ((day + 1) % 7, 0, self.ends_at)]


class DailyAvailability(BaseModel):
    """An item of `/daily_availabilities`: one weekday of one practitioner at one business."""

    model_config = WIRE
    day_of_week: Annotated[int, Field(ge=0, le=7)] | None = None
    availabilities: list[Window] | None = None
    time_zone_identifier: Annotated[str, AfterValidator(_zone)] | None = None
    business: LinkedId
    practitioner: LinkedId

    def hours(self) -> list[WeeklyHours]:
        """Its windows, with Cliniko's own day number; midnight as an end is the end of the day.

        A window that ends before it starts goes on past midnight: the rest of it is the next day's. The day after `n` is
        `(n + 1) % 7` in each of the numberings in use, because 7 and 0 are the same Sunday (`core.roster`).
        """
        if self.day_of_week is None:
            return []
        return [
            WeeklyHours(self.business, self.practitioner, day, starts, ends)
            for window in self.availabilities or ()
            for day, starts, ends in window.parts(self.day_of_week)
        ]


class RepeatRule(BaseModel):
    """How a block repeats; `{}` and null mean it does not."""

    model_config = WIRE
    repeat_type: Literal["Daily", "Weekly", "Monthly"] | None = None
    repeating_interval: Annotated[int, Field(ge=1, le=1000)] | None = None
    number_of_repeats: Annotated[int, Field(ge=0, le=1000)] | None = None


class AvailabilityBlock(BaseModel):
    """An item of `/availability_blocks`: extra hours; its repeats are expanded by `blocks`."""

    model_config = WIRE
    starts_at: Instant
    ends_at: Instant
    business: LinkedId
    practitioner: LinkedId
    repeat_rule: RepeatRule | None = None

    def block(self) -> Block:
        """Its first occurrence."""
        return Block(self.business, self.practitioner, self.starts_at, self.ends_at)


class UnavailableBlock(BaseModel):
    """An item of `/unavailable_blocks`: leave, meetings, breaks. Its free text is never read."""

    model_config = WIRE
    starts_at: Instant
    ends_at: Instant
    business: LinkedId | None = None
    practitioner: LinkedId
    archived_at: str | None = None
    deleted_at: str | None = None

    def block(self) -> Block | None:
        """The stretch it takes away, None if it was withdrawn."""
        gone = self.archived_at or self.deleted_at
        return None if gone else Block(self.business, self.practitioner, self.starts_at, self.ends_at)


class AvailableTime(BaseModel):
    """An item of `available_times`: a start is all there is."""

    model_config = WIRE
    appointment_start: Instant


def starts(payloads: list[Any]) -> tuple[datetime, ...]:
    """The starts of all pages, ascending, each once."""
    return tuple(sorted({parse(AvailableTime, payload).appointment_start for payload in payloads}))
