"""Guardrails 10-13a: how often, and when, may a campaign be changed? And how often its platform lets it be. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from service.core.decide.case import Case, Draft, keep, moves
from service.core.decide.model import PastChange
from service.core.decide.proposals import position
from service.core.decide.significance import counted_budget, significant
from service.core.model import Platform, Reason, State
from service.core.rules.windows import within
from service.core.rules.wording import duration

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEKDAYS_TELL = 6 * DAY

META_BUDGETS_PER_HOUR = 4
"""Marketing API, "Budgets": a fifth change of a budget within the hour is refused, and the budget is then blocked for one."""


def cooled_down(case: Case, draft: Draft) -> Draft:
    """10. Some rest after each change of ours."""
    if not moves(case, draft) or not case.standing.changes:
        return draft
    last = case.standing.changes[-1].at
    ready = last + case.rails.cooldown
    if case.clinic.now >= ready:
        return draft
    sentence = f"we changed it at {_said(case, last)}; the next change may come at {_said(case, ready)}"
    return _unless_exempt(case, draft, Reason.COOLING_DOWN, sentence)


def _said(case: Case, instant: datetime) -> str:
    """`Mon 14:00`; with the date where another Monday could be meant."""
    near = abs(instant - case.clinic.now) <= WEEKDAYS_TELL
    return f"{case.local(instant):%a %H:%M}" if near else f"{case.local(instant):%a %d %b %H:%M}"


def few_changes(case: Case, draft: Draft) -> Draft:
    """11. A limited number of changes per clinic-local day."""
    if not moves(case, draft):
        return draft
    today = case.local(case.clinic.now).date()
    count = sum(case.local(change.at).date() == today for change in case.standing.changes)
    if count < case.rails.max_changes_per_day:
        return draft
    return _unless_exempt(case, draft, Reason.MAX_CHANGES, f"it was changed {count} times today, which is the limit")


def within_edit_budget(case: Case, draft: Draft) -> Draft:
    """12. Significant edits are rationed; a pause needs one for itself and one for its resume, else it becomes the floor."""
    target, here = draft.target, case.in_force
    if target is None or here is None or not moves(case, draft):
        return draft
    made, allowance = case.standing.changes, case.rails.edit_budget
    counted = counted_budget(made, here)
    if not significant(here, target, counted):
        return draft
    count = sum(change.significant and case.clinic.now - change.at < allowance.per for change in made)
    pausing, left = here.running and not target.running, allowance.edits - count
    if left >= (2 if pausing else 1):
        return draft
    used = f"{count} of {allowance.edits} significant edits in {duration(allowance.per)} are used"
    if pausing:
        used += ", and a pause takes two, itself and its resume"
    floor = State(running=True, budget=case.entry.floor)
    if not pausing or position(floor) >= position(here):
        return _unless_exempt(case, draft, Reason.EDIT_BUDGET, used)
    refused = _unless_exempt(case, replace(draft, target=floor), Reason.EDIT_BUDGET, used)
    if refused.verdict and left < 1 and significant(here, floor, counted):
        return refused
    return draft.restrained(Reason.EDIT_BUDGET, f"{used}: floor instead", floor)


def _empty(case: Case) -> bool:
    """Whether there is certainly nothing to book in the whole horizon."""
    return case.open_slots.bounds.high == 0


def _unless_exempt(case: Case, draft: Draft, reason: Reason, sentence: str) -> Draft:
    """Refuse an optional move; two moves, each at most once a day, are never refused.

    To the floor while there is nothing to book, and back to no more than base once the restricting rule has ended.
    """
    target, here = draft.target, case.in_force
    if target is None or here is None:
        return draft
    floor = State(running=True, budget=case.entry.floor)
    if position(target) < position(here) and _empty(case) and position(floor) < position(here):
        if not _done_today(case, lambda change: change.after == floor):
            if target == floor:
                return draft
            return draft.restrained(reason, f"{sentence}; with nothing to book it still goes to the floor", floor)
    elif position(target) > position(here) and _restriction_ended(case):
        back = min(target, State(running=True, budget=case.entry.base), key=position)
        if position(back) > position(here) and not _done_today(case, _went_back):
            if back == target:
                return draft
            return draft.restrained(reason, f"{sentence}; it still goes back to {case.money(back.budget)}", back)
    return keep(case, draft, reason, sentence)


def _restriction_ended(case: Case) -> bool:
    """Whether the rule that made the present state is known to decide no longer."""
    proposal, restricting = case.proposal, case.standing.by_rule
    if proposal is None or proposal.target is None or restricting is None:
        return False
    return proposal.rule != restricting


def _went_back(change: PastChange) -> bool:
    return position(change.after) > position(change.before)


def _done_today(case: Case, made: Callable[[PastChange], bool]) -> bool:
    return any(made(change) for change in case.standing.changes if case.clinic.now - change.at < DAY)


def in_change_window(case: Case, draft: Draft) -> Draft:
    """13a. Changes are made only inside the clinic's change window."""
    window = case.rails.change_window
    if window is None or not moves(case, draft):
        return draft
    local = case.local(case.clinic.now)
    if within(window, local, case.clinic.holidays):
        return draft
    return keep(case, draft, Reason.CHANGE_WINDOW, f"it is {local:%a %H:%M}, outside the change window")


def within_hourly_limit(case: Case, draft: Draft) -> Draft:
    """13a. A budget on Meta is changed four times an hour at most, whoever of us did it; a mere pause or resume is free."""
    target, here = draft.target, case.in_force
    if case.entry.platform is not Platform.META or target is None or here is None or target.budget == here.budget:
        return draft
    made = [change.at for change in case.standing.changes if change.before.budget != change.after.budget]
    recent = [at for at in made if case.clinic.now - at < HOUR]
    if len(recent) < META_BUDGETS_PER_HOUR:
        return draft
    ready = recent[-META_BUDGETS_PER_HOUR] + HOUR
    sentence = (
        f"its budget was changed {len(recent)} times within the hour, the most Meta allows; "
        f"the next change may come at {case.local(ready):%a %H:%M}"
    )
    return keep(case, draft, Reason.MAX_CHANGES, sentence)
