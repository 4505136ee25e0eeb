"""How long a backtest takes: 90 days of hourly readings, 50 campaigns of 5 services, 12 practitioners; against its limit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from cProfile import Profile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from pstats import Stats
from time import process_time

import pytest
from sqlalchemy import insert

from service.backtesting import backtest
from service.core.model import Campaign, Snapshot, State
from service.core.rules.language import RuleSet
from service.rulefiles.source import check
from service.sandbox.invented import Invented
from service.store import documents, snapshots, tables
from service.store.inputs import snapshot_apart
from service.store.store import Store

LIMIT_SECONDS = 60.0
HOURS = 90 * 24
FIRST = datetime(2026, 8, 24, tzinfo=UTC)
CLINIC = "riverside-clinic"
SERVICES = {"physio": 3, "podiatry": 3, "massage": 2, "dietetics": 2, "speech": 2}
"""Each with its number of practitioners."""

PARTS = {
    "reading the store": ("service/store/history.py", "_batch"),
    "  of it decoding readings": ("service/store/inputs.py", "diaries"),
    "what is seen": ("service/core/backtest/seeing.py", "look"),
    "  of it capacity": ("service/core/sighting.py", "capacity"),
    "  of it the booking pace": ("service/core/pace/fit.py", "fit"),
    "judging the rules": ("service/core/engine.py", "judge"),
    "  of it slots_opened": ("service/core/metrics.py", "_slots_opened"),
    "proposals": ("service/core/decide/proposals.py", "propose"),
    "guardrails": ("service/core/decide/guardrails.py", "restrain"),
    "remembering": ("service/core/engine.py", "_remember"),
    "decisions in words": ("service/core/decide/plan.py", "decisions"),
    "adding up": ("service/core/backtest/course.py", "passed"),
}


def rules(full: int) -> RuleSet:
    """A pause from so many percent on, a cluster and a ladder for each service; one goes by what is expected."""
    budgets = {"base_budget": 60.00, "floor": 10.00, "ceiling": 120.00}
    steps = [{"at_least": "90%", "budget": "floor"}, {"at_least": "60%", "budget": "100%"}, {"otherwise": "130%"}]
    bands = {"by": {"metric": "utilisation", "margin": "8%"}, "steps": steps}
    services, campaigns, written, people = {}, {}, [], 0
    for n, (name, count) in enumerate(SERVICES.items()):
        staff = [f"Practitioner {number}" for number in range(people, people + count)]
        people += count
        services[name] = {"appointment_types": [f"Initial {name}", f"Standard {name}"], "practitioners": staff}
        for m in range(10):
            one = {"platform": ("google", "meta")[m % 2], "id": f"{7000 + 100 * n + m}", "service": name}
            campaigns[f"{name}-{m}"] = one | budgets
        when = {"utilisation": {"at_least": f"{full}%"}, "days_to_next_opening": {"at_least": 2}}
        until = {"any": [{"utilisation": {"below": "85%"}}, {"slots_opened": {"at_least": 5}}]}
        cluster = {"slots_opened": {"at_least": 5, "since": "24h"}, "open_slots": {"at_least": 5, "within": "7d"}}
        written += [
            {"name": f"{name} full", "service": name, "when": when, "until": until, "then": "pause"},
            {"name": f"{name} cluster", "service": name, "when": cluster, "stabilise": "2h", "then": {"budget": "130%"}},
            {"name": f"{name} ladder", "service": name, "bands": bands},
        ]  # fmt: skip
    expected = {"expected_open_slots": {"at_least": 40, "confidence": "80%"}}
    written.insert(0, {"name": "slack ahead", "service": "speech", "when": expected, "then": {"budget": "140%"}})
    accounts = {"google_ads": {"customer_id": "345-678-9012"}, "meta": {"ad_account_id": "act_7029384756"}}
    head = {"version": 1, "clinic": CLINIC, "name": "Riverside", "currency": "AUD", **accounts}
    return check(json.dumps({**head, "services": services, "campaigns": campaigns, "rules": written}), f"{CLINIC}.yaml")


async def fill(store: Store, file: RuleSet) -> None:
    """Store what hourly runs would have read."""
    shown = {
        name: Campaign(entry.platform, entry.id, name, State(running=True, budget=entry.base), "AUD", Decimal("0.01"))
        for name, entry in file.campaigns.items()
    }
    readings = list(Invented(tuple(file.services.values()), FIRST).hours(HOURS))
    for start in range(0, HOURS, 120):
        await _put(store, [Snapshot(CLINIC, at, diaries, dict(shown)) for at, diaries in readings[start : start + 120]])


async def _put(store: Store, taken: Sequence[Snapshot]) -> None:
    async with store._database.writing() as conn:
        for snapshot in taken:
            run, parts = f"{snapshot.taken_at:%Y%m%d%H}", snapshot_apart(snapshot)
            row = {"id": run, "clinic": CLINIC, "status": "finished", "started_at": snapshot.taken_at}
            await conn.execute(insert(tables.run).values(**row, message="", summary="{}"))
            await documents.put(conn, (parts.snapshot, *parts.parts), snapshot.taken_at)
            await snapshots.put(conn, run, snapshot, parts.snapshot)


async def timed(store: Store, files: Sequence[RuleSet], hours: int = HOURS) -> tuple[float, int]:
    """Processor seconds of a backtest, the thread of the database included, and how many changes came of it."""
    told = []
    began = process_time()
    tried = await backtest(
        store, files, FIRST, FIRST + timedelta(hours=hours - 1), lambda done, total: told.append((done, total))
    )
    spent = process_time() - began
    assert told == [(n, hours) for n in range(1, hours + 1)]
    return spent, sum(len(each.changes) for each in tried.replay.reports()[0].campaigns.values())


@pytest.mark.bench
async def test_ninety_days_of_fifty_campaigns(tmp_path: Path) -> None:
    store, file, other = Store.open(f"sqlite+aiosqlite:///{tmp_path / 'governor.db'}"), rules(95), rules(90)
    await store.migrate()
    await fill(store, file)
    alone, changes = await timed(store, [file])
    both, _ = await timed(store, [file, other])
    print(
        f"\n{HOURS:,} readings x {len(file.campaigns)} campaigns, {changes} changes: {alone:.1f} s (limit {LIMIT_SECONDS:.0f})"
    )
    print(f"the same against a second file: {both:.1f} s")
    await _where(store, file)
    await store.aclose()
    assert changes > 500
    assert alone <= LIMIT_SECONDS


async def _where(store: Store, file: RuleSet) -> None:
    """Where the time goes, by the profiler, which itself takes about as long again."""
    profile = Profile()
    profile.enable()
    await timed(store, [file], 14 * 24)
    profile.disable()
    stats = Stats(profile)
    whole = stats.total_tt  # type: ignore[attr-defined] # it has one
    print("where the time goes, first fortnight:")
    for what, (module, name) in PARTS.items():
        spent = sum(row[3] for place, row in stats.stats.items() if place[2] == name and place[0].endswith(module))  # type: ignore[attr-defined]
        print(f"  {what:28}{spent / whole:>6.0%}")
