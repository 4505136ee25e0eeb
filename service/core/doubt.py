"""What a reading says that is not believed at once: a well-formed answer can be wrong, and only another look can tell.

A diary that showed many starts and shows none an hour later may have sold out, or Cliniko answered with an empty list: both
look the same. So it counts as unobserved once, and as full when the next reading agrees; likewise a block or the hours of a
weekday that are suddenly gone, and a location's time zone that is suddenly another, stay as they were, once. Whoever or
whatever was sold and is suddenly missing from a list (practitioners, appointment types, businesses, services) is still there
once, with a diary that is unobserved. The price is one hour's delay where a diary really sold out, or somebody really left,
within the hour.

Where every diary of several practitioners empties between two looks, another look may meet the same fault: a whole clinic does
not sell out within an hour. That is believed once it has been so for six hours. The price is one delayed pause.

`believed` compares two readings of the same clinic; what contradicts itself within one reading (starts that mostly lie
outside rostered hours, as local times labelled as UTC do) is for `core.diary` to see. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from service.core.intervals import Span
from service.core.model import AppointmentType, Block, Diaries, Location, Offer, Practitioner, Probe, Unseen, WeeklyHours
from service.core.packing import pack

MANY = 4
"""So many starts do not go within an hour without being doubted once."""

PRACTITIONERS, OPENINGS = 2, 10
"""A clinic that had fewer than so many openings, or all with one practitioner, may sell out between two looks."""

LONG = timedelta(hours=6)
"""For so long a clinic's diaries must have been empty that emptied together: faults that last longer are outages, and known."""

SHARE = 0.1
"""Or, over diaries that each lost fewer: this share of all the starts there were."""

HALF_HOUR = 1800
"""How long an appointment counts, in seconds, whose type is listed no more."""

Starts = Mapping[Offer, list[datetime]]
"""The starts that a reading shows, by offer."""

LISTS = {
    "practitioners": "practitioners",
    "types": "appointment types",
    "locations": "businesses",
    "offers": "services",
    "hours": "weekly hours",
    "extra": "availability blocks",
    "unavailable": "unavailable blocks",
}
"""What a reading consists of, apart from starts, and Cliniko's words for it."""

Named = TypeVar("Named", Location, Practitioner, AppointmentType)

AGREES = timedelta(minutes=45)
"""How old the earlier reading must be: two looks within minutes may meet the same fault, and agree for that reason only."""

RECENT = timedelta(hours=24)
"""How old the earlier reading may be: there is no telling from an older one."""


class Taken(Protocol):
    """A reading that was taken at some time."""

    @property
    def at(self) -> datetime:
        """When."""

    @property
    def bare(self) -> bool:
        """Whether it shows no start at all."""


Reading = TypeVar("Reading", bound=Taken)


def settled(at: datetime, earlier: Sequence[Reading]) -> Reading | None:
    """Which of the readings before `at`, newest first, tells what went of a sudden; the oldest where all are within minutes."""
    recent = [each for each in earlier if each.at >= at - RECENT]
    return next((each for each in recent if each.at <= at - AGREES), recent[-1] if recent else None)


def bare(diaries: Diaries) -> bool:
    """Whether a reading shows no start at all."""
    return not any(probe.starts for probe in diaries.probes)


def last_shown(at: datetime, earlier: Sequence[Reading]) -> Reading | None:
    """The newest reading with a start before a bare one at `at`; None where one showed long enough ago that none was left."""
    empty_since = at
    for each in earlier:
        if at - empty_since >= LONG or each.at < at - RECENT:
            return None
        if not each.bare:
            return each
        empty_since = each.at
    return None


def believed(present: Diaries, now: datetime, earlier: Diaries | None, shown: Diaries | None = None) -> Diaries:
    """`present` with what is not believed taken out.

    `earlier` is the newest reading before it (None: none is recent); `shown`, where `present` is bare, `last_shown`.
    """
    if earlier is None:
        return present
    present = _still_listed(present, earlier)
    return replace(
        present,
        locations=_same_zones(present.locations, earlier.locations),
        probes=_together(_starts(present, earlier, now), shown, present, now),
        hours=present.hours + _missing(present, earlier),
        extra=present.extra + _ahead(earlier.extra, present.extra, now),
        unavailable=present.unavailable + _still_away(earlier, present, now),
    )


def doubted(present: Diaries, counted: Diaries) -> tuple[str, ...]:
    """The lists in which something was suddenly gone and stays as it was, in Cliniko's words, once believing is done."""
    return tuple(said for name, said in LISTS.items() if getattr(present, name) != getattr(counted, name))


def _still_listed(present: Diaries, earlier: Diaries) -> Diaries:
    """What was asked about before and is missing from a list now, put back; nothing was asked about it this time."""
    here = {probe.offer for probe in present.probes}
    lost = [probe for probe in earlier.probes if probe.offer not in here and not _listed(present, probe.offer)]
    if not lost:
        return present
    offers = dict.fromkeys(probe.offer for probe in lost)
    return replace(
        present,
        locations=_with(present.locations, earlier.locations, {offer.location for offer in offers}),
        practitioners=_with(present.practitioners, earlier.practitioners, {offer.practitioner for offer in offers}),
        types=_with(present.types, earlier.types, {offer.type for offer in offers}),
        offers=tuple(dict.fromkeys([*present.offers, *offers])),
        probes=present.probes + tuple(replace(probe, starts=None, unseen=Unseen.DOUBTED) for probe in lost),
    )


def _listed(diaries: Diaries, offer: Offer) -> bool:
    """Whether all lists know of an offer; what is switched off is listed."""
    return (
        offer in diaries.offers
        and any(each.id == offer.location for each in diaries.locations)
        and any(each.id == offer.practitioner for each in diaries.practitioners)
        and any(each.id == offer.type for each in diaries.types)
    )


def _with(present: tuple[Named, ...], earlier: tuple[Named, ...], wanted: Collection[str]) -> tuple[Named, ...]:
    """A list with those of the wanted that it lacks."""
    there = {each.id for each in present}
    return present + tuple(each for each in earlier if each.id in wanted and each.id not in there)


def _starts(present: Diaries, earlier: Diaries, now: datetime) -> tuple[Probe, ...]:
    lost = _losses(present, earlier, now)
    starts = sum(map(len, _shown(earlier).values()))
    together = sum(map(len, lost.values())) >= max(MANY, SHARE * starts)
    return _doubted(present.probes, [n for n, gone in lost.items() if together or len(gone) >= MANY])


def _together(probes: tuple[Probe, ...], shown: Diaries | None, present: Diaries, now: datetime) -> tuple[Probe, ...]:
    """The probes of a bare reading, those that emptied together doubted, if they were those of a clinic with much to sell."""
    if shown is None:
        return probes
    lost = _losses(present, shown, now)
    openings = _openings(present, lost)
    many = len(openings) >= PRACTITIONERS and sum(openings.values()) >= OPENINGS
    return _doubted(probes, lost) if many else probes


def _openings(present: Diaries, lost: Mapping[int, Sequence[datetime]]) -> dict[str, int]:
    """How many appointments each practitioner could have taken with the starts that are gone."""
    length = {each.id: int(each.duration.total_seconds()) for each in present.types}
    spans: dict[str, list[Span]] = {}
    for n, starts in lost.items():
        offer = present.probes[n].offer
        begun = [int(start.timestamp()) for start in starts]
        spans.setdefault(offer.practitioner, []).extend((at, at + length.get(offer.type, HALF_HOUR)) for at in begun)
    return {practitioner: pack(each) for practitioner, each in spans.items()}


def _doubted(probes: tuple[Probe, ...], gone: Collection[int]) -> tuple[Probe, ...]:
    if not gone:
        return probes
    return tuple(replace(probe, starts=None, unseen=Unseen.DOUBTED) if n in gone else probe for n, probe in enumerate(probes))


def _losses(present: Diaries, earlier: Diaries, now: datetime) -> dict[int, list[datetime]]:
    """The starts that each answer without any had before, by its place; answers that lost none are left out."""
    then, still = _shown(earlier), _shown(present)
    zones = {location.id: ZoneInfo(location.zone) for location in present.locations}
    return {n: gone for n, probe in enumerate(present.probes) if (gone := _lost(probe, then, still, zones, now))}


def _shown(diaries: Diaries) -> dict[Offer, list[datetime]]:
    found: dict[Offer, list[datetime]] = {}
    for probe in diaries.probes:
        if probe.starts:
            found.setdefault(probe.offer, []).extend(probe.starts)
    return found


def _lost(probe: Probe, then: Starts, still: Starts, zones: Mapping[str, ZoneInfo], now: datetime) -> list[datetime]:
    """The starts that an answer without any had before, in its days and still ahead, that no other answer shows now."""
    if probe.starts is None or probe.starts or probe.offer not in then:
        return []
    zone, shown = zones[probe.offer.location], set(still.get(probe.offer, ()))
    gone = [start for start in then[probe.offer] if start > now and start not in shown]
    return [start for start in gone if probe.first <= start.astimezone(zone).date() <= probe.last]


def _same_zones(present: tuple[Location, ...], earlier: tuple[Location, ...]) -> tuple[Location, ...]:
    """The locations in the zones they were in: a zone does not change from one hour to the next."""
    before = {location.id: location.zone for location in earlier}
    return tuple(
        replace(each, zone=before[each.id]) if before.get(each.id, each.zone) != each.zone else each for each in present
    )


def _missing(present: Diaries, earlier: Diaries) -> tuple[WeeklyHours, ...]:
    """The weekday hours that are suddenly gone of whoever is still offered there; other hours on a day are a change."""
    offered = {(offer.location, offer.practitioner) for offer in present.offers}
    rostered = {_row(hours) for hours in present.hours}
    return tuple(
        hours for hours in earlier.hours if (hours.location, hours.practitioner) in offered and _row(hours) not in rostered
    )


def _row(hours: WeeklyHours) -> tuple[str, str, int]:
    return hours.location, hours.practitioner, hours.day


def _still_away(earlier: Diaries, present: Diaries, now: datetime) -> tuple[Block, ...]:
    """The unavailable blocks that are suddenly gone; a start shown in the time of one says that it really is."""
    gone = _ahead(earlier.unavailable, present.unavailable, now)
    starts: dict[str, list[datetime]] = {}
    for probe in present.probes if gone else ():
        starts.setdefault(probe.offer.practitioner, []).extend(probe.starts or ())
    return tuple(b for b in gone if not any(b.starts <= start < b.ends for start in starts.get(b.practitioner, ())))


def _ahead(earlier: tuple[Block, ...], present: tuple[Block, ...], now: datetime) -> tuple[Block, ...]:
    """The blocks that are suddenly gone and not over."""
    there = set(present)
    return tuple(block for block in earlier if block.ends > now and block not in there)
