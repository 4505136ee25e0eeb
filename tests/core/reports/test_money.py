"""What is claimed of a clinic's money, and what is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.reports.files import money_csv
from service.core.reports.money import METHODS, CampaignMoney, MoneyReport, money
from service.core.reports.seen import CampaignSeen, RunSeen, ServiceSeen

BEGINS = datetime(2026, 8, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SINCE, BEFORE = BEGINS + 15 * DAY, BEGINS + 30 * DAY
RATE = 2.0
"""What the campaign spends an hour at its base budget of 60 a day."""

State = tuple[bool, str, bool]
"""Running, its budget, and whether that is our doing."""

AT_BASE, PAUSED, RAISED = (True, "60.00", False), (False, "60.00", True), (True, "90.00", True)
BY_HAND = (False, "60.00", False)


def runs(
    state: Callable[[int], State], full: Callable[[int], bool | None] = lambda _: True, platform: str = "google", **changed: Any
) -> list[RunSeen]:
    """31 days of hourly runs over one campaign that spends by its budget, told at once."""
    made, month = [], 0.0
    for hour in range(31 * 24 + 6):
        at = BEGINS + hour * HOUR
        running, budget, ours = state(hour)
        month = 0.0 if at.day == 1 and at.hour == 0 else month
        seen = CampaignSeen(platform, "1", "search", "physio", "60.00", "UTC", ours=ours, running=running, budget=budget)
        days = [3] * 14
        service = ServiceSeen("physio", at.date().toordinal(), days, days, days, [480] * 14, full(hour), 90.0, 90.0)
        made.append(RunSeen(at, (seen._replace(**changed),), (f"{month:.2f}",), (service,)))
        month += RATE * float(budget) / 60 if state(hour + 1)[0] else 0.0
    return made


def from_day(day: int, state: State, until: int = 99) -> Callable[[int], State]:
    """At base, but from one day on, until another."""
    return lambda hour: state if day * 24 < hour <= until * 24 else AT_BASE


def report(made: Sequence[RunSeen]) -> MoneyReport:
    return money("harbour", made, SINCE, BEFORE)


def only(found: MoneyReport) -> CampaignMoney:
    (campaign,) = found.campaigns
    return campaign


def test_a_pause_while_full_avoids_what_base_would_have_spent() -> None:
    found = only(report(runs(from_day(20, PAUSED, 25))))
    avoided = found.sums.avoided
    assert found.hours_kept == 120
    assert avoided.low is not None
    assert avoided.estimate == pytest.approx(Decimal(240), rel=Decimal("0.05"))
    assert avoided.low < 240 < (avoided.high or 0)
    assert found.sums.moved.estimate == 0


def test_a_raise_moves_what_is_spent_above_base() -> None:
    found = only(report(runs(from_day(20, RAISED, 25))))
    moved = found.sums.moved
    assert found.hours_raised == 120
    assert moved.low is not None
    assert moved.low <= 120 <= (moved.high or 0)
    assert found.sums.avoided.estimate == 0


@pytest.mark.parametrize(
    ("state", "full"),
    [
        pytest.param(AT_BASE, True, id="nothing was done"),
        pytest.param(BY_HAND, True, id="somebody else paused it"),
        pytest.param(PAUSED, False, id="the service was not full"),
        pytest.param(PAUSED, None, id="nobody knows whether it was full"),
    ],
)
def test_nothing_is_claimed_for(state: State, *, full: bool | None) -> None:
    sums = only(report(runs(from_day(20, state, 25), lambda _: full))).sums
    assert {sums.avoided.low, sums.avoided.estimate, sums.avoided.high} == {Decimal(0)}


def test_hours_without_a_run_are_listed_and_not_claimed() -> None:
    made = runs(from_day(20, PAUSED, 25))
    found = report([each for each in made if not BEGINS + 21 * DAY < each.at < BEGINS + 23 * DAY])
    assert only(found).hours_kept == 72
    assert found.gaps == ((BEGINS + 21 * DAY, BEGINS + 23 * DAY),)


def test_days_on_which_a_campaign_could_not_be_read_are_listed_and_not_claimed() -> None:
    made = runs(from_day(20, PAUSED, 25))
    for n in range(21 * 24 + 1, 21 * 24 + 13):
        blind = made[n].campaigns[0]._replace(ours=False, running=None, budget=None)
        made[n] = RunSeen(made[n].at, (blind,), (None,), made[n].services)
    found = report(made)
    assert [(each.campaign, each.day, each.hours) for each in found.unread] == [("search", (BEGINS + 21 * DAY).date(), 12.0)]
    assert only(found).hours_kept == 107


def test_too_few_days_at_base_tell_nothing_and_the_reason_is_given() -> None:
    found = report(runs(from_day(3, PAUSED)))
    assert only(found).sums.avoided.estimate is None
    assert "ran at base budget for less than 7 days" in only(found).sums.avoided.reason
    assert found.total.avoided.estimate is None
    assert found.total.without == ("search",)


def test_what_a_platform_does_not_tell_is_not_made_up() -> None:
    made = [RunSeen(each.at, each.campaigns, (None,), each.services) for each in runs(from_day(20, PAUSED))]
    sums = only(report(made)).sums
    assert (sums.spent.estimate, sums.avoided.estimate) == (None, None)
    assert sums.avoided.reason == "google did not tell what search cost"


def test_a_period_in_which_nothing_was_seen_claims_nothing() -> None:
    found = money("harbour", [], SINCE, BEFORE)
    assert (found.campaigns, found.services, found.gaps) == ((), {}, ((SINCE, BEFORE),))
    total = found.total
    for figure in (total.spent, total.avoided, total.moved, total.bookings):
        assert (figure.estimate, figure.low, figure.high) == (None, None, None)
        assert figure.reason


CUT = (True, "30.00", True)


def untold(made: Sequence[RunSeen], since: float, before: float) -> list[RunSeen]:
    """Runs to whom the platform did not tell the month, from one day to another."""
    return [replace(each, months=(None,)) if since <= n / 24 < before else each for n, each in enumerate(made)]


@pytest.mark.parametrize("state", [CUT, RAISED, PAUSED])
@pytest.mark.parametrize(("since", "before"), [(21, 99), (0, 19.5), (17, 21)], ids=["the rest", "the beginning", "the middle"])
def test_where_the_month_was_not_told_no_figure_is_made_up(state: State, since: float, before: float) -> None:
    found = report(untold(runs(from_day(20, state)), since, before))
    sums = only(found).sums
    figure, other = (sums.moved, sums.avoided) if state is RAISED else (sums.avoided, sums.moved)
    assert figure.estimate is None
    assert other.estimate == 0
    assert "google told what search cost for only" in figure.reason
    assert found.total.without == ("search",)
    assert sum(each.hours for each in found.unread) >= 95
    if (since, before) == (17, 21):
        assert sums.spent.low is not None, "the month's sum is known after it"
    else:
        assert "for only" in sums.spent.reason


def test_that_nothing_was_done_is_known_without_what_it_cost() -> None:
    sums = only(report(untold(runs(from_day(99, PAUSED)), 0, 99))).sums
    assert sums.spent.estimate is None
    assert {sums.avoided.low, sums.avoided.high, sums.moved.low, sums.moved.high} == {Decimal(0)}


def test_some_hours_in_which_the_month_was_not_told_are_listed_and_not_claimed() -> None:
    found = report(untold(runs(from_day(20, RAISED, 25)), 21, 22))
    moved = only(found).sums.moved
    assert [(each.day, each.hours) for each in found.unread] == [((BEGINS + 21 * DAY).date(), 24.0)]
    assert moved.low is not None
    assert moved.low <= 95 <= (moved.high or 0)
    assert moved.estimate == pytest.approx(Decimal(95), rel=Decimal("0.1"))


def test_a_report_that_ends_now_claims_up_to_what_has_been_told() -> None:
    made = [each for each in runs(from_day(29, CUT)) if each.at < BEFORE]
    avoided = only(report(made)).sums.avoided
    assert avoided.estimate is not None
    assert 0.8 * 21.5 < avoided.estimate < 1.1 * 21.5


@pytest.mark.parametrize("apart", [2, 3])
def test_runs_that_are_some_hours_apart_tell_as_much(apart: int) -> None:
    found = report(runs(from_day(20, PAUSED, 25))[::apart])
    assert found.gaps == ()
    avoided = only(found).sums.avoided
    assert avoided.estimate == pytest.approx(Decimal(240), rel=Decimal("0.05"))


@pytest.mark.parametrize("state", [AT_BASE, PAUSED, RAISED])
def test_runs_a_day_apart_tell_nothing_of_what_was_done(state: State) -> None:
    found = report(runs(from_day(20, state, 25))[::24])
    assert len(found.gaps) == 15
    assert (found.total.avoided.estimate, found.total.moved.estimate) == (None, None)
    assert found.total.avoided.reason


def test_a_campaign_that_could_never_be_read_is_listed_and_in_no_sum() -> None:
    made = []
    for each in runs(from_day(99, PAUSED)):
        other = each.campaigns[0]._replace(id="2", name="social", platform="meta", zone="", running=None, budget=None)
        made.append(replace(each, campaigns=(*each.campaigns, other), months=(*each.months, None)))
    found = report(made)
    assert [each.campaign for each in found.campaigns] == ["search", "social"]
    sums = found.campaigns[1].sums
    assert {each.estimate for each in (sums.spent, sums.avoided, sums.moved, sums.bookings)} == {None}
    assert found.total.without == ("social",)
    assert found.total.spent.estimate is not None
    assert found.total.avoided.estimate is None
    assert {each.campaign for each in found.unread} == {"social"}


def test_a_campaign_that_was_added_in_the_period_is_judged_from_then_on() -> None:
    made = [
        each
        if n < 24 * 24
        else replace(
            each,
            campaigns=(*each.campaigns, each.campaigns[0]._replace(id="2", name="social")),
            months=(*each.months, each.months[0]),
        )
        for n, each in enumerate(runs(from_day(99, PAUSED)))
    ]
    found = report(made)
    assert found.total.without == ()
    assert found.campaigns[1].sums.spent.estimate == pytest.approx(Decimal(288), abs=6)


@given(
    steps=st.lists(st.one_of(st.none(), st.floats(-60, 60)), min_size=31, max_size=31),
    state=st.sampled_from([AT_BASE, CUT, RAISED, PAUSED]),
    period=st.tuples(st.integers(0, 31 * 24), st.integers(1, 31 * 24)),
)
def test_every_figure_lies_within_its_interval_whatever_platforms_tell(
    steps: list[float | None], state: State, period: tuple[int, int]
) -> None:
    """A number a day, told or not, is added to what the month had cost, or taken from it."""
    made = [
        replace(each, months=(None if step is None else f"{max(float(each.months[0] or 0) + step, 0):.2f}",))
        for n, each in enumerate(runs(from_day(20, state)))
        for step in (steps[min(n // 24, 30)],)
    ]
    since = BEGINS + period[0] * HOUR
    found = money("harbour", made, since, since + period[1] * HOUR)
    for sums in (found.total, *found.services.values(), *(each.sums for each in found.campaigns)):
        for figure in (sums.spent, sums.avoided, sums.moved, sums.bookings):
            if figure.low is None or figure.estimate is None or figure.high is None:
                assert (figure.low, figure.estimate, figure.high) == (None, None, None)
                assert figure.reason
            else:
                assert figure.low <= figure.estimate <= figure.high


def test_what_was_taken_back_is_within_the_interval() -> None:
    made = runs(from_day(99, PAUSED))
    made = [
        replace(each, months=(f"{float(each.months[0] or 0) - 30:.2f}",)) if n >= 29 * 24 + 2 else each
        for n, each in enumerate(made)
    ]
    spent = money("harbour", made, BEFORE - DAY, BEFORE).total.spent
    assert spent.low is not None
    assert spent.estimate is not None
    assert spent.low <= spent.estimate <= (spent.high or 0)
    assert spent.low <= 48 <= (spent.high or 0)


def test_a_name_given_to_another_campaign_is_two_campaigns() -> None:
    made = runs(from_day(99, PAUSED))
    second = [
        RunSeen(each.at, (each.campaigns[0]._replace(id="2"),), each.months, each.services) if n > 20 * 24 else each
        for n, each in enumerate(made)
    ]
    assert [each.campaign for each in report(second).campaigns] == ["search", "search (1)"]


def test_bookings_are_split_by_spend() -> None:
    made = runs(from_day(99, PAUSED))
    two = [
        RunSeen(
            each.at,
            (*each.campaigns, each.campaigns[0]._replace(id="2", name="social", base="20.00", budget="20.00")),
            (*each.months, f"{float(each.months[0] or 0) / 3:.2f}"),
            (each.services[0]._replace(low=low, high=low, staying=low),),
        )
        for n, each in enumerate(made)
        for low in ([3] * 7 + [3 - n % 24 // 8] * 7,)
    ]
    found = report(two)
    shares = [each.sums.bookings.estimate for each in found.campaigns]
    assert None not in shares
    assert shares[0] == pytest.approx(3 * (shares[1] or 0), abs=Decimal("0.5"))
    assert sum(each or 0 for each in shares) == pytest.approx(found.services["physio"].bookings.estimate, abs=Decimal("0.2"))


def test_every_figure_has_a_method_and_the_file_says_the_same() -> None:
    found = report(runs(from_day(20, PAUSED, 25)))
    assert set(found.methods) == set(METHODS) == {"spent", "avoided", "moved", "bookings"}
    lines = money_csv(found, "AUD").decode().splitlines()
    avoided = only(found).sums.avoided
    assert lines[0] == "scope,name,platform,service,figure,estimate,low,high,reason,currency,since,before"
    told = f"{avoided.estimate},{avoided.low},{avoided.high}"
    of = "2026-08-16T00:00:00+00:00,2026-08-31T00:00:00+00:00"
    assert f"campaign,search,google,physio,avoided,{told},,AUD,{of}" in lines
    assert len(lines) == 1 + 4 * 3


def test_the_file_says_which_campaigns_its_sums_leave_out() -> None:
    found = report(untold(runs(from_day(99, PAUSED)), 0, 99))
    lines = money_csv(found, "AUD").decode().splitlines()
    assert [line.split(",")[:9] for line in lines if ",without," in line] == [
        ["clinic", "harbour", "", "", "without", "", "", "", "search"],
        ["service", "physio", "", "physio", "without", "", "", "", "search"],
    ]


def test_openings_of_services_that_may_share_a_diary_are_not_added_up() -> None:
    made = [
        replace(each, services=(*each.services, each.services[0]._replace(name="podiatry")))
        for each in runs(from_day(99, PAUSED))
    ]
    found = report(made)
    assert found.total.bookings.estimate is None
    assert "share practitioners" in found.total.bookings.reason
    assert {name for name, sums in found.services.items() if sums.bookings.estimate is not None} == {"physio", "podiatry"}


def test_the_same_rows_give_the_same_report() -> None:
    made = runs(from_day(20, RAISED, 25))
    assert report(made) == report(list(made))
