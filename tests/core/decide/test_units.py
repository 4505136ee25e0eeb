"""A file may be finer than a platform's money: whatever a guardrail makes of its budgets, the platform can hold it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.core.decide.model import Decision, PastChange, Reading, RunInputs, Standing
from service.core.engine import decide
from service.core.logic import Bounds
from service.core.model import Campaign, Platform, Reason, Snapshot, State, Unreadable
from service.core.outlook import Outlook
from service.core.rules.language import (
    CampaignEntry,
    Compare,
    EditBudget,
    Fallback,
    Guardrails,
    MaxStep,
    Measure,
    Metric,
    Named,
    NamedBudget,
    Op,
    Pause,
    RaiseAndCut,
    Rule,
)
from tests.core.made import NOW, SERVICE, at, diaries
from tests.test_interleavings import RULES

HOUR = timedelta(hours=1)
FULL = Compare(Measure(Metric.OPEN_SLOTS), Op.AT_MOST, Decimal(0))
RAILS = Guardrails(stabilise=RaiseAndCut(timedelta(0), timedelta(0)))
WHOLE = Decimal(1)


def decided(here: State, openings: int, rails: Guardrails = RAILS, standing: Standing | None = None, **more: Any) -> Decision:
    """What is decided about a campaign at `here`: pause where nothing is open, else the ceiling."""
    entry = CampaignEntry(
        "search", Platform.GOOGLE, "1", SERVICE.name, Decimal("60.50"), Decimal("10.50"), Decimal("120.50"), rails
    )
    rules = (Rule("Full", ("search",), when=FULL, then=Pause()), Rule("Up", ("search",), then=NamedBudget(Named.CEILING)))
    seen = Campaign(Platform.GOOGLE, "1", "search", here, "HUF", WHOLE)
    reading = Reading(Bounds.exactly(openings))
    found = RunInputs(
        "run",
        "harbour",
        NOW,
        "test",
        replace(RULES, campaigns={"search": entry}, rules=rules),
        Snapshot("harbour", NOW, diaries({("city", "ana", "first"): [at(1, "09:00")]}), {"search": seen}),
        standings={"search": standing or Standing(expected=here, since=NOW - 99 * HOUR, of="google/1")},
    )
    view = Outlook({SERVICE.name: lambda _: reading}, lambda *_: reading, {})
    return decide(replace(found, **more), view).decisions[0]


def test_a_pause_that_becomes_the_floor_is_a_budget_in_the_platforms_units() -> None:
    decision = decided(State(True, Decimal(60)), 0, replace(RAILS, edit_budget=EditBudget(1)))
    assert (decision.reason, decision.after) == (Reason.EDIT_BUDGET, State(True, Decimal(10)))


def test_so_is_the_way_back_to_base_that_is_never_refused() -> None:
    here, base = State(True, Decimal(20)), State(True, Decimal(60))
    changes = (PastChange(NOW - HOUR, base, here),)
    standing = Standing(here, NOW - HOUR, base, by_rule="Full", of="google/1", changes=changes)
    decision = decided(here, 5, replace(RAILS, cooldown=6 * HOUR, max_step=MaxStep(up=Decimal(500))), standing)
    assert (decision.reason, decision.after) == (Reason.COOLING_DOWN, base)


def test_so_is_the_base_without_cliniko() -> None:
    here, down = State(True, Decimal(20)), Unreadable("cliniko", "503")
    snapshot = Snapshot("harbour", NOW, down, {"search": Campaign(Platform.GOOGLE, "1", "search", here, "HUF", WHOLE)})
    rails = replace(RAILS, fallback=Fallback.BASE)
    decision = decided(here, 5, rails, snapshot=snapshot, cliniko_unreadable_since=NOW - 30 * HOUR)
    assert (decision.reason, decision.after) == (Reason.CLINIKO_UNREADABLE, State(True, Decimal(60)))


@pytest.mark.parametrize(("openings", "after"), [(0, State(False, Decimal(60))), (5, State(True, Decimal(90)))])
def test_and_the_usual_moves(openings: int, after: State) -> None:
    assert decided(State(True, Decimal(60)), openings).after == after
