"""What a reading says that is not believed at once: a well-formed answer can be wrong, and only another look can tell.

A diary that showed many starts and shows none an hour later may have sold out, or Cliniko answered with an empty list: both
look the same. So it counts as unobserved once, and as full when the next reading agrees; likewise a list of blocks that is
suddenly empty, or somebody's hours that are suddenly gone, stay as they were, once. The price is one hour's delay where a
diary really sold out within the hour.

`believed` compares two readings of the same clinic; what contradicts itself within one reading (starts that mostly lie
outside rostered hours, as local times labelled as UTC do) is for `core.diary` to see. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from service.core.model import Block, Diaries, Offer, Probe, Unseen, WeeklyHours

MANY = 4
"""So many starts do not go within an hour without being doubted once."""

SHARE = 0.1
"""Or, over diaries that each lost fewer: this share of all the starts there were."""

RECENT = timedelta(hours=24)
"""How old the earlier reading may be: there is no telling from an older one."""


def believed(present: Diaries, now: datetime, earlier: Diaries | None) -> Diaries:
    """`present` with what is not believed taken out; `earlier` is the newest reading before it (None: none is recent)."""
    if earlier is None:
        return present
    return replace(
        present,
        probes=_starts(present, earlier, now),
        hours=present.hours + _missing(present, earlier),
        extra=present.extra or _ahead(earlier.extra, now),
        unavailable=present.unavailable or _ahead(earlier.unavailable, now),
    )


def doubted(present: Diaries, counted: Diaries) -> tuple[str, ...]:
    """The lists that were suddenly empty and stay as they were, in Cliniko's words, once believing is done."""
    names = {"hours": "weekly hours", "extra": "availability blocks", "unavailable": "unavailable blocks"}
    return tuple(said for name, said in names.items() if getattr(present, name) != getattr(counted, name))


def _starts(present: Diaries, earlier: Diaries, now: datetime) -> tuple[Probe, ...]:
    then = _shown(earlier)
    lost = {n: count for n, probe in enumerate(present.probes) if (count := _lost(probe, then, now))}
    together = sum(lost.values()) >= max(MANY, SHARE * sum(map(len, then.values())))
    gone = {n for n, count in lost.items() if together or count >= MANY}
    if not gone:
        return present.probes
    return tuple(
        replace(probe, starts=None, unseen=Unseen.DOUBTED) if n in gone else probe for n, probe in enumerate(present.probes)
    )


def _shown(diaries: Diaries) -> dict[Offer, list[datetime]]:
    found: dict[Offer, list[datetime]] = {}
    for probe in diaries.probes:
        if probe.starts:
            found.setdefault(probe.offer, []).extend(probe.starts)
    return found


def _lost(probe: Probe, then: Mapping[Offer, list[datetime]], now: datetime) -> int:
    """How many starts an answer without any had before, in its days and still ahead."""
    if probe.starts is None or probe.starts or probe.offer not in then:
        return 0
    day = timedelta(days=1)
    return sum(start > now and probe.first - day < start.date() < probe.last + day for start in then[probe.offer])


def _missing(present: Diaries, earlier: Diaries) -> tuple[WeeklyHours, ...]:
    """The weekly hours of whoever is still offered somewhere and suddenly has none there."""
    offered = {(offer.location, offer.practitioner) for offer in present.offers}
    rostered = {(hours.location, hours.practitioner) for hours in present.hours}
    gone = offered - rostered
    return tuple(hours for hours in earlier.hours if (hours.location, hours.practitioner) in gone)


def _ahead(blocks: tuple[Block, ...], now: datetime) -> tuple[Block, ...]:
    """Of blocks, those that are not over."""
    return tuple(block for block in blocks if block.ends > now)
