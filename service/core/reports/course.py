"""How each campaign stood over a period: its days as the account counts them, and in whose hands it was in each part of them.

What stood between two readings is what the later one shows; are they further apart than `gap` allows, nothing is known of it
and nothing claimed. Nor is anything claimed of hours of which a platform did not tell what they cost. Pure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from math import inf
from statistics import median
from zoneinfo import ZoneInfo

from service.core.reports.counters import Counter, counter
from service.core.reports.seen import CampaignSeen, RunSeen

GAP = 2.1 * 3600
"""Seconds between hourly readings from which on nobody knows what stood between: a run may be missed, two may not."""

WIDEST_GAP = 3 * GAP
"""The same of runs that are rarer than every three hours: so much happens in that time that they say too little."""

UNTIL_TOLD = timedelta(hours=4)
"""How long after a period readings still tell of it: spend is told up to three hours late, and runs are an hour apart."""

AT_BASE = 0.05
"""How far, as a share of base, a budget may be off base and count as untouched."""


class Stood(StrEnum):
    """What a campaign was doing."""

    BASE = "base"
    KEPT_WHILE_FULL = "kept_while_full"
    KEPT = "kept"
    RAISED = "raised"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an account's day, [begins, ends) in seconds, in which nothing changed; `budget` 0 is paused."""

    day: int
    begins: float
    ends: float
    stood: Stood
    budget: float
    base: float


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch of a day at one running budget: what was spent in it, and the variance of that, as told late."""

    day: int
    begins: float
    ends: float
    budget: float
    base: float
    spent: float = 0.0
    error: float = 0.0


@dataclass(slots=True)
class Course:
    """One campaign through a period and the time before that is learnt from.

    `parts` are in order; `days` are the account's days, by ordinal, as [begins, ends). `told` are the stretches, in seconds, of
    which its platform told what they cost. `unread` is for how many seconds of such days it could not be read, or its cost was
    not told. Runs name it from `begins` until `ends` (infinite: the newest still does).
    """

    name: str
    platform: str
    service: str
    zone: str
    base: float
    counter: Counter
    parts: list[Part]
    days: dict[int, tuple[float, float]]
    told: Sequence[tuple[float, float]] = ()
    unread: dict[int, float] = field(default_factory=dict)
    begins: float = -inf
    ends: float = inf

    def spells(self) -> list[Spell]:
        """What was spent in each stretch of a day at one running budget, as far as it is told; in order."""
        found: list[Spell] = []
        known = (each for each in self.parts if each.budget > 0)
        for part in known:
            last = found[-1] if found else None
            if last and (last.day, last.ends, last.budget, last.base) == (part.day, part.begins, part.budget, part.base):
                found[-1] = replace(last, ends=part.ends)
            else:
                found.append(Spell(part.day, part.begins, part.ends, part.budget, part.base))
        count = self.counter
        return [
            replace(each, spent=count.between(each.begins, each.ends), error=count.error(each.begins, each.ends))
            for each in found
            if any(begins <= each.begins and each.ends <= ends for begins, ends in self.told)
        ]

    def known(self, since: float, before: float) -> list[Part]:
        """The parts of a time of which it is known both how it stood and what it cost."""
        return [part for begins, ends in self.told for part in within(self.parts, max(begins, since), min(ends, before))]


def within(parts: Iterable[Part], since: float, before: float) -> list[Part]:
    """What lies in a time of each of these parts."""
    return [
        replace(part, begins=max(part.begins, since), ends=min(part.ends, before))
        for part in parts
        if min(part.ends, before) > max(part.begins, since)
    ]


def gap(runs: Sequence[RunSeen]) -> float:
    """Seconds between two readings from which on nobody knows what stood between, by how far apart these runs usually are."""
    apart = [(other.at - one.at).total_seconds() for one, other in pairwise(runs)]
    return min(max(GAP * median(apart) / 3600, GAP), WIDEST_GAP) if apart else GAP


def courses(runs: Sequence[RunSeen]) -> list[Course]:
    """Every campaign of these runs, oldest first, by its newest name; in the order of names.

    Where a name was given to another campaign, the one that had it before is told apart by its id.
    """
    tracks: dict[tuple[str, str], _Track] = {}
    full: dict[float, dict[str, bool | None]] = {}
    before: tuple[CampaignSeen, ...] = ()
    these: list[_Track] = []
    for run in runs:
        at = run.at.timestamp()
        full[at] = {service.name: service.full for service in run.services}
        if run.campaigns is not before:
            before, these = run.campaigns, [tracks.setdefault(each[:2], _Track()) for each in run.campaigns]
        for track, seen, month in zip(these, run.campaigns, run.months, strict=True):
            track.at.append(at)
            track.seen.append(seen)
            track.months.append(month)
    named: dict[str, _Track] = {}
    for track in sorted(tracks.values(), key=lambda each: each.at[-1], reverse=True):
        last = track.seen[-1]
        named[last.name if last.name not in named else f"{last.name} ({last.id})"] = track
    widest, newest = gap(runs), runs[-1].at.timestamp() if runs else inf
    return [_course(name, named[name], full, widest, newest) for name in sorted(named)]


@dataclass(slots=True)
class _Track:
    """One campaign's readings: when, how it was, and what its month had cost."""

    at: list[float] = field(default_factory=list)
    seen: list[CampaignSeen] = field(default_factory=list)
    months: list[str | None] = field(default_factory=list)


def _course(name: str, track: _Track, full: Mapping[float, Mapping[str, bool | None]], widest: float, until: float) -> Course:
    newest = track.seen[-1]
    zone = next((each.zone for each in reversed(track.seen) if each.zone), "UTC")
    told = [(at, float(month)) for at, month in zip(track.at, track.months, strict=True) if month is not None]
    known = counter(told, newest.platform, zone)
    days: dict[int, tuple[float, float]] = {}
    parts = [part for stretch in _stretches(track, full, widest) for part in _by_day(stretch, zone, days)]
    stretches = _told([at for at, _ in told], widest)
    return Course(
        name,
        newest.platform,
        newest.service,
        zone,
        float(newest.base),
        known,
        parts,
        days,
        [(max(begins, known.begins), min(ends, known.ends)) for begins, ends in stretches],
        _unread(track, zone, stretches, widest),
        track.at[0],
        track.at[-1] if track.at[-1] < until else inf,
    )


def _told(readings: Sequence[float], widest: float) -> list[tuple[float, float]]:
    """The stretches in which readings follow upon one another."""
    found: list[tuple[float, float]] = []
    for at in readings:
        if found and at - found[-1][1] <= widest:
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
    return found


def _stretches(
    track: _Track, full: Mapping[float, Mapping[str, bool | None]], widest: float
) -> Iterator[tuple[float, float, Stood, float, float]]:
    """From when to when a campaign stood how, with its budget and base."""
    alike: CampaignSeen | None = None
    alike_full: bool | None = None
    first = last = 0.0
    how = (Stood.OTHER, 0.0, 0.0)
    read = ((at, seen) for at, seen in zip(track.at, track.seen, strict=True) if seen.running is not None)
    for (begins, _), (ends, shown) in pairwise(read):
        if ends - begins > widest:
            continue
        service_full = full[begins].get(shown.service)
        if service_full == alike_full and begins == last and (shown is alike or shown == alike):
            last = ends
            continue
        if last > first:
            yield (first, last, *how)
        alike, alike_full, first, last, how = shown, service_full, begins, ends, _stood(shown, service_full)
    if last > first:
        yield (first, last, *how)


def _stood(shown: CampaignSeen, full: bool | None) -> tuple[Stood, float, float]:
    base = float(shown.base)
    if shown.running and shown.budget is None:
        return Stood.OTHER, 0.0, base  # without a daily budget there is nothing to compare with
    budget = float(shown.budget or 0) if shown.running else 0.0
    if abs(budget - base) <= AT_BASE * base and (shown.ours is False or budget == base):
        return Stood.BASE, budget, base
    if not shown.ours:
        return Stood.OTHER, budget, base
    if budget > base:
        return Stood.RAISED, budget, base
    return (Stood.KEPT_WHILE_FULL if full else Stood.KEPT), budget, base


def _by_day(
    stretch: tuple[float, float, Stood, float, float], zone: str, days: dict[int, tuple[float, float]]
) -> Iterator[Part]:
    """A stretch cut at an account's midnights; notes the days."""
    begins, ends, stood, budget, base = stretch
    while begins < ends:
        day, first, last = day_at(begins, zone)
        days[day] = (first, last)
        yield Part(day, begins, min(ends, last), stood, budget, base)
        begins = last


def _unread(track: _Track, zone: str, told: Sequence[tuple[float, float]], widest: float) -> dict[int, float]:
    found: defaultdict[int, float] = defaultdict(float)
    begins = [first for first, _ in told]
    for (at, until), seen, month in zip(pairwise(track.at), track.seen, track.months, strict=False):
        n = bisect_right(begins, at) - 1
        untold = month is None and (n < 0 or told[n][1] < at)
        if seen.running is None or untold:
            found[day_at(at, zone)[0]] += min(until - at, widest)
    return dict(found)


def day_at(instant: float, zone: str) -> tuple[int, float, float]:
    """The day of an account at an instant: its ordinal, when it begins and when it ends."""
    begins, bounds = _year(datetime.fromtimestamp(instant, UTC).year, zone)
    n = bisect_right(bounds, instant) - 1
    return begins + n, bounds[n], bounds[n + 1]


@lru_cache(maxsize=256)
def _year(year: int, zone: str) -> tuple[int, list[float]]:
    """The midnights of a year and of some days around it."""
    there, first = ZoneInfo(zone or "UTC"), date(year, 1, 1) - timedelta(days=3)
    return first.toordinal(), [datetime.combine(first + timedelta(days=n), time.min, there).timestamp() for n in range(374)]
