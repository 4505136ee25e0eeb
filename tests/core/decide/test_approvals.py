"""Asking people, hour after hour: what an answer allows, and when a question is no longer the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.core.decide import plan
from service.core.decide.approvals import STANDING, questions, reviewed
from service.core.decide.guardrails import restrain
from service.core.decide.model import Answer, Approval, Decision, PastChange, StoodDown
from service.core.model import Mode, Reason, State, Unreadable, Verdict
from service.core.rules.language import EditBudget, MaxStep, Pause, RaiseAndCut, Rule, RuleSet, Service
from tests.core.decide.made import ENTRY, HOUR, NOON, at, case, paused, proposal, railed, remembering, ruling

RULE = Rule("Full", (ENTRY.name,), then=Pause())
QUIET = railed(cooldown=timedelta(0), max_changes_per_day=99, stabilise=RaiseAndCut(timedelta(0), timedelta(0)))
"""Without the rails that limit how often: they would keep what is asked about here from happening."""


@dataclass(slots=True)
class Clinic:
    """One campaign of a clinic, hour after hour, with whatever people are asked about it."""

    mode: Mode = Mode.PROPOSE
    rule: Rule = RULE
    known: dict[str, Approval] = field(default_factory=dict)
    runs: int = 0

    def rules(self, entry: Any = QUIET) -> RuleSet:
        services = {"physio": Service("physio", ("Initial",))}
        return replace(ruling([case(at(60), entry=entry)]), services=services, rules=(self.rule,), mode=self.mode)

    def hour(self, target: State | None, here: State, later: timedelta = HOUR, **more: Any) -> Decision:
        """What the next run decides, `later` than the one before."""
        self.runs += 1
        entry = more.pop("entry", QUIET)
        unread = more.pop("unread", None)
        made = case(target, here, clinic={"mode": self.mode, "now": NOON + self.runs * later}, entry=entry, **more)
        rules = self.rules(entry)
        known = reviewed(self.known.get(ENTRY.name), made, rules)
        made = replace(made, approval=known if known and known.answer in STANDING else None)
        cases = {ENTRY.name: made}
        drafts: plan.Drafts = {ENTRY.name: restrain(made)}
        drafts = plan.with_known_history(cases, drafts, {ENTRY.name: Unreadable("google", unread)} if unread else {})
        (decision,) = plan.decisions(f"run{self.runs}", [made], drafts, rules)
        left = list(questions([made], [decision], self.known, rules))
        self.ended = [each for each in left if each.answer not in STANDING]
        self.known = {each.campaign: each for each in left if each.answer in STANDING}
        return decision

    ended: list[Approval] = field(default_factory=list)

    @property
    def question(self) -> Approval:
        return self.known[ENTRY.name]

    def answer(self, answer: Answer, why: str = "") -> None:
        self.known[ENTRY.name] = replace(self.question, answer=answer, by="anna", at=NOON + self.runs * HOUR, why=why)


def test_a_question_keeps_its_id_while_it_is_the_same() -> None:
    clinic = Clinic()
    first, second = clinic.hour(paused(), at(60)), clinic.hour(paused(), at(60))
    assert (first.verdict, first.reason, first.asks) == (Verdict.AWAIT_APPROVAL, Reason.MODE, first.id)
    assert second.id != first.id
    assert second.asks == first.id
    assert clinic.question == replace(clinic.question, id=first.id, before=at(60), target=paused(), answer=Answer.PENDING)


def test_what_was_approved_is_done_and_says_by_whom() -> None:
    clinic = Clinic()
    clinic.hour(paused(), at(60))
    clinic.answer(Answer.APPROVED)
    decision = clinic.hour(paused(), at(60))
    assert (decision.verdict, decision.after, decision.approved_by, decision.asks) == (Verdict.APPLY, paused(), "anna", None)
    assert "approved by anna" in decision.sentence
    assert clinic.hour(paused(), paused()).verdict is Verdict.NONE
    assert [each.answer for each in clinic.ended] == [Answer.DONE]
    assert not clinic.known


def test_an_approval_covers_the_guarded_steps_towards_its_target() -> None:
    clinic, steps = Clinic(), railed(QUIET, max_step=MaxStep(up=Decimal(25)))
    wish = at(120)
    assert clinic.hour(wish, at(60), entry=steps).after == at(75)
    clinic.answer(Answer.APPROVED)
    for here, after in ((60, 75), (75, 90), (90, 105), (105, 120)):
        decision = clinic.hour(wish, at(here), entry=steps)
        assert (decision.verdict, decision.after) == (Verdict.APPLY, at(after))
    assert clinic.hour(wish, at(120), entry=steps).verdict is Verdict.NONE
    assert clinic.hour(at(60), at(120), entry=steps).verdict is Verdict.AWAIT_APPROVAL, "the way back is another question"


def test_what_was_rejected_is_kept_and_not_asked_again() -> None:
    clinic = Clinic()
    clinic.hour(paused(), at(60))
    clinic.answer(Answer.REJECTED, "the open day is on Saturday")
    for _ in range(30):
        decision = clinic.hour(paused(), at(60))
        assert (decision.verdict, decision.reason, decision.after) == (Verdict.KEEP, Reason.MODE, at(60))
    assert "anna rejected it" in decision.sentence
    assert "the open day is on Saturday" in decision.sentence
    other = clinic.hour(at(30), at(60))
    assert (other.verdict, other.asks) == (Verdict.AWAIT_APPROVAL, other.id), "the rules want something else: a new question"


@pytest.mark.parametrize("answer", [Answer.PENDING, Answer.APPROVED])
@pytest.mark.parametrize(
    ("target", "here", "same"),
    [
        pytest.param(at(30), at(60), True, id="unchanged"),
        pytest.param(at(33), at(60), True, id="within the dead band"),
        pytest.param(at("33.01"), at(60), False, id="beyond the dead band"),
        pytest.param(paused(), at(60), False, id="a pause instead"),
        pytest.param(at(90), at(60), False, id="a raise instead"),
        pytest.param(at(30), at(20), False, id="the direction turned, because the campaign is below it now"),
    ],
)
def test_the_question_is_another_once_the_proposal_differs(answer: Answer, target: State, here: State, *, same: bool) -> None:
    clinic = Clinic()
    first = clinic.hour(at(30), at(60))
    clinic.answer(answer)
    decision = clinic.hour(target, here)
    if same:
        assert decision.verdict is (Verdict.APPLY if answer is Answer.APPROVED else Verdict.AWAIT_APPROVAL)
        assert clinic.question.id == first.id
    else:
        assert (decision.verdict, decision.asks) == (Verdict.AWAIT_APPROVAL, decision.id)
        assert [(each.id, each.answer) for each in clinic.ended] == [(first.id, Answer.VOID)]


@pytest.mark.parametrize("answer", [Answer.PENDING, Answer.APPROVED, Answer.REJECTED])
def test_a_change_of_the_rules_for_the_campaign_voids_it(answer: Answer) -> None:
    clinic = Clinic()
    clinic.hour(paused(), at(60))
    clinic.answer(answer)
    clinic.rule = replace(RULE, line=99)
    clinic.hour(paused(), at(60))
    assert not clinic.ended, "where a rule stands in the file does not matter"
    clinic.rule = replace(RULE, hold_for=HOUR)
    decision = clinic.hour(paused(), at(60))
    assert (decision.verdict, decision.asks) == (Verdict.AWAIT_APPROVAL, decision.id)
    assert [each.answer for each in clinic.ended] == [Answer.VOID]


def test_somebody_elses_hand_on_the_campaign_voids_it() -> None:
    clinic = Clinic()
    clinic.hour(paused(), at(60))
    clinic.answer(Answer.APPROVED)
    down = StoodDown(Reason.DRIFT, NOON, at(50))
    standing = remembering(case(paused(), at(50)), stood_down=down).standing
    decision = clinic.hour(paused(), at(50), standing=standing)
    assert (decision.verdict, decision.reason) == (Verdict.KEEP, Reason.DRIFT)
    assert [each.answer for each in clinic.ended] == [Answer.VOID]


def test_a_question_waits_a_day_and_is_then_asked_anew() -> None:
    clinic = Clinic()
    first = clinic.hour(paused(), at(60))
    for _ in range(23):
        assert clinic.hour(paused(), at(60)).asks == first.id
    again = clinic.hour(paused(), at(60))
    assert again.asks == again.id
    assert [(each.id, each.answer) for each in clinic.ended] == [(first.id, Answer.EXPIRED)]


def test_a_yes_that_could_not_be_acted_on_for_a_day_is_asked_for_anew() -> None:
    clinic = Clinic()
    first = clinic.hour(paused(), at(60))
    clinic.answer(Answer.APPROVED)
    unknown = proposal(None, None, cause=Reason.DATA_INCOMPLETE)
    for _ in range(23):
        assert clinic.hour(None, at(60), proposal=unknown).verdict is Verdict.KEEP
    assert clinic.question.id == first.id
    again = clinic.hour(paused(), at(60))
    assert (again.verdict, again.asks) == (Verdict.AWAIT_APPROVAL, again.id)
    assert [(each.id, each.answer, each.by) for each in clinic.ended] == [(first.id, Answer.EXPIRED, "anna")]


def test_steps_made_under_a_yes_keep_it_fresh_however_far_apart_the_cooldown_puts_them() -> None:
    clinic, made, here = Clinic(), list[PastChange](), at(60)
    resting = railed(QUIET, max_step=MaxStep(up=Decimal(25)), cooldown=30 * HOUR, edit_budget=EditBudget(99))
    clinic.hour(at(120), here, entry=resting)
    clinic.answer(Answer.APPROVED)
    while here != at(120):
        standing = remembering(case(at(120), here), changes=tuple(made)).standing
        decision = clinic.hour(at(120), here, entry=resting, standing=standing)
        assert decision.verdict is Verdict.APPLY or decision.reason is Reason.COOLING_DOWN
        if decision.verdict is Verdict.APPLY and decision.after is not None:
            made.append(PastChange(decision.at, here, decision.after))
            here = decision.after
    assert (len(made), clinic.runs) == (4, 92)


def test_a_question_waits_while_the_rules_cannot_say_what_they_want() -> None:
    clinic = Clinic()
    first = clinic.hour(paused(), at(60))
    clinic.answer(Answer.APPROVED)
    unknown = proposal(None, None, cause=Reason.DATA_INCOMPLETE)
    assert clinic.hour(None, at(60), proposal=unknown).verdict is Verdict.KEEP
    assert clinic.question.id == first.id
    assert clinic.hour(paused(), at(60)).verdict is Verdict.APPLY


def test_of_an_uncertain_proposal_an_approval_covers_only_what_lies_on_the_way() -> None:
    clinic = Clinic()
    clinic.hour(at(20), at(60))
    clinic.answer(Answer.APPROVED)
    smaller = clinic.hour(at(40), at(60), proposal=proposal(at(40), certain=False))
    assert (smaller.verdict, smaller.after) == (Verdict.APPLY, at(40))
    beyond = clinic.hour(at(12), at(60), proposal=proposal(at(12), certain=False))
    assert beyond.verdict is Verdict.AWAIT_APPROVAL


def test_in_enforce_nobody_is_asked_and_in_watch_nothing_is_done() -> None:
    for mode, verdict in ((Mode.ENFORCE, Verdict.APPLY), (Mode.WATCH, Verdict.WOULD_APPLY)):
        clinic = Clinic()
        clinic.hour(paused(), at(60))
        clinic.answer(Answer.APPROVED if mode is Mode.WATCH else Answer.PENDING)
        clinic.mode = mode
        assert clinic.hour(paused(), at(60)).verdict is verdict


def test_a_campaign_that_left_the_file_takes_its_question_along() -> None:
    clinic = Clinic()
    clinic.hour(paused(), at(60))
    [ended] = questions([], [], clinic.known, clinic.rules())
    assert ended.answer is Answer.VOID


# --- a resume whose history is unreadable -------------------------------------------------------------------------------


def test_a_pause_is_not_ended_while_nobody_can_tell_who_changed_it_since_unless_a_person_says_so() -> None:
    clinic = Clinic(mode=Mode.ENFORCE)
    ours = remembering(case(at(60), paused()), paused_by_us=True).standing
    decision = clinic.hour(at(60), paused(), standing=ours, unread="no answer within 30 s")
    assert (decision.verdict, decision.reason) == (Verdict.AWAIT_APPROVAL, Reason.PLATFORM_UNREADABLE)
    assert "no answer within 30 s" in decision.sentence
    clinic.answer(Answer.APPROVED)
    assert clinic.hour(at(60), paused(), standing=ours, unread="no answer within 30 s").verdict is Verdict.APPLY


@pytest.mark.parametrize("answer", [Answer.PENDING, Answer.APPROVED])
def test_an_answer_does_not_cover_what_was_not_known_when_it_was_asked_for(answer: Answer) -> None:
    clinic = Clinic()
    ours = remembering(case(at(60), paused()), paused_by_us=True).standing
    first = clinic.hour(at(60), paused(), standing=ours)
    clinic.answer(answer)
    again = clinic.hour(at(60), paused(), standing=ours, unread="no permission")
    assert (again.verdict, again.asks) == (Verdict.AWAIT_APPROVAL, again.id)
    assert "no permission" in again.sentence
    assert [(each.id, each.answer) for each in clinic.ended] == [(first.id, Answer.VOID)]
    clinic.answer(Answer.APPROVED)
    done = clinic.hour(at(60), paused(), standing=ours)
    assert done.verdict is Verdict.APPLY, "who said yes although it could not be read says yes to less as well"


def test_a_no_stands_whatever_else_gives_pause() -> None:
    clinic = Clinic()
    ours = remembering(case(at(60), paused()), paused_by_us=True).standing
    clinic.hour(at(60), paused(), standing=ours)
    clinic.answer(Answer.REJECTED)
    assert clinic.hour(at(60), paused(), standing=ours, unread="no permission").verdict is Verdict.KEEP


def test_a_cut_needs_no_history() -> None:
    clinic = Clinic(mode=Mode.ENFORCE)
    assert clinic.hour(at(30), at(60), unread="down").verdict is Verdict.APPLY
