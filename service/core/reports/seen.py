"""What a run keeps for the reports: of each campaign and service what it saw, and once a day what each diary held.

A month of hourly runs is read at once, so that these are tuples of plain numbers. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from service.core.capacity import Capacity
from service.core.days import HORIZON
from service.core.decide.model import RunInputs, RunOutcome, Standing
from service.core.diary import Diary
from service.core.logic import UNBOUNDED, Bounds
from service.core.model import Campaign, Diaries, Unreadable
from service.core.outlook import Outlook
from service.core.packing import pack
from service.core.rules.language import CampaignEntry

NEARLY_FULL = 95.0
"""A service counts as full from this utilisation of the coming 14 days on, in %, or when it shows no opening at all."""

SETTLED = 6
"""Until this local hour a day waits for a look at which nothing of a service was unobserved; then any look will do."""

RUN_TO_RUN = 3600
"""Seconds from a run to the next, after which `ServiceSeen.staying` openings can still be booked."""


class CampaignSeen(NamedTuple):
    """A campaign as one run read it; `running` None: it could not be read, and the rest of it says nothing.

    `base` and `budget` are decimal texts in major units. `ours` says that the state is what a decision of ours made of it, and
    nobody else's hand is on it. What it had cost is not among it: so most runs see the same campaigns as the run before.
    """

    platform: str
    id: str
    name: str
    service: str
    base: str
    zone: str
    ours: bool
    running: bool | None
    budget: str | None


class ServiceSeen(NamedTuple):
    """A service as one run saw it, over the local days from `today` (ordinal) on.

    `low` and `high` are the openings of each day at least and at most; `staying` those of `low` that will be there in an hour
    unless somebody books them: the others lapse. `working` is rostered minutes. `full`: whether there was (nearly) nothing to
    book, None where that was not observed. `least` and `most` are the bounds of the 14 days' utilisation in % (None: unknown).
    """

    name: str
    today: int
    low: list[int]
    high: list[int]
    staying: list[int]
    working: list[int]
    full: bool | None
    least: float | None
    most: float | None


@dataclass(frozen=True, slots=True)
class RunSeen:
    """What one run saw, as the reports need it; a service that could not be read at all is not among `services`.

    `months` is what the account's own month had cost, campaign by campaign, as decimal texts in major units (None: not told).
    """

    at: datetime
    campaigns: tuple[CampaignSeen, ...]
    months: tuple[str | None, ...]
    services: tuple[ServiceSeen, ...]


class DiarySeen(NamedTuple):
    """One practitioner's diary for one service on a day's first look; a location for each of the 14 days ("": none).

    `rostered` and `open` are minutes by days ahead; `open` is None where it was not observed or lead time hid most of it.
    """

    practitioner: str
    locations: list[str]
    rostered: list[int]
    open: list[int | None]


@dataclass(frozen=True, slots=True)
class DaySeen:
    """The first whole look of a local day, in `zone`, at one service; `names` are its people's and places', by id."""

    service: str
    day: date
    zone: str
    diaries: tuple[DiarySeen, ...]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a run; of the days only the first look at each service counts."""

    run: RunSeen
    days: tuple[DaySeen, ...]


def kept(inputs: RunInputs, outcome: RunOutcome, view: Outlook) -> Kept:
    """What is to be kept of a run, of what it saw and what its readings came to."""
    entries = inputs.rules.campaigns.values()
    campaigns = tuple(_campaign(entry, inputs, outcome.standings) for entry in entries)
    months = tuple(_month(inputs.snapshot.campaigns.get(entry.name)) for entry in entries)
    diaries = inputs.snapshot.diaries
    if not isinstance(diaries, Diaries):
        return Kept(RunSeen(inputs.now, campaigns, months, ()), ())
    known = [each for each in view.capacities.values() if each.diaries and not each.blind]
    services = tuple(_service(each, outcome, diaries, inputs.now) for each in known)
    names = {each.id: each.name for each in diaries.practitioners} | {each.id: each.name for each in diaries.locations}
    zones = {each.id: each.zone for each in diaries.locations}
    days = tuple(_day(each, names, _zone(each, zones)) for each in known if _counts(each, zones, inputs.now))
    return Kept(RunSeen(inputs.now, campaigns, months, services), days)


# --- campaigns ----------------------------------------------------------------------------------------------------------


def _campaign(entry: CampaignEntry, inputs: RunInputs, standings: Mapping[str, Standing]) -> CampaignSeen:
    seen = inputs.snapshot.campaigns.get(entry.name)
    same = (str(entry.platform), entry.id, entry.name, entry.service, f"{entry.base:f}")
    if not isinstance(seen, Campaign) or seen.nowhere:
        return CampaignSeen(*same, "", ours=False, running=None, budget=None)
    standing = standings.get(entry.name, Standing())
    ours = standing.stood_down is None and standing.caused_by is not None and standing.expected == seen.state
    budget = None if seen.state.budget is None else f"{seen.state.budget:f}"
    return CampaignSeen(*same, seen.zone, ours, seen.state.running, budget)


def _month(seen: Campaign | Unreadable | None) -> str | None:
    return f"{seen.spent_month:f}" if isinstance(seen, Campaign) and seen.spent_month is not None else None


# --- services -----------------------------------------------------------------------------------------------------------


def _service(capacity: Capacity, outcome: RunOutcome, diaries: Diaries, now: datetime) -> ServiceSeen:
    metrics = outcome.forecasts[capacity.service].metrics
    slots, utilisation = (metrics[name].bounds if name in metrics else UNBOUNDED for name in ("open_slots", "utilisation"))
    lead = _lead(capacity, diaries)
    return ServiceSeen(
        capacity.service,
        capacity.dates[0].toordinal(),
        [day.openings_low for day in capacity.days],
        [day.openings_high for day in capacity.days],
        _staying(capacity, int((now + lead).timestamp()) + RUN_TO_RUN),
        [day.working // 60 for day in capacity.days],
        _full(slots, utilisation),
        None if utilisation is UNBOUNDED else round(utilisation.low, 1),
        None if utilisation is UNBOUNDED else round(utilisation.high, 1),
    )


def _full(slots: Bounds, utilisation: Bounds) -> bool | None:
    if slots.high == 0 or utilisation.low >= NEARLY_FULL:
        return True
    return False if slots.low > 0 and utilisation.high < NEARLY_FULL else None


def _lead(capacity: Capacity, diaries: Diaries) -> timedelta:
    """The lead time that the service's types have, the longest of them."""
    sold = {offer.type for offer in capacity.offers}
    leads = (diaries.bookings.lead if each.lead is None else each.lead for each in diaries.types if each.id in sold)
    return max(leads, default=diaries.bookings.lead)


def _staying(capacity: Capacity, cutoff: int) -> list[int]:
    """The openings of each day that begin at `cutoff` or later; only the first days have others."""
    found = [day.openings_low for day in capacity.days]
    for n in range(HORIZON):
        shown = [each.days[n].shown.starts for each in capacity.diaries]
        if not any(starts and min(starts)[0] < cutoff for starts in shown):
            if any(shown):
                break
            continue
        found[n] = sum(pack(span for span in starts if span[0] >= cutoff) for starts in shown)
    return found


# --- days ---------------------------------------------------------------------------------------------------------------


def _counts(capacity: Capacity, zones: Mapping[str, str], now: datetime) -> bool:
    return capacity.complete or now.astimezone(ZoneInfo(_zone(capacity, zones))).hour >= SETTLED


def _zone(capacity: Capacity, zones: Mapping[str, str]) -> str:
    return next((zones[offer.location] for offer in capacity.offers if offer.location in zones), "UTC")


def _day(capacity: Capacity, names: Mapping[str, str], zone: str) -> DaySeen:
    diaries = tuple(_diary(each) for each in capacity.diaries)
    used = {each.practitioner for each in diaries} | {place for each in diaries for place in each.locations if place}
    return DaySeen(capacity.service, capacity.dates[0], zone, diaries, {id_: names.get(id_, id_) for id_ in sorted(used)})


def _diary(diary: Diary) -> DiarySeen:
    return DiarySeen(
        diary.practitioner,
        [day.location if day.tally.working else "" for day in diary.days],
        [day.tally.working // 60 for day in diary.days],
        list(_open(diary)),
    )


def _open(diary: Diary) -> Iterator[int | None]:
    """Open minutes of each day, as if lead time hid nothing of it where it hides less than half."""
    for day in diary.days:
        tally = day.tally
        known = tally.open_low == tally.open_high and tally.seen == tally.sellable and 2 * tally.sellable > tally.working
        yield round(tally.open_low / 60 * tally.working / tally.sellable) if known else None
