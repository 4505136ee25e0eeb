"""What is remembered of a divided budget, and what a reading tells of a write to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from service.core.decide.division import Found, aimed, as_shown, divided, found, half_way, written
from service.core.decide.model import Change, PastChange, Standing, StoodDown
from service.core.errors import RefusedError
from service.core.model import Campaign, Platform, Reason, Share, Shares, State

NOON = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def shares(**amounts: str | int) -> Shares:
    return tuple(Share(id_, Decimal(amount)) for id_, amount in amounts.items())


def seen(*, running: bool = True, **amounts: str | int) -> Campaign:
    made = shares(**amounts)
    state = State(running, sum((share.budget for share in made), Decimal(0)))
    return Campaign(
        Platform.META, "1", "One", state, "AUD", Decimal("0.01"), shares=made, least=Decimal(len(made))
    )  # fmt: skip


def change(before: Campaign, budget: str | int, *, running: bool = True) -> Change:
    return Change("c", "d", "r", "harbour", "one", Platform.META, "1", before.state, State(running, Decimal(budget)))


def taken_on(campaign: Campaign) -> Standing:
    return divided(Standing(expected=campaign.state, since=NOON), campaign, NOON)


def after_write(standing: Standing, made: Change, at: datetime = NOON) -> Standing:
    past = PastChange(at, made.before, made.after)
    left = replace(standing, expected=made.after, previous=made.before, since=at, changes=(past,))
    return written(left, made, made.shares_after)


def weights(standing: Standing) -> dict[str, str]:
    return {part.id: str(part.weight) for part in standing.parts}


# --- whose division -----------------------------------------------------------------------------------------------------


def test_a_campaign_that_holds_its_budget_has_no_parts() -> None:
    whole = seen()
    standing = Standing(expected=whole.state)
    assert divided(standing, whole, NOON) is standing
    made = change(replace(whole, state=State(running=True, budget=Decimal(10))), 20)
    assert aimed(made, whole, standing) is made


def test_what_we_made_of_the_division_does_not_become_it() -> None:
    standing = taken_on(seen(a=10, b=30))
    made = aimed(change(seen(a=10, b=30), 3), seen(a=10, b=30), standing)
    assert made.shares_after == shares(a=1, b=2), "the minimum of 1.00 upsets the proportion"
    standing = divided(after_write(standing, made), seen(a=1, b=2), NOON + 60 * MINUTE)
    back = aimed(change(seen(a=1, b=2), 40), seen(a=1, b=2), standing)
    assert back.shares_after == shares(a=10, b=30)


def test_what_a_person_made_of_it_does_even_with_the_same_sum() -> None:
    standing = divided(taken_on(seen(a=10, b=30)), seen(a=20, b=20), NOON)
    assert weights(standing) == {"a": "20", "b": "20"}


def test_another_ad_set_makes_another_division() -> None:
    standing = divided(taken_on(seen(a=10, b=30)), seen(a=10, c=30), NOON)
    assert weights(standing) == {"a": "10", "c": "30"}
    assert divided(standing, seen(c=30, a=10), NOON) is standing, "the order they come in is nobody's decision"


def test_a_pause_leaves_every_ad_set_as_it_is() -> None:
    made = aimed(change(seen(a=10, b=30), 40, running=False), seen(a=10, b=30), taken_on(seen(a=10, b=30)))
    assert made.shares_before == made.shares_after == shares(a=10, b=30)


def test_a_total_that_is_too_small_says_which_would_not_be() -> None:
    with pytest.raises(RefusedError, match=r"smallest total that works is 2\.00"):
        aimed(change(seen(a=10, b=30), "1.99"), seen(a=10, b=30), Standing())


# --- a write that is still appearing ------------------------------------------------------------------------------------

MADE = aimed(change(seen(a=10, b=30), 20), seen(a=10, b=30), Standing())
LEFT = after_write(taken_on(seen(a=10, b=30)), MADE)


@pytest.mark.parametrize(
    ("shown", "minutes", "ours"),
    [
        (seen(a=5, b=15), 5, True),
        (seen(a=5, b=30), 5, True),
        (seen(a=10, b=15), 15, True),
        (seen(a=10, b=15), 16, False),
        (seen(a=10, b=14), 5, False),
        (seen(a=5, b=30, c=1), 5, False),
        (seen(running=False, a=5, b=30), 5, False),
    ],
    ids=str,
)
def test_for_a_quarter_of_an_hour_old_parts_are_propagation(shown: Campaign, minutes: int, ours: bool) -> None:
    state = as_shown(LEFT, shown, NOON + minutes * MINUTE)
    assert state == (State(running=True, budget=Decimal(20)) if ours else shown.state)
    assert (weights(divided(LEFT, shown, NOON + minutes * MINUTE)) == {"a": "10", "b": "30"}) is ours


def test_where_somebody_stepped_in_what_is_shown_is_what_is() -> None:
    shown = seen(a=5, b=30)
    down = replace(LEFT, stood_down=StoodDown(Reason.DRIFT, NOON, shown.state))
    assert as_shown(down, shown, NOON + MINUTE) == shown.state


# --- what became of a write ---------------------------------------------------------------------------------------------

RESUME = aimed(change(seen(running=False, a=10, b=30), 20), seen(running=False, a=10, b=30), Standing())


@pytest.mark.parametrize(
    ("made", "reads", "expected"),
    [
        (MADE, seen(a=5, b=15), Found.AFTER),
        (MADE, seen(b=15, a=5), Found.AFTER),
        (MADE, seen(a=10, b=30), Found.BEFORE),
        (MADE, seen(a=5, b=30), Found.PARTLY),
        (MADE, seen(a=10, b=15), Found.PARTLY),
        (MADE, seen(a=15, b=5), Found.FOREIGN),
        (MADE, seen(a=5, b=29), Found.FOREIGN),
        (MADE, seen(a=5), Found.FOREIGN),
        (MADE, seen(a=5, b=15, c=1), Found.FOREIGN),
        (MADE, seen(running=False, a=5, b=30), Found.FOREIGN),
        (MADE, seen(a=20, b=20), Found.FOREIGN),
        (RESUME, seen(running=False, a=5, b=15), Found.PARTLY),
        (RESUME, seen(running=True, a=5, b=15), Found.AFTER),
        (RESUME, seen(running=True, a=10, b=30), Found.PARTLY),
    ],
    ids=str,
)
def test_each_ad_set_reads_as_before_or_as_wanted_or_a_person_was_there(made: Change, reads: Campaign, expected: Found) -> None:
    assert found(made, reads) is expected


def test_a_change_of_an_undivided_budget_is_never_half_made() -> None:
    whole = Campaign(Platform.META, "1", "One", State(running=True, budget=Decimal(40)), "AUD", Decimal("0.01"))
    made = change(whole, 20, running=False)
    assert found(made, replace(whole, state=made.after)) is Found.AFTER
    assert found(made, whole) is Found.BEFORE
    assert found(made, replace(whole, state=State(running=False, budget=Decimal(40)))) is Found.FOREIGN


def test_the_record_says_which_ad_sets_were_changed_and_which_not() -> None:
    assert half_way(MADE, seen(a=5, b=30)) == "ad sets changed: a (now 5); not changed: b (still 30)"
    told = half_way(RESUME, seen(running=False, a=5, b=15))
    assert told == "ad sets changed: a (now 5), b (now 15); not changed: none; the campaign is paused"


def test_after_half_a_write_peoples_proportions_still_count() -> None:
    past = PastChange(NOON, MADE.before, State(running=True, budget=Decimal(35)))
    standing = written(replace(taken_on(seen(a=10, b=30)), changes=(past,)), MADE, shares(a=5, b=30))
    assert standing.changes[-1].shares == shares(a=5, b=30)
    standing = divided(standing, seen(a=5, b=30), NOON + 60 * MINUTE)
    onward = aimed(change(seen(a=5, b=30), 20), seen(a=5, b=30), standing)
    assert onward.shares_after == shares(a=5, b=15)
