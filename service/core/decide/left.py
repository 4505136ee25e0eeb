"""Campaigns that carry a change of ours and are no longer governed: they left the file, or its mode is no longer `enforce`.

Nobody puts them back by itself: a file that forgets a campaign may be a mistake. They are remembered, listed, and told about
until somebody restores them or takes them back into the file. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from service.core.decide.model import Standing
from service.core.decide.people import identity
from service.core.model import Mode, State
from service.core.rules.language import RuleSet


@dataclass(frozen=True, slots=True)
class Left:
    """A campaign we changed and govern no longer: its name, `<platform>/<id>`, how we left it, its base budget, and why."""

    campaign: str
    of: str
    state: State
    base: Decimal | None
    since: datetime
    why: str


def marked(standings: Mapping[str, Standing], rules: RuleSet, now: datetime) -> dict[str, Standing]:
    """What is remembered, with `left_at` set where a campaign has just left, and taken away where it has not."""
    governed = _governed(rules)
    found = {name: (each, _left_at(each, rules, governed, now)) for name, each in standings.items()}
    return {name: each if each.left_at == at else replace(each, left_at=at) for name, (each, at) in found.items()}


def left_changed(standings: Mapping[str, Standing], rules: RuleSet) -> tuple[Left, ...]:
    """The campaigns that are left changed, by name."""
    found = sorted((name, each) for name, each in standings.items() if each.left_at is not None)
    return tuple(
        Left(name, each.of, each.expected, each.base, each.left_at, why_left(each, rules))
        for name, each in found
        if each.expected is not None and each.left_at is not None
    )


def why_left(standing: Standing, rules: RuleSet) -> str:
    """`it is no longer in the rule file`, or that the mode is another."""
    return f"the mode is {rules.mode}" if standing.of in _governed(rules) else "it is no longer in the rule file"


def carries(standing: Standing) -> bool:
    """Whether a campaign is as we made it, and not as it would be without us; somebody else's hand on it ends that."""
    if standing.expected is None or standing.stood_down is not None or not standing.changes:
        return False
    before = standing.base if standing.base is not None else standing.changes[0].before.budget
    return standing.paused_by_us or (standing.expected.running and standing.expected.budget != before)


def _left_at(standing: Standing, rules: RuleSet, governed: Collection[str], now: datetime) -> datetime | None:
    ours = rules.mode is Mode.ENFORCE and standing.of in governed
    return None if ours or not carries(standing) else standing.left_at or now


def _governed(rules: RuleSet) -> set[str]:
    return {identity(entry.platform, entry.id) for entry in rules.campaigns.values()}
