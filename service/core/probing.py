"""Which diaries have to be asked for, and which follow from the answer to another question.

`available_times` spaces its starts by the duration of the practitioner's default type, and the requested type decides what
fits between appointments (Cliniko API issues 137 and 280; help, "What does 'default appointment type' mean?"). So for one
practitioner at one location:

* Types of equal duration and equal lead time show the same starts.
* On a grid of `step`, let a type of duration `d >= step` be asked for. Its starts leave no hole within a free stretch, so a
  longer type whose duration is `d + n * step` fits at a start exactly if the next `n` steps are starts too. That is where
  a cap hides nothing, and within one local day.
* A longer lead time takes starts away. Of a type that is the first of no service only the open time counts, and what it
  shows is part of what the other shows.
* A lead time that reaches past the horizon leaves nothing to show.

Whatever rests on the grid, or stands for what a new patient books (the first listed type), is trusted only after both have
been asked and agreed (`Derivation.needs_proof`): the grid is documented by staff's word, and a type that answers 404 with
all switches on is seen only by asking. The rest cannot change any metric. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from service.core.days import day_of, horizon, local_date
from service.core.model import AppointmentType, Diaries, Offer, Probe
from service.core.offers import sold_offers
from service.core.rules.language import Service


@dataclass(frozen=True, slots=True)
class Derivation:
    """The starts of `offer` follow from those of `base`, another type of the same practitioner at the same location.

    An appointment of `offer` lasts `length`, which is `longer` than one of `base` by a multiple of `step`; `lead` is its
    lead time where that is the longer one. `needs_proof`: only after both answers have been seen to agree.
    """

    offer: Offer
    base: Offer
    length: timedelta
    longer: timedelta
    step: timedelta
    lead: timedelta | None
    needs_proof: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What a reading needs: every offer in order, those that can be derived, and those that have nothing to show."""

    offers: tuple[Offer, ...]
    derivations: tuple[Derivation, ...]
    hidden: frozenset[Offer]


def plan(diaries: Diaries, services: Iterable[Service], now: datetime) -> Plan:
    """What has to be known of `diaries`' offers for the capacity of `services`."""
    sold = [sold_offers(diaries, service) for service in services]
    offers = tuple(dict.fromkeys(offer for each in sold for offer in each))
    firsts = frozenset(first for each in sold for first in _firsts(each))
    view = _View(diaries, firsts)
    hidden = frozenset(offer for offer in offers if view.hides(offer, now))
    groups: dict[tuple[str, str], list[Offer]] = {}
    for offer in offers:
        if offer not in hidden:
            groups.setdefault((offer.practitioner, offer.location), []).append(offer)
    return Plan(offers, tuple(found for group in groups.values() for found in view.derivations(group)), hidden)


def derived(how: Derivation, base: Probe, zone: str, now: datetime) -> Probe | None:
    """The answer for `how.offer` over the days of `base`, whose starts are known; None where they contradict the grid."""
    given = base.starts or ()
    if how.longer and not _spaced(given, how.step, zone):
        return None
    earliest = now + how.lead if how.lead is not None else None
    fitting = _fitting(how, given, zone) if how.longer else given
    return Probe(how.offer, base.first, base.last, tuple(at for at in fitting if earliest is None or at >= earliest))


def _firsts(offers: Sequence[Offer]) -> Iterable[Offer]:
    """The first listed type of each practitioner at each location: what a new patient books."""
    found: dict[tuple[str, str], Offer] = {}
    for offer in offers:
        found.setdefault((offer.practitioner, offer.location), offer)
    return found.values()


class _View:
    """One reading's reference data, indexed."""

    def __init__(self, diaries: Diaries, firsts: frozenset[Offer]) -> None:
        self.firsts = firsts
        self.bookings = diaries.bookings
        self.types = {type_.id: type_ for type_ in diaries.types}
        self.zones = {location.id: location.zone for location in diaries.locations}
        self.rostered = {(hours.practitioner, hours.location) for hours in diaries.hours}
        self.steps = {
            person.id: self.types[person.default_type].duration
            for person in diaries.practitioners
            if person.default_type in self.types
        }

    def hides(self, offer: Offer, now: datetime) -> bool:
        """Whether its lead time reaches past the horizon. Somebody without hours is asked: a 404 says that much."""
        zone = self.zones[offer.location]
        end = day_of(zone, horizon(now, zone)[-1]).span[1]
        rostered = (offer.practitioner, offer.location) in self.rostered
        return rostered and (now + self.lead(self.types[offer.type])).timestamp() >= end

    def lead(self, type_: AppointmentType) -> timedelta:
        return type_.lead if type_.lead is not None else self.bookings.lead

    def derivations(self, offers: Sequence[Offer]) -> list[Derivation]:
        """One diary's: the shortest type with the shortest lead time is asked for first, of equals one that is a first."""
        asked: list[Offer] = []
        found: list[Derivation] = []
        for offer in sorted(offers, key=self._ease):
            ways = (self._derivation(offer, base) for base in asked)
            way = next((way for way in ways if way is not None), None)
            if way is None:
                asked.append(offer)
            else:
                found.append(way)
        return found

    def _ease(self, offer: Offer) -> tuple[timedelta, timedelta, bool]:
        type_ = self.types[offer.type]
        return self.lead(type_), type_.duration, offer not in self.firsts

    def _derivation(self, offer: Offer, base: Offer) -> Derivation | None:
        type_, other = self.types[offer.type], self.types[base.type]
        longer, first = type_.duration - other.duration, offer in self.firsts
        later = self.lead(type_) > self.lead(other)
        capped, step = self.bookings.segment_cap is not None, self.steps.get(offer.practitioner, timedelta(0))
        if longer < timedelta(0) or (later and (first or capped)):
            return None
        if longer and (capped or not timedelta(0) < step <= other.duration or longer % step):
            return None
        lead = self.lead(type_) if later else None
        return Derivation(offer, base, type_.duration, longer, step, lead, needs_proof=first or bool(longer))


def _spaced(starts: Sequence[datetime], step: timedelta, zone: str) -> bool:
    """Whether no two starts of a local day are closer than a step, as on a finer grid they would be."""
    return not any(b - a < step and local_date(a, zone) == local_date(b, zone) for a, b in pairwise(starts))


def _fitting(how: Derivation, starts: Sequence[datetime], zone: str) -> tuple[datetime, ...]:
    shown = set(starts)
    steps = [how.step * n for n in range(1, how.longer // how.step + 1)]
    return tuple(
        start
        for start in starts
        if all(start + step in shown for step in steps)
        and (start + how.length).timestamp() <= day_of(zone, local_date(start, zone)).span[1]
    )
