"""How long the two reports of a large clinic take, from the store's rows to the answer; against their limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import process_time

import pytest

from service.core.reports.seen import CampaignSeen, RunSeen
from service.reporting import LEARNT_FROM, Period, money_report, structure_report
from service.sandbox.spending import Lived, lived
from service.store.store import Store
from tests.databases import lay
from tests.reported import day, fill

LIMIT_SECONDS = 1.0
CLINIC = "riverside-clinic"
CAMPAIGNS, PEOPLE, SERVICES, WEEKS = 50, 40, 5, 9
YEAR = 365
DAY = timedelta(days=1)


def large(months: Lived) -> list[RunSeen]:
    """The same clinic, with its campaigns so often over that there are 50, and what they cost differs."""
    times = CAMPAIGNS // len(months.campaigns) + 1
    return [
        replace(
            run,
            campaigns=tuple(_other(each, n) for n in range(times) for each in run.campaigns)[:CAMPAIGNS],
            months=tuple(_times(each, 1 + n / 37) for n in range(times) for each in run.months)[:CAMPAIGNS],
        )
        for run in months.runs
    ]


def _other(seen: CampaignSeen, n: int) -> CampaignSeen:
    return seen._replace(id=f"{seen.id}-{n}", name=f"{seen.name}-{n}")


def _times(month: str | None, factor: float) -> str | None:
    return None if month is None else f"{float(month) * factor:.2f}"


async def timed(what: str, report: Callable[[], object]) -> float:
    begun = process_time()
    await report()  # type: ignore[misc] # a coroutine
    seconds = process_time() - begun
    print(f"{what:<40} {seconds:>6.2f} s")
    return seconds


@pytest.mark.bench
async def test_a_months_reports_of_a_large_clinic_take_less_than_a_second(tmp_path: Path) -> None:
    lay(tmp_path)
    months = lived(7, days=30 + LEARNT_FROM.days)
    runs = large(months)
    days = [day(n, months.before.date() - k * DAY, PEOPLE) for k in range(7 * WEEKS) for n in range(SERVICES)]
    store = Store.open(f"sqlite+aiosqlite:///{tmp_path}/governor.db")
    run_bytes, service_bytes = await fill(store, CLINIC, runs, days)
    period = Period(months.before - 30 * DAY, months.before)
    print(f"\n{CAMPAIGNS} campaigns, {PEOPLE} practitioners with {SERVICES} services, {len(runs)} runs")
    day_bytes = SERVICES * service_bytes
    print(f"a run keeps {run_bytes} bytes, a day {day_bytes}: {(24 * run_bytes + day_bytes) * YEAR / 1e6:.1f} MB a year")
    took = await timed("money, 30 days", lambda: money_report(store, CLINIC, period))
    assert took < LIMIT_SECONDS
    weeks = Period(months.before - 7 * (WEEKS - 1) * DAY, months.before)
    assert await timed("structure, 8 weeks", lambda: structure_report(store, CLINIC, weeks)) < LIMIT_SECONDS
    await store.aclose()
