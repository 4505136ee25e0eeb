"""Local days walked minute by minute, repeats of blocks by the wall clock, and a grid of starts laid into free time. Pure.

Slow and plain on purpose: the forecast, which counts spans of seconds, is tested against what comes out of here.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
SEGMENT_ENDS = (12 * 60, 17 * 60, 24 * 60)
"""Cliniko's day segments end at 12:00, 17:00 and midnight, local."""

Stretch = tuple[datetime, datetime]
"""[starts, ends), UTC."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """`times` more occurrences, each `every` days, weeks or months after the one before."""

    kind: Literal["Daily", "Weekly", "Monthly"]
    every: int = 1
    times: int = 1


@lru_cache(maxsize=20_000)
def occurrences(starts: datetime, ends: datetime, repeat: Repeat | None, zone: str) -> tuple[Stretch, ...]:
    """A block and its repeats: from the same wall-clock time to the same wall-clock time in `zone`."""
    found = [(starts, ends)]
    there = ZoneInfo(zone)
    first, last = (at.astimezone(there).replace(tzinfo=None) for at in (starts, ends))
    length = last - first if last > first else ends - starts
    for number in range(1, repeat.times + 1 if repeat else 1):
        begins = _later(first, repeat.kind, repeat.every * number) if repeat else first
        moved = (at.replace(tzinfo=there).astimezone(UTC) for at in (begins, begins + length))
        found.append((next(moved), next(moved)))
    return tuple(found)


def _later(at: datetime, kind: str, count: int) -> datetime:
    if kind != "Monthly":
        return at + timedelta(days=count * (7 if kind == "Weekly" else 1))
    month = at.month - 1 + count
    year, month = at.year + month // 12, month % 12 + 1
    return at.replace(year=year, month=month, day=min(at.day, monthrange(year, month)[1]))


@lru_cache(maxsize=50_000)
def working(
    zone: str,
    day: date,
    windows: tuple[tuple[int, int], ...],
    extra: tuple[Stretch, ...],
    unavailable: tuple[Stretch, ...],
) -> tuple[Stretch, ...]:
    """Walk every UTC minute of a local day, usually 1,380, 1,440 or 1,500 of them; `windows` are by the wall clock."""
    if not windows and not extra:
        return ()
    local = ZoneInfo(zone)
    minute = datetime.combine(day, time(), local).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), local).astimezone(UTC)
    found: list[Stretch] = []
    while minute < end:
        there = minute.astimezone(local)
        clock = there.hour * 60 + there.minute
        on = any(a <= clock < b for a, b in windows) or any(a <= minute < b for a, b in extra)
        if on and not any(a <= minute < b for a, b in unavailable):
            if found and found[-1][1] == minute:
                found[-1] = (found[-1][0], minute + MINUTE)
            else:
                found.append((minute, minute + MINUTE))
        minute += MINUTE
    return tuple(found)


def gaps(window: Stretch, busy: Iterable[Stretch]) -> list[Stretch]:
    """What `busy` leaves of a window."""
    at, found = window[0], []
    for starts, ends in sorted(busy):
        if starts > at and at < window[1]:
            found.append((at, min(starts, window[1])))
        at = max(at, ends)
    return [*found, (at, window[1])] if at < window[1] else found


def fitting(window: Stretch, step: timedelta, length: timedelta) -> Iterator[datetime]:
    """The starts of a grid of `step` from a window's beginning, as far as `length` fits."""
    start = window[0]
    while start + length <= window[1]:
        yield start
        start += step


def free(start: datetime, length: timedelta, busy: Iterable[Stretch]) -> bool:
    """Whether nothing in `busy` overlaps an appointment."""
    end = start + length
    return not any(starts < end and start < ends for starts, ends in busy)


def segment_of(start: datetime, zone: str) -> int:
    """The day segment (0, 1, 2) that an instant falls into by the wall clock of `zone`."""
    local = start.astimezone(ZoneInfo(zone))
    return next(n for n, end in enumerate(SEGMENT_ENDS) if local.hour * 60 + local.minute < end)
