"""Situations that a clinic can really be in, as answers to what rules ask: read off random clinics of the sandbox's world.

Nothing here knows what lint takes metrics to have to do with each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from random import Random

from service.core.metrics import Ask, asking
from tests.core.made import seen
from tests.core.worlds import Found, book, found, seeded

SHARES = (0.0, 0.5, 0.9, 0.98, 1.0)
DAY = timedelta(days=1)


@cache
def of_a_clinic(seed: int, *, hiding: bool = False) -> tuple[Ask, ...]:
    """A random clinic as empty and as full as it can be, each against the day before: from half full to what it is now.

    Without `hiding` everything about it is known.
    """
    chance = seeded(seed)
    clinic = found(chance, hiding=hiding)
    now = clinic.read()
    then = Found(clinic.clinic, clinic.service, clinic.now - DAY)
    asks = []
    for share in SHARES:
        _book(then, chance, share)
        before = then.read()
        _book(clinic, chance, min(share, chance.choice(SHARES)))
        now = clinic.read()
        asks.append(asking(seen(now, clinic.now, [(then.now, before)], clinic.service)))
    return tuple(asks)


def _book(clinic: Found, chance: Random, share: float) -> None:
    people = clinic.clinic.people
    clinic.clinic.appointments = [span for person in people for span in book(clinic.clinic, person, clinic.now, chance, share)]


def of_clinics(seeds: range, *, hiding: bool = False) -> Iterator[Ask]:
    """The same of several."""
    for seed in seeds:
        yield from of_a_clinic(seed, hiding=hiding)
