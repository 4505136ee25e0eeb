"""The sentence of a decision: what is done, and why, for somebody who has not read the rule file today. Pure."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

from service.core.decide.case import Case, Draft, described
from service.core.decide.model import Answer
from service.core.decide.verdicts import question
from service.core.model import Campaign, Platform, State, Verdict


def sentence(case: Case, draft: Draft) -> str:
    """One line, capitalised: the outcome, the rule's reason, then what restrained it."""
    text = _outcome(case, draft)
    return text[:1].upper() + text[1:]


def _outcome(case: Case, draft: Draft) -> str:
    wish = case.proposal.sentence if case.proposal else ""
    said = "; ".join(dict.fromkeys(restraint.sentence for restraint in draft.restraints))
    if draft.verdict is Verdict.REFUSED:
        return f"cannot be governed: {said}"
    if draft.verdict is Verdict.NONE:
        return f"already {_here(case)}: {wish}"
    if draft.verdict is Verdict.KEEP:
        return f"stays {_here(case)}: {said}{_unmet(case, wish)}"
    parts = [wish, said if said != wish else "", _approved(case, draft), _note(case, draft)]
    return f"{_move(case, draft.target)}: " + "; ".join(part for part in parts if part)


def _here(case: Case) -> str:
    return "as it is" if case.in_force is None else described(case, case.in_force)


def _unmet(case: Case, wish: str) -> str:
    """What the rules wanted, where it is not what was kept."""
    wanted = case.proposal.target if case.proposal else None
    if wanted is None or wanted == case.in_force:
        return ""
    return f" (the rules want it {described(case, wanted)}: {wish})"


def _move(case: Case, target: State | None) -> str:
    here = case.in_force
    if target is None or here is None:
        return "no move"
    if not target.running:
        return "pause"
    if not here.running:
        return f"resume at {case.money(target.budget)}"
    verb = "raise" if (target.budget or 0) > (here.budget or 0) else "cut"
    return f"{verb} from {case.money(here.budget)} to {case.money(target.budget)}"


def _approved(case: Case, draft: Draft) -> str:
    known = question(case, draft) if draft.verdict is Verdict.APPLY else None
    if known is None or known.answer is not Answer.APPROVED or known.at is None:
        return ""
    return f"approved by {known.by} {case.local(known.at):%a %d %b %H:%M}"


def _note(case: Case, draft: Draft) -> str:
    """What a cut at Google does not do: a day's limit is twice the highest budget set on it (support article 10487143)."""
    target, here = draft.target, case.in_force
    if case.entry.platform is not Platform.GOOGLE or target is None or here is None or not (target.running and here.running):
        return ""
    if here.budget is None or target.budget is None or target.budget >= here.budget:
        return ""
    limit, spent = 2 * _highest_today(case, here.budget), case.seen.spent_today if isinstance(case.seen, Campaign) else None
    so_far = f" ({case.money(spent)} by now)" if spent is not None else ""
    return (
        "Google's limit for today does not fall with a cut: today may still cost twice the highest budget set today, "
        f"{case.money(limit)} as far as is known{so_far}; only a pause stops it"
    )


def _highest_today(case: Case, now: Decimal) -> Decimal:
    """The highest budget that we know was set on the account's own day."""
    zone = ZoneInfo(case.seen.zone if isinstance(case.seen, Campaign) and case.seen.zone else case.clinic.zone)
    today = case.clinic.now.astimezone(zone).date()
    changes = (each for each in case.standing.changes if each.at.astimezone(zone).date() == today)
    set_ = (state.budget for each in changes for state in (each.before, each.after) if state.budget is not None)
    return max((now, *set_))
