"""The words of the product as types: what is observed, what is wanted, what is decided.

Instants are timezone-aware UTC datetimes, days are clinic-local dates, money is `Decimal` in major units of the ad account's
currency. Every type here is an immutable value that pydantic can write and read back, because a stored run is replayed from
them. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum


class Platform(StrEnum):
    """An advertising platform."""

    GOOGLE = "google"
    META = "meta"


class Mode(StrEnum):
    """How far the governor may go for a clinic: only say, ask first, or act."""

    WATCH = "watch"
    PROPOSE = "propose"
    ENFORCE = "enforce"


class Verdict(StrEnum):
    """What became of a proposal."""

    APPLY = "apply"
    NONE = "none"
    KEEP = "keep"
    AWAIT_APPROVAL = "await_approval"
    WOULD_APPLY = "would_apply"
    REFUSED = "refused"


class Reason(StrEnum):
    """Why a decision is what it is: the closed set of tokens that files, API and ledger share."""

    RULE = "rule"
    NO_RULE = "no_rule"
    ALREADY_THERE = "already_there"
    HELD = "held"
    KILL_SWITCH = "kill_switch"
    INELIGIBLE = "ineligible"
    PLATFORM_UNREADABLE = "platform_unreadable"
    PAUSED_BY_PERSON = "paused_by_person"
    BASE_MISMATCH = "base_mismatch"
    DRIFT = "drift"
    PROTECTED = "protected"
    CLINIKO_UNREADABLE = "cliniko_unreadable"
    DATA_INCOMPLETE = "data_incomplete"
    NO_HISTORY = "no_history"
    LEAD_TIME = "lead_time"
    CLOSED = "closed"
    NOT_SOLD_ONLINE = "not_sold_online"
    STABILISING = "stabilising"
    FLOOR = "floor"
    CEILING = "ceiling"
    STEP_LIMITED = "step_limited"
    DEAD_BAND = "dead_band"
    COOLING_DOWN = "cooling_down"
    MAX_CHANGES = "max_changes"
    EDIT_BUDGET = "edit_budget"
    CHANGE_WINDOW = "change_window"
    DAILY_CAP = "daily_cap"
    MONTHLY_CAP = "monthly_cap"
    BLAST_RADIUS = "blast_radius"
    SHARED_BUDGET = "shared_budget"
    MODE = "mode"
    SPENT_TODAY = "spent_today"


# --- what Cliniko shows -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Location:
    """A Cliniko business; `zone` is its IANA time zone."""

    id: str
    name: str
    zone: str
    online: bool


@dataclass(frozen=True, slots=True)
class Practitioner:
    """Somebody, or some equipment, with a diary.

    `default_type` is the appointment type whose duration spaces the starts that are shown; None where Cliniko chooses one.
    """

    id: str
    name: str
    online: bool
    default_type: str | None = None


@dataclass(frozen=True, slots=True)
class AppointmentType:
    """What can be booked. `lead` is None where the account's lead time holds; a group type takes several attendees."""

    id: str
    name: str
    duration: timedelta
    lead: timedelta | None
    group: bool
    online: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """A (location, practitioner, appointment type) triple that Cliniko's `/services` lists."""

    location: str
    practitioner: str
    type: str


@dataclass(frozen=True, slots=True)
class OnlineBookings:
    """The account's online-booking settings; None means no limit.

    `reservation` is how long a start disappears while somebody is in the middle of booking it.
    """

    enabled: bool
    lead: timedelta
    segment_cap: int | None
    daily_limit: int | None
    reservation: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """One window of the weekly template: wall-clock minutes after local midnight, [starts, ends).

    `day` is Cliniko's own `day_of_week` number; which weekday it means is settled by `core.capacity`.
    """

    location: str
    practitioner: str
    day: int
    starts: int
    ends: int


@dataclass(frozen=True, slots=True)
class Block:
    """A one-off stretch of a diary, [starts, ends) UTC: extra opening hours, or unavailable time.

    `location` is None where the block binds the practitioner everywhere.
    """

    location: str | None
    practitioner: str
    starts: datetime
    ends: datetime


class Unseen(StrEnum):
    """Why a probe brought nothing back, or nothing that counts."""

    NOT_FOUND = "not_found"
    FAILED = "failed"
    DOUBTED = "doubted"


@dataclass(frozen=True, slots=True)
class Probe:
    """The answer to one `available_times` question: one offer over local days [first, last], at most seven of them.

    `starts` are ascending UTC instants; None means unobserved, and `unseen` says why.
    """

    offer: Offer
    first: date
    last: date
    starts: tuple[datetime, ...] | None
    unseen: Unseen | None = None


@dataclass(frozen=True, slots=True)
class Diaries:
    """Everything one run read from one Cliniko account. No field can hold a patient datum."""

    bookings: OnlineBookings
    locations: tuple[Location, ...]
    practitioners: tuple[Practitioner, ...]
    types: tuple[AppointmentType, ...]
    offers: tuple[Offer, ...]
    hours: tuple[WeeklyHours, ...]
    extra: tuple[Block, ...]
    unavailable: tuple[Block, ...]
    probes: tuple[Probe, ...]


class NameOf(StrEnum):
    """What of Cliniko's a service names."""

    TYPE = "appointment type"
    LOCATION = "location"
    PRACTITIONER = "practitioner"


@dataclass(frozen=True, slots=True)
class KnownName:
    """A name that a service uses, folded, and the Cliniko ids that bore it when any did last (`core.known_names`)."""

    what: NameOf
    name: str
    ids: tuple[str, ...]


# --- what the ad platforms show -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class State:
    """What a campaign is doing: running or paused, and the daily budget it has (None where there is no daily budget)."""

    running: bool
    budget: Decimal | None


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a campaign's daily budget that its platform keeps by itself: on Meta, an ad set and what it may spend a day."""

    id: str
    budget: Decimal


Shares = tuple[Share, ...]
"""What a campaign's budget is divided into; empty where the campaign holds it as one."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as its platform showed it in this run.

    `ineligible` is empty for a campaign we may change, else a sentence saying why not and what to do. `unit` is the smallest
    amount the budget can be stepped by. `spent_today` and `spent_month` are what the account's own day and month have cost so
    far (None: not known). Both platforms report late, Google up to three hours, so there is always more to come; Google's day
    is what the month grew by since the last reading before midnight (`core.spending`), yesterday's last hours among it.
    `budget_ref` is the platform's own name of the budget, opaque to everybody but its adapter. `zone` is the IANA zone in which
    the account counts its days ('' where that is not known). Where the budget is divided, `shares` are its parts and the
    budget is their sum, and `spent_shares` what today has cost of each, as far as that is reported. `least` is the smallest
    budget the platform takes for it, in all. `sharers` are the ids of all campaigns that spend from the budget, this one's
    among them, where others do or may; empty where the budget is its own.
    """

    platform: Platform
    id: str
    name: str
    state: State
    currency: str
    unit: Decimal
    spent_today: Decimal | None = None
    spent_month: Decimal | None = None
    ineligible: str = ""
    budget_ref: str = ""
    zone: str = ""
    shares: Shares = ()
    least: Decimal = Decimal(0)
    spent_shares: Shares = ()
    sharers: tuple[str, ...] = ()

    @property
    def nowhere(self) -> bool:
        """Whether its platform knows no such campaign, and so shows neither name nor budget; `state` then says nothing."""
        return bool(self.ineligible) and self.name in {"", self.id} and self.state == State(running=False, budget=None)


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """One change of a campaign, or of the budget it runs on, as its platform's change history tells it.

    `by` is who made it and `via` by what means, in the platform's words ('' where it does not say). `running` is the status it
    was given and `budget` the daily budget in major units, each None where the change was not about it or is told unreadably;
    `about_status` says that it was a pause or a resume even where `running` cannot be read. `share` is the part of a divided
    budget that `budget` is the amount of ('' where it is the whole).
    """

    at: datetime
    by: str
    via: str
    about_status: bool = False
    running: bool | None = None
    budget: Decimal | None = None
    share: str = ""
    by_hand: bool = False


History = tuple[LoggedChange, ...]
"""The logged changes of one campaign, oldest first."""


@dataclass(frozen=True, slots=True)
class Survey:
    """One ad account with every campaign of it that is not removed, whether a rule file names it or not.

    `id` is the account's own, `zone` the IANA zone its days are counted in ('' where it does not say). Campaigns are judged
    eligible in the account's own currency.
    """

    platform: Platform
    id: str
    currency: str
    zone: str
    campaigns: tuple[Campaign, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An outside system could not be read: which, and what it said (no secret in it)."""

    system: str
    message: str


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Snapshot:
    """What one run observed. `campaigns` is keyed by the name in the rule file."""

    clinic: str
    taken_at: datetime
    diaries: Diaries | Unreadable
    campaigns: dict[str, Campaign | Unreadable]
