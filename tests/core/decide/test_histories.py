"""What a change history adds to what a campaign shows: whose hand it was, and a hand that has gone by."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from service.core.decide.admission import people
from service.core.decide.case import Draft
from service.core.decide.histories import learnt, since, wanted
from service.core.decide.model import PastChange, RunInputs, RunOutcome, Span, Standing, StoodDown
from service.core.model import Campaign, LoggedChange, Reason, Share, Snapshot, State, Unreadable, Verdict
from tests.core.decide.made import DAY, ENTRY, HOUR, NOON, at, case, changes, decide, paused, ruling, seen

MINUTE = timedelta(minutes=1)
PAUSED_BY_US = Standing(
    expected=paused(), since=NOON - 5 * HOUR, previous=at(60), paused_by_us=True, changes=changes((5, at(60), paused()))
)


def logged(
    ago: timedelta, *, running: bool | None = None, budget: int | None = None, by: str = "jane@clinic.example"
) -> LoggedChange:
    about = running is not None
    return LoggedChange(NOON - ago, by, "the website", about, running, None if budget is None else Decimal(budget))


OUR_PAUSE = logged(5 * HOUR - timedelta(seconds=20), running=False, by="governor@clinic.example")


def down(standing: Standing) -> StoodDown | None:
    return standing.stood_down


def test_our_own_changes_are_nobodys_hand() -> None:
    found = learnt(PAUSED_BY_US, (OUR_PAUSE,), paused(), NOON)
    assert down(found) is None
    assert found.clear_until is not None


def test_a_resume_and_pause_between_two_looks_is_a_drift_although_nothing_shows() -> None:
    passed = (OUR_PAUSE, logged(2 * HOUR, running=True), logged(HOUR, running=False))
    found = down(learnt(PAUSED_BY_US, passed, paused(), NOON))
    assert found == StoodDown(Reason.DRIFT, NOON, paused(), True, "jane@clinic.example", "the website", NOON - HOUR)


def test_a_status_change_that_cannot_be_read_is_somebodys() -> None:
    unreadable = LoggedChange(NOON - HOUR, "", "", about_status=True)
    found = down(learnt(PAUSED_BY_US, (unreadable,), paused(), NOON))
    assert found is not None
    assert found.by == "somebody unnamed"


def test_each_change_of_ours_explains_one_that_was_logged() -> None:
    again = logged(5 * HOUR - timedelta(seconds=50), running=False)
    found = down(learnt(PAUSED_BY_US, (OUR_PAUSE, again), paused(), NOON))
    assert found is not None
    assert found.by == "jane@clinic.example"


def test_somebody_elses_pause_within_minutes_of_ours_is_theirs_if_it_is_not_the_same() -> None:
    found = learnt(PAUSED_BY_US, (OUR_PAUSE, logged(5 * HOUR - 3 * MINUTE, running=True)), paused(), NOON)
    assert down(found) is not None


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(replace(PAUSED_BY_US, changes=(), since=NOON - 5 * HOUR), id="taken on as it was"),
        pytest.param(replace(PAUSED_BY_US, since=NOON - 9 * HOUR, clear_until=NOON - 5 * HOUR), id="told of before"),
    ],
)
def test_what_was_known_already_is_no_drift(before: Standing) -> None:
    assert down(learnt(before, (logged(6 * HOUR, running=False),), paused(), NOON)) is None


def test_a_foreign_budget_alone_does_not_keep_a_pause() -> None:
    assert down(learnt(PAUSED_BY_US, (logged(HOUR, budget=80),), paused(), NOON)) is None


def test_what_is_not_known_changes_nothing() -> None:
    assert learnt(PAUSED_BY_US, Unreadable("google", "down"), paused(), NOON) is PAUSED_BY_US
    assert learnt(PAUSED_BY_US, None, paused(), NOON) is PAUSED_BY_US


def test_a_drift_is_put_down_to_who_did_what_is_seen() -> None:
    drifted = replace(PAUSED_BY_US, stood_down=StoodDown(Reason.DRIFT, NOON, at(70), status=True))
    told = (logged(3 * HOUR, running=True, by="jane"), logged(2 * HOUR, budget=65, by="joe"), logged(HOUR, budget=70, by="ann"))
    found = down(learnt(drifted, told, at(70), NOON))
    assert found is not None
    assert (found.by, found.logged_at, found.since) == ("ann", NOON - HOUR, NOON)
    assert down(learnt(drifted, (), at(70), NOON)) == drifted.stood_down
    again = learnt(replace(drifted, stood_down=found), (logged(HOUR, running=True, by="late"),), at(70), NOON)
    assert down(again) == found, "once it is known whose hand it was, that stays"


def test_the_decision_says_whose_hand_it_was() -> None:
    told = StoodDown(Reason.DRIFT, NOON, at(70), by="jane@clinic.example", via="the website", logged_at=NOON - HOUR)
    draft = people(replace(case(paused(), at(70)), standing=replace(PAUSED_BY_US, stood_down=told)), Draft(paused()))
    assert draft.verdict is Verdict.KEEP
    assert "jane@clinic.example changed it by way of the website (Mon 02 Mar 11:00)" in draft.restraints[-1].sentence


# --- when it is read ----------------------------------------------------------------------------------------------------


def asked(
    standing: Standing, before: State, after: State, verdict: Verdict = Verdict.APPLY, *, unreadable: bool = False
) -> bool:
    """Whether the campaign's history is wanted by a run that decides so."""
    made = case(after, before)
    shown: Campaign | Unreadable = Unreadable("google", "down") if unreadable else seen(before)
    inputs = RunInputs(
        "run", "harbour", NOON, "1", ruling([made]), Snapshot("harbour", NOON, Unreadable("", ""), {ENTRY.name: shown})
    )
    decision = replace(decide(made), before=before, after=after, verdict=verdict)
    outcome = RunOutcome("run", {}, {}, {}, (decision,), {}, {ENTRY.name: standing})
    first = wanted(inputs, outcome) == {ENTRY.name}
    known = wanted(replace(inputs, histories={ENTRY.name: ()}), outcome)
    assert known == frozenset(), "what was read is not wanted again"
    return first


def test_before_every_resume_and_only_then() -> None:
    assert asked(PAUSED_BY_US, paused(), at(60))
    assert asked(PAUSED_BY_US, paused(), at(60), Verdict.AWAIT_APPROVAL)
    assert not asked(PAUSED_BY_US, paused(), at(60), Verdict.WOULD_APPLY)
    assert not asked(PAUSED_BY_US, paused(), paused(), Verdict.NONE)
    assert not asked(Standing(expected=at(60), since=NOON - DAY), at(60), paused())
    assert not asked(PAUSED_BY_US, paused(), at(60), unreadable=True)


def test_for_a_drift_that_was_just_found_until_it_has_a_name() -> None:
    found = StoodDown(Reason.DRIFT, NOON - 2 * HOUR, at(60), status=True)
    for down_, worth in ((found, True), (replace(found, by="jane"), False), (replace(found, since=NOON - 4 * HOUR), False)):
        assert asked(replace(PAUSED_BY_US, stood_down=down_), at(60), at(60), Verdict.KEEP) is worth


def test_a_long_pause_of_ours_is_looked_after_before_the_history_forgets() -> None:
    long_ago = replace(PAUSED_BY_US, since=NOON - 21 * DAY)
    assert asked(long_ago, paused(), paused(), Verdict.NONE)
    assert not asked(replace(long_ago, clear_until=NOON - 5 * DAY), paused(), paused(), Verdict.NONE)
    assert since(replace(long_ago, clear_until=NOON - 5 * DAY), NOON) == NOON - 5 * DAY - timedelta(minutes=2)


@pytest.mark.parametrize(
    ("share", "budget", "author"),
    [("a", "2.50", "Mara"), ("a", None, "Mara"), ("a", "7.50", "us"), ("c", None, "us")],
    ids=["what we gave it", "unreadable", "what we gave the other", "another ad set"],
)
def test_an_entry_about_an_ad_set_is_ours_where_it_tells_what_we_left_it_with(
    share: str, budget: str | None, author: str
) -> None:
    written = NOON - HOUR
    made = PastChange(written, at(40), at(10), shares=(Share("a", Decimal("2.50")), Share("b", Decimal("7.50"))))
    drift = StoodDown(Reason.DRIFT, NOON, at(17))
    standing = Standing(expected=at(10), since=written, changes=(made,), stood_down=drift)
    hers = LoggedChange(written, "Mara", "Ads Manager", budget=Decimal(9), share="b")
    last = LoggedChange(written + MINUTE, "us", "", budget=None if budget is None else Decimal(budget), share=share)
    down = learnt(standing, (hers, last), at(17), NOON).stood_down
    assert down is not None
    assert down.by == author


# --- what is ours -------------------------------------------------------------------------------------------------------


def test_what_is_done_by_hand_is_never_ours_even_at_the_same_moment() -> None:
    by_hand = replace(OUR_PAUSE, by_hand=True)
    assert down(learnt(PAUSED_BY_US, (OUR_PAUSE,), paused(), NOON)) is None
    assert down(learnt(PAUSED_BY_US, (by_hand,), paused(), NOON)) is not None


@pytest.mark.parametrize("seconds", [-3, 3])
def test_a_pause_of_ours_may_be_told_in_several_steps(seconds: int) -> None:
    step = replace(OUR_PAUSE, at=OUR_PAUSE.at + timedelta(seconds=seconds), running=None)
    assert down(learnt(PAUSED_BY_US, (OUR_PAUSE, step), paused(), NOON)) is None
    for other in (replace(step, by="jane"), replace(step, running=True), replace(step, at=step.at + 5 * MINUTE)):
        assert down(learnt(PAUSED_BY_US, (OUR_PAUSE, other), paused(), NOON)) is not None, other


def test_a_write_that_took_long_is_ours_wherever_it_is_dated() -> None:
    begun = replace(OUR_PAUSE, at=NOON - 5 * HOUR - 8 * MINUTE)
    slow = replace(PAUSED_BY_US.changes[0], made=Span(NOON - 5 * HOUR - 9 * MINUTE, NOON - 5 * HOUR))
    assert down(learnt(PAUSED_BY_US, (begun,), paused(), NOON)) is None, "it was before we knew the campaign as it is"
    known = replace(PAUSED_BY_US, since=NOON - 6 * HOUR)
    assert down(learnt(known, (begun,), paused(), NOON)) is not None
    assert down(learnt(replace(known, changes=(slow,)), (begun,), paused(), NOON)) is None


def test_for_a_drift_no_history_is_asked_further_back_than_it_reaches() -> None:
    long_known = replace(PAUSED_BY_US, since=NOON - 200 * DAY)
    assert since(long_known, NOON) == NOON - 200 * DAY - 2 * MINUTE
    drift = StoodDown(Reason.DRIFT, NOON, at(70), status=True)
    drifted = replace(long_known, stood_down=drift)
    assert since(drifted, NOON) == NOON - 29 * DAY
    named = replace(drift, by="jane@clinic.example", via="the website", logged_at=NOON - HOUR)
    assert down(learnt(drifted, (logged(HOUR, running=True),), at(70), NOON)) == named
