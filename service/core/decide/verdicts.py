"""The last step (15): nothing to do, or what the clinic's mode, and people's answers, allow to be done about it. Pure."""

from __future__ import annotations

from dataclasses import replace

from service.core.decide.approvals import allows, asks_about
from service.core.decide.case import Case, Draft, moves
from service.core.decide.model import Answer, Approval
from service.core.model import Mode, Reason, Verdict


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
    """The question that people were asked already and that this draft is about, however it was answered.

    What gives pause only now was not part of it: people are asked anew, unless they have said no already.
    """
    known = case.approval
    if known is None or draft.target is None or not allows(known, case, draft.target):
        return None
    told = known.answer is Answer.REJECTED or set(known.about) >= set(asks_about(draft.restraints))
    return known if told else None


def _asks(draft: Draft) -> bool:
    return bool(asks_about(draft.restraints))


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
    found = asks_about(draft.restraints)
    return found[-1] if found else Reason.MODE


def reason(case: Case, draft: Draft) -> Reason:
    """The last step that changed anything; where none did, whether a rule or the base budget is behind it."""
    if draft.restraints:
        return draft.restraints[-1].reason
    if case.proposal is None or case.proposal.rule is None:
        return Reason.NO_RULE
    return Reason.RULE if draft.verdict is not Verdict.NONE else Reason.ALREADY_THERE
