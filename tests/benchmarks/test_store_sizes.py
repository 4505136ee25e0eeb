"""Bytes per clinic-day by what they are for, beside what the same values take as plain compressed JSON, a document each."""

from __future__ import annotations

import zlib
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from service.app import App
from service.core.canonical import canonical
from service.core.decide.model import RunOutcome
from service.core.model import Snapshot
from service.sandbox.scene import HARBOUR
from service.store import tables
from service.store.documents import dump
from tests.store.clinic_day import LARGE, lived, opened, sizes

KINDS = ("snapshot", "reference", "starts", "inputs", "outcome", "decisions", "ledger")


@pytest.mark.bench
@pytest.mark.parametrize("clinic", [HARBOUR, LARGE])
async def test_bytes_of_a_clinic_day(clinic: str, tmp_path: Path) -> None:
    async with opened(clinic, tmp_path) as (app, world):
        await lived(app, world, clinic, 24)  # the first day is not like any other: nothing is remembered yet
        before = await sizes(app.store)
        await lived(app, world, clinic, 24, seed=8)
        day, plain = (await sizes(app.store)) - before, await _plain(app, clinic)
    print(f"\n{clinic}: bytes of one day, 24 runs{'':17}as plain compressed JSON")
    for name in KINDS:
        print(f"  {name:12}{day[name]:>12,}{plain[name] or '':>36}")
    snapshots = sum(day[name] for name in KINDS[:3])
    print(f"  {'a snapshot':12}{snapshots // 24:>12,}{plain['snapshot'] // 24:>36,}")
    assert snapshots < plain["snapshot"] / 2
    assert day["outcome"] < plain["outcome"] * 0.6


async def _plain(app: App, clinic: str) -> Counter[str]:
    """What the second day would take without shared parts, packed starts and an outcome derived from its text."""
    found: Counter[str] = Counter()
    newest = select(tables.run.c.id).where(tables.run.c.clinic == clinic).order_by(tables.run.c.id.desc()).limit(24)
    async with app.store._database.reading() as conn:
        runs = (await conn.scalars(newest)).all()
    for run in runs:
        inputs, outcome = await app.store.runs.load_inputs(run), await app.store.runs.load_outcome(run)
        found["snapshot"] += len(zlib.compress(dump(Snapshot, inputs.snapshot)))
        found["outcome"] += len(zlib.compress(dump(RunOutcome, outcome))) + len(zlib.compress(canonical(outcome).encode()))
    return found
