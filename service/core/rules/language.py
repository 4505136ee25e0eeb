"""What a rule file says, as types.

The loader turns a checked file into one `RuleSet`; everything after it works on these values only. Percentages of base are
`Decimal` fractions of 100 ("130%" is 130), thresholds carry their metric's unit (design: utilisation 95 means 95%). Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from service.core.model import KnownName, Mode, Platform


class Metric(StrEnum):
    """What rules may name."""

    UTILISATION = "utilisation"
    OPEN_SLOTS = "open_slots"
    OPEN_HOURS = "open_hours"
    WORKING_HOURS = "working_hours"
    DAYS_TO_NEXT_OPENING = "days_to_next_opening"
    FULL_DAYS = "full_days"
    SLOTS_OPENED = "slots_opened"
    EXPECTED_OPEN_SLOTS = "expected_open_slots"
    EXPECTED_UTILISATION = "expected_utilisation"
    COVERAGE = "coverage"


class Unit(StrEnum):
    """A metric's unit, which is also how its thresholds are written (`95%`, `12h`, `5`)."""

    PERCENT = "%"
    HOURS = "h"
    COUNT = ""


UNITS: dict[Metric, Unit] = {
    Metric.UTILISATION: Unit.PERCENT,
    Metric.OPEN_SLOTS: Unit.COUNT,
    Metric.OPEN_HOURS: Unit.HOURS,
    Metric.WORKING_HOURS: Unit.HOURS,
    Metric.DAYS_TO_NEXT_OPENING: Unit.COUNT,
    Metric.FULL_DAYS: Unit.COUNT,
    Metric.SLOTS_OPENED: Unit.COUNT,
    Metric.EXPECTED_OPEN_SLOTS: Unit.COUNT,
    Metric.EXPECTED_UTILISATION: Unit.PERCENT,
    Metric.COVERAGE: Unit.PERCENT,
}


LONGEST_LOOK_BACK = timedelta(hours=72)
"""How far back a rule may compare."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric with its parameters: the local days it covers, the look-back of `slots_opened`, the wanted confidence in %.

    Readings are looked up by their measures all the time, so a measure's hash is worked out once.
    """

    metric: Metric
    within: int = 14
    since: timedelta = timedelta(hours=24)
    confidence: Decimal | None = None
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.metric, self.within, self.since, self.confidence)))

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[type[Measure], tuple[object, ...]]:
        return Measure, (self.metric, self.within, self.since, self.confidence)  # another process hashes text otherwise


def one(measure: Measure) -> Measure:
    """The same object for the same measure, however often it is written: what is identical need not be compared."""
    return _first_of(measure, str(measure.confidence))


@lru_cache(maxsize=4096)
def _first_of(measure: Measure, _written: str) -> Measure:
    """The first measure of its kind; 80 and 80.0 are equal, and kept as they are written."""
    return measure


class Op(StrEnum):
    """A comparator; `between` takes two thresholds, ends included."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    ABOVE = "above"
    BELOW = "below"
    BETWEEN = "between"


@dataclass(frozen=True, slots=True)
class Compare:
    """`metric op threshold`, in the metric's unit; `upper` is the second threshold of `between`."""

    measure: Measure
    op: Op
    threshold: Decimal
    upper: Decimal | None = None
    kind: Literal["compare"] = "compare"


@dataclass(frozen=True, slots=True)
class All:
    """All must hold."""

    terms: tuple[Condition, ...]
    kind: Literal["all"] = "all"


@dataclass(frozen=True, slots=True)
class Any:
    """At least one must hold."""

    terms: tuple[Condition, ...]
    kind: Literal["any"] = "any"


@dataclass(frozen=True, slots=True)
class Not:
    """Must not hold."""

    term: Condition
    kind: Literal["not"] = "not"


Condition = Compare | All | Any | Not


@dataclass(frozen=True, slots=True)
class Pause:
    """`then: pause`."""

    kind: Literal["pause"] = "pause"


@dataclass(frozen=True, slots=True)
class Percent:
    """`budget: 130%`: so much of the base budget."""

    percent: Decimal
    kind: Literal["percent"] = "percent"


class Named(StrEnum):
    """The budgets a campaign names itself."""

    FLOOR = "floor"
    BASE = "base"
    CEILING = "ceiling"


@dataclass(frozen=True, slots=True)
class NamedBudget:
    """`budget: floor`, `base` or `ceiling`."""

    which: Named
    kind: Literal["named"] = "named"


@dataclass(frozen=True, slots=True)
class Amount:
    """`budget: 35.00`: so much a day."""

    amount: Decimal
    kind: Literal["amount"] = "amount"


@dataclass(frozen=True, slots=True)
class CostPerBooking:
    """`budget: {cost_per_booking: 45.00, within: 14d}`: what filling the expected unfilled openings is worth per day."""

    cost: Decimal
    within: int = 14
    kind: Literal["cost_per_booking"] = "cost_per_booking"


Action = Pause | Percent | NamedBudget | Amount | CostPerBooking


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a ladder: it holds where the ladder's metric satisfies (op, threshold); `op` None is `otherwise`."""

    op: Op | None
    threshold: Decimal | None
    action: Action

    @property
    def key(self) -> str:
        """What the step is known by when the file is edited around it: `at_least 90`, `otherwise`."""
        return f"{self.op} {self.threshold:f}" if self.op and self.threshold is not None else "otherwise"


@dataclass(frozen=True, slots=True)
class Bands:
    """A ladder of budgets by one metric; the first step that holds. `margin` is in the metric's unit."""

    measure: Measure
    margin: Decimal
    steps: tuple[Step, ...]


EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the week, clinic-local: weekdays (Monday 0) and minutes of the day, [starts, ends).

    The public holidays of a region (`AU-NSW`: ISO 3166 country and subdivision) are no part of it; None: all days are alike.
    """

    days: tuple[int, ...] = EVERY_DAY
    starts: int = 0
    ends: int = 1440
    public_holidays: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Exactly one of `then` and `bands` is set, unless the rule only notifies.

    `campaigns` are the names it applies to, already resolved from `service:` or `campaigns:`. `hold_for` is the file's
    `for`. `active` is when the rule is looked at (None: always). `stabilise` overrides the guardrail's raise window for
    raises this rule wants. `line` is where it starts, in the file of the pack `pack` if that is not empty.
    """

    name: str
    campaigns: tuple[str, ...]
    when: Condition | None = None
    hold_for: timedelta = timedelta(0)
    until: Condition | None = None
    bands: Bands | None = None
    then: Action | None = None
    notify: str | None = None
    stabilise: timedelta | None = None
    active: Window | None = None
    line: int = 0
    pack: str = ""


@dataclass(frozen=True, slots=True)
class RaiseAndCut:
    """One value for raises and one for cuts."""

    up: timedelta
    down: timedelta


@dataclass(frozen=True, slots=True)
class MaxStep:
    """The largest single change, in % of the base budget."""

    up: Decimal = Decimal(50)
    down: Decimal = Decimal(100)


@dataclass(frozen=True, slots=True)
class EditBudget:
    """How many significant edits a campaign may have in a sliding period."""

    edits: int = 2
    per: timedelta = timedelta(days=7)


class Fallback(StrEnum):
    """What to do when Cliniko has been unreadable for long."""

    KEEP = "keep"
    BASE = "base"


@dataclass(frozen=True, slots=True)
class Guardrails:
    """The limits between what rules want and what is done; the defaults are the safe ones.

    Percentages are of base; `blast_radius` is the share of a clinic's changeable campaigns one run may move drastically.
    """

    stabilise: RaiseAndCut = RaiseAndCut(up=timedelta(hours=24), down=timedelta(0))
    max_step: MaxStep = MaxStep()
    dead_band: Decimal = Decimal(5)
    cooldown: timedelta = timedelta(hours=6)
    max_changes_per_day: int = 3
    edit_budget: EditBudget = EditBudget()
    drift_expires: timedelta = timedelta(days=7)
    fallback: Fallback = Fallback.KEEP
    fallback_after: timedelta = timedelta(hours=24)
    change_window: Window | None = None
    blast_radius: Decimal = Decimal(50)


class SharedBudget(StrEnum):
    """Whether a campaign may be governed on a budget that it shares with others."""

    ALLOW = "allow"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class CampaignEntry:
    """A campaign as the file declares it; budgets are per day in the clinic's currency."""

    name: str
    platform: Platform
    id: str
    service: str
    base: Decimal
    floor: Decimal
    ceiling: Decimal
    guardrails: Guardrails
    protect: bool = False
    shared_budget: SharedBudget = SharedBudget.REFUSE


@dataclass(frozen=True, slots=True)
class Service:
    """What an ad sells: appointment types by name in order of preference, where and by whom.

    `locations` and `practitioners` None mean every one sold online; names are compared ignoring case and outer blanks.
    `known` is no part of the file: what a run remembers of its names.
    """

    name: str
    appointment_types: tuple[str, ...]
    locations: tuple[str, ...] | None = None
    practitioners: tuple[str, ...] | None = None
    exclude_practitioners: tuple[str, ...] = ()
    known: tuple[KnownName, ...] = ()


@dataclass(frozen=True, slots=True)
class GoogleAccount:
    """The clinic's Google Ads account, digits only, and the manager account it is reached through."""

    customer_id: str
    login_customer_id: str | None = None


@dataclass(frozen=True, slots=True)
class MetaAccount:
    """The clinic's Meta ad account, `act_` and digits."""

    ad_account_id: str


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One checked revision of a clinic's rule file.

    `digest` is the SHA-256 in hex of the file's bytes and those of its packs, `revision` the git commit they are of ("": none).
    """

    clinic: str
    name: str
    digest: str
    currency: str
    mode: Mode
    services: dict[str, Service]
    campaigns: dict[str, CampaignEntry]
    rules: tuple[Rule, ...]
    guardrails: Guardrails
    google: GoogleAccount | None = None
    meta: MetaAccount | None = None
    notify: tuple[str, ...] = ()
    daily_cap: Decimal | None = None
    monthly_cap: Decimal | None = None
    revision: str = ""
