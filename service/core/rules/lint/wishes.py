"""Whether an action gives a campaign more or less than its base budget. Pure."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from service.core.rules.budgets import granted
from service.core.rules.language import Action, CampaignEntry, CostPerBooking, Pause


class Wish(StrEnum):
    """Which way an action moves a campaign from its base budget."""

    CUT = "cut"
    BASE = "base"
    RAISE = "raise"


def wish(action: Action, entry: CampaignEntry) -> Wish | None:
    """Which way the action moves the campaign; None where it depends on the forecast."""
    found = _granted(action, entry)
    if found is None:
        return None
    return Wish.RAISE if found > entry.base else Wish.CUT if found < entry.base else Wish.BASE


def may_raise(action: Action, entry: CampaignEntry) -> bool:
    """Whether the action gives the campaign more than base; what depends on the forecast may."""
    found = wish(action, entry)
    return found is Wish.RAISE or (found is None and entry.ceiling > entry.base)


def _granted(action: Action, entry: CampaignEntry) -> Decimal | None:
    """The daily budget within floor and ceiling, 0 for a pause; None where it depends on the forecast."""
    if isinstance(action, Pause):
        return Decimal(0)
    return None if isinstance(action, CostPerBooking) else granted(action, entry)
