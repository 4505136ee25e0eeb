"""What the booking-pace model learns from: one look per local day, and what each day came to in the end. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from service.core.days import HORIZON

MOST = 1_000_000
"""More openings in a day are a mistake."""

Row = tuple[float | None, ...]
"""Openings by days ahead, as one look saw them; None where nothing can be learnt."""

History = dict[tuple[str, str], dict[int, Row]]
"""The looks of each (service, location), by the proleptic ordinal of their day, ascending."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What was expected of one coming day: openings still unfilled when it comes, and the ends of the 80% band."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Look:
    """The first whole look of a local day at one service at one location.

    `openings[n]` is how many appointments could be booked n days ahead; None where nothing can be learnt: unobserved, masked
    by lead time, or closed. `outlook[n]` is what was expected of that day then; None where nothing was.
    """

    service: str
    location: str
    day: date
    openings: tuple[float | None, ...]
    outlook: tuple[Outlook | None, ...] = ()


def history(looks: Iterable[Look], first: int, last: int) -> History:
    """The looks of the days `first` .. `last` (ordinals), in one order whatever order they came in.

    Of several looks of one day one counts, the same whichever came first. A look that shows nothing is none, and a number
    that cannot be a count of openings is nothing learnt.
    """
    found: History = {}
    for look in looks:
        day = look.day.toordinal()
        if first <= day <= last:
            row = _row(look.openings)
            if row.count(None) == HORIZON:
                continue
            rows = found.setdefault((look.service, look.location), {})
            rows[day] = max(row, rows[day], key=_fullness) if day in rows else row
    return {place: dict(sorted(found[place].items())) for place in sorted(found)}


def _row(openings: Row) -> Row:
    row = tuple([x if x is not None and 0 <= x <= MOST else None for x in openings[:HORIZON]])
    return row if len(row) == HORIZON else row + (None,) * (HORIZON - len(row))


def _fullness(row: Row) -> tuple[float, ...]:
    return tuple(-1.0 if x is None else x for x in row)


def finals(rows: Mapping[int, Row]) -> dict[int, float]:
    """What each day of one (service, location) had open when it came, by ordinal.

    That is the openings its own look saw or, where lead time always hides the last days, the newest that any look saw: no
    older than the looks of the fortnight before could see. A day whose last looks are missing, or that closed after it was
    seen open, has no final value.
    """
    if not rows:
        return {}
    first, last = min(rows), max(rows)
    nearest = [_nearest(rows.get(day)) for day in range(first - HORIZON + 1, last + 1)]
    found = {}
    for n, day in enumerate(range(first, last + 1)):
        seen_to = min(nearest[n : n + HORIZON])
        row = rows.get(day - seen_to)
        value = row[seen_to] if row and seen_to < HORIZON else None
        if value is not None:
            found[day] = value
    return found


def _nearest(row: Row | None) -> int:
    """How many days ahead the first day is that a look saw."""
    return next((n for n, x in enumerate(row) if x is not None), HORIZON) if row else HORIZON
