"""One practitioner's horizon for one service: what is rostered, what is shown as open, and what might be hidden.

Several locations are looked at one by one (`core.places`) and then united, because one practitioner has one diary. Pure.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace

from service.core import intervals
from service.core.days import HORIZON
from service.core.diary_day import CLOSED, DiaryDay
from service.core.intervals import Spans
from service.core.model import Offer
from service.core.observation import Observation
from service.core.packing import NOTHING_SHOWN, Shown, pack, pack_by_day
from service.core.places import Part, Place, both
from service.core.tallies import Tally


@dataclass(frozen=True, slots=True)
class Diary:
    """One practitioner's horizon for one service; `bookable` pairs with `days`. `step` and `length` are in seconds.

    `step` is the spacing of the starts shown, `length` the duration of the service's first type here. `contradicted`: most
    starts lay outside rostered hours at these locations, so that they are not believed; `shown_at` are those with any start.
    """

    practitioner: str
    days: tuple[DiaryDay, ...]
    bookable: tuple[Shown, ...]
    step: int
    length: int
    contradicted: tuple[str, ...] = ()
    shown_at: tuple[str, ...] = ()
    _whole: dict[str, Spans] = field(default_factory=dict, init=False, compare=False, repr=False)

    def whole(self, what: str) -> Spans:
        """Some time of all its days as one: `working`, `near`, and so on; kept, because several later runs ask for it."""
        if what not in self._whole:
            self._whole[what] = intervals.union(span for day in self.days for span in getattr(day, what))
        return self._whole[what]


def diary(seen: Observation, practitioner: str, offers: Sequence[Offer], distrusted: Container[str] = ()) -> Diary:
    """The horizon of somebody for the `offers` of one service, which are all theirs and in order of preference.

    `distrusted` are locations whose starts contradict the roster with others too, so that none there is believed.
    """
    length = seen.lengths[offers[0].type]
    step = seen.step(practitioner, (day for offer in offers for day in seen.starts(offer)), length)
    places = {offer.location: [o for o in offers if o.location == offer.location] for offer in offers}
    coarse = any(step > seen.lengths[offer.type] for offer in offers)
    there = [Place(seen, location, practitioner, these, step, coarse) for location, these in places.items()]
    looked = [place.parts(distrusted=place.location in distrusted) for place in there]
    horizons = [found for found, _ in looked]
    contradicted = tuple(place.location for place, (_, wrong) in zip(there, looked, strict=True) if wrong)
    days: list[DiaryDay] = []
    bookable: list[Shown] = []
    before, tangled = NOTHING_SHOWN, False
    for index in range(HORIZON):
        parts = [part for parts in horizons if (part := parts[index]) is not None]
        day, shown = _unite(index, parts) if parts else (CLOSED[index], NOTHING_SHOWN)
        if before.starts and shown.starts and before.starts[-1][1] > shown.starts[0][0]:
            tangled = True
        days.append(day)
        bookable.append(shown)
        before = shown
    if tangled:
        days = _over_midnights(days, bookable)
    shown_at = tuple(dict.fromkeys(offer.location for offer in offers if any(seen.starts(offer))))
    return Diary(practitioner, tuple(days), tuple(bookable), step, length, contradicted, shown_at)


def _over_midnights(days: Sequence[DiaryDay], bookable: Sequence[Shown]) -> list[DiaryDay]:
    """The days packed together where openings overlap those of the next day: it has only those that fit in besides."""
    counts = pack_by_day([shown.starts for shown in bookable])
    tallies = [
        day.tally._replace(openings_low=count, openings_high=day.tally.openings_high if shown.hidden else count)
        for day, shown, count in zip(days, bookable, counts, strict=True)
    ]
    return [replace(day, tally=tally) for day, tally in zip(days, tallies, strict=True)]


def _unite(index: int, parts: Sequence[Part]) -> tuple[DiaryDay, Shown]:
    """One practitioner has one diary: an hour free at two places is one hour."""
    part = parts[0] if len(parts) == 1 else _united(parts)
    if part.alone is None:
        part.alone = _tallied(index, part)
    return part.alone


def _tallied(index: int, part: Part) -> tuple[DiaryDay, Shown]:
    openings = pack(part.starts.starts)
    most = pack(part.starts.starts, part.starts.hidden) if part.starts.hidden else openings
    open_low = intervals.length(part.open_low)
    sellable = intervals.length(part.sellable)
    day = DiaryDay(
        index=index,
        working=part.working,
        sellable=part.sellable,
        first_sellable=part.first_sellable,
        seen=part.seen,
        capped=part.capped,
        open_low=part.open_low,
        open_high=part.open_high,
        near=part.near,
        outside=part.outside,
        limited=part.limited,
        location=part.location if part.working else "",
        tally=Tally(
            working=intervals.length(part.working),
            sellable=sellable,
            first_sellable=sellable if part.first_sellable is part.sellable else intervals.length(part.first_sellable),
            seen=sellable if part.seen is part.sellable else intervals.length(part.seen),
            open_low=open_low,
            open_high=open_low if part.open_high is part.open_low else intervals.length(part.open_high),
            openings_low=openings,
            openings_high=most,
        ),
    )
    return day, part.starts


def _united(parts: Sequence[Part]) -> Part:
    """Several locations as one; it bears the name of the one where most of the day is rostered, the first of equals."""
    sellable = both(part.sellable for part in parts)
    unseen = both(intervals.subtract(part.sellable, part.seen) for part in parts)
    return Part(
        location=max(parts, key=lambda part: intervals.length(part.working)).location,
        working=both(part.working for part in parts),
        sellable=sellable,
        first_sellable=both(part.first_sellable for part in parts),
        seen=intervals.subtract(sellable, unseen),
        capped=both(part.capped for part in parts),
        open_low=both(part.open_low for part in parts),
        open_high=both(part.open_high for part in parts),
        near=both(part.near for part in parts),
        starts=_shown_anywhere(parts),
        outside=sum(part.outside for part in parts),
        limited=any(part.limited for part in parts),
    )


def _shown_anywhere(parts: Sequence[Part]) -> Shown:
    starts = sorted(span for part in parts for span in part.starts.starts)
    return Shown(tuple(starts), tuple(region for part in parts for region in part.starts.hidden))
