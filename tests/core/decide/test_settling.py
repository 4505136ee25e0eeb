"""What became of a change whose outcome nobody recorded: by what is shown, and by what the change history tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from service.core.decide.model import Change, StoodDown
from service.core.decide.settling import Conclusion, concluded, sent
from service.core.model import History, LoggedChange, Platform, Reason, State, Unreadable
from tests.core.decide.made import HOUR, NOON, at, paused, seen

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
PAUSE = Change("c", "d", "r", "harbour", "search", Platform.GOOGLE, "1", at(60), paused())
CUT = replace(PAUSE, after=at(30))
SENT = NOON - HOUR


def told(
    after: timedelta, *, running: bool | None = None, budget: int | None = None, by: str = "mia", by_hand: bool = False
) -> LoggedChange:
    amount = None if budget is None else Decimal(budget)
    return LoggedChange(SENT + after, by, "the website", running is not None, running, amount, by_hand=by_hand)


OURS = told(5 * SECOND, running=False, by="governor")


def end(
    state: State,
    history: History | Unreadable | None = (),
    change: Change = PAUSE,
    *,
    ago: timedelta = HOUR,
    over: bool = False,
) -> Conclusion:
    now = SENT + ago
    return concluded(change, seen(state), history, sent(SENT, now), now, over=over)


def test_a_campaign_that_reads_as_wanted_was_changed_by_us() -> None:
    for history in (None, (), (OURS,), Unreadable("google", "down")):
        assert end(paused(), history) == Conclusion("applied", "found applied", ours=True)


def test_one_that_reads_as_before_was_not_where_the_history_tells_of_nothing() -> None:
    assert (end(at(60)).ending, end(at(60)).ours, end(at(60)).down) == ("failed", False, None)


def test_one_that_reads_as_before_because_somebody_undid_ours_is_theirs() -> None:
    found = end(at(60), (OURS, told(MINUTE, running=True)))
    assert (found.ending, found.ours) == ("superseded", True)
    assert found.down == StoodDown(Reason.DRIFT, NOON, at(60), True, "mia", "the website", SENT + MINUTE)


def test_a_resume_is_somebodys_although_our_own_pause_was_never_logged() -> None:
    found = end(at(60), (told(MINUTE, running=True),))
    assert (found.ending, found.ours, found.down is not None) == ("superseded", False, True)


def test_ours_that_was_undone_without_a_trace_is_somebodys_all_the_same() -> None:
    found = end(at(60), (OURS,))
    assert found.down == StoodDown(Reason.DRIFT, NOON, at(60), status=True)


def test_a_pause_that_a_person_made_is_not_taken_for_ours() -> None:
    found = end(paused(), (told(MINUTE, running=False, by_hand=True),))
    assert (found.ending, found.ours, found.down is not None) == ("superseded", False, True)
    late = end(paused(), (told(30 * MINUTE, running=False),))
    assert late.down is not None, "ours would have been made soon after it was sent"


def test_our_pause_that_a_person_ended_and_made_again_is_theirs() -> None:
    found = end(paused(), (OURS, told(MINUTE, running=True), told(2 * MINUTE, running=False)))
    assert found.down is not None
    assert found.down.logged_at == SENT + 2 * MINUTE


@pytest.mark.parametrize(("history", "theirs"), [((told(5 * SECOND, budget=30, by="governor"),), False), ((), False)])
def test_an_amount_that_we_may_have_set_is_ours(history: History, *, theirs: bool) -> None:
    assert (end(at(30), history, CUT).down is not None) is theirs


def test_an_amount_that_a_person_set_is_theirs_although_it_is_the_one_we_wanted() -> None:
    assert end(at(30), (told(30 * MINUTE, budget=30),), CUT).down == StoodDown(
        Reason.DRIFT, NOON, at(30), by="mia", via="the website", logged_at=SENT + 30 * MINUTE
    )


def test_under_a_foreign_budget_our_pause_stays_ours() -> None:
    changed = State(False, Decimal(75))
    found = end(changed, (OURS, told(MINUTE, budget=75)))
    assert (found.ending, found.ours, found.down) == ("superseded", True, None)
    assert not end(changed, (told(MINUTE, budget=75),)).ours


@pytest.mark.parametrize("state", [at(60), at(45)], ids=["as before", "otherwise"])
def test_what_may_be_on_its_way_stays_open(state: State) -> None:
    assert end(state, None, ago=14 * MINUTE).ending == "open"
    assert end(state, (), ago=14 * MINUTE).ending == "open"
    assert end(state, (OURS,), ago=14 * MINUTE).ending == "open"
    assert end(at(60), None, ago=MINUTE, over=True).ending == "open", "the platform may show the old value for a while"


def test_while_the_history_cannot_be_read_it_stays_open_and_then_it_is_not_ours_to_say() -> None:
    down = Unreadable("google", "down")
    assert end(at(60), down, ago=2 * HOUR).ending == "open"
    found = end(at(60), down, ago=3 * HOUR)
    assert (found.ending, found.ours) == ("superseded", False)
    assert found.down == StoodDown(Reason.DRIFT, SENT + 3 * HOUR, at(60), status=True)
    assert end(at(45), down, ago=3 * HOUR) == replace(found, detail=found.detail.replace("60", "45"), down=None)
