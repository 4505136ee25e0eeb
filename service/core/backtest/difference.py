"""One rule file against another, campaign by campaign. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from service.core.backtest.model import CampaignReport, Comparison


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much one file's figures exceed the other's, for one campaign; the words are those of `CampaignReport`.

    `apart` is not a difference: for how many hours the two would have had the campaign in different states.
    """

    changes: int
    edits_per_week: float
    paused_full: float
    paused_open: float
    unspent: Decimal
    unspent_full: Decimal
    added: Decimal
    apart: float

    @property
    def none(self) -> bool:
        """Whether the two come to the same."""
        return not self.apart and self.changes == 0


def differences(found: Comparison) -> dict[str, Difference]:
    """What `this` does more (or less: negative) than `that`, for each campaign that both files name."""
    return {
        name: _difference(found.this.campaigns[name], found.that.campaigns[name], apart) for name, apart in found.apart.items()
    }


def _difference(this: CampaignReport, that: CampaignReport, apart: float) -> Difference:
    return Difference(
        changes=len(this.changes) - len(that.changes),
        edits_per_week=round(this.edits_per_week - that.edits_per_week, 2),
        paused_full=round(this.paused_full - that.paused_full, 2),
        paused_open=round(this.paused_open - that.paused_open, 2),
        unspent=this.unspent - that.unspent,
        unspent_full=this.unspent_full - that.unspent_full,
        added=this.added - that.added,
        apart=apart,
    )
