"""The books of one campaign, kept from nothing but the changes that were carried out on it.

They say for every change which limits it breaks by the design's words (section 6, rows 7 and 10 to 12), and refuse it unless it
is one of the two moves that are never refused. What is counted here is counted anew: nothing is asked of the guardrails.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from service.core.model import State
from service.core.rules.language import CampaignEntry

DAY = timedelta(days=1)
FLOOR, BACK = "to the floor with nothing to book", "back once the restricting rule has ended"


@dataclass(frozen=True, slots=True)
class Line:
    """One change: whether it is a significant `edit`, and the budget `counted` that the next one is measured against.

    `breaks` are the limits that would have forbidden it, `freely` is why they did not.
    """

    at: datetime
    before: State
    after: State
    rule: str | None
    edit: bool
    counted: Decimal
    breaks: tuple[str, ...] = ()
    freely: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """A change that was carried out, with what was known then; `empty`: there was exactly nothing to book."""

    at: datetime
    before: State
    after: State
    desired: State | None
    rule: str | None
    entry: CampaignEntry
    zone: str
    empty: bool


@dataclass(slots=True)
class Books:
    """All lines of one campaign, oldest first."""

    lines: list[Line] = field(default_factory=list)

    def enter(self, made: Made) -> Line:
        """Write a change down; AssertionError where it should not have been made."""
        within_limits(made)
        edit, counted = self._counts(made)
        breaks = tuple(self._broken(made, edit=edit))
        freely = self._exempt(made) if breaks else ""
        line = Line(made.at, made.before, made.after, made.rule, edit, counted, breaks, freely)
        assert not breaks or freely, (breaks, made, self.lines[-6:])
        again = [old for old in self.lines if freely and made.at - old.at < DAY and same(old, line)]
        assert not again, (freely, "twice in a day", line, again)
        self.lines.append(line)
        return line

    def _counts(self, made: Made) -> tuple[bool, Decimal]:
        """Whether it is a pause, a resume, or more than 20% off the last counted value, and which value counts after it.

        What somebody else has set since our last change counts instead of it.
        """
        assert made.before.budget is not None
        assert made.after.budget is not None
        last = self.lines[-1] if self.lines else None
        counted = last.counted if last and last.after.budget == made.before.budget else made.before.budget
        edit = made.before.running != made.after.running or abs(made.after.budget - counted) * 5 > counted
        return edit, made.after.budget if edit else counted

    def _broken(self, made: Made, *, edit: bool) -> Iterator[str]:
        rails, zone = made.entry.guardrails, ZoneInfo(made.zone)
        if self.lines and made.at - self.lines[-1].at < rails.cooldown:
            yield "cooldown"
        today = made.at.astimezone(zone).date()
        if sum(old.at.astimezone(zone).date() == today for old in self.lines) >= rails.max_changes_per_day:
            yield "max_changes_per_day"
        used = sum(old.edit for old in self.lines if made.at - old.at < rails.edit_budget.per)
        needed = 2 if made.before.running and not made.after.running else 1
        if edit and used + needed > rails.edit_budget.edits:
            yield "edit_budget"

    def _exempt(self, made: Made) -> str:
        """Which of the two moves that are never refused it is, if any."""
        before, after = spend(made.before), spend(made.after)
        if after < before and made.empty and made.after == State(running=True, budget=made.entry.floor):
            return FLOOR
        if made.desired is None:  # nobody can tell which rule holds, so none is known to have ended
            return ""
        most = min(max(spend(made.desired), made.entry.floor), made.entry.base)
        ended = bool(self.lines) and self.lines[-1].after == made.before and self.lines[-1].rule not in {None, made.rule}
        return BACK if made.after.running and before < after <= most and ended else ""


def same(old: Line, new: Line) -> bool:
    """Whether a move was made freely before; a floor that somebody has since written into the file is another move."""
    return old.freely == new.freely and (new.freely == BACK or old.after == new.after)


def spend(state: State) -> Decimal:
    """What it may spend, any pause below any budget."""
    assert state.budget is not None
    return state.budget if state.running else Decimal(-1)


def within_limits(made: Made) -> None:
    """What runs, runs between floor and ceiling."""
    budget = made.after.budget
    assert budget is not None
    assert not made.after.running or made.entry.floor <= budget <= made.entry.ceiling, made
    assert made.before != made.after, made
