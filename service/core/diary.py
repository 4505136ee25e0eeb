"""One practitioner's horizon for one service: what is rostered, what is shown as open, and what might be hidden.

Several locations are looked at one by one and then united, because one practitioner has one diary. Pure.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add
from typing import NamedTuple

from service.core import intervals
from service.core.days import HORIZON, Day
from service.core.intervals import Spans
from service.core.model import Offer
from service.core.observation import Observation
from service.core.packing import NOTHING_SHOWN, Region, Shown, pack, pack_by_day

DOUBTFUL = 3
"""So many starts outside rostered hours, if they are most of them, contradict the roster."""

WEEKS = (range(HORIZON // 2), range(HORIZON // 2, HORIZON))


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
    return reduce(_plus, (tally for tally in tallies if tally is not NOTHING), NOTHING)


def _plus(one: Tally, other: Tally) -> Tally:
    return other if one is NOTHING else Tally._make(map(add, one, other))


@dataclass(slots=True)  # not frozen: that would triple what it costs to make one, and hundreds are made in every run
class DiaryDay:
    """One practitioner's local day for one service, all locations united; `index` 0 is today.

    `working` is rostered time; `sellable` leaves out what lead time hides, and `seen` is the observed part of that.
    `first_sellable` is where the service's first type can be sold: its lead time may be longer than that of the others.
    `open_low` is shown open, `open_high` could be open at best; `near` is `open_low` with every start reaching as far as the
    next would be, so that it covers what may be open between and after starts without showing. `capped` are the day segments
    that show as many starts as their cap lets them, `outside` counts starts not wholly within rostered time, `limited` says
    that the daily limit may hide the day. `location` is where most of the day is rostered ("": nowhere).
    """

    index: int
    working: Spans = ()
    sellable: Spans = ()
    first_sellable: Spans = ()
    seen: Spans = ()
    capped: Spans = ()
    open_low: Spans = ()
    open_high: Spans = ()
    near: Spans = ()
    outside: int = 0
    limited: bool = False
    location: str = ""
    tally: Tally = NOTHING


CLOSED = tuple(DiaryDay(index) for index in range(HORIZON))
"""Days with nothing rostered and nothing shown."""


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
    there = [_Place(seen, location, practitioner, these, step, coarse) for location, these in places.items()]
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


@dataclass(slots=True)
class _Look:
    """What one appointment type shows on one day at one location; no starts and not `observed` means nothing is known.

    `shown` is the time its starts cover. A start outside rostered time can be booked all the same, so it is an opening; it is
    no open rostered time.
    """

    length: int
    observed: bool
    starts: tuple[int, ...]
    shown: Spans


@dataclass(slots=True)
class _Part:
    """One practitioner's day at one location; the fields mean what they mean in `DiaryDay`.

    `alone` is what it comes to where it is all of the day.
    """

    location: str
    working: Spans
    sellable: Spans
    first_sellable: Spans
    seen: Spans
    capped: Spans
    open_low: Spans
    open_high: Spans
    near: Spans
    starts: Shown
    outside: int
    limited: bool
    alone: tuple[DiaryDay, Shown] | None = field(default=None, init=False)


@dataclass(slots=True)
class _Segment:
    """A day segment at its cap: appointments of `length` may be hidden after its `latest` shown start."""

    spans: Spans
    latest: int
    length: int

    def regions(self, sellable: Spans) -> list[Region]:
        ends = self.spans[-1][1] - 1
        found = (
            Region(max(begins, self.latest + 1), min(finishes - self.length, ends), self.length)
            for begins, finishes in sellable
        )
        return [region for region in found if region.first <= region.last]


@dataclass(slots=True)
class _Night:
    """A day with its rostered time, and what lies across its midnights.

    `before` is the time that starts of the day before cover; `after` is what is rostered on the next day, where starts of
    this one reach into it.
    """

    day: Day
    working: Spans
    before: Spans
    after: Spans

    @property
    def rostered(self) -> Spans:
        """Where a start of this day may lie."""
        return _both([self.working, self.after])


def _beyond(day: Day, lengths: Sequence[int], shown: Sequence[tuple[int, ...] | None]) -> Spans:
    """The time after a day's end that its starts cover."""
    ends = last = day.span[1]
    for length, at in zip(lengths, shown, strict=True):
        if at and at[-1] + length > last:
            last = at[-1] + length
    return ((ends, last),) if last > ends else ()


@dataclass(slots=True)
class _Place:
    """Somebody's horizon at one location.

    `coarse`: starts are further apart than some appointments are long, so that free time between them does not show.
    """

    seen: Observation
    location: str
    practitioner: str
    offers: Sequence[Offer]
    step: int
    coarse: bool

    def parts(self, *, distrusted: bool) -> tuple[list[_Part | None], bool]:
        """A part per day, None where nothing is rostered and nothing shown; and whether the starts contradict the roster.

        Then nothing is known: Cliniko has been seen to label local times as UTC (Cliniko API issue 99), and a wrong zone or
        roster looks the same. All starts are judged together, and those of each week by themselves, because a week is what
        one answer holds.
        """
        starts = [self.seen.starts(offer) for offer in self.offers]
        found = self._parts(starts)
        wrong = _contradictory(found, starts)
        if distrusted and any(day for each in starts for day in each):
            wrong = [range(HORIZON)]
        if not wrong:
            return found, False
        doubtful = self._parts([(None,) * HORIZON for _ in starts])
        doubted = {n for days in wrong for n in days}
        return [_with_possible(doubtful[n], each) if n in doubted else each for n, each in enumerate(found)], True

    def _parts(self, starts: Sequence[tuple[tuple[int, ...] | None, ...]]) -> list[_Part | None]:
        roster, now = self.seen.roster, self.seen.now
        working = roster.working(self.location, self.practitioner)
        sold = [int((now + self.seen.lead(offer.type)).timestamp()) for offer in self.offers]
        sold_from, first_from = min(sold), sold[0]
        lengths = tuple([self.seen.lengths[offer.type] for offer in self.offers])
        known = self._known(lengths)
        found: list[_Part | None] = []
        spill: Spans = ()
        for n, day in enumerate(roster.days(self.location)):
            shown = tuple([each[n] for each in starts])
            if working[n] or any(shown):
                sellable = intervals.after(working[n], sold_from)
                first = sellable if first_from == sold_from else intervals.after(working[n], first_from)
                late = _beyond(day, lengths, shown)
                night = working[n + 1] if late and n + 1 < HORIZON else ()
                around = _Night(day, working[n], spill, night)
                if known is None:
                    found.append(self._part(around, sellable, first, lengths, shown))
                else:
                    key = (n, day.date, working[n], sellable, first, shown, spill, night)
                    if key not in known:
                        known[key] = self._part(around, sellable, first, lengths, shown)
                    found.append(known[key])
                spill = late
            else:
                found.append(None)
                spill = ()
        return found

    def _known(self, lengths: tuple[int, ...]) -> dict[tuple[object, ...], _Part] | None:
        """Days that came up before, with all the rest that they depend on the same; None where none are kept."""
        seen = self.seen
        if seen.memo is None:
            return None
        limited = seen.bookings.daily_limit is not None
        zone = seen.roster.zones[self.location]
        return seen.memo.table("days", self.location, zone, lengths, self.step, self.coarse, seen.cap, limited)

    def _part(
        self,
        night: _Night,
        sellable: Spans,
        first_sellable: Spans,
        lengths: Sequence[int],
        starts: Sequence[tuple[int, ...] | None],
    ) -> _Part:
        looks = [_look(length, at) for length, at in zip(lengths, starts, strict=True)]
        first, cap, day, working = looks[0], self.seen.cap, night.day, night.working
        shown = looks[0].shown if len(looks) == 1 else _both([look.shown for look in looks])
        open_low = intervals.intersect(_both([shown, night.before]) if night.before else shown, sellable)
        capped = [segment for look in looks for segment in _capped(look, day, cap)] if cap is not None else []
        behind = [region for segment in capped for region in segment.regions(sellable)]
        unseen = any(not look.observed for look in looks)
        limited = self.seen.bookings.daily_limit is not None and not any(look.starts for look in looks)
        return _Part(
            location=self.location,
            working=working,
            sellable=sellable,
            first_sellable=first_sellable,
            seen=() if unseen else sellable,
            capped=intervals.union(span for segment in capped for span in segment.spans) if capped else (),
            open_low=open_low,
            open_high=sellable if unseen or limited else _with_hidden(open_low, behind, sellable),
            near=_both([self._near(sellable, looks), open_low]) if self.coarse else open_low,
            starts=Shown(
                tuple([(at, at + first.length) for at in first.starts]),
                tuple(_hidden(first, day, cap, first_sellable)) if capped or unseen else (),
            ),
            outside=sum(_outside(look, night.rostered) for look in looks) if shown != open_low else 0,
            limited=limited,
        )

    def _near(self, sellable: Spans, looks: Sequence[_Look]) -> Spans:
        reaching = [intervals.runs(look.starts, max(look.length, self.step)) for look in looks]
        return intervals.intersect(_both(reaching), sellable)


def _contradictory(found: Sequence[_Part | None], starts: Sequence[Sequence[tuple[int, ...] | None]]) -> list[range]:
    """The stretches of days, all of them or a week, whose starts contradict the roster."""
    if not any(part.outside for part in found if part is not None):
        return []
    return [days for days in (range(HORIZON), *WEEKS) if _contradicts(found, starts, days)]


def _contradicts(found: Sequence[_Part | None], starts: Sequence[Sequence[tuple[int, ...] | None]], days: range) -> bool:
    """Whether most of what is shown on these days lies outside rostered time."""
    outside = sum(part.outside for n in days if (part := found[n]) is not None)
    return outside >= DOUBTFUL and 2 * outside > sum(len(day) for each in starts for n in days if (day := each[n]))


def _with_possible(doubtful: _Part | None, shown: _Part | None) -> _Part | None:
    """A day of which nothing is believed, with the starts that it showed as possible ones; they may be real after all."""
    if shown is None:
        return doubtful
    part = doubtful or replace(shown, seen=(), open_low=(), open_high=shown.sellable, near=(), starts=NOTHING_SHOWN)
    possible = tuple(Region(start, start, end - start) for start, end in shown.starts.starts)
    return replace(part, starts=Shown((), part.starts.hidden + possible))


def _look(length: int, starts: tuple[int, ...] | None) -> _Look:
    return _Look(length, starts is not None, starts or (), intervals.runs(starts or (), length))


def _outside(look: _Look, working: Spans) -> int:
    return sum(not any(begins <= at and at + look.length <= ends for begins, ends in working) for at in look.starts)


def _both(spans: Iterable[Spans]) -> Spans:
    """The union of several sets of spans."""
    found = [each for each in spans if each]
    if len(found) < 2:
        return found[0] if found else ()
    return intervals.union(span for each in found for span in each)


def _with_hidden(shown: Spans, behind: Sequence[Region], sellable: Spans) -> Spans:
    if not behind:
        return shown
    times = intervals.union((r.first - 1, r.last + r.length) for r in behind)
    return intervals.union([*shown, *intervals.intersect(times, sellable)])


def _hidden(look: _Look, day: Day, cap: int | None, sellable: Spans) -> Iterable[Region]:
    """Where more appointments of a type may be hidden: anywhere if it was not observed, else behind caps."""
    if not look.observed:
        return (Region(start, end - look.length, look.length) for start, end in sellable if end - start >= look.length)
    return (region for segment in _capped(look, day, cap) for region in segment.regions(sellable))


def _capped(look: _Look, day: Day, cap: int | None) -> list[_Segment]:
    """The day segments that show as many starts of this type as the cap allows."""
    if cap is None or len(look.starts) < cap:
        return []
    found = []
    for spans in day.segments():
        shown = [start for start in look.starts if intervals.covers(spans, start)]
        if len(shown) >= cap:
            found.append(_Segment(spans, max(shown), look.length))
    return found


def _unite(index: int, parts: Sequence[_Part]) -> tuple[DiaryDay, Shown]:
    """One practitioner has one diary: an hour free at two places is one hour."""
    part = parts[0] if len(parts) == 1 else _united(parts)
    if part.alone is None:
        part.alone = _tallied(index, part)
    return part.alone


def _tallied(index: int, part: _Part) -> tuple[DiaryDay, Shown]:
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


def _united(parts: Sequence[_Part]) -> _Part:
    """Several locations as one; it bears the name of the one where most of the day is rostered, the first of equals."""
    sellable = _both(part.sellable for part in parts)
    unseen = _both(intervals.subtract(part.sellable, part.seen) for part in parts)
    return _Part(
        location=max(parts, key=lambda part: intervals.length(part.working)).location,
        working=_both(part.working for part in parts),
        sellable=sellable,
        first_sellable=_both(part.first_sellable for part in parts),
        seen=intervals.subtract(sellable, unseen),
        capped=_both(part.capped for part in parts),
        open_low=_both(part.open_low for part in parts),
        open_high=_both(part.open_high for part in parts),
        near=_both(part.near for part in parts),
        starts=_shown_anywhere(parts),
        outside=sum(part.outside for part in parts),
        limited=any(part.limited for part in parts),
    )


def _shown_anywhere(parts: Sequence[_Part]) -> Shown:
    starts = sorted(span for part in parts for span in part.starts.starts)
    return Shown(tuple(starts), tuple(region for part in parts for region in part.starts.hidden))
