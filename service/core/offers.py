"""What a service is made of: the (location, practitioner, appointment type) triples that Cliniko sells online. Pure.

A triple that is off by a switch is not part of a service; who wants to know which and why asks `excluded`.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

from service.core.model import AppointmentType, Diaries, Location, NameOf, Offer, Practitioner
from service.core.rules.language import Service

Item = AppointmentType | Location | Practitioner
"""Whatever in Cliniko a service names."""

T = TypeVar("T", AppointmentType, Location, Practitioner)


def sold_offers(diaries: Diaries, service: Service) -> tuple[Offer, ...]:
    """The offers that make up a service: all switches on, named by the service, no group type, nobody excluded.

    In the order of the service's appointment types, which is the order of preference.
    """
    if not diaries.bookings.enabled:
        return ()
    rank = type_ranks(diaries, service)
    types = {t.id: rank[t.id] for t in diaries.types if t.online and not t.group and t.id in rank}
    places = {p.id for p in places_of(diaries, service) if p.online}
    people = {p.id for p in people_of(diaries, service) if p.online}
    offers = (o for o in diaries.offers if o.type in types and o.location in places and o.practitioner in people)
    return tuple(sorted(offers, key=lambda o: (o.practitioner, o.location, types[o.type], o.type)))


def type_ranks(diaries: Diaries, service: Service) -> dict[str, int]:
    """The place in the service's list of each appointment type that it names, by id."""
    return bearing(service.appointment_types, diaries.types, service, NameOf.TYPE)


def places_of(diaries: Diaries, service: Service) -> tuple[Location, ...]:
    """The locations that a service counts in, as far as the rule file says."""
    return _chosen(service.locations, diaries.locations, service, NameOf.LOCATION)


def people_of(diaries: Diaries, service: Service) -> tuple[Practitioner, ...]:
    """The practitioners that a service counts in, as far as the rule file says."""
    excluded = bearing(service.exclude_practitioners, diaries.practitioners, service, NameOf.PRACTITIONER)
    chosen = _chosen(service.practitioners, diaries.practitioners, service, NameOf.PRACTITIONER)
    return tuple(person for person in chosen if person.id not in excluded)


def _chosen(names: Sequence[str] | None, items: tuple[T, ...], service: Service, what: NameOf) -> tuple[T, ...]:
    """The items that a list which may be left out (None: all of them) chooses."""
    if names is None:
        return items
    found = bearing(names, items, service, what)
    return tuple(item for item in items if item.id in found)


def bearing(names: Sequence[str], items: Sequence[Item], service: Service, what: NameOf) -> dict[str, int]:
    """By id, the place among the names of each item that bears one, or is known to have borne it (`renamed`)."""
    rank = {fold(name): n for n, name in enumerate(names)}
    found = {item.id: rank[fold(item.name)] for item in items if fold(item.name) in rank}
    for known in service.known:
        if known.what is what and known.name in rank:
            found |= {item.id: rank[known.name] for item in renamed(known.name, known.ids, items, rank)}
    return found


def renamed(name: str, ids: Collection[str], items: Iterable[Item], used: Container[str]) -> list[Item]:
    """The items that bore a name and now bear one that is not `used`; none where the name has gone over to others. Folded."""
    known = [item for item in items if item.id in ids]
    moved_on = all(fold(item.name) != name for item in known) and any(fold(item.name) == name for item in items)
    return [] if moved_on else [item for item in known if fold(item.name) not in used]


@lru_cache(maxsize=8192)
def fold(name: str) -> str:
    """A name as it is compared: ignoring case, outer blanks and runs of them."""
    return " ".join(name.split()).casefold()


def switched_off(diaries: Diaries, service: Service) -> Iterator[str]:
    """The locations, practitioners and types of a service that a switch takes out of online booking, by name.

    Only those that `/services` lists with the service's own types, so that nobody is told of rooms that sell something else.
    """
    everything: list[AppointmentType | Location | Practitioner] = [*diaries.types, *diaries.locations, *diaries.practitioners]
    if all(each.online for each in everything):
        return
    rank = type_ranks(diaries, service)
    types = {t.id: t for t in diaries.types if t.id in rank and not t.group}
    places = {p.id: p for p in places_of(diaries, service)}
    people = {p.id: p for p in people_of(diaries, service)}
    offers = [o for o in diaries.offers if o.type in types and o.location in places and o.practitioner in people]
    found: list[AppointmentType | Location | Practitioner] = []
    for offer in offers:
        found += [types[offer.type], places[offer.location], people[offer.practitioner]]
    yield from sorted({each.name for each in found if not each.online})
