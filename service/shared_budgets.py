"""What one run has done to budgets that several campaigns share, so that none is written twice.

The first campaign's change writes the amount; the others' find it there, and neither count that as somebody else's hand nor
send it again. Where the first one failed, or nobody knows what became of it, the others are not sent at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from service.core.decide.model import Change, Standing
from service.core.decide.people import identity
from service.core.decide.sharing import followed, purse, sharers
from service.core.model import Campaign, State
from service.core.rules.language import CampaignEntry


@dataclass(frozen=True, slots=True)
class Stuck:
    """Why a shared budget is not written any more in this run; `open`: the amount that is wanted may be in force yet."""

    why: str
    open: bool


@dataclass(slots=True)
class SharedBudgets:
    """The shared budgets of one run."""

    _written: dict[str, Decimal | None] = field(default_factory=dict)
    _stuck: dict[str, Stuck] = field(default_factory=dict)

    def expected(self, seen: Campaign, before: State) -> State:
        """How a campaign that read `before` when the run looked should read now."""
        key = purse(seen)
        return replace(before, budget=self._written[key]) if key in self._written else before

    def stuck(self, seen: Campaign, change: Change) -> Stuck | None:
        """Why this change of a shared budget cannot be made in this run."""
        return self._stuck.get(purse(seen)) if moves_budget(change) else None

    def ended(self, seen: Campaign, change: Change, ending: str) -> None:
        """Remember what became of a change."""
        key = purse(seen)
        if not key or ending == "superseded":
            return
        if ending == "applied":
            if moves_budget(change):
                self._written[key] = change.after.budget
        elif ending == "open" or moves_budget(change):
            told = "has failed" if ending == "failed" else "is not known to have been made or not"
            why = f"not sent: the budget is shared, and the change for {change.campaign} {told}"
            self._stuck.setdefault(key, Stuck(why, open=ending == "open" and moves_budget(change)))


def moves_budget(change: Change) -> bool:
    """Whether a change is about the amount, and not only about pausing or resuming."""
    return change.before.budget != change.after.budget


def followers(
    change: Change, seen: Campaign, entries: Mapping[str, CampaignEntry], standings: Mapping[str, Standing], now: datetime
) -> dict[str, Standing]:
    """What is remembered of the other campaigns on a budget once this change of it is made, where that is something new.

    Those that have left the rule file are among them: they come back to it, or are restored.
    """
    if not moves_budget(change):
        return {}
    others = {identity(seen.platform, id_) for id_ in seen.sharers if id_ != seen.id}
    named = {entry.name for entry in sharers(seen, entries)}
    mine = {name: each for name, each in standings.items() if each.of in others or (not each.of and name in named)}
    found = {name: followed(each, change.before.budget, change.after.budget, now) for name, each in mine.items()}
    return {name: each for name, each in found.items() if each != standings[name]}
