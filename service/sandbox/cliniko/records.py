"""One clinic's records as Cliniko shows them: ids as strings, references as links, and the free text that is in the real ones.

What a governor must not keep is here on purpose (`BAIT`): notes that name patients, staff e-mail addresses, links to
appointments and invoices. If a word of it turns up on our side, a field slipped through. Reads the world, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from service.sandbox.clinic import Clinic, Hours, Person, Span
from service.sandbox.minutes import Repeat, occurrences

BAIT = "bait"
"""In every string that must never leave the adapter."""

NOTE = f"{BAIT}: Jane Patient rang about her knee, 0400 000 000, jane@{BAIT}.example"
STAFF_EMAIL = f"reception@{BAIT}.example"
MADE_AT = "2025-01-06T00:00:00Z"

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Records:
    """The records of `clinic`; `base` is the address of this server up to and including `/v1`."""

    clinic: Clinic
    base: str

    def link(self, path: str) -> Record:
        """A reference, as Cliniko writes all of them."""
        return {"links": {"self": f"{self.base}{path}"}}

    def settings(self) -> Record:
        """`/settings/public`. How "no limit" is written is undocumented; here it is 0, which the published type allows."""
        shown = self.clinic.settings
        return {
            "account": {"id": "123", "name": self.clinic.name, "subdomain": self.clinic.slug, "time_zone_support": False},
            "calendar": {"start_hour": 7, "end_hour": 20, "timeslot_size_in_minutes": 15, "multiple_appointments_gap": False},
            "online_bookings": {
                "enabled": shown.enabled,
                "max_appointments_per_day_segment": shown.segment_cap or 0,
                "min_hours_advance_required_to_book": shown.lead_hours,
                "allow_bookings_days_in_advance": 84,
                "daily_bookings_limit": shown.daily_limit or 0,
                "booking_reservation_minutes": shown.reservation_minutes,
                "notice_enabled": True,
                "notice_text": f"Questions? {STAFF_EMAIL}",
                "practitioner_order": list(self.clinic.people),
                "show_prices": False,
            },
            "terminology": {"patient": "client", "titles": ["Mr", "Ms", "Dr"]},
            "wait_list": {"default_wait_list_expiry_period": 14},
        }

    def businesses(self) -> list[Record]:
        """`/businesses`, links to appointments included."""
        return [
            {
                **self._made(f"/businesses/{place.id}", place.id),
                "business_name": place.name,
                "display_name": None,
                "label": place.name,
                "address_1": "1 Quay St",
                "city": place.zone.rpartition("/")[2],
                "country_code": "AU",
                "time_zone": place.zone.rpartition("/")[2],
                "time_zone_identifier": place.zone,
                "show_in_online_bookings": place.online,
                "appointment_type_ids": list(self.clinic.types if place.types is None else place.types),
                "archived_at": None,
                "deleted_at": None,
                "email_reply_to": STAFF_EMAIL,
                "contact_information": f"Ask for {BAIT} Smith",
                "appointments": self.link(f"/businesses/{place.id}/appointments"),
                "practitioners": self.link(f"/businesses/{place.id}/practitioners"),
            }
            for place in self.clinic.businesses.values()
        ]

    def practitioners(self, *, active: bool = True) -> list[Record]:
        """`/practitioners`, or `/practitioners/inactive`."""
        return [self._practitioner(person) for person in self.clinic.people.values() if person.active is active]

    def _practitioner(self, person: Person) -> Record:
        path = f"/practitioners/{person.id}"
        first, _, last = person.name.partition(" ")
        default = person.default_type
        return {
            **self._made(path, person.id),
            "title": None,
            "first_name": first,
            "last_name": last,
            "display_name": None,
            "label": person.name,
            "designation": f"{BAIT} designation",
            "active": person.active,
            "show_in_online_bookings": person.online,
            **({"default_appointment_type": self.link(f"/appointment_types/{default}")} if default else {}),
            "appointment_types": self.link(f"{path}/appointment_types"),
            "appointments": self.link(f"{path}/appointments"),
            "invoices": self.link(f"{path}/invoices"),
            "user": self.link(f"/users/9{person.id[1:]}"),
        }

    def appointment_types(self) -> list[Record]:
        """`/appointment_types`, archived ones left out."""
        return [
            {
                **self._made(f"/appointment_types/{type_.id}", type_.id),
                "name": type_.name,
                "description": f"{BAIT} description",
                "category": None,
                "color": "#1F7A8C",
                "duration_in_minutes": type_.minutes,
                "max_attendees": type_.max_attendees,
                "show_in_online_bookings": type_.online,
                "online_bookings_lead_time_hours": type_.lead_hours,
                "telehealth_enabled": False,
                "online_payments_enabled": False,
                "online_payments_mode": None,
                "archived_at": None,
                "practitioners": self.link(f"/appointment_types/{type_.id}/practitioners"),
            }
            for type_ in self.clinic.types.values()
            if not type_.archived
        ]

    def services(self) -> list[Record]:
        """`/services`: no ids, no timestamps. Whether the real one leaves offline items out is unknown; this one does not."""
        return [
            {
                "business": self.link(f"/businesses/{place}"),
                "appointment_type": self.link(f"/appointment_types/{type_}"),
                "practitioners": [self.link(f"/practitioners/{person}") for person in people],
            }
            for place in self.clinic.businesses
            for type_, what in self.clinic.types.items()
            if not what.archived and (people := self.clinic.offering(place, type_))
        ]

    def daily_availabilities(self) -> list[Record]:
        """`/daily_availabilities`: one record per business, practitioner and weekday."""
        days: dict[tuple[str, str, int], list[Hours]] = {}
        for hours in sorted(self.clinic.hours, key=lambda each: each.starts):
            days.setdefault((hours.business, hours.person, hours.weekday), []).append(hours)
        return [
            {
                **self._made(f"/daily_availabilities/{id_}", id_),
                "day_of_week": day_number(weekday, self.clinic.day_scheme),
                "availabilities": [{"starts_at": _clock(each.starts), "ends_at": _clock(each.ends)} for each in windows],
                "time_zone": self.clinic.businesses[place].zone.rpartition("/")[2],
                "time_zone_identifier": self.clinic.businesses[place].zone,
                "business": self.link(f"/businesses/{place}"),
                "practitioner": self.link(f"/practitioners/{person}"),
            }
            for (place, person, weekday), windows in days.items()
            for id_ in [_made_up(place, person, weekday)]
        ]

    def availability_blocks(self) -> list[Record]:
        """`/availability_blocks`: extra hours; they have no notes. A repeat is a rule, or rows, or both."""
        return [
            {**self._block("availability_blocks", place, row), "repeat_rule": _rule(row.repeat)}
            for place, span in self._at(self.clinic.extra)
            for row in self._rows(place, span, self.clinic.repeats_as)
        ]

    def unavailable_blocks(self) -> list[Record]:
        """`/unavailable_blocks`, whose notes are where clinics write what nobody else should read; a row per occurrence."""
        return [
            {
                **self._block("unavailable_blocks", place, row),
                "notes": span.notes or NOTE,
                "archived_at": MADE_AT if span.withdrawn == "archived" else None,
                "deleted_at": MADE_AT if span.withdrawn == "deleted" else None,
                "repeat_rule": None,
            }
            for place, span in self._at(self.clinic.unavailable)
            for row in self._rows(place, span, "rows")
        ]

    def _at(self, spans: Iterable[Span]) -> list[tuple[str, Span]]:
        """Each span with its business; one that binds a practitioner everywhere is a record at each place."""
        listed = [span for span in spans if self.clinic.lists_withdrawn or not span.withdrawn]
        places = {span.person: self.clinic.listed_at(span.person) for span in listed}
        return [(place, span) for span in listed for place in ([span.business] if span.business else places[span.person])]

    def _rows(self, place: str, span: Span, served: str) -> list[Span]:
        """A block as one row with its rule ("rule"), a row per occurrence ("rows"), or those and the rule ("both")."""
        if served == "rule" or span.repeat is None:
            return [span]
        zone = self.clinic.businesses[place].zone
        first, *later = occurrences(span.starts, span.ends, span.repeat, zone)
        rule = span.repeat if served == "both" else None
        return [Span(span.person, *first, repeat=rule), *(Span(span.person, *each) for each in later)]

    def _block(self, resource: str, place: str, span: Span) -> Record:
        id_ = _made_up(resource, place, span.person, span.starts, span.ends)
        return {
            **self._made(f"/{resource}/{id_}", id_),
            "starts_at": instant(span.starts),
            "ends_at": instant(span.ends),
            "business": self.link(f"/businesses/{place}"),
            "practitioner": self.link(f"/practitioners/{span.person}"),
        }

    def _made(self, path: str, id_: str) -> Record:
        return {"id": id_, "created_at": MADE_AT, "updated_at": MADE_AT, **self.link(path)}


def _rule(repeat: Repeat | None) -> Record:
    if repeat is None:
        return {}
    return {"repeat_type": repeat.kind, "repeating_interval": repeat.every, "number_of_repeats": repeat.times}


def instant(at: datetime) -> str:
    """An instant as Cliniko writes it: UTC with `Z`, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def day_number(weekday: int, scheme: str) -> int:
    """A weekday (Monday 0) in one of the three numberings that Cliniko's documents and clients disagree about."""
    return {"iso": weekday + 1, "sunday0": (weekday + 1) % 7, "monday0": weekday}[scheme]


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _made_up(*parts: object) -> str:
    """A 19-digit id that stays the same as long as what it names does."""
    return str(1_700_000_000_000_000_000 + crc32(repr(parts).encode()))
