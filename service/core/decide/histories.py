"""What a platform's change history adds to what its campaigns show: a pause or resume that has gone by, and whose hand it was.

A state tells that somebody changed a campaign, not who; and a campaign that somebody resumed and paused again between two runs
looks untouched. So the history is read before every resume, and for a drift that was just found. Reading costs quota, so
`wanted` says for which campaigns it decides anything. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from service.core.decide.division import by_id
from service.core.decide.model import Decision, PastChange, RunInputs, RunOutcome, Span, Standing, StoodDown
from service.core.decide.people import PROPAGATION
from service.core.model import History, LoggedChange, Reason, State, Unreadable, Verdict

LATE = timedelta(hours=3)
"""So long after a drift was found its author is asked for: a history may tell some minutes later."""

REACH = timedelta(days=20)
"""A pause of ours is looked after this often, because no history reaches back for ever (Google's: 30 days)."""

FURTHEST = timedelta(days=29)
"""How far back every platform remembers; of one that does for longer, no more is asked."""

CLOCKS = timedelta(minutes=2)
"""How far a platform's clock and ours may differ."""


def wanted(inputs: RunInputs, outcome: RunOutcome) -> frozenset[str]:
    """The campaigns whose history decides something in this run and was not read yet."""
    resumes = {each.campaign for each in outcome.decisions if resumes_something(each)}
    others = {name for name in inputs.rules.campaigns if _worth_asking(outcome.standings[name], inputs.now)}
    seen = {name for name, each in inputs.snapshot.campaigns.items() if not isinstance(each, Unreadable)}
    return frozenset((resumes | others) & seen - inputs.histories.keys())


def resumes_something(decision: Decision) -> bool:
    """Whether a decision ends a pause, at once or when somebody has approved it."""
    turned_on = decision.before is not None and decision.after is not None and decision.after.running > decision.before.running
    return turned_on and decision.verdict in {Verdict.APPLY, Verdict.AWAIT_APPROVAL}


def since(standing: Standing, now: datetime) -> datetime:
    """From when on a campaign's history is of interest: for a drift, no further back than any history reaches."""
    known = (_known_until(standing) or now) - CLOCKS
    return known if standing.stood_down is None else max(known, now - FURTHEST)


def _worth_asking(standing: Standing, now: datetime) -> bool:
    down = standing.stood_down
    if down is not None:
        return down.reason is Reason.DRIFT and not down.by and now - down.since <= LATE
    return standing.paused_by_us and now - since(standing, now) > REACH


def learnt(standing: Standing, history: History | Unreadable | None, seen: State, now: datetime) -> Standing:
    """What is remembered of a campaign, with what its history tells: a drift that its state does not show, or whose one is."""
    if history is None or isinstance(history, Unreadable) or standing.expected is None:
        return standing
    others = of_others(history, standing.changes)
    if standing.stood_down is not None:
        return replace(standing, stood_down=_attributed(standing.stood_down, standing, others))
    passed = [each for each in others if each.about_status and each.at > (_known_until(standing) or now)]
    if not passed:
        return replace(standing, clear_until=now - PROPAGATION)  # what is logged late is still to come
    return replace(standing, stood_down=_told(StoodDown(Reason.DRIFT, now, seen, status=True), passed[-1]))


def _known_until(standing: Standing) -> datetime | None:
    """Until when what was logged is known already: what came before it was taken on, or told of before."""
    return max((at for at in (standing.since, standing.clear_until) if at is not None), default=None)


def _attributed(down: StoodDown, standing: Standing, others: list[LoggedChange]) -> StoodDown:
    """A drift with its author: of those who changed it since we last knew it, the last who did what is seen."""
    if down.reason is not Reason.DRIFT or down.by:
        return down
    candidates = [each for each in others if each.at > since(standing, down.since) and each.at <= down.since + CLOCKS]
    fitting = [each for each in candidates if each.running == down.seen.running or each.budget == down.seen.budget]
    return _told(down, (fitting or candidates)[-1]) if candidates else down


def _told(down: StoodDown, logged: LoggedChange) -> StoodDown:
    return replace(down, by=logged.by or "somebody unnamed", via=logged.via, logged_at=logged.at)


def of_others(history: History, changes: Iterable[PastChange]) -> list[LoggedChange]:
    """The logged changes that are not ours: each of ours is one that says the same at the same time, and no more than one.

    Where somebody else did the very same at the same moment by the same means, nothing of theirs is undone by taking it for
    ours. A pause or resume of ours may be told in several steps.
    """
    found = list(history)
    for change in changes:
        alike = [each for each in found if _dated(each, change) and _same(each, change)]
        for kind in (True, False):  # a platform may log the status and the budget of one change apart
            mine = min(
                (each for each in alike if each.about_status is kind), key=lambda each: abs(each.at - change.at), default=None
            )
            if mine is not None:
                found.remove(mine)
                found = [each for each in found if not _step_of(each, mine)]
    return found


def _dated(logged: LoggedChange, change: PastChange) -> bool:
    made = change.made or Span(change.at, change.at)
    return made.first - CLOCKS <= logged.at <= made.last + CLOCKS


def _same(logged: LoggedChange, change: PastChange) -> bool:
    if logged.by_hand:
        return False
    if logged.share:
        amounts = by_id(change.shares)
        return logged.share in amounts and logged.budget in {None, amounts[logged.share]}
    status = not logged.about_status or logged.running == change.after.running
    return status and logged.budget in {None, change.after.budget}


def _step_of(logged: LoggedChange, mine: LoggedChange) -> bool:
    """Whether this is another step of our pause or resume: by the same hand, at the same time, and not the other way."""
    actor = (logged.by, logged.via, logged.by_hand) == (mine.by, mine.via, mine.by_hand) and bool(logged.by)
    steps = mine.about_status and logged.about_status and logged.running in {None, mine.running}
    return actor and steps and abs(logged.at - mine.at) <= CLOCKS
