"""What an examination goes by and what it comes to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from service.core.model import Campaign, Diaries, Platform, Survey, Unreadable
from service.core.rules.language import RuleSet


class Severity(StrEnum):
    """How much a finding matters: it stands in the way, somebody should look at it, or it is as it should be."""

    MUST_FIX = "must fix"
    LOOK_AT = "look at"
    FINE = "fine"


class Area(StrEnum):
    """What a finding is about, in the order people go through it."""

    SETTINGS = "Settings"
    CLINIKO = "Cliniko"
    SERVICES = "Services"
    RULES = "Rules"
    GOOGLE = "Google Ads"
    META = "Meta"


AREAS: dict[Platform, Area] = {Platform.GOOGLE: Area.GOOGLE, Platform.META: Area.META}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found: `check` is its stable name, `sentence` what is so, `advice` what to do about it."""

    check: str
    area: Area
    severity: Severity
    sentence: str
    advice: str = ""


class Why(StrEnum):
    """Why something could not be read."""

    NOT_SET_UP = "not_set_up"
    DENIED = "denied"
    UNREACHABLE = "unreachable"
    NOT_UNDERSTOOD = "not_understood"


@dataclass(frozen=True, slots=True)
class Unread:
    """An outside system that could not be read: why, what it said (no secret in it), and its own code for that."""

    why: Why
    message: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """What a clinic's API key says of itself; `overridden` where a setting names another address than the key does."""

    shard: str
    suffixed: bool
    overridden: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything an examination goes by.

    `rules` None: there is no file yet, or `refused` says what is wrong with it. `key` None: there is none, or it is
    malformed. `elsewhere` holds, by their names in the file, the file's campaigns that are not in their account's survey.
    `unaddressed` are channels of the file that have no address.
    """

    clinic: str
    now: datetime
    contact_email: bool
    kill_switch: bool
    requests_per_minute: int
    key: Key | None
    diaries: Diaries | Unread
    accounts: Mapping[Platform, Survey | Unread]
    elsewhere: Mapping[str, Campaign | Unreadable] = field(default_factory=dict)
    rules: RuleSet | None = None
    refused: str = ""
    unaddressed: tuple[str, ...] = ()
