"""Situations that a clinic can really be in, as answers to what rules ask: read off random clinics of the sandbox's world.

Nothing here knows what lint takes metrics to have to do with each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from random import Random

from service.core.metrics import Ask, asking
from service.core.rules.language import Measure, Metric
from tests.core.made import seen
from tests.core.worlds import Found, book, found, seeded

SHARES = (0.0, 0.5, 0.9, 0.98, 1.0)
ANYTHING = Measure(Metric.OPEN_SLOTS)
DAY = timedelta(days=1)


@cache
def of_a_clinic(seed: int) -> tuple[Ask, ...]:
    """A random clinic from empty to full, each time against what it was the day before; all of it is known.

    No situations at all where it sells nothing online.
    """
    chance = seeded(seed)
    today = found(chance, hiding=False)
    yesterday = Found(today.clinic, today.service, today.now - DAY)
    asks = []
    for share in SHARES:
        _book(yesterday, chance, chance.choice(SHARES))
        before = yesterday.read()
        _book(today, chance, share)
        asks.append(asking(seen(today.read(), today.now, [(yesterday.now, before)], today.service)))
    return tuple(ask for ask in asks if math.isfinite(ask(ANYTHING).bounds.low))


def of_clinics(seeds: Iterable[int]) -> tuple[Ask, ...]:
    """The same of several."""
    return tuple(ask for seed in seeds for ask in of_a_clinic(seed))


def _book(clinic: Found, chance: Random, share: float) -> None:
    people = clinic.clinic.people
    clinic.clinic.appointments = [span for person in people for span in book(clinic.clinic, person, clinic.now, chance, share)]
