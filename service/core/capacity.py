"""From diaries to capacity: what a service can still sell, per practitioner and local day.

`available_times` answers with starts only, spaced by the practitioner's *default* type, and lead times, caps, limits and
switches hide free time. So open time is the union of what is shown, clipped to rostered time; openings are the most
appointments that fit without overlap; and whatever was not observed widens the bounds instead of counting as full. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from service.core import intervals
from service.core.days import HORIZON, Day, horizon
from service.core.intervals import Span, Spans
from service.core.model import AppointmentType, Diaries, Offer, Probe
from service.core.roster import Roster
from service.core.rules.language import Service

HIGHEST_CAP = 5
"""The largest cap per day segment that Cliniko's settings offer."""


@dataclass(frozen=True, slots=True)
class DiaryDay:
    """One practitioner's local day for one service, all locations united; `index` 0 is today.

    `working` is rostered time; `sellable` leaves out what lead time hides. `open_low` is shown open, `open_high` could be
    open at best. `openings_low` and `openings_high` bound the bookable appointments. `seen` is the part of `sellable`
    that was observed, `capped` the day segments that show as many starts as their cap lets them.
    """

    index: int
    working: Spans
    sellable: Spans
    seen: Spans
    capped: Spans
    open_low: Spans
    open_high: Spans
    openings_low: int
    openings_high: int


@dataclass(frozen=True, slots=True)
class Shown:
    """The appointments one diary offers for booking as (start, end), and the regions where more may be hidden."""

    starts: tuple[Span, ...]
    hidden: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class Region:
    """Unobserved: an appointment of `length` seconds might start anywhere in [first, last]."""

    first: int
    last: int
    length: int


@dataclass(frozen=True, slots=True)
class Diary:
    """One practitioner's horizon for one service; `bookable` pairs with `days`."""

    practitioner: str
    days: tuple[DiaryDay, ...]
    bookable: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one service can sell over the horizon. `dates` are the local dates; no diaries means not sold online.

    `blind`: no diary answered and none is rostered, so that not even the roster says what could be open.
    """

    service: str
    dates: tuple[date, ...]
    diaries: tuple[Diary, ...]
    blind: bool = False

    @property
    def complete(self) -> bool:
        """Whether everything sellable was observed."""
        return all(day.seen == day.sellable for diary in self.diaries for day in diary.days)


# --- what is sold -------------------------------------------------------------------------------------------------------


def sold_offers(diaries: Diaries, service: Service) -> tuple[Offer, ...]:
    """The offers that make up a service: all three switches on, named by the service, no group type, nobody excluded.

    In the order of the service's appointment types, which is the order of preference.
    """
    rank = {_fold(name): n for n, name in enumerate(service.appointment_types)}
    types = {t.id: rank[_fold(t.name)] for t in diaries.types if t.online and not t.group and _fold(t.name) in rank}
    places = {p.id for p in diaries.locations if p.online and _chosen(p.name, service.locations)}
    excluded = {_fold(name) for name in service.exclude_practitioners}
    people = {
        p.id
        for p in diaries.practitioners
        if p.online and _chosen(p.name, service.practitioners) and _fold(p.name) not in excluded
    }
    if not diaries.bookings.enabled:
        return ()
    offers = (o for o in diaries.offers if o.type in types and o.location in places and o.practitioner in people)
    return tuple(sorted(offers, key=lambda o: (o.practitioner, o.location, types[o.type], o.type)))


def _fold(name: str) -> str:
    return " ".join(name.split()).casefold()


def _chosen(name: str, wanted: Sequence[str] | None) -> bool:
    return wanted is None or _fold(name) in {_fold(each) for each in wanted}


# --- one service --------------------------------------------------------------------------------------------------------


def capacity(diaries: Diaries, service: Service, roster: Roster) -> Capacity:
    """What `service` can sell over the horizon, from one reading of Cliniko."""
    offers = sold_offers(diaries, service)
    zone = next((roster.zones[offer.location] for offer in offers), next(iter(roster.zones.values()), "UTC"))
    view = _View(diaries, roster)
    people = sorted({offer.practitioner for offer in offers})
    found = tuple(view.diary(person, [o for o in offers if o.practitioner == person]) for person in people)
    answered = any(probe.starts is not None for offer in offers for probe in view.probes.get(offer, ()))
    rostered = any(day.working for diary in found for day in diary.days)
    return Capacity(service.name, horizon(roster.now, zone), found, blind=bool(offers) and not (answered or rostered))


class _View:
    """One reading of Cliniko, indexed for the computation of several diaries."""

    def __init__(self, diaries: Diaries, roster: Roster) -> None:
        self.roster = roster
        self.bookings = diaries.bookings
        self.cap = _real_cap(diaries.bookings.segment_cap)
        self.types = {type_.id: type_ for type_ in diaries.types}
        self.probes: dict[Offer, list[Probe]] = {}
        for probe in diaries.probes:
            self.probes.setdefault(probe.offer, []).append(probe)

    def diary(self, practitioner: str, offers: Sequence[Offer]) -> Diary:
        places = {offer.location: [o for o in offers if o.location == offer.location] for offer in offers}
        horizons = [self._at(location, practitioner, these) for location, these in places.items()]
        united = [_unite(index, [days[index] for days in horizons]) for index in range(HORIZON)]
        return Diary(practitioner, tuple(day for day, _ in united), tuple(shown for _, shown in united))

    def _at(self, location: str, practitioner: str, offers: Sequence[Offer]) -> list[_Part]:
        """The horizon at one location."""
        types = [self.types[offer.type] for offer in offers]
        sold_from = int((self.roster.now + min(self._lead(type_) for type_ in types)).timestamp())
        days = self.roster.days(location)
        working = self.roster.working(location, practitioner)
        starts = [_starts_by_day(self.probes.get(offer, ()), days) for offer in offers]
        parts = []
        for index, day in enumerate(days):
            sellable = intervals.after(working[index], sold_from)
            looks = [_look(type_, sellable, seen[index]) for type_, seen in zip(types, starts, strict=True)]
            parts.append(self._part(day, working[index], sellable, looks))
        return parts

    def _lead(self, type_: AppointmentType) -> timedelta:
        return type_.lead if type_.lead is not None else self.bookings.lead

    def _part(self, day: Day, working: Spans, sellable: Spans, looks: Sequence[_Look]) -> _Part:
        shown = intervals.union(span for look in looks for span in look.clipped)
        unseen = any(not look.observed for look in looks)
        limited = self.bookings.daily_limit is not None and not any(look.starts for look in looks)
        capped = [segment for look in looks for segment in _capped(look, day, self.cap)]
        behind_caps = [region for segment in capped for region in segment.regions(sellable)]
        first = looks[0]
        behind_first = [region for segment in _capped(first, day, self.cap) for region in segment.regions(sellable)]
        return _Part(
            working=working,
            sellable=sellable,
            seen=() if unseen else sellable,
            capped=intervals.union(span for segment in capped for span in segment.spans),
            open_low=shown,
            open_high=sellable if unseen or limited else intervals.union([*shown, *_times(behind_caps, sellable)]),
            starts=first.starts,
            hidden=tuple(behind_first if first.observed else _anywhere(first, sellable)),
        )


@dataclass(frozen=True, slots=True)
class _Look:
    """What one appointment type shows on one day at one location; no starts and not `observed` means nothing is known.

    `clipped` is the part of `starts` that is rostered and sellable.
    """

    length: int
    observed: bool
    starts: tuple[Span, ...]
    clipped: Spans


@dataclass(frozen=True, slots=True)
class _Part:
    """One practitioner's day at one location."""

    working: Spans
    sellable: Spans
    seen: Spans
    capped: Spans
    open_low: Spans
    open_high: Spans
    starts: tuple[Span, ...]
    hidden: tuple[Region, ...]


@dataclass(frozen=True, slots=True)
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


def _look(type_: AppointmentType, sellable: Spans, starts: list[int] | None) -> _Look:
    """A start outside rostered time can be booked all the same, so it is an opening; it is no open rostered time."""
    length = int(type_.duration.total_seconds())
    shown = tuple((at, at + length) for at in starts or ())
    return _Look(length, starts is not None, shown, intervals.intersect(intervals.union(shown), sellable))


def _starts_by_day(probes: Iterable[Probe], days: Sequence[Day]) -> list[list[int] | None]:
    """Starts of each day in seconds, None for a day that no successful probe covers."""
    seen: dict[date, list[int]] = {}
    for probe in probes:
        if probe.starts is not None:
            covered = [day for day in days if probe.first <= day.date <= probe.last]
            seconds = [int(start.timestamp()) for start in probe.starts]
            for day in covered:
                seen[day.date] = [at for at in seconds if day.span[0] <= at < day.span[1]]
    return [seen.get(day.date) for day in days]


def _anywhere(look: _Look, sellable: Spans) -> list[Region]:
    return [Region(start, end - look.length, look.length) for start, end in sellable if end - start >= look.length]


def _real_cap(cap: int | None) -> int | None:
    """Cliniko's caps are 1 to 5; nobody documents how it writes "unlimited", so anything else is no cap."""
    return cap if cap in range(1, HIGHEST_CAP + 1) else None


def _capped(look: _Look, day: Day, cap: int | None) -> list[_Segment]:
    """The day segments that show as many starts of this type as the cap allows."""
    if cap is None or len(look.starts) < cap:
        return []
    found = []
    for spans in day.segments():
        shown = [start for start, _ in look.starts if intervals.covers(spans, start)]
        if len(shown) >= cap:
            found.append(_Segment(spans, max(shown), look.length))
    return found


def _times(regions: Iterable[Region], sellable: Spans) -> Spans:
    return intervals.intersect(intervals.union((r.first - 1, r.last + r.length) for r in regions), sellable)


def _unite(index: int, parts: Sequence[_Part]) -> tuple[DiaryDay, Shown]:
    """One practitioner has one diary: an hour free at two places is one hour."""
    shown = tuple(sorted(span for part in parts for span in part.starts))
    hidden = tuple(region for part in parts for region in part.hidden)
    sellable = intervals.union(span for part in parts for span in part.sellable)
    unseen = intervals.union(span for part in parts for span in intervals.subtract(part.sellable, part.seen))
    day = DiaryDay(
        index=index,
        working=intervals.union(span for part in parts for span in part.working),
        sellable=sellable,
        seen=intervals.subtract(sellable, unseen),
        capped=intervals.union(span for part in parts for span in part.capped),
        open_low=intervals.union(span for part in parts for span in part.open_low),
        open_high=intervals.union(span for part in parts for span in part.open_high),
        openings_low=pack(shown),
        openings_high=pack(shown, hidden),
    )
    return day, Shown(shown, hidden)


def pack(starts: Iterable[Span], hidden: Sequence[Region] = ()) -> int:
    """The most appointments that fit without overlap: greedy by earliest end, which is optimal for intervals.

    `starts` are the shown appointments as (start, end); `hidden` adds every start its regions allow.
    """
    shown = sorted(starts, key=lambda span: (span[1], span[0]))
    count, free_from, at = 0, -(1 << 62), 0
    while True:
        while at < len(shown) and shown[at][0] < free_from:
            at += 1
        ends = [shown[at][1]] if at < len(shown) else []
        ends += [max(region.first, free_from) + region.length for region in hidden if region.last >= free_from]
        if not ends:
            return count
        count, free_from = count + 1, min(ends)
