"""Public holidays come from the `holidays` package, and a rule file may name exactly the regions it knows."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from holidays import list_supported_countries

from service.core.rules.regions import REGIONS
from service.rulefiles.public_holidays import around


def test_the_regions_are_those_that_can_be_looked_up() -> None:
    known = {country: parts for country, parts in list_supported_countries().items() if re.fullmatch("[A-Z]{2}", country)}
    parts = {f"{country}-{part}" for country, parts in known.items() for part in parts if re.fullmatch("[A-Z0-9]{1,3}", part)}
    assert known.keys() | parts == REGIONS


@pytest.mark.parametrize(
    ("region", "now", "day"),
    [
        ("AU", datetime(2026, 12, 24, 20, tzinfo=UTC), date(2026, 12, 25)),
        ("AU-VIC", datetime(2026, 11, 3, 0, tzinfo=UTC), date(2026, 11, 3)),
        ("NZ", datetime(2026, 12, 31, 23, tzinfo=UTC), date(2027, 1, 1)),
    ],
    ids=["Christmas", "Melbourne Cup", "across the year"],
)
def test_the_holidays_around_a_moment_are_known(region: str, now: datetime, day: date) -> None:
    assert day in around(now, [region])[region]


def test_a_states_holiday_is_not_the_countrys() -> None:
    assert around(datetime(2026, 11, 3, tzinfo=UTC), ["AU", "AU-NSW"]) == {"AU": (), "AU-NSW": ()}


def test_nobody_who_asks_for_none_gets_any() -> None:
    assert around(datetime(2026, 12, 25, tzinfo=UTC), []) == {}
