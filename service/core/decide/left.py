"""Campaigns that carry a change of ours and are governed no longer: gone from the file, protected, or in mode `watch` again.

Nobody puts them back by itself: a file that forgets a campaign may be a mistake. They are remembered, listed, and told about
until somebody restores them or takes them back into the file. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from service.core.decide.model import Standing
from service.core.decide.people import identity
from service.core.model import Mode, State
from service.core.rules.language import CampaignEntry, RuleSet


@dataclass(frozen=True, slots=True)
class Left:
    """A campaign we changed and govern no longer: its name, `<platform>/<id>`, how it is, its base budget, and why."""

    campaign: str
    of: str
    state: State
    base: Decimal | None
    since: datetime
    why: str


def marked(standings: Mapping[str, Standing], rules: RuleSet, now: datetime) -> dict[str, Standing]:
    """What is remembered, with `left_at` set where a campaign has just left, and taken away where it has not."""
    found = {name: (each, _left_at(each, rules, now)) for name, each in standings.items()}
    return {name: each if each.left_at == at else replace(each, left_at=at) for name, (each, at) in found.items()}


def left_changed(standings: Mapping[str, Standing], rules: RuleSet) -> tuple[Left, ...]:
    """The campaigns that are left changed, by name."""
    return tuple(
        Left(name, each.of, here, each.base, each.left_at, why_left(each, rules))
        for name, each in sorted(standings.items())
        if each.left_at is not None and (here := as_it_is(each)) is not None
    )


def why_left(standing: Standing, rules: RuleSet) -> str:
    """Why nobody puts a campaign back any more: `it is no longer in the rule file`, say; '' while the rules govern it.

    In `propose` they do: they go on asking for what they want.
    """
    entry = _governed(rules).get(standing.of)
    if entry is None:
        return "it is no longer in the rule file"
    if entry.protect:
        return "it is protected"
    return "the mode is watch" if rules.mode is Mode.WATCH else ""


def carries(standing: Standing) -> bool:
    """Whether part of how a campaign stands is our doing, and not as it would be without us.

    Where somebody has changed it, what they did not touch still is: our pause of a campaign whose budget they edited, say.
    """
    here, down = as_it_is(standing), standing.stood_down
    if here is None or standing.expected is None:
        return False
    last = standing.changes[-1].after if standing.changes else standing.expected
    pause = standing.paused_by_us and not last.running and not here.running and not (down is not None and down.status)
    amount = _amount_ours(standing) and here.budget == standing.expected.budget != base_of(standing)
    return (pause and bool(standing.changes)) or amount


def moved_by_us(standing: Standing) -> bool:
    """Whether a write of ours has ever changed this campaign: its own, or another's on its budget."""
    return bool(standing.changes) or standing.previous is not None


def ours(standing: Standing) -> bool:
    """Whether it is expected to read as our last write left it, and not as somebody made it and it was taken on."""
    if standing.expected is None:
        return False
    status = standing.changes[-1].after.running if standing.changes else True
    return standing.expected.running == status and _amount_ours(standing)


def _amount_ours(standing: Standing) -> bool:
    """The same of the amount alone: a write leaves a `previous`, and taking a campaign on does not."""
    last = standing.changes[-1].after if standing.changes else None
    return standing.previous is not None or (
        last is not None and standing.expected is not None and last.budget == standing.expected.budget
    )


def as_it_is(standing: Standing) -> State | None:
    """How a campaign reads as far as is remembered: as somebody has made it, or as we left it."""
    return standing.stood_down.seen if standing.stood_down is not None else standing.expected


def base_of(standing: Standing) -> Decimal | None:
    """The budget that it goes back to; what it was before our first change where no file ever said."""
    if standing.base is not None or not standing.changes:
        return standing.base
    return standing.changes[0].before.budget


def _left_at(standing: Standing, rules: RuleSet, now: datetime) -> datetime | None:
    left = why_left(standing, rules) and carries(standing)
    return (standing.left_at or now) if left else None


def _governed(rules: RuleSet) -> dict[str, CampaignEntry]:
    return {identity(entry.platform, entry.id): entry for entry in rules.campaigns.values()}
