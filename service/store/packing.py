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

Packed = dict[str, Any]
"""JSON: `unit` and `probes`."""


def offers_of(listed: Sequence[Offer], probes: Iterable[Probe]) -> tuple[Offer, ...]:
    """The offers that are asked about without being listed; they go after the listed ones."""
    return tuple(dict.fromkeys(probe.offer for probe in probes if probe.offer not in listed))


def pack(probes: Iterable[Probe], offers: Sequence[Offer]) -> Packed:
    """The probes in few bytes; `offers` are all of theirs."""
    probes = tuple(probes)
    place = {offer: n for n, offer in reversed([*enumerate(offers)])}
    exact = all(_since(probe.first, start) % MINUTE == 0 for probe in probes for start in probe.starts or ())
    unit = MINUTE if exact else MICROSECOND
    return {"unit": unit, "probes": [_packed(probe, place[probe.offer], unit) for probe in probes]}


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


def _packed(probe: Probe, place: int, unit: int) -> list[Any]:
    days = (probe.last - probe.first).days
    steps = None if probe.starts is None else _steps([_since(probe.first, start) // unit for start in probe.starts])
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


def _since(day: date, at: datetime) -> int:
    """Microseconds from midnight UTC of `day`; no float, which would not be exact."""
    return (at - _midnight(day)) // timedelta(microseconds=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
