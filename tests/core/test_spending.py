"""What an account's own day has cost, found out from its month."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.core.model import Campaign, Platform, State, Unreadable
from service.core.spending import Campaigns, days_began, with_today

HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)  # 12:00 in Sydney
MIDNIGHT = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)
FIRST = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)  # the first of December, 01:00 in Sydney
SEARCH = Campaign(
    Platform.GOOGLE, "1", "Search", State(running=True, budget=Decimal(60)), "AUD", Decimal("0.01"), zone="Australia/Sydney"
)


def month(amount: str | None, **more: Any) -> Campaigns:
    return {"physio-search": replace(SEARCH, spent_month=None if amount is None else Decimal(amount), **more)}


def today(now_: Campaigns, *earlier: Campaigns, at: datetime = NOON) -> Decimal | None:
    kept: dict[datetime, Iterable[Campaigns]] = {MIDNIGHT: earlier}
    (seen,) = with_today(now_, at, kept).values()
    assert isinstance(seen, Campaign)
    return seen.spent_today


DOWN: Campaigns = {"physio-search": Unreadable("google", "down")}


@pytest.mark.parametrize(
    ("seen", "earlier", "spent"),
    [
        pytest.param(month("112.34"), [month("100.00")], "12.34", id="the month's growth"),
        pytest.param(month("112.34"), [month("100.00"), month("90.00")], "12.34", id="since the newest reading"),
        pytest.param(month("112.34"), [DOWN, month("90.00")], "22.34", id="since the newest that could be read"),
        pytest.param(month("112.34"), [month(None), month("90.00")], "22.34", id="since the newest that tells"),
        pytest.param(month("99.00"), [month("100.00")], "0", id="never below nothing"),
        pytest.param(month("112.34"), [], None, id="no reading"),
        pytest.param(month("112.34"), [DOWN], None, id="no reading that could be read"),
        pytest.param(month(None), [month("100.00")], None, id="the month is not told"),
        pytest.param(month("112.34"), [month("100.00", id="2")], None, id="another campaign under the same name"),
        pytest.param(month("112.34"), [{"old-name": month("100.00")["physio-search"]}], "12.34", id="a new name"),
        pytest.param(month("112.34"), [month("100.00", currency="USD")], None, id="another currency"),
        pytest.param(month("112.34", spent_today=Decimal(5)), [month("100.00")], "5", id="told by the platform itself"),
        pytest.param(month("112.34", zone=""), [month("100.00")], None, id="a zone that nobody told"),
    ],
)
def test_a_row_of_the_table(seen: Campaigns, earlier: list[Campaigns], spent: str | None) -> None:
    assert today(seen, *earlier) == (None if spent is None else Decimal(spent))


def test_on_the_first_of_a_month_the_day_is_the_month() -> None:
    assert today(month("12.34"), at=FIRST) == Decimal("12.34")
    assert today(month("12.34"), at=FIRST - 2 * HOUR) is None  # still November there


def test_an_account_that_could_not_be_read_stays_unreadable() -> None:
    assert with_today(DOWN, NOON, {}) == DOWN
    assert days_began(DOWN, NOON) == set()


@pytest.mark.parametrize(
    ("zone", "now", "began"),
    [
        ("Australia/Sydney", NOON, MIDNIGHT),
        ("America/Los_Angeles", NOON, datetime(2026, 11, 21, 8, 0, tzinfo=UTC)),  # where it is still the 21st
        ("Australia/Sydney", datetime(2027, 4, 4, 1, tzinfo=UTC), datetime(2027, 4, 3, 13, tzinfo=UTC)),  # a day of 25 hours
    ],
)
def test_the_day_begins_at_the_accounts_own_midnight(zone: str, now: datetime, began: datetime) -> None:
    assert days_began(month("1.00", zone=zone), now) == {began}
