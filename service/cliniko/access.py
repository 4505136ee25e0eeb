"""What may be asked of Cliniko, what may be kept of the answers, and where it is: the whole privacy boundary in one place.

Cliniko's keys cannot be narrowed below a user role, and even the lowest role sees patients (Cliniko help, "User security
roles"). So the limits are here: GET only, a list of paths, and a list of fields that are kept before anything else looks at
an answer. Pure.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import httpx

from service.core.errors import ProtocolError, RefusedError, SettingsError
from service.core.model import Offer

SYSTEM = "cliniko"
DEFAULT_SHARD = "au1"
"""Where accounts live whose key has no suffix: it was made before there were shards (Cliniko API, "Sharding")."""

_SHARD = re.compile(r"[a-z]{2,3}[0-9]{1,2}")
_EMAIL = re.compile(r"[^@\s()<>]+@[^@\s()<>]+")
_ID = "[0-9]{1,20}"

PATHS: tuple[re.Pattern[str], ...] = (
    re.compile(r"/settings/public"),
    re.compile(r"/businesses"),
    re.compile(r"/practitioners"),
    re.compile(r"/appointment_types"),
    re.compile(r"/services"),
    re.compile(r"/daily_availabilities"),
    re.compile(r"/availability_blocks"),
    re.compile(r"/unavailable_blocks"),
    re.compile(rf"/businesses/{_ID}/practitioners/{_ID}/appointment_types/{_ID}/available_times"),
)
"""Every path that may be read, below `/v1`; each must match as a whole."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    "settings": (
        "online_bookings.enabled",
        "online_bookings.max_appointments_per_day_segment",
        "online_bookings.min_hours_advance_required_to_book",
        "online_bookings.daily_bookings_limit",
        "online_bookings.booking_reservation_minutes",
    ),
    "businesses": (
        "id",
        "label",
        "display_name",
        "business_name",
        "time_zone_identifier",
        "show_in_online_bookings",
        "archived_at",
        "deleted_at",
    ),
    "practitioners": ("id", "label", "active", "show_in_online_bookings", "default_appointment_type.links.self"),
    "appointment_types": (
        "id",
        "name",
        "duration_in_minutes",
        "max_attendees",
        "show_in_online_bookings",
        "online_bookings_lead_time_hours",
        "archived_at",
    ),
    "services": ("business.links.self", "appointment_type.links.self", "practitioners.links.self"),
    "daily_availabilities": (
        "day_of_week",
        "availabilities.starts_at",
        "availabilities.ends_at",
        "time_zone_identifier",
        "business.links.self",
        "practitioner.links.self",
    ),
    "availability_blocks": (
        "starts_at",
        "ends_at",
        "business.links.self",
        "practitioner.links.self",
        "repeat_rule.repeat_type",
        "repeat_rule.repeating_interval",
        "repeat_rule.number_of_repeats",
    ),
    "unavailable_blocks": (
        "starts_at",
        "ends_at",
        "business.links.self",
        "practitioner.links.self",
        "archived_at",
        "deleted_at",
    ),
    "available_times": ("appointment_start",),
}
"""Every field that is kept, per resource; lists on the way are entered. `notes` of blocks can name patients: not here."""


def available_times_path(offer: Offer) -> str:
    """Where the starts of one offer are."""
    return f"/businesses/{offer.location}/practitioners/{offer.practitioner}/appointment_types/{offer.type}/available_times"


def keep(resource: str, payload: object) -> object:
    """`payload` with nothing but the allowed fields of `resource`, and those only where they hold plain values."""
    return _kept(payload, [tuple(name.split(".")) for name in FIELDS[resource]])


def _kept(value: object, paths: Iterable[tuple[str, ...]]) -> object:
    deeper = [path for path in paths if path]
    if not deeper:
        return value if value is None or isinstance(value, (str, int, float)) else None
    if isinstance(value, list):
        return [_kept(each, deeper) for each in value]
    if isinstance(value, dict):
        names = {path[0] for path in deeper} & value.keys()
        return {name: _kept(value[name], [path[1:] for path in deeper if path[0] == name]) for name in names}
    return None


@dataclass(frozen=True, slots=True)
class Access:
    """One account's way in. `base_url` ends with `/v1`; `agent` names us as Cliniko wants to be able to reach us.

    `owner` names the Cliniko user where one user has several keys; without it each key is taken to be a user of its own.
    """

    base_url: httpx.URL
    agent: str
    key: str = field(repr=False)
    owner: str | None = None

    @classmethod
    def of(cls, api_key: str, contact_email: str, base_url: str | None = None, owner: str | None = None) -> Access:
        """Derive the address from the key's suffix, unless it is overridden; `SettingsError` where something is malformed."""
        key = api_key.strip()
        if not key or not key.isascii() or not key.isprintable() or set(key) & {" ", ":"}:
            raise SettingsError("the Cliniko API key is empty or has characters that no key has; copy it again")
        if not _EMAIL.fullmatch(contact_email):
            raise SettingsError("Cliniko wants an e-mail address it can reach: set GOVERNOR_CLINIKO__CONTACT_EMAIL")
        url = _checked(base_url or f"https://api.{shard_of(key)}.cliniko.com/v1")
        return cls(url, _agent(contact_email), key, owner.strip() or None if owner else None)

    @property
    def user(self) -> str:
        """A name for the key's owner that gives nothing of the key away: request budgets are kept per user.

        Cliniko takes a key with and without its shard suffix (Cliniko API, "Sharding"), so the suffix is no part of it.
        """
        named = f"user {self.owner}" if self.owner else f"key {_without_shard(self.key)}"
        return sha256(named.encode()).hexdigest()[:16]

    def url(self, path: str, params: Iterable[tuple[str, str]] = ()) -> httpx.URL:
        """The address of a path below `/v1`."""
        return self.base_url.copy_with(path=self.base_url.path + path, params=list(params) or None)

    def permit(self, method: str, url: httpx.URL) -> None:
        """Raise `RefusedError`, before a byte is sent, for anything that is not an allowed read of our own account."""
        path = self._path(url)
        if method != "GET" or path is None or not any(pattern.fullmatch(path) for pattern in PATHS):
            raise RefusedError(SYSTEM, f"{method} {_without_query(url)} may not be asked of Cliniko", code="not_allowed")

    def follow(self, url: httpx.URL, link: str) -> httpx.URL:
        """The next page that `link` on the page `url` names; `ProtocolError` if it leads off our account or its lists."""
        try:
            target = url.join(link)
        except (httpx.InvalidURL, ValueError):
            raise ProtocolError(SYSTEM, f"{url.path} links to a next page that is no address", code="bad_link") from None
        path = self._path(target)
        if path is None or not any(pattern.fullmatch(path) for pattern in PATHS):
            raise ProtocolError(SYSTEM, f"{url.path} links to a next page outside our account", code="foreign_link")
        return target

    def redact(self, text: str) -> str:
        """`text` fit for a log or ledger: without key, credentials and e-mail addresses, at most 200 characters."""
        bare = self.key.rpartition("-")[0]
        secrets = [self.key, *(b64encode(f"{key}:".encode()).decode() for key in (self.key, bare) if key), bare]
        for secret in filter(None, secrets):
            text = text.replace(secret, "[key]")
        return _EMAIL.sub("[e-mail]", text)[:200]

    def _path(self, url: httpx.URL) -> str | None:
        """The path below `/v1`, as it goes over the wire; None for another server."""
        prefix = self.base_url.path
        path = url.raw_path.partition(b"?")[0].decode("ascii")
        ours = (url.scheme, url.host, url.port, url.userinfo) == (
            self.base_url.scheme,
            self.base_url.host,
            self.base_url.port,
            b"",
        )
        return path.removeprefix(prefix) if ours and path.startswith(f"{prefix}/") else None


def shard_of(key: str) -> str:
    """The shard a key names after its last hyphen; a key without a suffix is of the first shard."""
    _, hyphen, suffix = key.rpartition("-")
    shard = suffix.lower()
    if not hyphen:
        return DEFAULT_SHARD
    if not _SHARD.fullmatch(shard):
        raise SettingsError("the Cliniko API key does not end in a shard such as -au2; copy it again, to its very end")
    return shard


def _without_shard(key: str) -> str:
    bare, hyphen, suffix = key.rpartition("-")
    return bare if hyphen and _SHARD.fullmatch(suffix.lower()) else key


def _agent(contact_email: str) -> str:
    return f"ad-spend-governor ({contact_email})"


def _checked(base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url.rstrip("/"))
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host or not url.path.endswith("/v1") or url.userinfo or url.query:
        raise SettingsError("the Cliniko base URL must be a plain http(s) address up to and including /v1")
    return url


def _without_query(url: httpx.URL) -> str:
    return str(url.copy_with(query=None, userinfo=b""))
