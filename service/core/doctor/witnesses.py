"""The readings that show most and least under the present caps: what a condition can be proven by, if by anything.

A segment cap shows the first so many starts of a part of the day and hides what comes after the last of them; a day without
any start may have been emptied by the daily limit. A condition can be proven if *some* diary would be shown in a way that
proves it, so it is enough to look at the diaries that would be shown most favourably:

    booked   nothing is free: what at least / at most a full diary proves
    one      one short appointment at the very end of each day: as full as a day under a daily limit can be seen to be
    exact    one start fewer than the cap in every part of the day: as open as can be without anything hidden
    slots    as many starts of the first listed type as the cap lets through, as late as they fit: most openings
    open     as many starts of every type: most open time

They are generous (starts at any minute, without a cap at every fifth), so what none of them proves cannot be proven. Known
limit under a cap: packing from the end is not always the fullest, so where one diary spans odd hours or several places an
opening or two more may be possible. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from service.core import intervals
from service.core.capacity import Capacity, capacity
from service.core.days import HORIZON
from service.core.intervals import Spans
from service.core.model import Diaries, Offer, Probe
from service.core.observation import Observation, cap_of
from service.core.offers import sold_offers
from service.core.roster import Roster
from service.core.rules.language import Service

MINUTE = 60
GRID = 5 * MINUTE
"""How far apart the starts of a diary are that is shown without a cap; durations in Cliniko are multiples of this."""


Kind = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Room:
    """One offer's day: how long its appointment is (seconds), the time in which one may be sold, and the parts of the day."""

    offer: Offer
    length: int
    sellable: Spans
    parts: tuple[Spans, ...]
    sold_from: int = 0

    @property
    def kind(self) -> Kind:
        """What is shown at the same times: types of one length and lead time each show the first that are free."""
        return self.offer.location, self.length, self.sold_from

    def admits(self, start: int) -> bool:
        """Whether an appointment from `start` on fits."""
        return any(begins <= start and start + self.length <= end for begins, end in self.sellable)

    @property
    def places(self) -> int:
        """In how many parts of the day an appointment can start."""
        starts = tuple((begins, end - self.length + 1) for begins, end in self.sellable)
        return sum(bool(intervals.intersect(intervals.union(starts), spans)) for spans in self.parts)

    def before(self, at: int) -> int | None:
        """Where an appointment would start that covers the time just before `at` and as much as it can before that."""
        span = next(((begins, end) for begins, end in self.sellable if begins < at <= end), None)
        if span is None or span[1] - span[0] < self.length:
            return None
        return max(at - self.length, span[0])

    def part(self, start: int) -> int:
        """Which part of the day `start` is in."""
        return next((n for n, spans in enumerate(self.parts) if intervals.covers(spans, start)), 0)


Placing = Callable[[Sequence[Room]], dict[Offer, list[int]]]
"""Where the offers of one practitioner show their starts on one day."""


def readings(diaries: Diaries, service: Service, roster: Roster) -> dict[str, Capacity]:
    """The service's capacity in each of the favourable readings, by name."""
    shown = {name: _shown(diaries, service, roster, place) for name, place in _placings(cap_of(diaries.bookings)).items()}
    return {name: capacity(Observation.of(reading, roster.now), service) for name, reading in shown.items()}


def _placings(cap: int | None) -> dict[str, Placing]:
    if cap is None:
        return {"booked": lambda _: {}, "one": _one, "open": _everywhere}
    return {
        "booked": lambda _: {},
        "one": _one,
        "exact": lambda rooms: _packed(_first(rooms), cap - 1, apart=True),
        "slots": lambda rooms: _packed(_first(rooms), cap),
        "open": lambda rooms: _packed(sorted(rooms, key=lambda room: -room.length), cap),
    }


def uncapped(diaries: Diaries) -> Diaries:
    """The same account without its cap and limit."""
    return replace(diaries, bookings=replace(diaries.bookings, segment_cap=None, daily_limit=None))


def _shown(diaries: Diaries, service: Service, roster: Roster, place: Placing) -> Diaries:
    """The account as it would look with the starts that `place` chooses."""
    people: dict[str, list[Offer]] = {}
    for offer in sold_offers(diaries, service):
        people.setdefault(offer.practitioner, []).append(offer)
    probes = []
    for offers in people.values():
        for index in range(HORIZON):
            starts = place([_room(diaries, offer, roster, index) for offer in offers])
            for offer in offers:
                day = roster.days(offer.location)[index].date
                probes.append(Probe(offer, day, day, _instants(starts.get(offer, ()))))
    return replace(diaries, probes=tuple(probes))


def _room(diaries: Diaries, offer: Offer, roster: Roster, index: int) -> Room:
    type_ = next(each for each in diaries.types if each.id == offer.type)
    sold_from = int((roster.now + (diaries.bookings.lead if type_.lead is None else type_.lead)).timestamp())
    working = roster.working(offer.location, offer.practitioner)[index]
    sellable = intervals.after(working, sold_from)
    parts = roster.days(offer.location)[index].segments()
    return Room(offer, int(type_.duration.total_seconds()), sellable, parts, sold_from)


def _instants(seconds: Iterable[int]) -> tuple[datetime, ...]:
    return tuple(datetime.fromtimestamp(at, UTC) for at in sorted(seconds))


def _everywhere(rooms: Sequence[Room]) -> dict[Offer, list[int]]:
    """Every start there can be."""
    return {
        room.offer: sorted({
            at
            for begins, end in room.sellable
            if end - begins >= room.length
            for at in (*range(begins, end - room.length, GRID), end - room.length)
        })
        for room in rooms
    }  # fmt: skip


def _one(rooms: Sequence[Room]) -> dict[Offer, list[int]]:
    """At each location the shortest appointment, at the end of the day."""
    found: dict[str, tuple[int, int, Offer]] = {}
    for room in rooms:
        latest = max((end - room.length for begins, end in room.sellable if end - begins >= room.length), default=None)
        if latest is not None:
            best = found.get(room.offer.location)
            if best is None or (room.length, -latest) < best[:2]:
                found[room.offer.location] = (room.length, -latest, room.offer)
    return {offer: [-at] for _, at, offer in found.values()}


def _first(rooms: Sequence[Room]) -> list[Room]:
    """The first listed type at each location, which openings are counted in; the shortest first."""
    by_location = {room.offer.location: room for room in reversed(rooms)}
    return sorted(by_location.values(), key=lambda room: room.length)


def _packed(rooms: Sequence[Room], most: int, *, apart: bool = False) -> dict[Offer, list[int]]:
    """Up to `most` starts for each part of the day and location, side by side, from the end of the day backwards.

    With `apart` no part has more than its own; without it one may use up another's, which is generous. Of several rooms
    that have space the first one is used.
    Where less than an appointment is left over, one overlaps its neighbour, as it does where starts are closer than an
    appointment is long.
    """
    placed: dict[Kind, list[int]] = {}
    taken: Counter[tuple[Kind, int]] = Counter()
    limited = [(room, most if apart else most * room.places) for room in rooms]
    for begins, end in reversed(intervals.union(span for room in rooms for span in room.sellable)):
        at = end
        while at > begins:
            room, start = next(_free(limited, at, taken, apart=apart), (None, at - MINUTE))
            if room is not None:
                taken[room.kind, room.part(start) if apart else 0] += 1
                placed.setdefault(room.kind, []).append(start)
            at = start
    return {room.offer: placed.get(room.kind, []) for room in rooms}


def _free(
    limited: Iterable[tuple[Room, int]], at: int, taken: Counter[tuple[Kind, int]], *, apart: bool
) -> Iterator[tuple[Room | None, int]]:
    """The rooms in which one more start can be shown, within the limit of each, that covers the time before `at`."""
    for room, limit in limited:
        start = room.before(at)
        if start is not None and taken[room.kind, room.part(start) if apart else 0] < limit:
            yield room, start
