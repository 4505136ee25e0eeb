"""What a clinic's day of snapshots takes in the database; the world is the same every time, so the bytes are."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from service.core.rules.language import RuleSet
from service.rulefiles.source import check
from service.sandbox.scene import HARBOUR
from service.sandbox.world import World
from service.store.inputs import snapshot_apart
from tests.store.clinic_day import HOUR, LARGE, large_rules, large_world, live, shipped_world
from tests.support import shipped, snapshot

ROW = 140
"""Bytes that a document's row takes besides its body, nearly: its digest in the table and in the index."""


@pytest.mark.parametrize(
    ("world", "rules", "most"),
    [
        pytest.param(shipped_world, lambda: shipped(HARBOUR), 20_500, id="6 practitioners"),
        pytest.param(large_world, lambda: check(large_rules(), LARGE), 40_000, id="12 practitioners with 4 services each"),
    ],
)
def test_a_days_snapshots_take_few_bytes(world: Callable[[], World], rules: Callable[[], RuleSet], most: int) -> None:
    there, governed, chance = world(), rules(), random.Random(7)  # noqa: S311 - a simulation
    stored: dict[str, int] = {}
    for _ in range(24):
        taken = snapshot_apart(snapshot(there, governed))
        stored |= {each.digest: len(each.compressed()) + ROW for each in (taken.snapshot, *taken.parts)}
        live(there, governed.clinic, chance)
        there.advance(HOUR)
    assert most / 2 < sum(stored.values()) < most
