"""A notice, what has to be known to write one, and what is remembered from record to record. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from service.core.decide.left import Left
from service.core.decide.model import Notice as Turned
from service.core.model import State, Unreadable


class NoticeKind(StrEnum):
    """What a notice is about, in the order people should read them."""

    AWAITING_APPROVAL = "awaiting_approval"
    PLATFORM_REFUSED = "platform_refused"
    RULES_REJECTED = "rules_rejected"
    READINGS_MISSING = "readings_missing"
    RUN_FAILED = "run_failed"
    DRIFT = "drift"
    DRIFT_EXPIRES = "drift_expires"
    LEFT_CHANGED = "left_changed"
    APPLIED = "applied"
    RULE_TURNED = "rule_turned"
    READINGS_BACK = "readings_back"


TITLES: Mapping[NoticeKind, str] = {
    NoticeKind.AWAITING_APPROVAL: "Waiting for your yes or no",
    NoticeKind.PLATFORM_REFUSED: "Not changed, although the rules wanted it",
    NoticeKind.RULES_REJECTED: "Rule file refused",
    NoticeKind.READINGS_MISSING: "Readings missing",
    NoticeKind.RUN_FAILED: "Not evaluated",
    NoticeKind.DRIFT: "Changed by somebody else",
    NoticeKind.DRIFT_EXPIRES: "About to be taken over by the rules",
    NoticeKind.LEFT_CHANGED: "Left changed",
    NoticeKind.APPLIED: "Changed",
    NoticeKind.RULE_TURNED: "Rules that turned true",
    NoticeKind.READINGS_BACK: "Working again",
}

URGENT = frozenset({NoticeKind.PLATFORM_REFUSED, NoticeKind.RULES_REJECTED})
"""Told in quiet hours too: money goes on being spent otherwise than somebody wants, and nobody would know before morning."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell: a sentence, and what to do about it ('' where nothing is). `at` is when it was recorded.

    `channels` are names, whose addresses are settings. `asks` is the question that it is about ('' where it is about none): one
    that has had its answer is not told any more.
    """

    kind: NoticeKind
    at: datetime
    channels: tuple[str, ...]
    sentence: str
    todo: str = ""
    asks: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """The clinic that records are of: what its rule file in force says, and the sentences of decisions by their id."""

    clinic: str
    name: str = ""
    currency: str = ""
    channels: tuple[str, ...] = ()
    sentences: Mapping[str, str] = field(default_factory=dict)


CLINIKO = "cliniko"
DIARIES = "diaries of "
CAMPAIGN = "campaign "
"""What begins the name of something less than a whole system."""

# --- what a run records to be told --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Expiring:
    """A budget that somebody set and that the rules take over at `at`; `by` '' where the platform does not say who it was."""

    campaign: str
    by: str
    seen: State
    since: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class ToTell:
    """What a run found that people may want to hear of besides its decisions; part of its plan's record.

    `zone` is the clinic's. How things stand is told at every run: what of it is news depends on what was told before. `read` is
    what the run did read, of what it asked for: what it did not ask for is neither back nor gone (None: from before that was
    recorded).
    """

    zone: str = "UTC"
    turned: tuple[Turned, ...] = ()
    unread: tuple[Unreadable, ...] = ()
    read: tuple[str, ...] | None = None
    left: tuple[Left, ...] = ()
    expiring: tuple[Expiring, ...] = ()


# --- remembered from record to record -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that cannot be read or done `since` then, and when that was told last (None: not yet)."""

    since: datetime
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """What has been told of a clinic: troubles by system, and reminders by what they are about, with when they were sent."""

    zone: str = "UTC"
    troubles: Mapping[str, Trouble] = field(default_factory=dict)
    told: Mapping[str, datetime] = field(default_factory=dict)
