"""The two reports, for the API and for pages alike: what the store keeps of a period, put through `core.reports`.

One function per report: everybody who shows one shows the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from service.core.errors import InputError
from service.core.reports.course import UNTIL_TOLD
from service.core.reports.money import MoneyReport, money
from service.core.reports.structure import WEEK_AHEAD, StructureReport, structure
from service.store.reports import read_day, read_runs
from service.store.store import Store

LEARNT_FROM = timedelta(days=56)
"""How far before its period the money report looks for what campaigns spend when left alone."""

USUAL = {"money": timedelta(days=30), "structure": timedelta(days=56)}
"""How long a period is that was not asked for, up to now."""

LONGEST = {"money": timedelta(days=92), "structure": timedelta(days=400)}
"""How long a period may be."""


EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""There is nothing from before."""


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` up to `before`."""

    since: datetime
    before: datetime

    @classmethod
    def of(cls, report: str, since: datetime | None, before: datetime | None, now: datetime) -> Period:
        """What was asked for, and where nothing was what is usual. Raises InputError for what is no period, or too long."""
        hour = now.replace(minute=0, second=0, microsecond=0)  # so that the same is answered until there is more to tell
        ends = hour if before is None else min(before, now)
        begins = max(ends - USUAL[report], EARLIEST) if since is None else since
        if begins < EARLIEST:
            raise InputError(f"`since` lies before {EARLIEST:%Y-%m-%d}: there is nothing to report of")
        if begins >= ends:
            raise InputError(
                f"`since` ({begins:%Y-%m-%d %H:%M}Z) must lie before `before` ({ends:%Y-%m-%d %H:%M}Z) and before now"
            )
        if ends - begins > LONGEST[report]:
            raise InputError(f"a {report} report covers {LONGEST[report].days} days at most; ask for less, and several times")
        return cls(begins, ends)


async def money_report(store: Store, clinic: str, period: Period) -> MoneyReport:
    """What was made of the clinic's money. Figures that nothing is known of say so. Raises StoreError."""
    begins, ends = period.since - LEARNT_FROM, period.before + UNTIL_TOLD
    rows = await store.reports.runs(clinic, begins, ends)
    return await asyncio.to_thread(_money, clinic, rows, period)


async def structure_report(store: Store, clinic: str, period: Period) -> StructureReport:
    """Who and what was over- or under-booked on the local days from `since` up to that of `before`. Raises StoreError."""
    first, last = period.since.date() - timedelta(days=WEEK_AHEAD + 1), period.before.date() + timedelta(days=1)
    rows = await store.reports.days(clinic, first, last)
    return await asyncio.to_thread(_structure, clinic, rows, period)


def _structure(clinic: str, rows: Sequence[bytes], period: Period) -> StructureReport:
    looks = [read_day(row) for row in rows]
    zone = ZoneInfo(looks[-1].zone if looks else "UTC")
    return structure(clinic, looks, period.since.astimezone(zone).date(), period.before.astimezone(zone).date())


def _money(clinic: str, rows: Sequence[bytes], period: Period) -> MoneyReport:
    return money(clinic, read_runs(rows), period.since, period.before)
