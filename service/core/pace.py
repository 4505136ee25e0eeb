"""Booking pace: how many of today's openings will still be unfilled when their day comes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


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
