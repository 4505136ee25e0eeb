"""How many requests a run makes of Cliniko, and how long it takes, against the least possible and against asking everything.

The floor is what no reading can do without: the settings and both kinds of blocks, and for each practitioner at each location
one type in two windows. Polling asks for every type each time, and reads every list. The time is held against that which the
budget alone would need for as many requests; it is virtual, with 0.3 s to each answer.
"""

from __future__ import annotations

import asyncio
import math
import sys
from collections import Counter
from datetime import timedelta

import pytest

from service.cliniko.client import PER_PAGE
from service.cliniko.rate import HEADROOM, LIMIT, WINDOW
from service.core.model import Diaries, Offer
from service.core.offers import sold_offers
from service.core.rules.language import Service
from service.sandbox.clinic import Clinic
from service.sandbox.reading import diaries as faultless
from tests.cliniko.sizes import clinic_of, selling, world_of
from tests.cliniko.virtual import Server, run

pytestmark = pytest.mark.bench

FITS = selling(0, 1, 2, name="a"), selling(3, 1, name="b")
SIZES: list[tuple[str, int, tuple[int, ...], int, tuple[Service, ...], int]] = [
    ("3, one type", 3, (45,), 1, (selling(0),), 1),
    ("3, first and standard", 3, (60, 30), 1, (selling(0, 1),), 1),
    ("12, first and standard", 12, (60, 30), 1, (selling(0, 1),), 1),
    ("12, two services share 4 types", 12, (60, 30, 30, 60), 1, FITS, 1),
    ("12, a first type that never fits", 12, (60, 30, 30, 90), 1, FITS, 2),
    ("12, 6 types of one length", 12, (45,) * 6, 1, (selling(0, 1, 2, 3, 4, 5),), 1),
    ("12, 45 and 30 minutes", 12, (45, 30), 1, (selling(0, 1),), 2),
    ("40, two locations", 40, (60, 30), 2, (selling(0, 1),), 1),
    ("500, first and standard", 500, (60, 30), 1, (selling(0, 1),), 1),
]
"""Name, practitioners, minutes of the types, locations, services, and of how many types none follows from another."""


def pages(entries: int) -> int:
    return max(1, math.ceil(entries / PER_PAGE))


def asking(reading: Diaries) -> dict[Offer, int]:
    """What each offer costs: the pages of its two windows."""
    cost: Counter[Offer] = Counter()
    for probe in reading.probes:
        cost[probe.offer] += pages(len(probe.starts or ()))
    return cost


def floor_and_all(clinic: Clinic, sold: tuple[Service, ...], reading: Diaries) -> tuple[int, int]:
    """The least requests, and those of asking everything."""
    cost = asking(reading)
    diaries: dict[tuple[str, str], int] = {}
    for offer in {offer for service in sold for offer in sold_offers(reading, service)}:
        where = (offer.practitioner, offer.location)
        diaries[where] = min(diaries.get(where, cost[offer]), cost[offer])
    windows = len({(hours.business, hours.person, hours.weekday) for hours in clinic.hours})
    lists = 3 + pages(len(clinic.people)) + pages(windows) + 3
    return 3 + sum(diaries.values()), lists + sum(cost.values())


def measured(clinic: Clinic, sold: tuple[Service, ...]) -> list[tuple[int, float]]:
    """Requests and seconds of the first reading of a process and of the one an hour later."""
    world = world_of(clinic)
    server = Server(world)

    async def twice() -> list[tuple[int, float]]:
        found = []
        async with server.diaries(clinic.api_key) as source:
            for _ in range(2):
                sent, began = source._client.sent, asyncio.get_running_loop().time()
                await source.read(sold)
                found.append((source._client.sent - sent, asyncio.get_running_loop().time() - began))
                world.advance(timedelta(hours=1))
                await asyncio.sleep(3600)
        return found

    return run(twice)


def least_seconds(requests: int) -> float:
    """What the budget alone costs: a minute's worth at once, and then a minute for each further one."""
    return WINDOW * ((requests - 1) // (LIMIT - HEADROOM))


def show(name: str, *cells: object) -> None:
    sys.stdout.write(f"{name:<34}" + "".join(f"{cell!s:>11}" for cell in cells) + "\n")


def test_requests_and_time_stay_near_the_floor() -> None:
    show("clinic", "floor", "cold", "warm", "all", "warm/floor", "cold s", "warm s", "least s")
    for name, practitioners, minutes, locations, sold, apart in SIZES:
        clinic = clinic_of(practitioners, minutes, locations)
        floor, everything = floor_and_all(clinic, sold, faultless(clinic, sold, world_of(clinic).now))
        (cold, cold_seconds), (warm, warm_seconds) = measured(clinic, sold)
        least = least_seconds(warm)
        seconds = (f"{each:.0f}" for each in (cold_seconds, warm_seconds, least))
        show(name, floor, cold, warm, everything, f"{warm / floor:.2f}", *seconds)
        assert floor <= warm <= cold <= everything
        assert warm <= apart * floor + 10 + practitioners // 10
        assert warm_seconds <= 1.1 * least + 30
