"""What the store knows of a clinic that its rule file can be held against."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import pytest

from service.core.decide.model import RunInputs, RunOutcome
from service.core.rules.language import Metric
from service.core.rules.lint.measured import swing
from service.core.rules.lint.model import NOTHING_OBSERVED, Observed
from service.sandbox.scene import HARBOUR, scene
from service.store.store import Store
from service.swings import FORTNIGHT, Key, observed
from tests.support import Governed, shipped
from tests.test_rehearsing import keep

EVERY = timedelta(hours=4)
Runs = list[tuple[RunInputs, RunOutcome]]


def governed(count: int) -> Governed:
    """Harbour after so many runs, six a day."""
    clinic = Governed(scene(), shipped(HARBOUR))
    for _ in range(count):
        clinic.run()
        clinic.world.advance(EVERY)
    return clinic


@pytest.fixture(scope="module")
def eight_days() -> Governed:
    """Harbour after eight days of six runs each; a test may go on from there."""
    return governed(48)


@pytest.fixture(scope="module")
def runs(eight_days: Governed) -> Runs:
    """The runs of the eight days."""
    return eight_days.outcomes[:48]


async def asked(url: str, clinic: str, runs: Runs) -> Observed:
    await keep(url, runs)
    store = Store.open(url)
    try:
        return await observed(store, clinic)
    finally:
        await store.aclose()


def known(folder: Path, runs: Runs, clinic: str = HARBOUR) -> Observed:
    return asyncio.run(asked(f"sqlite+aiosqlite:///{folder / 'governor.db'}", clinic, runs))


def test_swings_are_those_of_what_the_runs_were_sure_of(tmp_path: Path, runs: Runs) -> None:
    readings: dict[Key, list[float]] = defaultdict(list)
    at = [inputs.now for inputs, _ in runs]
    for _, outcome in runs:
        for service, forecast in outcome.forecasts.items():
            for metric, reading in forecast.metrics.items():
                if reading.bounds.exact:
                    readings[service, Metric(metric)].append(reading.bounds.low)
    found = known(tmp_path, runs)
    whole = {key: swing(zip(at, values, strict=True)) for key, values in readings.items() if len(values) == len(runs)}
    assert {key: found.swings.get(key) for key in whole} == whole
    assert whole["physio", Metric.UTILISATION]
    assert (found.diaries, found.now) == (runs[-1][0].snapshot.diaries, runs[-1][0].now)


def test_a_week_of_runs_is_needed(tmp_path: Path, runs: Runs) -> None:
    found = known(tmp_path, runs[:30])
    assert found.swings == {}
    assert found.diaries == runs[29][0].snapshot.diaries


def test_only_the_last_fortnight_counts(tmp_path: Path, eight_days: Governed) -> None:
    eight_days.world.advance(FORTNIGHT)
    eight_days.run()
    found = known(tmp_path, eight_days.outcomes)
    assert (found.swings, found.now) == ({}, eight_days.outcomes[-1][0].now)


def test_of_a_clinic_without_runs_nothing_is_known(tmp_path: Path, runs: Runs) -> None:
    assert known(tmp_path, runs[:1], "another-clinic") == NOTHING_OBSERVED
