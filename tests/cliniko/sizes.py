"""Clinics of any size, without chance: who works where, when, and what they offer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from service.core.rules.language import Service
from service.sandbox.clinic import Business, Clinic, Hours, Person, Span, Type
from service.sandbox.minutes import MINUTE
from service.sandbox.scene import API_KEYS, HARBOUR
from service.sandbox.world import World

ZONE = "Australia/Sydney"
MONDAY = datetime(2026, 3, 1, 21, 0, tzinfo=UTC)
"""Eight in the morning of Monday 2 March 2026 in Sydney."""


def clinic_of(
    practitioners: int, minutes: Sequence[int] = (60, 30), locations: int = 1, slug: str = HARBOUR, key: str = API_KEYS[HARBOUR]
) -> Clinic:
    """Types of these minutes, named by their place in the list, offered by everybody; the shortest is everybody's default.

    Everybody works from nine to five on weekdays, at the first location in the first half of the day and at the last one in
    the second, and is booked every other hour.
    """
    ids = count(1_443_966_599_630_431_000)
    clinic = Clinic(slug, slug.title(), key, ZONE)
    places = [Business(str(next(ids)), f"Place {n}", ZONE) for n in range(locations)]
    types = [Type(str(next(ids)), f"Type {n}", length) for n, length in enumerate(minutes)]
    clinic.businesses, clinic.types = {each.id: each for each in places}, {each.id: each for each in types}
    shortest = min(types, key=lambda type_: type_.minutes).id
    for n in range(practitioners):
        who = Person(str(next(ids)), f"Person {n}", list(clinic.types), default_type=shortest)
        clinic.people[who.id] = who
        for weekday in range(5):
            clinic.hours.append(Hours(places[0].id, who.id, weekday, 9 * 60, 13 * 60))
            clinic.hours.append(Hours(places[-1].id, who.id, weekday, 13 * 60, 17 * 60))
        for day in range(14):
            nine = MONDAY + timedelta(days=day, hours=1 + n % 2)
            clinic.appointments += [
                Span(who.id, at, at + 60 * MINUTE) for at in (nine + timedelta(hours=2 * k) for k in range(4))
            ]
    return clinic


def world_of(*clinics: Clinic, now: datetime = MONDAY) -> World:
    """A world of these clinics."""
    world = World(now)
    world.clinics = {clinic.slug: clinic for clinic in clinics}
    return world


def selling(*types: int, name: str = "service") -> Service:
    """A service of these types of `clinic_of`, the first listed first."""
    return Service(name, tuple(f"Type {n}" for n in types))
