"""What became of a change whose outcome nobody recorded: what its campaign shows, held against its platform's change history.

A state alone does not tell. A campaign that reads as before was never written, or somebody has undone what we wrote; one that
reads as wanted may have been made so by a person; one that reads otherwise may still carry our pause. Where the history tells
of another hand the campaign is theirs, and where it tells of ours, our pause stays ours to end. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from service.core.decide.division import Found, found, half_way
from service.core.decide.histories import CLOCKS, LATE, of_others
from service.core.decide.model import Change, PastChange, Span, StoodDown
from service.core.decide.people import PROPAGATION
from service.core.model import Campaign, History, LoggedChange, Reason, State, Unreadable

Ending = Literal["applied", "failed", "superseded", "open"]

LONGEST = timedelta(minutes=5)
"""How long a write may take: on Meta it can be one request after the other."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What became of a change, in a sentence, whether our write is behind what is there, and whose hand is on it now."""

    ending: Ending
    detail: str
    ours: bool = False
    down: StoodDown | None = None


@dataclass(frozen=True, slots=True)
class Trail:
    """What a history tells of the time since a change was sent: whether our write is in it, and what others did."""

    mine: bool
    others: History


def shown(state: State) -> str:
    """`running at 60.00` or `paused at 60.00`."""
    return f"{'running' if state.running else 'paused'} at {state.budget}"


def sent(at: datetime, now: datetime) -> Span:
    """When a change that was sent then must have been made, if it was."""
    return Span(at, max(at, min(now, at + LONGEST)))


def concluded(
    change: Change, seen: Campaign, history: History | Unreadable | None, made: Span, now: datetime, *, over: bool = False
) -> Conclusion:
    """What became of a change that was `made` at some time in that span, if at all.

    `history` is None where it was not asked: right after the write it does not tell yet. `over`: nothing of the write can be on
    its way any more.
    """
    reads, fresh = found(change, seen), now - made.first < PROPAGATION
    trail = None if history is None or isinstance(history, Unreadable) else _trail(change, history, made)
    down = _hand(change, seen.state, reads, trail, now, fresh=fresh) if trail else None
    if down is not None:
        return Conclusion("superseded", f"{down.by or 'somebody'} has changed it since", trail is not None and trail.mine, down)
    if reads is Found.AFTER:
        return Conclusion("applied", "found applied", ours=True)
    if reads is Found.PARTLY and (over or not fresh):
        return Conclusion("failed", f"{half_way(change, seen)}; the next run goes on from there", ours=True)
    if fresh:
        return Conclusion("open", f"{_so_far(change, seen, reads)}: the write may be on its way")
    return _untold(change, seen.state, reads, made, now) if trail is None else _told(seen.state, reads, trail)


def _so_far(change: Change, seen: Campaign, reads: Found) -> str:
    told = {Found.BEFORE: "it still reads as before", Found.FOREIGN: f"it reads {shown(seen.state)}"}
    return told.get(reads) or f"only a part can be seen ({half_way(change, seen)})"


def _told(state: State, reads: Found, trail: Trail) -> Conclusion:
    if reads is Found.FOREIGN:
        return Conclusion("superseded", f"found {shown(state)}", ours=trail.mine)
    return Conclusion("failed", "it reads as before, and its change history tells of no write of ours")


def _untold(change: Change, state: State, reads: Found, made: Span, now: datetime) -> Conclusion:
    """The end where the history cannot be read: not ours to say, once it has been waited for."""
    if now - made.first < LATE:
        return Conclusion("open", f"found {shown(state)}, and who changed it since cannot be read yet")
    detail = f"found {shown(state)}; whether it was written, and undone by somebody since, cannot be told"
    status = change.before.running != change.after.running
    down = StoodDown(Reason.DRIFT, now, state, status) if reads is Found.BEFORE else None
    return Conclusion("superseded", detail, down=down)


def _trail(change: Change, history: History, made: Span) -> Trail:
    since = tuple(each for each in history if each.at >= made.first - CLOCKS)
    past = PastChange(made.first, change.before, change.after, shares=change.shares_after, made=made)
    others = tuple(of_others(since, (past,)))
    return Trail(len(others) < len(since), others)


def _hand(change: Change, state: State, reads: Found, trail: Trail, now: datetime, *, fresh: bool) -> StoodDown | None:
    """Whose the campaign is by now, where that does not show or would show as something else."""
    status = [each for each in trail.others if each.about_status]
    if status:
        return _down(status[-1], state, now, status=True)
    if reads is Found.AFTER and not trail.mine:
        same = [each for each in trail.others if each.budget is not None and each.budget == change.after.budget]
        return _down(same[-1], state, now, status=False) if same else None
    if reads is Found.BEFORE and trail.mine and not fresh:  # for a while the platform may show the old value
        turned = change.before.running != change.after.running
        return _down(trail.others[-1] if trail.others else None, state, now, status=turned)
    return None


def _down(logged: LoggedChange | None, state: State, now: datetime, *, status: bool) -> StoodDown:
    if logged is None:
        return StoodDown(Reason.DRIFT, now, state, status)
    return StoodDown(Reason.DRIFT, now, state, status, logged.by or "somebody unnamed", logged.via, logged.at)
