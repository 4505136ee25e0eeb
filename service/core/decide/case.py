"""The facts a guardrail may look at, and the decision in the making that it may restrain.

A step takes the case and the draft and returns the draft, changed or not; once a draft is settled (it has a verdict) the
remaining steps leave it alone. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from service.core.decide.model import Approval, Hold, Proposal, Reading, Restraint, Standing
from service.core.model import Campaign, Mode, Reason, State, Unreadable, Verdict
from service.core.money import shown
from service.core.rules.language import CampaignEntry, Guardrails
from service.core.rules.windows import Holidays


@dataclass(frozen=True, slots=True)
class Clinic:
    """What every case of one run shares. `kill_switch` None: unreadable. `zone`: the clinic's IANA time zone."""

    slug: str
    now: datetime
    zone: str
    currency: str
    mode: Mode
    holds: tuple[Hold, ...]
    kill_switch: bool | None
    unreadable: str | None
    unreadable_since: datetime | None
    holidays: Holidays = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """The facts about one campaign. `in_force` is what its platform shows, past any propagation of our own write.

    The budgets of `entry` are such as its platform can hold, rounded down where the file is finer. `stabilise` is the deciding
    rule's own raise window, the longest where several may be deciding; `open_slots` the service's openings over the horizon;
    `approval` the question that people were asked about it, if it is still one.
    """

    clinic: Clinic
    entry: CampaignEntry
    seen: Campaign | Unreadable
    standing: Standing
    in_force: State | None
    proposal: Proposal | None
    open_slots: Reading
    stabilise: timedelta | None = None
    approval: Approval | None = None

    @property
    def rails(self) -> Guardrails:
        """The limits in force for this campaign."""
        return self.entry.guardrails

    def money(self, amount: Decimal | None) -> str:
        """An amount as people read it."""
        return shown(amount, self.clinic.currency)

    def local(self, instant: datetime) -> datetime:
        """An instant on the clinic's wall clock."""
        return instant.astimezone(ZoneInfo(self.clinic.zone))


@dataclass(frozen=True, slots=True)
class Draft:
    """A decision in the making: the state it is heading for, its verdict once settled, and what restrained it."""

    target: State | None
    restraints: tuple[Restraint, ...] = ()
    verdict: Verdict | None = None

    def restrained(self, reason: Reason, sentence: str, target: State | None) -> Draft:
        """Head elsewhere, for a reason."""
        return Draft(target, (*self.restraints, Restraint(reason, sentence)), self.verdict)

    def settled(self, verdict: Verdict, reason: Reason, sentence: str) -> Draft:
        """Be done, for a reason."""
        return Draft(self.target, (*self.restraints, Restraint(reason, sentence)), verdict)


Step = Callable[[Case, Draft], Draft]


def keep(case: Case, draft: Draft, reason: Reason, sentence: str) -> Draft:
    """Leave the campaign as it is."""
    return Draft(case.in_force, (*draft.restraints, Restraint(reason, sentence)), Verdict.KEEP)


def moves(case: Case, draft: Draft) -> bool:
    """Whether the draft heads anywhere but where the campaign is."""
    return draft.target is not None and draft.target != case.in_force


def described(case: Case, state: State) -> str:
    """`running at 60.00 AUD` or `paused`."""
    return f"running at {case.money(state.budget)}" if state.running else "paused"
