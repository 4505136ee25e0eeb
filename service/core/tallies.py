"""Diary days in numbers: their sum, and what it says as bounds of openings, open time and utilisation. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from service.core.logic import Bounds


class Tally(NamedTuple):
    """Seconds and counts over some diary days."""

    working: int = 0
    sellable: int = 0
    first_sellable: int = 0
    seen: int = 0
    open_low: int = 0
    open_high: int = 0
    openings_low: int = 0
    openings_high: int = 0


NOTHING = Tally()


def total(tallies: Iterable[Tally]) -> Tally:
    """The sum of tallies."""
    counted = [tally for tally in tallies if tally is not NOTHING]
    if len(counted) < 2:
        return counted[0] if counted else NOTHING
    return Tally._make(map(sum, zip(*counted, strict=True)))


def openings_of(tally: Tally) -> Bounds:
    """Bookable appointments."""
    return _bounds(tally, tally.openings_low, tally.openings_high)


def open_time_of(tally: Tally, unit: int = 1) -> Bounds:
    """Open time in units of `unit` seconds."""
    return _bounds(tally, tally.open_low / unit, tally.open_high / unit)


def busy(tally: Tally, open_seconds: Bounds) -> Bounds:
    """Percent of sellable time that is not open; only where there is sellable time."""
    estimate = None if open_seconds.estimate is None else _percent(tally, open_seconds.estimate)
    return Bounds(estimate, _percent(tally, open_seconds.high), _percent(tally, open_seconds.low))


def _percent(tally: Tally, open_seconds: float) -> float:
    return 100 * (tally.sellable - open_seconds) / tally.sellable


def _bounds(tally: Tally, low: float, high: float) -> Bounds:
    """With the unobserved part estimated to be as open as the observed."""
    if low == high:
        return Bounds.exactly(low)
    if tally.seen == tally.sellable:
        return Bounds(low, low, high)
    return Bounds(min(high, low * tally.sellable / tally.seen) if tally.seen else None, low, high)


def left_open(tally: Tally, left: Bounds, length: float) -> Bounds:
    """Open seconds once only `left` of the openings are unfilled, each of which takes `length` seconds where none shows."""
    now = openings_of(tally)
    low = _left(tally.open_low, tally.openings_low, left.low - now.low, length, tally.sellable)
    high = _left(tally.open_high, tally.openings_high, left.high - now.high, length, tally.sellable)
    high = max(low, high)
    if left.estimate is None or now.estimate is None:
        return Bounds(None, low, high)
    present = open_time_of(tally).estimate or 0.0
    estimate = _left(present, now.estimate, left.estimate - now.estimate, length, tally.sellable)
    return Bounds(min(max(estimate, low), high), low, high)


def _left(open_seconds: float, openings: float, change: float, length: float, sellable: int) -> float:
    each = open_seconds / openings if openings else length
    return min(max(open_seconds + change * each, 0.0), float(sellable))
