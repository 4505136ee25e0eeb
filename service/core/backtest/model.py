"""What a backtest works on and what it comes to, as values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from service.core.model import Diaries, Reason, State, Unreadable
from service.core.pace import Look
from service.core.rules.language import RuleSet

# --- what goes in -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moment:
    """One run of then: its id, and what it read of Cliniko at `at`."""

    run: str
    at: datetime
    diaries: Diaries | Unreadable


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule file to try, with the looks from before the period that its services' booking pace may be learnt from."""

    rules: RuleSet
    looks: tuple[Look, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for every file: the period, ends included; the smallest step of a budget by `<platform>/<id>`; holidays.

    A campaign without an entry in `units` has budgets in whole hundredths, or whole units of a currency that has none.
    `parts` is how many equal parts the period is cut into for the picture.
    """

    first: datetime
    last: datetime
    units: Mapping[str, Decimal] = field(default_factory=dict)
    holidays: dict[str, tuple[date, ...]] = field(default_factory=dict)
    parts: int = 60


# --- what comes out -----------------------------------------------------------------------------------------------------


class Kind(StrEnum):
    """What a change does to a campaign."""

    PAUSE = "pause"
    RESUME = "resume"
    RAISE = "raise"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Made:
    """One change that would have been made, in the words of its decision.

    `significant`: it counts for the edit budget. `approval`: a person would have been asked first (`blast_radius`).
    """

    at: datetime
    run: str
    campaign: str
    kind: Kind
    before: State
    after: State
    rule: str | None
    reason: Reason
    sentence: str
    significant: bool
    approval: bool


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """What one campaign would have come to; hours of the period, and money in the clinic's currency.

    Paused hours are told apart by whether the service had nothing at all to book in the coming 14 days (`full`), had
    something (`open`), or nobody can tell (`unsure`); `below`, `at_base` and `above` are hours running. `unspent` is what
    pauses and cuts kept back of the base budget, `unspent_full` the part of it while there was nothing to book, `added` what
    was spent beyond base. `decided` is how many runs each rule decided, `by_base` how many none did, `undecided` in how many
    the rules could not tell. `restrained` is in how many runs each guardrail did something. `strip` is what was spent in each
    part of the period, as a share of base (None: not a moment of it was seen).
    """

    service: str
    base: Decimal
    changes: tuple[Made, ...]
    edits_per_week: float
    paused_full: float
    paused_open: float
    paused_unsure: float
    below: float
    at_base: float
    above: float
    unspent: Decimal
    unspent_full: Decimal
    added: Decimal
    decided: dict[str, int]
    by_base: int
    undecided: int
    restrained: dict[Reason, int]
    strip: tuple[float | None, ...]

    def count(self, kind: Kind) -> int:
        """How many changes of one kind."""
        return sum(made.kind is kind for made in self.changes)

    @property
    def approvals(self) -> int:
        """How many changes a person would have been asked about."""
        return sum(made.approval for made in self.changes)


@dataclass(frozen=True, slots=True)
class ServiceReport:
    """The hours in which a service had nothing to book (`full`), something (`open`), or nobody can tell (`unsure`).

    `unjudged` are those of the last in which nothing of it was seen at all, by reason token; `NO_RUN` where runs were missing.
    """

    full: float
    open: float
    unsure: float
    unjudged: dict[str, float]


NO_RUN = "no_run"
"""Why hours could not be judged: no run came soon enough after the one before."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one rule file would have done. `zone` is the clinic's; `asked_pace`: its rules ask for what is expected."""

    clinic: str
    digest: str
    currency: str
    zone: str
    first: datetime
    last: datetime
    runs: int
    unreadable: int
    hours: float
    asked_pace: bool
    campaigns: dict[str, CampaignReport]
    services: dict[str, ServiceReport]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two files on the same readings; `apart` is for how many hours they would have had a common campaign differently."""

    this: Report
    that: Report
    apart: dict[str, float]
