"""The last step (15): nothing to do, or what the clinic's mode, and people's answers, allow to be done about it. Pure."""

from __future__ import annotations

from dataclasses import replace

from service.core.decide.approvals import allows
from service.core.decide.case import Case, Draft, moves
from service.core.decide.model import Answer, Approval, Restraint
from service.core.model import Mode, Reason, Verdict

ASKED_ABOUT = frozenset({Reason.BLAST_RADIUS, Reason.PLATFORM_UNREADABLE})
"""Restraints that ask a person whatever the mode."""


def finished(case: Case, draft: Draft) -> Draft:
    """15. The draft with its verdict."""
    if draft.verdict is not None:
        return draft
    if not moves(case, draft):
        return replace(draft, verdict=Verdict.KEEP if draft.restraints else Verdict.NONE)
    if case.clinic.mode is Mode.WATCH:
        return draft.settled(Verdict.WOULD_APPLY, Reason.MODE, "mode is watch, so nothing is changed")
    if case.clinic.mode is Mode.ENFORCE and not _asks(draft):
        return replace(draft, verdict=Verdict.APPLY)
    return _answered(case, draft, question(case, draft))


def question(case: Case, draft: Draft) -> Approval | None:
    """The question that people were asked already and that this draft is about, however it was answered."""
    known = case.approval
    fitting = known is not None and draft.target is not None and allows(known, case, draft.target)
    return known if fitting else None


def _asks(draft: Draft) -> bool:
    return any(restraint.reason in ASKED_ABOUT for restraint in draft.restraints)


def _answered(case: Case, draft: Draft, known: Approval | None) -> Draft:
    """Done, refused, or waiting, as people answered."""
    if known is not None and known.answer is Answer.APPROVED:
        return replace(draft, verdict=Verdict.APPLY)
    if known is not None and known.answer is Answer.REJECTED:
        why = f": {known.why}" if known.why else ""
        when = f" {case.local(known.at):%a %d %b %H:%M}" if known.at else ""
        said = f"{known.by} rejected it{when}{why}; people are asked again once the rules want something else"
        return draft.settled(Verdict.KEEP, _asking(draft), said)
    if _asks(draft):
        return replace(draft, verdict=Verdict.AWAIT_APPROVAL)
    return draft.settled(Verdict.AWAIT_APPROVAL, Reason.MODE, "mode is propose, so a person approves it first")


def _asking(draft: Draft) -> Reason:
    """What asks: the last restraint that does, or the mode."""
    found: list[Restraint] = [each for each in draft.restraints if each.reason in ASKED_ABOUT]
    return found[-1].reason if found else Reason.MODE


def reason(case: Case, draft: Draft) -> Reason:
    """The last step that changed anything; where none did, whether a rule or the base budget is behind it."""
    if draft.restraints:
        return draft.restraints[-1].reason
    if case.proposal is None or case.proposal.rule is None:
        return Reason.NO_RULE
    return Reason.RULE if draft.verdict is not Verdict.NONE else Reason.ALREADY_THERE
