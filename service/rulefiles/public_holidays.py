"""Public holidays, from the `holidays` package: facts about the calendar that a run takes as inputs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

AROUND = timedelta(days=2)
"""A run asks about its clinic's today, and nobody here knows which day that is."""


def around(now: datetime, regions: Iterable[str]) -> dict[str, tuple[date, ...]]:
    """By region (`AU`, `AU-NSW`), the public holidays on the days around `now`."""
    return between(now, now, regions)


def between(first: datetime, last: datetime, regions: Iterable[str]) -> dict[str, tuple[date, ...]]:
    """By region, the public holidays on the days of a period and around it."""
    begin, end = (first - AROUND).date(), (last + AROUND).date()
    return {region: tuple(day for day in _of(region, begin, end) if begin <= day <= end) for region in regions}


def _of(region: str, first: date, last: date) -> list[date]:
    from holidays import country_holidays  # noqa: PLC0415 - takes a while, and most rule files ask for none

    country, _, subdivision = region.partition("-")
    years = range(first.year, last.year + 1)
    return sorted(country_holidays(country, subdiv=subdivision or None, years=years))
