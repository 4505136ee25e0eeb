"""A budget that is divided among ad sets: what is remembered of the division, and what a reading tells of a write to it.

People decide how a budget is divided; the governor scales it and keeps the proportions they gave it, however often it is
scaled and even where a write stopped half-way. An ad set that reads otherwise than it was left has been given new money by
a person, and from then on their division counts. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from enum import Enum

from service.core.decide.model import Change, Part, Standing
from service.core.decide.people import PROPAGATION, propagating
from service.core.model import Campaign, Share, Shares, State
from service.core.shares import scaled


def divided(standing: Standing, seen: Campaign, now: datetime) -> Standing:
    """Remember the division that is shown, unless it is the one we made."""
    if by_id(seen.shares) == {part.id: part.expected for part in standing.parts} or _appearing(standing, seen, now):
        return standing
    return replace(standing, parts=tuple(Part(share.id, share.budget, share.budget) for share in seen.shares))


def as_shown(standing: Standing, seen: Campaign, now: datetime) -> State:
    """The state a campaign shows; the one we gave it where some of its ad sets do not show their part of it yet."""
    if standing.expected is not None and _appearing(standing, seen, now):
        return standing.expected
    return seen.state


def lagging(standing: Standing, seen: Campaign, now: datetime) -> bool:
    """Whether a platform shows something else than our last write only because it does not show it, or all of it, yet."""
    return seen.state != standing.expected and (
        propagating(standing, seen.state, now) or as_shown(standing, seen, now) == standing.expected
    )


def _appearing(standing: Standing, seen: Campaign, now: datetime) -> bool:
    """Whether a recent write of ours would account for every ad set, although not all of them show it."""
    recent = standing.since is not None and now - standing.since <= PROPAGATION and bool(standing.changes)
    if not recent or standing.stood_down is not None or not seen.shares:
        return False
    ours = {part.id: {part.expected, part.previous} for part in standing.parts}
    statuses = {state.running for state in (standing.expected, standing.previous) if state is not None}
    return seen.state.running in statuses and _all_among(seen.shares, ours)


def _all_among(shares: Shares, known: Mapping[str, set[Decimal | None]]) -> bool:
    return by_id(shares).keys() == known.keys() and all(share.budget in known[share.id] for share in shares)


def by_id(shares: Shares) -> dict[str, Decimal]:
    """The amounts by the ids of what has them: their order is the platform's whim."""
    return {share.id: share.budget for share in shares}


# --- before and after a write -------------------------------------------------------------------------------------------


def aimed(change: Change, seen: Campaign, standing: Standing) -> Change:
    """The change with what it makes of every ad set. Raises RefusedError where the new budget cannot be divided."""
    if not seen.shares:
        return change
    after = seen.shares
    if change.after.budget is not None and change.after.budget != change.before.budget:
        after = division(standing, seen, change.after.budget)
    return replace(change, shares_before=seen.shares, shares_after=after)


def division(standing: Standing, seen: Campaign, budget: Decimal) -> Shares:
    """What each ad set gets of a new budget. Raises RefusedError where it cannot be divided."""
    weights, least = _weights(standing, seen.shares), seen.least / len(seen.shares)
    return scaled(weights, budget, unit=seen.unit, least=least, platform=seen.platform)


def unspent(seen: Campaign, shares: Shares, over: Decimal) -> Share | None:
    """What has been spent today of an ad set that `shares` would leave with less than `over` times that."""
    before, after = by_id(seen.shares), by_id(shares)
    short = (s for s in seen.spent_shares if s.id in after and after[s.id] < min(before[s.id], s.budget * over))
    return next(short, None)


def _weights(standing: Standing, shares: Shares) -> Shares:
    """How people divided it last."""
    weights = {part.id: part.weight for part in standing.parts}
    if weights.keys() != by_id(shares).keys():
        return shares
    return tuple(replace(share, budget=weights[share.id]) for share in shares)


def written(standing: Standing, change: Change, shares: Shares) -> Standing:
    """Remember that our last write left the ad sets with these amounts; whose division it is does not change."""
    weights, before = by_id(_weights(standing, shares)), by_id(change.shares_before)
    *earlier, last = standing.changes
    return replace(
        standing,
        parts=tuple(Part(share.id, weights[share.id], share.budget, before.get(share.id)) for share in shares),
        changes=(*earlier, replace(last, shares=shares)),
    )


class Found(Enum):
    """What a campaign reads like after a write to it: as wanted, as before, a mixture of the two, or neither."""

    AFTER = "after"
    BEFORE = "before"
    PARTLY = "partly"
    FOREIGN = "foreign"


def found(change: Change, seen: Campaign) -> Found:
    """What a reading tells of a change. An ad set that reads neither as before nor as wanted has been in a person's hands."""
    before, after = by_id(change.shares_before), by_id(change.shares_after)
    dividing, there = before != after, by_id(seen.shares)
    if seen.state == change.after and (there == after or not dividing):
        return Found.AFTER
    if seen.state == change.before and (there == before or not dividing):
        return Found.BEFORE
    ours = {id_: {before[id_], after.get(id_)} for id_ in before}
    statuses = {change.before.running, change.after.running}
    mixed = dividing and seen.state.running in statuses and _all_among(seen.shares, ours)
    return Found.PARTLY if mixed else Found.FOREIGN


def half_way(change: Change, seen: Campaign) -> str:
    """Which ad sets have what they were to get and which have not, and the status where that was to change."""
    after, before, there = by_id(change.shares_after), by_id(change.shares_before), by_id(seen.shares)
    moving = [id_ for id_ in after if after[id_] != before[id_]]
    done = [f"{id_} (now {there[id_]})" for id_ in moving if there[id_] == after[id_]]
    left = [f"{id_} (still {there[id_]})" for id_ in moving if there[id_] != after[id_]]
    told = [f"ad sets changed: {', '.join(done) or 'none'}; not changed: {', '.join(left) or 'none'}"]
    if change.before.running != change.after.running:
        told.append(f"the campaign is {'running' if seen.state.running else 'paused'}")
    return "; ".join(told)
