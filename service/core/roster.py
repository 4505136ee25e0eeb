"""Rostered time: the weekly template, plus extra hours, minus unavailable time, in the location's own wall clock. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from service.core import intervals
from service.core.days import Day, day_of, horizon
from service.core.intervals import Span, Spans
from service.core.model import Block, Diaries


@dataclass(slots=True)
class Roster:
    """Rostered time per location, practitioner and local day, from the weekly template and the one-off blocks."""

    now: datetime
    zones: dict[str, str]
    template: dict[tuple[str, str], list[tuple[int, int, int]]]
    extra: dict[str, list[Block]]
    unavailable: dict[str, list[Block]]
    _known: dict[tuple[str, str], tuple[Spans, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, diaries: Diaries, now: datetime) -> Roster:
        """The roster that one reading of Cliniko describes."""
        zones = {location.id: location.zone for location in diaries.locations}
        monday_is_zero = _monday_is_zero(diaries, zones)
        template: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
        for hours in diaries.hours:
            window = (_weekday(hours.day, monday_is_zero=monday_is_zero), hours.starts, hours.ends)
            template.setdefault((hours.location, hours.practitioner), []).append(window)
        return cls(now, zones, template, _by_practitioner(diaries.extra), _by_practitioner(diaries.unavailable))

    def days(self, location: str) -> tuple[Day, ...]:
        """The horizon's local days at a location."""
        zone = self.zones[location]
        return tuple(day_of(zone, day) for day in horizon(self.now, zone))

    def working(self, location: str, practitioner: str) -> tuple[Spans, ...]:
        """Rostered time of each day of the horizon: template + extra - unavailable."""
        key = (location, practitioner)
        if key not in self._known:
            self._known[key] = tuple(self._working(location, practitioner, day) for day in self.days(location))
        return self._known[key]

    def _working(self, location: str, practitioner: str, day: Day) -> Spans:
        weekday = day.date.weekday()
        windows = self.template.get((location, practitioner), ())
        rostered = [span for on, starts, ends in windows if on == weekday for span in day.wall(starts, ends)]
        rostered += _blocks(self.extra, practitioner, location, day.span)
        away = _blocks(self.unavailable, practitioner, location, day.span)
        return intervals.subtract(intervals.union(rostered), intervals.union(away))


def _by_practitioner(blocks: Iterable[Block]) -> dict[str, list[Block]]:
    found: dict[str, list[Block]] = {}
    for block in blocks:
        found.setdefault(block.practitioner, []).append(block)
    return found


def _blocks(blocks: Mapping[str, list[Block]], practitioner: str, location: str, day: Span) -> list[Span]:
    return [
        (max(int(block.starts.timestamp()), day[0]), min(int(block.ends.timestamp()), day[1]))
        for block in blocks.get(practitioner, ())
        if block.location in {None, location}
    ]


def _weekday(number: int, *, monday_is_zero: bool) -> int:
    """Cliniko's `day_of_week` as Python's weekday (Monday 0)."""
    return number % 7 if monday_is_zero else (number - 1) % 7


def _monday_is_zero(diaries: Diaries, zones: Mapping[str, str]) -> bool:
    """Whether `day_of_week` 0 is a Monday, judged by the starts that are shown.

    Cliniko's own documents disagree: ISO numbers 1-7, an enumeration 0-6. One to six mean Monday to Saturday both by ISO
    and with Sunday as 0, so that reading holds unless the shown starts fall into the declared hours better the other way.
    A start in one-off extra hours says nothing about the template.
    """
    if any(hours.day == 7 for hours in diaries.hours):
        return False
    windows: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
    for hours in diaries.hours:
        windows.setdefault((hours.location, hours.practitioner), []).append((hours.day, hours.starts, hours.ends))
    fits = {True: 0, False: 0}
    extra = _by_practitioner(diaries.extra)
    for probe in diaries.probes:
        declared = windows.get((probe.offer.location, probe.offer.practitioner), [])
        zone, blocks = ZoneInfo(zones[probe.offer.location]), extra.get(probe.offer.practitioner, ())
        for start in probe.starts or ():
            if any(block.starts <= start < block.ends for block in blocks):
                continue
            local = start.astimezone(zone)
            clock = local.hour * 60 + local.minute
            on = {day for day, starts, ends in declared if starts <= clock < ends}
            for choice in fits:
                fits[choice] += any(_weekday(day, monday_is_zero=choice) == local.weekday() for day in on)
    return fits[True] > fits[False]
