"""Everything planted is found at its line under its name, and what only looks like it is left alone."""

from __future__ import annotations

from collections import Counter

import pytest

from service.core.rules.lint.model import Check
from tests.core.rules.lint.planted import PLANTED, Planted, found, problems

ENOUGH = 4
OF_A_CLINIC = {Check.UNPROVABLE}
"""Needs a reading of the clinic: `test_observed.py`."""


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.id)
def test_what_is_planted_is_found_and_nothing_else(planted: Planted) -> None:
    assert found(planted.marked) == planted.expected


def test_each_check_has_several_plants() -> None:
    plants = Counter(check for planted in PLANTED for _, check in planted.expected)
    assert {check: plants[check] for check in Check if plants[check] < ENOUGH} == dict.fromkeys(OF_A_CLINIC, 0)
    assert set(plants) <= set(Check)


@pytest.mark.parametrize("planted", [planted for planted in PLANTED if planted.expected], ids=lambda planted: planted.id)
def test_each_finding_names_the_rule_or_campaign_and_says_what_to_do(planted: Planted) -> None:
    for problem in problems(planted.marked):
        assert any(name in problem.message for name in ("“", "campaign", "search", "feet", "brand"))
        assert problem.advice
