"""One practitioner's horizon for one service: what is rostered, what is shown as open, and what might be hidden.

Several locations are looked at one by one (`core.places`) and then united, because one practitioner has one diary. Pure.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from service.core import intervals
from service.core.diary_day import CLOSED, DiaryDay, tallied
from service.core.intervals import Spans
from service.core.model import Offer
from service.core.observation import Observation
from service.core.packing import Shown, pack_by_day
from service.core.places import Place, both


@dataclass(frozen=True, slots=True)
class Diary:
    """One practitioner's horizon for one service. `step` and `length` are in seconds.

    `step` is the spacing of the starts shown, `length` the duration of the service's first type here. `contradicted`: most
    starts lay outside rostered hours at these locations, so that they are not believed; `shown_at` are those with any start.
    """

    practitioner: str
    days: tuple[DiaryDay, ...]
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
    looked = [place.days(distrusted=place.location in distrusted) for place in there]
    contradicted = tuple(place.location for place, (_, wrong) in zip(there, looked, strict=True) if wrong)
    days = [
        _united(index, [day for day in at_places if day is not None])
        for index, at_places in enumerate(zip(*[found for found, _ in looked], strict=True))
    ]
    if _tangled(days):
        days = _over_midnights(days)
    shown_at = tuple(dict.fromkeys(offer.location for offer in offers if any(seen.starts(offer))))
    return Diary(practitioner, tuple(days), step, length, contradicted, shown_at)


def _over_midnights(days: Sequence[DiaryDay]) -> list[DiaryDay]:
    """The days packed together where openings overlap those of the next day: it has only those that fit in besides."""
    counts = pack_by_day([day.shown.starts for day in days])
    tallies = [
        day.tally._replace(openings_low=count, openings_high=day.tally.openings_high if day.shown.hidden else count)
        for day, count in zip(days, counts, strict=True)
    ]
    return [replace(day, tally=tally) for day, tally in zip(days, tallies, strict=True)]


def _tangled(days: Sequence[DiaryDay]) -> bool:
    """Whether what is shown on some day reaches into what is shown on the next."""
    return any(a and b and a[-1][1] > b[0][0] for a, b in pairwise([day.shown.starts for day in days]))


def _united(index: int, places: Sequence[DiaryDay]) -> DiaryDay:
    """One practitioner has one diary: an hour free at two places is one hour.

    The day bears the name of the location where most of it is rostered, the first of equals.
    """
    if len(places) < 2:
        return places[0] if places else CLOSED[index]
    sellable = both(day.sellable for day in places)
    unseen = both(intervals.subtract(day.sellable, day.seen) for day in places)
    starts = sorted(span for day in places for span in day.shown.starts)
    day = DiaryDay(
        index=index,
        working=both(day.working for day in places),
        sellable=sellable,
        first_sellable=both(day.first_sellable for day in places),
        seen=intervals.subtract(sellable, unseen),
        capped=both(day.capped for day in places),
        open_low=both(day.open_low for day in places),
        open_high=both(day.open_high for day in places),
        near=both(day.near for day in places),
        shown=Shown(tuple(starts), tuple(region for day in places for region in day.shown.hidden)),
        outside=sum(day.outside for day in places),
        limited=any(day.limited for day in places),
        location=max(places, key=lambda day: intervals.length(day.working)).location,
    )
    return tallied(day)
