"""What the reports are made of, in a store: months that were lived elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import insert

from service.core.reports.seen import DaySeen, DiarySeen, RunSeen
from service.store import reports, tables
from service.store.store import Store

DAY = timedelta(days=1)


def day(n: int, day: date, people: int) -> DaySeen:
    """A service whose practitioners are rostered on weekdays, and differently booked."""
    diaries = tuple(
        DiarySeen(
            f"person-{who}",
            ["place"] * 14,
            [540 * ((day + k * DAY).weekday() < 5) for k in range(14)],
            [(who * 37 + k * 11 + day.toordinal() * 7) % 540 for k in range(14)],
        )
        for who in range(people)
    )
    names = {f"person-{who}": f"Practitioner {who}" for who in range(people)} | {"place": "Riverside"}
    return DaySeen(f"service-{n}", day, "Australia/Sydney", diaries, names)


async def fill(store: Store, clinic: str, runs: Sequence[RunSeen], days: Sequence[DaySeen]) -> tuple[int, int]:
    """Store them; returns the bytes of a run and of a day of one service, on average."""
    bodies = [reports.packed_run(run) for run in runs]
    looks = [reports.packed_day(each) for each in days]
    async with store._database.writing() as conn:
        ran = [
            {"id": f"run-{n}", "clinic": clinic, "status": "finished", "started_at": r.at, "message": "", "summary": "{}"}
            for n, r in enumerate(runs)
        ]
        await conn.execute(insert(tables.run), ran)
        seen = [
            {"run": f"run-{n}", "clinic": clinic, "at": r.at, "body": b}
            for n, (r, b) in enumerate(zip(runs, bodies, strict=True))
        ]
        await conn.execute(insert(tables.run_seen), seen)
        rows = [{"clinic": clinic, "day": d.day, "service": d.service, "body": b} for d, b in zip(days, looks, strict=True)]
        await conn.execute(insert(tables.day_seen), rows)
    return sum(map(len, bodies)) // len(bodies), sum(map(len, looks)) // len(looks)
