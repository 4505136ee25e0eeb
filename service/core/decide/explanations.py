"""The sentence of a decision: what is done, and why, for somebody who has not read the rule file today. Pure."""

from __future__ import annotations

from service.core.decide.case import Case, Draft, described, moves
from service.core.decide.model import Answer
from service.core.decide.verdicts import question
from service.core.model import Platform, State, Verdict

GOOGLE_CUT = "Google's own limit for today does not fall with a cut; it counts from tomorrow"
"""Support article 10487143: a day's cap is twice the highest budget set on that day."""


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
    target, here = draft.target, case.in_force
    if case.entry.platform is not Platform.GOOGLE or target is None or here is None or not moves(case, draft):
        return ""
    cut = target.running and here.running and (target.budget or 0) < (here.budget or 0)
    return GOOGLE_CUT if cut else ""
