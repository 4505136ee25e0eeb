"""Adding up what the campaigns and services of a backtest come to, a stretch of time after the other. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from service.core.backtest.model import NO_RUN, CampaignReport, Kind, Made, ServiceReport, Setting
from service.core.decide.model import Decision, Proposal, Reading
from service.core.model import Reason, State
from service.core.rules.evaluate import GAP
from service.core.rules.language import CampaignEntry

HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The time from one run to the next, as hours, as days, and as hours in each part of the period.

    `seen` is False where the next run came too late for the first to tell what held in between.
    """

    hours: float
    days: Decimal
    parts: tuple[tuple[int, float], ...]
    seen: bool

    @classmethod
    def between(cls, begins: datetime, ends: datetime, setting: Setting) -> Stretch:
        """The stretch between two runs of the period."""
        long = ends - begins
        days = Decimal(long // timedelta(microseconds=1)) / Decimal(86_400_000_000)
        return cls(long / HOUR, days, tuple(_parts(begins, ends, setting)), long <= GAP)


def _parts(begins: datetime, ends: datetime, setting: Setting) -> Iterable[tuple[int, float]]:
    part = (setting.last - setting.first) / setting.parts
    n = min((begins - setting.first) // part, setting.parts - 1) if part else 0
    while begins < ends:
        until = ends if n >= setting.parts - 1 else min(ends, setting.first + part * (n + 1))
        yield n, (until - begins) / HOUR
        begins, n = until, n + 1


@dataclass(frozen=True, slots=True)
class Fullness:
    """Whether a service has nothing at all to book over the horizon (None: nobody can tell), and why nothing was seen of it."""

    full: bool | None
    unseen: Reason | None = None

    @classmethod
    def of(cls, open_slots: Reading) -> Fullness:
        """As its openings say."""
        bounds = open_slots.bounds
        unseen = (open_slots.cause or Reason.DATA_INCOMPLETE) if bounds.estimate is None else None
        if bounds.high == 0:
            return cls(full=True)
        return cls(full=False if bounds.low > 0 else None, unseen=unseen)


@dataclass(slots=True)
class ServiceTally:
    """What one service comes to."""

    hours: defaultdict[bool | None, float] = field(default_factory=lambda: defaultdict(float))
    unjudged: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def passed(self, stretch: Stretch, now: Fullness) -> None:
        """Time has passed since its openings were seen."""
        self.hours[now.full if stretch.seen else None] += stretch.hours
        why = now.unseen if stretch.seen else NO_RUN
        if why is not None:
            self.unjudged[str(why)] += stretch.hours

    def report(self) -> ServiceReport:
        """What it came to."""
        return ServiceReport(
            full=_hours(self.hours[True]),
            open=_hours(self.hours[False]),
            unsure=_hours(self.hours[None]),
            unjudged={why: _hours(hours) for why, hours in sorted(self.unjudged.items())},
        )


@dataclass(slots=True)
class CampaignTally:
    """What one campaign comes to; `spent` is base budgets times hours in each part of the period, `there` the hours."""

    entry: CampaignEntry
    changes: list[Made] = field(default_factory=list)
    paused: defaultdict[bool | None, float] = field(default_factory=lambda: defaultdict(float))
    sides: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    unspent: Decimal = NOTHING
    unspent_full: Decimal = NOTHING
    added: Decimal = NOTHING
    decided: Counter[str] = field(default_factory=Counter)
    by_base: int = 0
    undecided: int = 0
    restrained: Counter[Reason] = field(default_factory=Counter)
    spent: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    there: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))

    def passed(self, stretch: Stretch, state: State, now: Fullness) -> None:
        """Time has passed with the campaign in a state."""
        base, budget, full = self.entry.base, daily(state), now.full if stretch.seen else None
        if not state.running:
            self.paused[full] += stretch.hours
        else:
            self.sides[1 + (budget > base) - (budget < base)] += stretch.hours
        if budget > base:
            self.added += (budget - base) * stretch.days
        elif budget < base:
            kept = (base - budget) * stretch.days
            self.unspent += kept
            self.unspent_full += kept if full else NOTHING
        share = float(budget / base)
        for n, hours in stretch.parts:
            self.spent[n] += share * hours
            self.there[n] += hours

    def judged(self, proposal: Proposal | None, decision: Decision) -> None:
        """A run has decided."""
        if proposal is None or proposal.target is None:
            self.undecided += 1
        elif proposal.rule is None:
            self.by_base += 1
        else:
            self.decided[proposal.rule] += 1
        self.restrained.update({restraint.reason for restraint in decision.restraints})

    def report(self, setting: Setting, hours: float, unit: Decimal) -> CampaignReport:
        """What it came to."""
        edits, below = sum(made.significant for made in self.changes), self.sides[0]
        return CampaignReport(
            service=self.entry.service,
            base=self.entry.base,
            changes=tuple(self.changes),
            edits_per_week=round(edits * (WEEK / HOUR) / hours, 2) if hours else 0.0,
            paused_full=_hours(self.paused[True]),
            paused_open=_hours(self.paused[False]),
            paused_unsure=_hours(self.paused[None]),
            below=_hours(below),
            at_base=_hours(self.sides[1]),
            above=_hours(self.sides[2]),
            unspent=self.unspent.quantize(unit),
            unspent_full=self.unspent_full.quantize(unit),
            added=self.added.quantize(unit),
            decided=dict(self.decided.most_common()),
            by_base=self.by_base,
            undecided=self.undecided,
            restrained=dict(self.restrained.most_common()),
            strip=tuple(self._share(n) for n in range(setting.parts)),
        )

    def _share(self, n: int) -> float | None:
        return round(self.spent[n] / self.there[n], 3) if self.there.get(n) else None


def kind_of(before: State, after: State) -> Kind:
    """What a change does."""
    if before.running != after.running:
        return Kind.RESUME if after.running else Kind.PAUSE
    return Kind.RAISE if daily(after) > daily(before) else Kind.CUT


def daily(state: State) -> Decimal:
    """What a campaign may spend a day."""
    return state.budget if state.running and state.budget is not None else NOTHING


def _hours(value: float) -> float:
    return round(value, 2)
