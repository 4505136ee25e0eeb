"""What a service is made of: the (location, practitioner, appointment type) triples that Cliniko sells online. Pure.

A triple that is off by a switch is not part of a service; who wants to know which and why asks `excluded`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from service.core.model import AppointmentType, Diaries, Location, Offer, Practitioner
from service.core.rules.language import Service


def sold_offers(diaries: Diaries, service: Service) -> tuple[Offer, ...]:
    """The offers that make up a service: all switches on, named by the service, no group type, nobody excluded.

    In the order of the service's appointment types, which is the order of preference.
    """
    if not diaries.bookings.enabled:
        return ()
    rank = type_ranks(service)
    types = {t.id: rank[fold(t.name)] for t in diaries.types if t.online and not t.group and fold(t.name) in rank}
    places = {p.id for p in diaries.locations if p.online and chosen(p.name, service.locations)}
    people = {p.id for p in diaries.practitioners if p.online and takes_part(p, service)}
    offers = (o for o in diaries.offers if o.type in types and o.location in places and o.practitioner in people)
    return tuple(sorted(offers, key=lambda o: (o.practitioner, o.location, types[o.type], o.type)))


def type_ranks(service: Service) -> dict[str, int]:
    """The place of each appointment type's folded name in the service's list."""
    return {fold(name): n for n, name in enumerate(service.appointment_types)}


def takes_part(person: Practitioner, service: Service) -> bool:
    """Whether a service counts somebody in, as far as the rule file says."""
    return chosen(person.name, service.practitioners) and not named(person.name, service.exclude_practitioners)


def fold(name: str) -> str:
    """A name as it is compared: ignoring case, outer blanks and runs of them."""
    return " ".join(name.split()).casefold()


def named(name: str, names: Collection[str]) -> bool:
    """Whether `name` is one of `names`."""
    return fold(name) in {fold(each) for each in names}


def chosen(name: str, wanted: Collection[str] | None) -> bool:
    """Whether a list that may be left out (None: everybody) chooses `name`."""
    return wanted is None or named(name, wanted)


def switched_off(diaries: Diaries, service: Service) -> Iterator[str]:
    """The locations, practitioners and types of a service that a switch takes out of online booking, by name.

    Only those that `/services` lists with the service's own types, so that nobody is told of rooms that sell something else.
    """
    rank = type_ranks(service)
    types = {t.id: t for t in diaries.types if fold(t.name) in rank and not t.group}
    places = {p.id: p for p in diaries.locations if chosen(p.name, service.locations)}
    people = {p.id: p for p in diaries.practitioners if takes_part(p, service)}
    offers = [o for o in diaries.offers if o.type in types and o.location in places and o.practitioner in people]
    found: list[AppointmentType | Location | Practitioner] = []
    for offer in offers:
        found += [types[offer.type], places[offer.location], people[offer.practitioner]]
    yield from sorted({each.name for each in found if not each.online})
