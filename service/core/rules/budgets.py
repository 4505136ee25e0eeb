"""What a budget in the file comes to for a campaign: as it is stated, and as floor and ceiling let it through. Pure."""

from __future__ import annotations

from decimal import Decimal

from service.core.money import percent_of
from service.core.rules.language import Amount, CampaignEntry, Named, NamedBudget, Percent

Stated = Percent | NamedBudget | Amount
"""A budget that does not depend on the forecast."""


def budget_of(action: Stated, entry: CampaignEntry) -> Decimal:
    """The daily budget that an action means for a campaign, unrounded."""
    match action:
        case Percent():
            return percent_of(entry.base, action.percent)
        case NamedBudget():
            return {Named.FLOOR: entry.floor, Named.BASE: entry.base, Named.CEILING: entry.ceiling}[action.which]
        case Amount():
            return action.amount


def granted(action: Stated, entry: CampaignEntry) -> Decimal:
    """The same within the campaign's floor and ceiling."""
    return min(max(budget_of(action, entry), entry.floor), entry.ceiling)
