"""The readings that show most and least under the present caps: what a condition can be proven by, if by anything.

A segment cap shows the first so many starts of a part of the day and hides what comes after the last of them; a day without
any start may have been emptied by the daily limit. A condition can be proven if *some* diary would be shown in a way that
proves it, so it is enough to look at the diaries that would be shown most favourably:

    booked   nothing is free: what at least / at most a full diary proves
    one      one short appointment at the very end of each day: as full as a day under a daily limit can be seen to be
    exact    one start fewer than the cap in every part of the day: as open as can be without anything hidden
    open     as many starts as the cap lets through, as late as they fit: as open as can be seen at all

They are generous (starts at any minute), so what none of them proves cannot be proven. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from service.core import intervals
from service.core.capacity import Capacity, capacity, sold_offers
from service.core.days import Day
from service.core.intervals import Spans
from service.core.model import Diaries, Offer, Probe
from service.core.roster import Roster
from service.core.rules.language import Service

MINUTE = 60
UNCAPPED = 1_000
"""More starts than fit into any part of a day."""


@dataclass(frozen=True, slots=True)
class Room:
    """One offer's day: how long its appointment is, and the time in which one may be sold (seconds)."""

    offer: Offer
    length: int
    sellable: Spans


Placing = Callable[[Sequence[Room], Day], dict[Offer, list[int]]]
"""Where the offers of one practitioner at one location show their starts on one day."""


def readings(diaries: Diaries, service: Service, roster: Roster) -> dict[str, Capacity]:
    """The service's capacity in each of the favourable readings, by name."""
    cap = diaries.bookings.segment_cap or UNCAPPED
    placings: dict[str, Placing] = {
        "booked": lambda _, __: {},
        "one": _one,
        "exact": lambda rooms, day: _packed(rooms, day, cap - 1),
        "open": lambda rooms, day: _packed(rooms, day, cap),
    }
    return {name: capacity(_shown(diaries, service, roster, place), service, roster) for name, place in placings.items()}


def uncapped(diaries: Diaries) -> Diaries:
    """The same account without its cap and limit."""
    return replace(diaries, bookings=replace(diaries.bookings, segment_cap=None, daily_limit=None))


def _shown(diaries: Diaries, service: Service, roster: Roster, place: Placing) -> Diaries:
    """The account as it would look with the starts that `place` chooses."""
    by_diary: dict[tuple[str, str], list[Offer]] = {}
    for offer in sold_offers(diaries, service):
        by_diary.setdefault((offer.location, offer.practitioner), []).append(offer)
    probes = []
    for (location, practitioner), offers in by_diary.items():
        working = roster.working(location, practitioner)
        for day, rostered in zip(roster.days(location), working, strict=True):
            starts = place(_rooms(diaries, offers, rostered, roster.now), day)
            probes += [Probe(offer, day.date, day.date, _instants(starts.get(offer, ()))) for offer in offers]
    return replace(diaries, probes=tuple(probes))


def _rooms(diaries: Diaries, offers: Iterable[Offer], working: Spans, now: datetime) -> list[Room]:
    types = {type_.id: type_ for type_ in diaries.types}
    rooms = []
    for offer in offers:
        lead = types[offer.type].lead
        sold_from = now + (diaries.bookings.lead if lead is None else lead)
        length = int(types[offer.type].duration.total_seconds())
        rooms.append(Room(offer, length, intervals.after(working, int(sold_from.timestamp()))))
    return rooms


def _instants(seconds: Iterable[int]) -> tuple[datetime, ...]:
    return tuple(datetime.fromtimestamp(at, UTC) for at in sorted(seconds))


def _one(rooms: Sequence[Room], _: Day) -> dict[Offer, list[int]]:
    """The shortest appointment, at the end of the day."""
    fitting = [(room.length, end - room.length, room.offer) for room in rooms for begins, end in room.sellable
               if end - begins >= room.length]  # fmt: skip
    if not fitting:
        return {}
    shortest = min(length for length, _, _ in fitting)
    at, offer = max(((at, offer) for length, at, offer in fitting if length == shortest), key=lambda each: each[0])
    return {offer: [at]}


def _packed(rooms: Sequence[Room], day: Day, most: int) -> dict[Offer, list[int]]:
    """Up to `most` starts per part of the day, side by side, from the end of the day backwards.

    Types as long as each other are shown at the same times, because each shows the first that are free.
    """
    longest_first = sorted({room.length for room in rooms}, reverse=True)
    placed: dict[int, list[int]] = {length: [] for length in longest_first}
    left = {(part, length): most for part in range(len(day.segments())) for length in longest_first}
    for begins, end in reversed(intervals.union(span for room in rooms for span in room.sellable)):
        at = end
        while at > begins:
            length = next((each for each in longest_first if _fits(at - each, begins, left, each, day)), None)
            if length is None:
                at -= MINUTE
                continue
            at -= length
            placed[length].append(at)
            left[_part(at, day), length] -= 1
    return {
        room.offer: [at for at in placed[room.length] if any(b <= at and at + room.length <= e for b, e in room.sellable)]
        for room in rooms
    }


def _fits(start: int, begins: int, left: dict[tuple[int, int], int], length: int, day: Day) -> bool:
    return start >= begins and left[_part(start, day), length] > 0


def _part(at: int, day: Day) -> int:
    """Which part of the day an instant is in."""
    return next((n for n, spans in enumerate(day.segments()) if intervals.covers(spans, at)), 0)
