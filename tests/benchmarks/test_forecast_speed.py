"""How long a forecast takes: one clinic with 12 practitioners, 4 services and 14 days, against its limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from time import process_time

import pytest

from service.core.capacity import capacity
from service.core.caveats import caveats
from service.core.decide.model import ServiceForecast
from service.core.expectation import expectation
from service.core.metrics import Seen, asking, forecast
from service.core.model import Diaries
from service.core.observation import Observation
from service.core.pace import Look, Pace, Rung, fit
from service.core.rules.language import Service
from service.sandbox.clinic import Clinic
from service.sandbox.reading import diaries
from tests.store.clinic_day import LARGE, MONDAY_MIDNIGHT, PLACE, STAFF, TYPES, large_world

LIMIT_MS = 5.0
NOW = MONDAY_MIDNIGHT + timedelta(hours=9)
TODAY = date(2026, 11, 23)
SERVICES = tuple(Service(name.lower(), (f"Initial {name.lower()}",)) for name in TYPES.values())


def best(of: Callable[[], object], times: int = 40) -> float:
    """The shortest processor time of several, in ms."""
    found = []
    for _ in range(times):
        began = process_time()
        of()
        found.append(process_time() - began)
    return 1000 * min(found)


def specialists() -> Clinic:
    """Three practitioners for each of the four services."""
    clinic = large_world().clinics[LARGE]
    for n, person in enumerate(STAFF):
        clinic.people[person] = replace(clinic.people[person], types=[list(TYPES)[n % 4]])
    return clinic


def learnt() -> Pace:
    """The pace of ten weeks in which half of what is open a fortnight ahead is booked."""
    days = [TODAY - timedelta(days=n) for n in range(70)]
    openings = tuple(8.0 + n / 2 for n in range(14))
    return fit([Look(service.name, PLACE, day, openings) for service in SERVICES for day in days], TODAY)


def forecasts(reading: Diaries, pace: Pace) -> list[ServiceForecast]:
    """Everything that a run computes of its reading: capacity, caveats, every metric of every service."""
    seen, found = Observation.of(reading, NOW), []
    for service in SERVICES:
        sold = capacity(seen, service)
        view = Seen(NOW, sold, expectation(seen, sold, pace))
        found.append(forecast(view, service.name, asking(view), caveats(seen, service, sold)))
    return found


@pytest.mark.bench
def test_a_forecast_takes_little_time() -> None:
    pace = learnt()
    special, general = (diaries(clinic, SERVICES, NOW) for clinic in (specialists(), large_world().clinics[LARGE]))
    assert {each.rung for each in forecasts(special, pace)} == {Rung.PICKUP}
    spent = best(lambda: forecasts(special, pace))
    widest = best(lambda: forecasts(general, pace))
    print(f"\n12 practitioners, 3 to a service, 4 services, 14 days: {spent:.1f} ms (limit {LIMIT_MS:.0f})")
    print(f"12 practitioners who all sell all 4 services (48 diaries): {widest:.1f} ms")
    assert spent <= LIMIT_MS
