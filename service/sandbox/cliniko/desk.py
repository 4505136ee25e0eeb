"""What each readable path of Cliniko answers: lists with their filters, single records, and the available times. Reads only."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from service.sandbox.cliniko.answers import Answer, Asked, RefusalError, bad_request
from service.sandbox.cliniko.records import Record, Records, instant
from service.sandbox.world import World

LONGEST_SPAN = timedelta(days=6)
"""From `from` to `to`: seven dates (Cliniko API issue 173)."""

BAD_WINDOW = "Invalid time frame definition. Please check from/to param limitations."

_ID = r"(\d+)"
_TRIPLE = rf"/businesses/{_ID}/practitioners/{_ID}/appointment_types/{_ID}"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_FILTER = re.compile(r"(\w+):(>=|<=|!=|=|>|<)(.+)")


@dataclass(frozen=True, slots=True)
class Desk:
    """Where one request is served, in the presence of a fault of this kind."""

    world: World
    records: Records
    asked: Asked
    kind: str = ""

    def settings(self) -> Record:
        """`/settings/public`."""
        return self.records.settings()

    def listed(self, resource: str) -> list[Record]:
        """A whole list, narrowed by every `q[]`; a `q` without its brackets is ignored silently, as by the real one."""
        if resource == "practitioners/inactive":
            return self.records.practitioners(active=False)
        found: list[Record] = getattr(self.records, resource)()
        return [record for record in found if all(_passes(record, value) for key, value in self.asked.query if key == "q[]")]

    def single(self, resource: str, id_: str) -> Record:
        """One record by its id."""
        return next((record for record in self.listed(resource) if record["id"] == id_), None) or _missing()

    def nested(self, resource: str, owner: str, id_: str) -> list[Record]:
        """The items of a list that refer to one business or practitioner."""
        return [record for record in self.listed(resource) if _id_of(record[owner]) == id_]

    def offering(self, owner: str, id_: str) -> list[Record]:
        """The practitioners at a business, or of an appointment type."""
        people = {_id_of(link) for each in self.nested("services", owner, id_) for link in each["practitioners"]}
        return [record for record in self.records.practitioners() if record["id"] in people]

    def types_of(self, person: str) -> list[Record]:
        """The appointment types a practitioner offers."""
        who = self.records.clinic.people.get(person)
        return [record for record in self.listed("appointment_types") if who and record["id"] in who.types]

    def available_times(self, business: str, person: str, type_: str) -> list[Record]:
        """The starts shown online; 404 where the three do not go together online."""
        first, last = self._window()
        found = self.records.clinic.starts(business, person, type_, first, last, self.world.now)
        if found is None:
            raise RefusalError(Answer(404))
        if self.kind == "wrong_zone" or "local_as_utc" in self.records.clinic.anomalies:
            zone = ZoneInfo(self.records.clinic.businesses[business].zone)
            found = [start.astimezone(zone).replace(tzinfo=UTC) for start in found]
        return [{"appointment_start": instant(start)} for start in found]

    def next_available_time(self, business: str, person: str, type_: str) -> Record:
        """The first start of the coming four weeks."""
        today = self.world.now.astimezone(ZoneInfo(self.records.clinic.zone)).date()
        found = self.records.clinic.starts(business, person, type_, today, today + timedelta(days=27), self.world.now)
        if not found:
            raise RefusalError(Answer(404))
        return {"appointment_start": instant(found[0]), **self.records.link(self.asked.path.removeprefix("/v1"))}

    def _window(self) -> tuple[date, date]:
        """Seven dates at most, none of them past in the account's zone."""
        given = [self.asked.param(name) or "" for name in ("from", "to")]
        try:
            first, last = (date.fromisoformat(value) for value in given if _DATE.fullmatch(value))
        except ValueError:
            raise bad_request(BAD_WINDOW) from None
        today = self.world.now.astimezone(ZoneInfo(self.records.clinic.zone)).date()
        if not today <= first <= last <= first + LONGEST_SPAN:
            raise bad_request(BAD_WINDOW)
        return first, last


Handler = Callable[..., Record | list[Record]]


def _of(method: Handler, *fixed: str) -> Handler:
    """A desk's method with its leading arguments given, the ids in the path coming after them."""
    return lambda desk, *ids: method(desk, *fixed, *ids)


LISTS = (
    "businesses",
    "practitioners",
    "practitioners/inactive",
    "appointment_types",
    "services",
    "daily_availabilities",
    "availability_blocks",
    "unavailable_blocks",
)

_ROUTES: dict[str, Handler] = {
    "/settings/public": Desk.settings,
    **{f"/{name}": _of(Desk.listed, name) for name in LISTS},
    **{f"/{name}/{_ID}": _of(Desk.single, name) for name in ("businesses", "practitioners", "appointment_types")},
    rf"/businesses/{_ID}/practitioners": _of(Desk.offering, "business"),
    rf"/businesses/{_ID}/services": _of(Desk.nested, "services", "business"),
    rf"/businesses/{_ID}/daily_availabilities": _of(Desk.nested, "daily_availabilities", "business"),
    rf"/practitioners/{_ID}/daily_availabilities": _of(Desk.nested, "daily_availabilities", "practitioner"),
    rf"/practitioners/{_ID}/appointment_types": Desk.types_of,
    rf"/appointment_types/{_ID}/practitioners": _of(Desk.offering, "appointment_type"),
    rf"{_TRIPLE}/available_times": Desk.available_times,
    rf"{_TRIPLE}/next_available_time": Desk.next_available_time,
}


def route_of(path: str) -> tuple[Handler, tuple[str, ...]] | None:
    """What serves a path, and the ids in it; None where nothing does."""
    matches = ((handler, re.fullmatch(f"/v1{pattern}", path)) for pattern, handler in _ROUTES.items())
    return next(((handler, match.groups()) for handler, match in matches if match), None)


def _passes(record: Record, condition: str) -> bool:
    """Whether a record satisfies one `field:<op><value>`; ids and switches by equality, instants by order."""
    parts = _FILTER.fullmatch(condition)
    name = parts[1] if parts else condition.partition(":")[0]
    owner = record.get(name.removesuffix("_id")) if name.endswith("_id") else None
    value = _id_of(owner) if owner else record.get(name)
    if parts is None or not isinstance(value, (str, bool)):
        raise bad_request(f"{name} is not filterable")
    text, wanted = str(value).lower() if isinstance(value, bool) else value, parts[3]
    checks = {"=": text == wanted, "!=": text != wanted, ">": text > wanted, "<": text < wanted}
    return checks.get(parts[2], text == wanted or checks[parts[2][0]])


def _id_of(link: Record) -> str:
    address: str = link["links"]["self"]
    return urlsplit(address).path.rpartition("/")[2]


def _missing() -> Record:
    raise RefusalError(Answer(404))
