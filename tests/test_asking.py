"""A person's yes or no, and what a run makes of it: it answers the question that was put, then, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest

from service.answering import answer_plan
from service.core.decide.model import Answer
from service.core.errors import AnsweredError, CredentialsError
from service.core.model import Reason, Verdict
from service.sandbox.scene import HARBOUR
from service.store.remembered import Remembered
from service.store.store import Store
from tests.clinic import BASE, DAY, MINUTE, Clinic, at

ASKED, OTHERWISE = "{budget: 80.00}", "{budget: 100.00}"


@contextmanager
def answered_meanwhile(clinic: Clinic, monkeypatch: pytest.MonkeyPatch, asked: str, answer: Answer) -> Iterator[None]:
    """Anna answers a question when a run has just read how it stands."""
    remembered = Store.remembered

    async def then_answered(self: Store, slug: str, now: datetime) -> Remembered:
        read = await remembered(self, slug, now)
        await self.approvals.answer(asked, answer, "anna", "fine", clinic.world.now)
        return read

    with monkeypatch.context() as patched:
        patched.setattr(Store, "remembered", then_answered)
        yield


@pytest.mark.parametrize("answer", [Answer.APPROVED, Answer.REJECTED])
async def test_an_answer_to_a_question_that_a_run_under_way_replaces_never_counts(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    clinic.rules(ASKED, mode="propose")
    first = (await clinic.decided()).id
    clinic.rules(OTHERWISE, mode="propose")
    with answered_meanwhile(clinic, monkeypatch, first, answer):
        second = (await clinic.decided()).asks or ""
    assert second != first
    approvals = clinic.app.store.approvals
    assert [each.id for each in (await approvals.standing(HARBOUR)).values()] == [second]
    ended = (await approvals.get([first]))[first]
    assert (ended.answer, ended.by, ended.why) == (Answer.VOID, "anna", "fine")
    kinds = [each.kind for each in (await clinic.app.store.ledger.records(chains=[HARBOUR])).items]
    assert {"approval", "rejection"} & set(kinds), "what was said is on record"
    await approvals.answer(second, Answer.REJECTED, "anna", "no raises", clinic.world.now)
    clinic.rules(mode="propose")
    await clinic.run()
    clinic.rules(ASKED, mode="propose")
    assert (await clinic.decided(2 * DAY)).verdict is Verdict.AWAIT_APPROVAL
    assert clinic.ads.states["1"] == BASE


async def test_an_answer_to_a_question_that_a_run_under_way_voids_and_does_not_replace_is_refused_from_then_on(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.rules(ASKED, mode="propose")
    first = (await clinic.decided()).id
    clinic.rules(mode="propose")
    with answered_meanwhile(clinic, monkeypatch, first, Answer.APPROVED):
        await clinic.run()
    assert await clinic.app.store.approvals.standing(HARBOUR) == {}
    with pytest.raises(AnsweredError, match="no longer the question"):
        await clinic.app.store.approvals.answer(first, Answer.REJECTED, "anna", "", clinic.world.now)
    clinic.rules(ASKED, mode="propose")
    assert (await clinic.decided()).verdict is Verdict.AWAIT_APPROVAL


async def test_what_is_approved_in_time_is_carried_out(clinic: Clinic) -> None:
    clinic.rules(ASKED, mode="propose")
    report = await clinic.run()
    await answer_plan(clinic.app, report.run, Answer.APPROVED, "anna")
    assert (await clinic.decided()).approved_by == "anna"
    assert clinic.ads.states["1"] == at("80.00")


async def test_a_resume_that_was_approved_before_its_history_was_unreadable_is_asked_about_anew(clinic: Clinic) -> None:
    clinic.rules("pause")
    await clinic.run()
    clinic.rules(mode="propose")
    report = await clinic.run()
    clinic.later(20 * MINUTE)
    clinic.ads.person("1", running=True)
    clinic.later(MINUTE)
    clinic.ads.person("1", running=False)
    await answer_plan(clinic.app, report.run, Answer.APPROVED, "anna")
    clinic.ads.unlogged = CredentialsError("google", "denied", code="X")
    decision = await clinic.decided()
    assert (decision.verdict, decision.reason) == (Verdict.AWAIT_APPROVAL, Reason.PLATFORM_UNREADABLE)
    assert decision.asks == decision.id
    assert not clinic.ads.states["1"].running


async def test_a_yes_that_a_hold_kept_waiting_for_a_month_is_asked_for_anew(clinic: Clinic) -> None:
    clinic.rules(ASKED, mode="propose")
    report = await clinic.run()
    await answer_plan(clinic.app, report.run, Answer.APPROVED, "anna")
    await clinic.hold()
    await clinic.run(DAY)
    with pytest.raises(AnsweredError, match="anna has approved it already"):
        await answer_plan(clinic.app, report.run, Answer.REJECTED, "anna")
    await clinic.app.store.holds.unhold("h1", "mia", clinic.world.now)
    assert (await clinic.decided(30 * DAY)).verdict is Verdict.AWAIT_APPROVAL
    assert clinic.ads.states["1"] == BASE
