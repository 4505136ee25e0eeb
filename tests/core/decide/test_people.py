"""Whose hand is on a campaign, over time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.core.decide.model import Change, Standing
from service.core.decide.people import adopt, changed, displaced, identity, meet, propagating, recall, wanted
from service.core.model import Reason, State
from tests.core.decide.made import DAY, ENTRY, HOUR, NOON, at, paused, railed

FRESH = Standing()
OURS = Standing(expected=at(60), since=NOON - DAY)


def changed_to(after: State, before: State, ago: timedelta, rule: str | None = "Full") -> Standing:
    """A campaign that we changed some time ago."""
    change = Change("c", "d", "r", "harbour", ENTRY.name, ENTRY.platform, ENTRY.id, before, after)
    return changed(replace(OURS, expected=before), change, after, rule, NOON - ago)


def reason(standing: Standing) -> Reason | None:
    return standing.stood_down.reason if standing.stood_down else None


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        pytest.param(at(60), None, id="running at base"),
        pytest.param(at(57), None, id="5% below base"),
        pytest.param(at(63), None, id="5% above base"),
        pytest.param(at("56.99"), Reason.BASE_MISMATCH, id="more than 5% below"),
        pytest.param(at("63.01"), Reason.BASE_MISMATCH, id="more than 5% above"),
        pytest.param(State(running=True, budget=None), Reason.BASE_MISMATCH, id="no daily budget"),
        pytest.param(paused(), Reason.PAUSED_BY_PERSON, id="paused last year"),
    ],
)
def test_first_sight(seen: State, why: Reason | None) -> None:
    met = meet(FRESH, seen, ENTRY, NOON)
    assert reason(met) is why
    assert met.expected == (None if why else seen)
    assert not met.paused_by_us


@pytest.mark.parametrize(
    ("seen", "why"),
    [(at(60), None), (at("60.01"), Reason.DRIFT), (paused(), Reason.DRIFT), (paused(70), Reason.DRIFT)],
)
def test_what_we_did_not_do_is_drift(seen: State, why: Reason | None) -> None:
    met = meet(OURS, seen, ENTRY, NOON)
    assert reason(met) is why
    assert met.stood_down is None or (met.stood_down.since, met.stood_down.seen) == (NOON, seen)


@pytest.mark.parametrize(
    ("minutes", "seen", "why"),
    [
        pytest.param(15, at(60), None, id="the old value within 15 minutes is propagation"),
        pytest.param(16, at(60), Reason.DRIFT, id="later it is drift"),
        pytest.param(5, at(55), Reason.DRIFT, id="any other value is drift at once"),
        pytest.param(5, at(78), None, id="what we wrote"),
    ],
)
def test_a_platform_may_show_the_old_value_for_a_quarter_of_an_hour(minutes: int, seen: State, why: Reason | None) -> None:
    standing = changed_to(at(78), at(60), timedelta(minutes=minutes))
    assert reason(meet(standing, seen, ENTRY, NOON)) is why
    assert propagating(standing, seen, NOON) == (seen == at(60) and minutes <= 15)


def test_a_confirmed_change_is_remembered() -> None:
    standing = changed_to(paused(), at(60), HOUR)
    assert (standing.expected, standing.previous, standing.since) == (paused(), at(60), NOON - HOUR)
    assert (standing.paused_by_us, standing.by_rule, standing.caused_by) == (True, "Full", "d")
    assert [(past.before, past.after) for past in standing.changes] == [(at(60), paused())]


def test_changes_are_kept_longer_than_any_edit_budget() -> None:
    old = replace(changed_to(at(78), at(60), 60 * DAY), expected=at(78))
    change = Change("c", "d", "r", "harbour", ENTRY.name, ENTRY.platform, ENTRY.id, at(78), at(60))
    assert len(changed(old, change, at(60), None, NOON).changes) == 2
    assert len(changed(old, change, at(60), None, NOON + 3 * DAY).changes) == 1


@pytest.mark.parametrize(
    ("seen", "days", "accepted"),
    [
        pytest.param(at(75), 6.9, False, id="a foreign budget is respected"),
        pytest.param(at(75), 7, True, id="and accepted after drift_expires"),
        pytest.param(paused(), 365, False, id="a foreign pause never expires"),
    ],
)
def test_drift_expires_for_budgets_only(seen: State, days: float, accepted: bool) -> None:
    drifted = meet(OURS, seen, ENTRY, NOON)
    later = meet(drifted, seen, ENTRY, NOON + timedelta(days=days))
    assert (later.stood_down is None) == accepted
    assert later.expected == (seen if accepted else at(60))


def test_drift_that_became_a_pause_does_not_expire() -> None:
    drifted = meet(OURS, at(75), ENTRY, NOON)
    assert reason(meet(drifted, paused(75), ENTRY, NOON + 8 * DAY)) is Reason.DRIFT


@pytest.mark.parametrize("seen", [paused(), at(100)])
def test_a_first_sight_stand_down_never_expires(seen: State) -> None:
    met = meet(FRESH, seen, railed(drift_expires=DAY), NOON)
    assert meet(met, at(60), ENTRY, NOON + 400 * DAY) == met


def test_whoever_resumes_what_we_paused_has_taken_over() -> None:
    assert reason(meet(changed_to(paused(), at(60), DAY), at(60), ENTRY, NOON)) is Reason.DRIFT


def test_readopting_takes_a_campaign_on_as_it_stands() -> None:
    drifted = meet(OURS, paused(), ENTRY, NOON)
    adopted = adopt(drifted, paused(), NOON + HOUR)
    assert (adopted.stood_down, adopted.expected, adopted.paused_by_us) == (None, paused(), True)
    assert meet(adopted, paused(), ENTRY, NOON + 2 * HOUR) == adopted


def test_wishes_are_remembered_over_the_window_and_the_longest_gap() -> None:
    standing = FRESH
    for hour in range(60):
        standing = wanted(standing, at(60), 48 * HOUR, NOON + hour * HOUR)
    assert NOON + 59 * HOUR - standing.proposals[0].at == 51 * HOUR


def test_a_second_foreign_budget_has_its_own_days_before_it_is_accepted() -> None:
    """Whoever sets 45 and, a week later, 20 is not overruled hours after the second edit."""
    first = meet(OURS, at(45), ENTRY, NOON)
    second = meet(first, at(20), ENTRY, NOON + 6 * DAY)
    assert second.stood_down is not None
    assert (second.stood_down.since, second.stood_down.seen) == (NOON + 6 * DAY, at(20))
    assert reason(meet(second, at(20), ENTRY, NOON + 8 * DAY)) is Reason.DRIFT
    assert reason(meet(second, at(20), ENTRY, NOON + 13 * DAY)) is None


def test_a_foreign_pause_never_expires_not_even_once_it_was_undone() -> None:
    standing = meet(OURS, paused(), ENTRY, NOON)
    standing = meet(standing, at(60), ENTRY, NOON + 8 * DAY)
    assert reason(meet(standing, at(60), ENTRY, NOON + 30 * DAY)) is Reason.DRIFT


ME = identity(ENTRY.platform, ENTRY.id)
OTHER = replace(ENTRY, id="999")


def test_a_renamed_campaign_keeps_what_is_remembered_of_it() -> None:
    ours = replace(changed_to(paused(), at(60), HOUR), of=ME)
    assert recall({"its-old-name": ours}, ENTRY.name, ME) == ours


def test_a_name_given_to_another_campaign_is_a_first_sight_and_the_old_one_is_not_forgotten() -> None:
    """Else a pause that a person made on the other campaign would be taken for ours, and ended."""
    ours = replace(changed_to(paused(), at(60), HOUR), of=ME)
    found = recall({ENTRY.name: ours}, ENTRY.name, identity(OTHER.platform, OTHER.id))
    assert found == Standing(of=identity(OTHER.platform, OTHER.id))
    assert reason(meet(found, paused(), OTHER, NOON)) is Reason.PAUSED_BY_PERSON
    kept = displaced({ENTRY.name: ours}, OTHER)
    assert kept == {ME: ours}
    assert recall(kept | {ENTRY.name: found}, ENTRY.name, ME) == ours
