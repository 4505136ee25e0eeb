"""Parts of the week: days, hours, and public holidays on the clinic's own wall clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from service.core.rules.language import Guardrails, Window
from service.core.rules.windows import regions, within
from tests.support import shipped


def on(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """A moment on the clinic's wall clock."""
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo("Australia/Sydney"))


OFFICE = Window((0, 1, 2, 3, 4), 7 * 60, 20 * 60, "AU-NSW")
HOLIDAYS = {"AU-NSW": (date(2026, 12, 25),)}


@pytest.mark.parametrize(
    ("local", "inside"),
    [
        (on(2026, 12, 24, 7, 0), True),
        (on(2026, 12, 24, 6, 59), False),
        (on(2026, 12, 24, 19, 59), True),
        (on(2026, 12, 24, 20, 0), False),
        (on(2026, 12, 26, 12, 0), False),
        (on(2026, 12, 25, 12, 0), False),
    ],
    ids=["opens", "before", "last minute", "after", "a Saturday", "a holiday"],
)  # fmt: skip
def test_a_window_is_days_and_hours_without_holidays(local: datetime, inside: bool) -> None:
    assert within(OFFICE, local, HOLIDAYS) is inside


def test_a_region_of_which_nothing_is_known_has_no_holidays() -> None:
    assert within(OFFICE, on(2026, 12, 25, 12), {})
    assert within(replace(OFFICE, public_holidays=None), on(2026, 12, 25, 12), HOLIDAYS)


def test_the_regions_of_rules_and_guardrails_are_asked_about() -> None:
    rules = shipped("harbour-physio")
    asked = replace(
        rules,
        rules=(replace(rules.rules[0], active=OFFICE), *rules.rules[1:]),
        guardrails=Guardrails(change_window=replace(OFFICE, public_holidays="NZ")),
    )
    assert (regions(rules), regions(asked)) == (set(), {"AU-NSW", "NZ"})
