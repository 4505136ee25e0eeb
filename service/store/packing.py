"""The starts of a snapshot in few bytes, and back, without loss. Pure.

A probe is kept as `[offer, first, days, starts]`: the place of its offer in a list, its first day, how many days further its
last one is, and its starts as steps, the first one from midnight UTC of `first`. Steps repeat (a grid has one spacing), which
is what a compressor needs. They are whole minutes, or microseconds where a start is not on a minute. A probe that brought
nothing back has null for its starts, and why it did as a fifth item.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import Any

from service.core.model import Offer, Probe, Unseen

MINUTE, MICROSECOND = 60_000_000, 1
"""The units of a step, in microseconds."""

_TICK = timedelta(microseconds=1)

Packed = dict[str, Any]
"""JSON: `unit` and `probes`."""


def offers_of(listed: Sequence[Offer], probes: Iterable[Probe]) -> tuple[Offer, ...]:
    """The offers that are asked about without being listed; they go after the listed ones."""
    return tuple(dict.fromkeys(probe.offer for probe in probes if probe.offer not in listed))


def pack(probes: Iterable[Probe], offers: Sequence[Offer]) -> Packed:
    """The probes in few bytes; `offers` are all of theirs."""
    probes = tuple(probes)
    place = {offer: n for n, offer in reversed([*enumerate(offers)])}
    starts = [None if probe.starts is None else _since(probe.first, probe.starts) for probe in probes]
    unit = MICROSECOND if any(start % MINUTE for some in starts for start in some or ()) else MINUTE
    return {"unit": unit, "probes": [_packed(*each, place[each[0].offer], unit) for each in zip(probes, starts, strict=True)]}


def unpack(packed: Packed, offers: Sequence[Offer], known: dict[object, Probe] | None = None) -> tuple[Probe, ...]:
    """The probes as they were packed with these offers; `known` are probes unpacked before, and it gets the new ones."""
    known = {} if known is None else known
    return tuple(_met(each, offers, packed["unit"], known) for each in packed["probes"])


def _met(packed: list[Any], offers: Sequence[Offer], unit: int, known: dict[object, Probe]) -> Probe:
    """A probe that was unpacked before, or now: an hour later most are the same."""
    place, first, days, steps, *why = packed
    key = (offers[place], first, days, None if steps is None else tuple(steps), *why, unit)
    if (probe := known.get(key)) is None:
        probe = known[key] = _unpacked(packed, offers, unit)
    return probe


def _packed(probe: Probe, starts: Sequence[int] | None, place: int, unit: int) -> list[Any]:
    days = (probe.last - probe.first).days
    steps = None if starts is None else _steps([start // unit for start in starts])
    why = [] if probe.unseen is None else [probe.unseen.value]
    return [place, probe.first.isoformat(), days, steps, *why]


def _unpacked(packed: list[Any], offers: Sequence[Offer], unit: int) -> Probe:
    place, first, days, steps, *why = packed
    day = date.fromisoformat(first)
    starts = None if steps is None else tuple(_after(day, steps, unit))
    return Probe(offers[place], day, day + timedelta(days=days), starts, Unseen(why[0]) if why else None)


def _steps(values: Sequence[int]) -> list[int]:
    return [value - before for before, value in zip([0, *values], values, strict=False)]


def _after(day: date, steps: Iterable[int], unit: int) -> Iterator[datetime]:
    midnight = _midnight(day)
    for value in accumulate(steps):
        yield midnight + timedelta(microseconds=value * unit)


def _since(day: date, starts: Iterable[datetime]) -> list[int]:
    """Microseconds from midnight UTC of `day`; no floats, which would not be exact."""
    midnight = _midnight(day)
    return [(start - midnight) // _TICK for start in starts]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
