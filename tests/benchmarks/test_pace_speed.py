"""How long the booking pace takes to learn and to apply, and how much room it takes, against its limits."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import timedelta
from time import process_time

import pytest
from pydantic import TypeAdapter

from service.core.logic import Bounds
from service.core.pace import Ahead, Pace, expected, fit
from tests.benchmarks.demand import AHEAD, FIRST
from tests.benchmarks.kinds import worlds
from tests.benchmarks.trial import Lived

DAYS = 70
FIT_MS, FORECAST_MS, BYTES = 30.0, 0.3, 8_000


def best(of: Callable[[], object], times: int) -> float:
    """The shortest processor time of several, in ms."""
    found = []
    for _ in range(times):
        began = process_time()
        of()
        found.append(process_time() - began)
    return 1000 * min(found)


@pytest.mark.bench
def test_learning_and_forecasting_take_little_time_and_room() -> None:
    world = next(world for world in worlds(200, 5) if world.kind == "steady" and len(world.lines) == 8)
    story = Lived.of(world)
    looks, today = story.seen(0, DAYS - 1), FIRST + timedelta(days=DAYS - 1)
    pace = fit(looks, today)
    days = [
        Ahead(line.location, today + timedelta(days=n), n, Bounds(3, 2, 5), most=8)
        for line in world.lines
        if line.service == "physio"
        for n in range(AHEAD)
    ]
    learning = best(lambda: fit(looks, today), 15)
    forecasting = best(lambda: [expected(pace, "physio", days, AHEAD) for _ in range(20)], 15) / 20
    room = len(zlib.compress(TypeAdapter(Pace).dump_json(pace)))
    print(f"\nfit, 4 services x 2 locations, {DAYS} days of looks: {learning:.1f} ms (limit {FIT_MS:.0f})")
    print(f"forecast of a service at 2 locations: {forecasting:.3f} ms (limit {FORECAST_MS})")
    print(f"stored: {room:,} bytes compressed (limit {BYTES:,})")
    assert learning <= FIT_MS
    assert forecasting <= FORECAST_MS
    assert room <= BYTES
