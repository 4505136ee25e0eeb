"""What one location shows of one practitioner's horizon for one service: open, hidden behind caps, or not to be believed.

`core.diary` unites the days of several places. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from service.core import intervals
from service.core.days import HORIZON, Day
from service.core.diary_day import DiaryDay, tallied
from service.core.intervals import Spans
from service.core.model import Offer
from service.core.observation import Observation
from service.core.packing import NOTHING_SHOWN, Region, Shown

DOUBTFUL = 3
"""So many starts outside rostered hours, if they are most of them, contradict the roster."""

WEEKS = (range(HORIZON // 2), range(HORIZON // 2, HORIZON))


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
    """A day, `index` days ahead, with its rostered time, and what lies across its midnights.

    `before` is the time that starts of the day before cover; `after` is what is rostered on the next day, where starts of
    this one reach into it.
    """

    index: int
    day: Day
    working: Spans
    before: Spans
    after: Spans

    @property
    def rostered(self) -> Spans:
        """Where a start of this day may lie."""
        return both([self.working, self.after])


def _beyond(day: Day, lengths: Sequence[int], shown: Sequence[tuple[int, ...] | None]) -> Spans:
    """The time after a day's end that its starts cover."""
    ends = last = day.span[1]
    for length, at in zip(lengths, shown, strict=True):
        if at and at[-1] + length > last:
            last = at[-1] + length
    return ((ends, last),) if last > ends else ()


@dataclass(slots=True)
class Place:
    """Somebody's horizon at one location.

    `coarse`: starts are further apart than some appointments are long, so that free time between them does not show.
    """

    seen: Observation
    location: str
    practitioner: str
    offers: Sequence[Offer]
    step: int
    coarse: bool

    def days(self, *, distrusted: bool) -> tuple[list[DiaryDay | None], bool]:
        """What each day holds, None where nothing is rostered and nothing shown; and whether the starts contradict the roster.

        Then nothing is known: Cliniko has been seen to label local times as UTC (Cliniko API issue 99), and a wrong zone or
        roster looks the same. All starts are judged together, and those of each week by themselves, because a week is what
        one answer holds.
        """
        starts = [self.seen.starts(offer) for offer in self.offers]
        found = self._days(starts)
        wrong = _contradictory(found, starts)
        if distrusted and any(day for each in starts for day in each):
            wrong = [range(HORIZON)]
        if not wrong:
            return found, False
        doubtful = self._days([(None,) * HORIZON for _ in starts])
        doubted = {n for days in wrong for n in days}
        return [_with_possible(doubtful[n], each) if n in doubted else each for n, each in enumerate(found)], True

    def _days(self, starts: Sequence[tuple[tuple[int, ...] | None, ...]]) -> list[DiaryDay | None]:
        roster, now = self.seen.roster, self.seen.now
        working = roster.working(self.location, self.practitioner)
        sold = [int((now + self.seen.lead(offer.type)).timestamp()) for offer in self.offers]
        sold_from, first_from = min(sold), sold[0]
        lengths = tuple([self.seen.lengths[offer.type] for offer in self.offers])
        known = self._known(lengths)
        found: list[DiaryDay | None] = []
        spill: Spans = ()
        for n, day in enumerate(roster.days(self.location)):
            shown = tuple([each[n] for each in starts])
            if working[n] or any(shown):
                sellable = intervals.after(working[n], sold_from)
                first = sellable if first_from == sold_from else intervals.after(working[n], first_from)
                late = _beyond(day, lengths, shown)
                night = working[n + 1] if late and n + 1 < HORIZON else ()
                around = _Night(n, day, working[n], spill, night)
                if known is None:
                    found.append(self._day(around, sellable, first, lengths, shown))
                else:
                    key = (n, day.date, working[n], sellable, first, shown, spill, night)
                    if key not in known:
                        known[key] = self._day(around, sellable, first, lengths, shown)
                    found.append(known[key])
                spill = late
            else:
                found.append(None)
                spill = ()
        return found

    def _known(self, lengths: tuple[int, ...]) -> dict[tuple[object, ...], DiaryDay] | None:
        """Days that came up before, with all the rest that they depend on the same; None where none are kept."""
        seen = self.seen
        if seen.memo is None:
            return None
        limited = seen.bookings.daily_limit is not None
        zone = seen.roster.zones[self.location]
        return seen.memo.table("days", self.location, zone, lengths, self.step, self.coarse, seen.cap, limited)

    def _day(
        self,
        night: _Night,
        sellable: Spans,
        first_sellable: Spans,
        lengths: Sequence[int],
        starts: Sequence[tuple[int, ...] | None],
    ) -> DiaryDay:
        looks = [_look(length, at) for length, at in zip(lengths, starts, strict=True)]
        first, cap, day, working = looks[0], self.seen.cap, night.day, night.working
        shown = looks[0].shown if len(looks) == 1 else both([look.shown for look in looks])
        open_low = intervals.intersect(both([shown, night.before]) if night.before else shown, sellable)
        capped = [segment for look in looks for segment in _capped(look, day, cap)] if cap is not None else []
        behind = [region for segment in capped for region in segment.regions(sellable)]
        unseen = None in starts
        limited = self.seen.bookings.daily_limit is not None and not any(starts)
        found = DiaryDay(
            index=night.index,
            working=working,
            sellable=sellable,
            first_sellable=first_sellable,
            seen=() if unseen else sellable,
            capped=intervals.union(span for segment in capped for span in segment.spans) if capped else (),
            open_low=open_low,
            open_high=sellable if unseen or limited else _with_hidden(open_low, behind, sellable),
            near=both([self._near(sellable, looks), open_low]) if self.coarse else open_low,
            shown=Shown(
                tuple([(at, at + first.length) for at in first.starts]),
                tuple(_hidden(first, day, cap, first_sellable)) if capped or unseen else (),
            ),
            outside=sum(_outside(look, night.rostered) for look in looks) if shown != open_low else 0,
            limited=limited,
            location=self.location if working else "",
        )
        return tallied(found)

    def _near(self, sellable: Spans, looks: Sequence[_Look]) -> Spans:
        reaching = [intervals.runs(look.starts, max(look.length, self.step)) for look in looks]
        return intervals.intersect(both(reaching), sellable)


def _contradictory(found: Sequence[DiaryDay | None], starts: Sequence[Sequence[tuple[int, ...] | None]]) -> list[range]:
    """The stretches of days, all of them or a week, whose starts contradict the roster."""
    if not any(day.outside for day in found if day is not None):
        return []
    return [days for days in (range(HORIZON), *WEEKS) if _contradicts(found, starts, days)]


def _contradicts(found: Sequence[DiaryDay | None], starts: Sequence[Sequence[tuple[int, ...] | None]], days: range) -> bool:
    """Whether most of what is shown on these days lies outside rostered time."""
    outside = sum(each.outside for n in days if (each := found[n]) is not None)
    return outside >= DOUBTFUL and 2 * outside > sum(len(shown) for each in starts for n in days if (shown := each[n]))


def _with_possible(doubtful: DiaryDay | None, seen: DiaryDay | None) -> DiaryDay | None:
    """A day of which nothing is believed, with the starts that it showed as possible ones; they may be real after all."""
    if seen is None:
        return doubtful
    day = doubtful or replace(seen, seen=(), open_low=(), open_high=seen.sellable, near=(), shown=NOTHING_SHOWN)
    possible = tuple(Region(start, start, end - start) for start, end in seen.shown.starts)
    return tallied(replace(day, shown=Shown((), day.shown.hidden + possible)))


def _look(length: int, starts: tuple[int, ...] | None) -> _Look:
    return _Look(length, starts is not None, starts or (), intervals.runs(starts or (), length))


def _outside(look: _Look, working: Spans) -> int:
    return sum(not any(begins <= at and at + look.length <= ends for begins, ends in working) for at in look.starts)


def both(spans: Iterable[Spans]) -> Spans:
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
