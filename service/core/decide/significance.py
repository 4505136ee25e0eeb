"""Which changes are significant edits: those that can restart a platform's learning.

A pause, a resume, or a budget too far from the last one that counted. Whether a change is one is settled when it is made and
remembered with it: judged again later, once the changes before it are forgotten, it might come out as another. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from service.core.decide.model import PastChange
from service.core.model import State

SIGNIFICANT = Decimal("0.20")
"""A budget change beyond this share of the last counted value is a significant edit."""


def significant(before: State, after: State, counted: Decimal | None) -> bool:
    """Whether going from one state to another is a significant edit, `counted` being the last value that counted."""
    if before.running != after.running:
        return True
    if counted is None or after.budget is None:
        return False
    return abs(after.budget - counted) > counted * SIGNIFICANT


def counted_budget(made: Sequence[PastChange], here: State) -> Decimal | None:
    """What the next change is measured against: our last significant edit, or what somebody else has set since."""
    last = made[-1] if made else None
    return last.counted if last and last.counted is not None and last.after.budget == here.budget else here.budget


def past_change(made: Sequence[PastChange], at: datetime, before: State, after: State) -> PastChange:
    """A change as it is remembered after those `made` before it."""
    counted = counted_budget(made, before)
    edit = significant(before, after, counted)
    return PastChange(at, before, after, edit, after.budget if edit else counted)
