"""How conditions, rules and budgets are referred to in findings. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from service.core.rules.explain import phrase
from service.core.rules.language import Action, Amount, CampaignEntry, Condition, CostPerBooking, Pause, Percent, Rule

LONGEST = 160
"""Characters of a condition that are worth quoting."""


def condition(stated: Condition | None) -> str:
    """A condition in words, as far as that is worth quoting; `always` where there is none."""
    text = "always" if stated is None else phrase(stated)
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def named(rule: Rule) -> str:
    """`“Ladder” (line 41)`; a rule of a pack with its pack."""
    return f"“{rule.name}” (line {rule.line}{f' of pack {rule.pack}' if rule.pack else ''})"


def listed(names: Iterable[str]) -> str:
    """`a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def campaigns(entries: Sequence[CampaignEntry]) -> str:
    """`search`, `search and social`, `each of 5 campaigns`."""
    return listed(entry.name for entry in entries) if len(entries) <= 3 else f"each of {len(entries)} campaigns"


def action(wanted: Action) -> str:
    """`pause`, `130% of base`, `the floor`, `35.00 a day`."""
    match wanted:
        case Pause():
            return "a pause"
        case Percent(percent=percent):
            return f"{percent:f}% of base"
        case Amount(amount=amount):
            return f"{amount} a day"
        case CostPerBooking(cost=cost):
            return f"a budget of {cost} per booking"
        case _:
            return {"base": "the base budget"}.get(wanted.which, f"the {wanted.which}")
