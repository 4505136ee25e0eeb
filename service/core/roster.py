"""Rostered time: the weekly template, plus extra hours, minus unavailable time, in the location's own wall clock. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from service.core import intervals
from service.core.days import HORIZON, Day, day_of, horizon
from service.core.intervals import Span, Spans
from service.core.model import Block, Diaries, Offer, WeeklyHours

ALMOST_A_DAY = timedelta(hours=20)

Windows = dict[int, list[tuple[int, int]]]
"""By Cliniko's day number: wall-clock minutes [starts, ends)."""

Stretches = dict[str, list[tuple[str | None, int, int]]]
"""By practitioner: one-off stretches as (location, start, end) in seconds; location None is everywhere."""


CLEAR = 2
"""Days on which somebody's starts fit one numbering and not the other; a single one may be a slip of the roster."""


@dataclass(frozen=True, slots=True)
class DayNumbers:
    """Whose shown starts fit their declared hours better by which weekday `day_of_week` 0 is read as.

    Cliniko's own documents disagree: ISO numbers 1-7, an enumeration 0-6. One to six mean Monday to Saturday both by ISO and
    with Sunday as 0, so that reading holds unless more practitioners' starts speak for the other; and not for one odd start, or
    for one of several practitioners. Evidence of several readings adds up, because a full diary has none. All four are
    sorted ids of practitioners: for whom Sunday or Monday as 0 fits better, for whom Monday does clearly, who shows any starts.
    """

    iso: bool = False
    sunday: tuple[str, ...] = ()
    monday: tuple[str, ...] = ()
    clearly_monday: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()

    @property
    def monday_is_zero(self) -> bool:
        """Whether 0 is a Monday."""
        borne_out = len(self.monday) > 1 or (self.clearly_monday and self.shown == self.monday)
        return not self.iso and len(self.monday) > len(self.sunday) and bool(borne_out)

    def weekday(self, number: int) -> int:
        """Cliniko's `day_of_week` as Python's weekday (Monday 0)."""
        return number % 7 if self.monday_is_zero else (number - 1) % 7

    def __add__(self, other: DayNumbers) -> DayNumbers:
        return DayNumbers(
            self.iso or other.iso,
            _merged(self.sunday, other.sunday),
            _merged(self.monday, other.monday),
            _merged(self.clearly_monday, other.clearly_monday),
            _merged(self.shown, other.shown),
        )


def _merged(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return one if one == other else tuple(sorted({*one, *other}))


NO_NUMBERS = DayNumbers()
"""Nothing was ever seen of how days are numbered."""


@dataclass(slots=True)
class Roster:
    """Rostered time per location, practitioner and local day, from the weekly template and the one-off blocks.

    `template` is keyed by (location, practitioner).
    """

    now: datetime
    zones: dict[str, str]
    numbers: DayNumbers
    template: dict[tuple[str, str], Windows]
    extra: Stretches
    unavailable: Stretches
    _days: dict[str, tuple[Day, ...]] = field(default_factory=dict)
    _working: dict[tuple[str, str], tuple[Spans, ...]] = field(default_factory=dict)
    _weeks: dict[tuple[object, ...], tuple[Spans, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, diaries: Diaries, now: datetime, numbers: DayNumbers | None = None) -> Self:
        """The roster that one reading of Cliniko describes; `numbers` where more than this reading tells them."""
        zones = {location.id: location.zone for location in diaries.locations}
        template, extra = _template(diaries.hours), _stretches(diaries.extra)
        known = numbers or _day_numbers(diaries, template, extra)
        return cls(now, zones, known, template, extra, _stretches(diaries.unavailable))

    def days(self, location: str) -> tuple[Day, ...]:
        """The horizon's local days at a location."""
        zone = self.zones[location]
        if zone not in self._days:
            self._days[zone] = tuple(day_of(zone, day) for day in horizon(self.now, zone))
        return self._days[zone]

    def working(self, location: str, practitioner: str) -> tuple[Spans, ...]:
        """Rostered time of each day of the horizon: template + extra - unavailable."""
        key = (location, practitioner)
        if key not in self._working:
            self._working[key] = self._rostered(location, practitioner)
        return self._working[key]

    def _rostered(self, location: str, practitioner: str) -> tuple[Spans, ...]:
        days = self.days(location)
        templates = self._templates(location, self.template.get((location, practitioner), {}))
        extra, away = self.extra.get(practitioner), self.unavailable.get(practitioner)
        if extra:
            one_offs = _by_day(extra, location, days)
            templates = tuple(intervals.union([*each, *one_offs[n]]) for n, each in enumerate(templates))
        if away:
            gone = _by_day(away, location, days)
            templates = tuple(intervals.subtract(each, intervals.union(gone[n])) for n, each in enumerate(templates))
        return templates

    def _templates(self, location: str, declared: Windows) -> tuple[Spans, ...]:
        """A weekly template on the days of the horizon; many people share one."""
        weekly: list[list[Span]] = [[] for _ in range(7)]
        for number, windows in declared.items():
            weekly[self.numbers.weekday(number)] += windows
        key = (self.zones[location], *map(tuple, weekly))
        if key not in self._weeks:
            days = [(day, weekly[day.date.weekday()]) for day in self.days(location)]
            self._weeks[key] = tuple(intervals.union(w for a, b in windows for w in day.wall(a, b)) for day, windows in days)
        return self._weeks[key]


def _by_day(stretches: Iterable[tuple[str | None, int, int]], location: str, days: Sequence[Day]) -> list[list[Span]]:
    """The parts of one-off stretches that lie in each day."""
    found: list[list[Span]] = [[] for _ in range(HORIZON)]
    for where, begins, finishes in stretches:
        if where in {None, location} and begins < days[-1].span[1] and finishes > days[0].span[0]:
            for n, day in enumerate(days):
                if begins < day.span[1] and finishes > day.span[0]:
                    found[n].append((max(begins, day.span[0]), min(finishes, day.span[1])))
    return found


def _template(hours: Iterable[WeeklyHours]) -> dict[tuple[str, str], Windows]:
    found: dict[tuple[str, str], Windows] = {}
    for each in hours:
        windows = found.setdefault((each.location, each.practitioner), {})
        windows.setdefault(each.day, []).append((each.starts, each.ends))
    return found


def _stretches(blocks: Iterable[Block]) -> Stretches:
    found: Stretches = {}
    for block in blocks:
        stretch = (block.location, int(block.starts.timestamp()), int(block.ends.timestamp()))
        found.setdefault(block.practitioner, []).append(stretch)
    return found


def day_numbers(diaries: Diaries) -> DayNumbers:
    """What one reading tells about `day_of_week`: a 7 is ISO; else the shown starts are held against the declared hours.

    One start a day of one offer of each diary is enough, and one in one-off extra hours says nothing about the template.
    """
    return _day_numbers(diaries, _template(diaries.hours), _stretches(diaries.extra))


def _day_numbers(diaries: Diaries, template: Mapping[tuple[str, str], Windows], extra: Stretches) -> DayNumbers:
    if any(hours.day == 7 for hours in diaries.hours):
        return DayNumbers(iso=True)
    zones = {location.id: ZoneInfo(location.zone) for location in diaries.locations}
    offers: dict[tuple[str, str], Offer] = {}
    for_monday: dict[str, int] = {}
    for probe in diaries.probes:
        place = (probe.offer.location, probe.offer.practitioner)
        windows = template.get(place)
        if not windows or not probe.starts or offers.setdefault(place, probe.offer) != probe.offer:
            continue
        zone, one_offs = zones[probe.offer.location], extra.get(probe.offer.practitioner, ())
        lead = sum(_speaks_for_monday(windows, local) for local in _wall_clock(probe.starts, zone, one_offs))
        for_monday[probe.offer.practitioner] = for_monday.get(probe.offer.practitioner, 0) + lead
    return DayNumbers(
        sunday=tuple(sorted(who for who, lead in for_monday.items() if lead < 0)),
        monday=tuple(sorted(who for who, lead in for_monday.items() if lead > 0)),
        clearly_monday=tuple(sorted(who for who, lead in for_monday.items() if lead >= CLEAR)),
        shown=tuple(sorted(for_monday)),
    )


def _wall_clock(
    starts: Sequence[datetime], zone: ZoneInfo, one_offs: Sequence[tuple[str | None, int, int]]
) -> Iterable[datetime]:
    for start in _a_day_apart(starts):
        if not one_offs or not any(begins <= start.timestamp() < ends for _, begins, ends in one_offs):
            yield start.astimezone(zone)


def _a_day_apart(starts: Sequence[datetime]) -> Iterable[datetime]:
    after = starts[0]
    for start in starts:
        if start >= after:
            yield start
            after = start + ALMOST_A_DAY


def _speaks_for_monday(windows: Mapping[int, list[tuple[int, int]]], local: datetime) -> int:
    """1 where a start fits the declared hours only with Monday as 0, -1 where only with Sunday, else 0."""
    day = local.weekday()
    monday, sunday = windows.get(day), windows.get((day + 1) % 7)
    if monday == sunday:
        return 0
    minute = local.hour * 60 + local.minute
    return _declared(monday, minute) - _declared(sunday, minute)


def _declared(windows: Iterable[tuple[int, int]] | None, minute: int) -> bool:
    return any(starts <= minute < ends for starts, ends in windows or ())
