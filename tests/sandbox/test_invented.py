"""A clinic invented from a rule file's services."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

import pytest

from service.core.capacity import capacity
from service.core.model import Diaries
from service.core.observation import Observation
from service.core.offers import sold_offers
from service.core.rules.language import Service
from service.sandbox.invented import Invented
from service.sandbox.reading import diaries
from tests.support import shipped

FIRST = datetime(2026, 8, 24, tzinfo=UTC)
SERVICES = (
    Service("physio", ("Initial", "Follow-up"), ("City", "Beach"), exclude_practitioners=("Hydro pod",)),
    Service("feet", ("Initial podiatry",), practitioners=("Ana Silva", "Ben Okafor")),
    Service("both", ("Follow-up",), practitioners=("Ana Silva",)),
)


def test_a_reading_is_what_a_faultless_reading_of_the_clinic_shows() -> None:
    clinic = Invented(SERVICES, FIRST)
    for n, (at, reading) in enumerate(clinic.hours(24 * 20)):
        if n % 7 == 0:
            assert reading == diaries(clinic.clinic, SERVICES, at)


@pytest.mark.parametrize("service", [*SERVICES, *shipped("harbour-physio").services.values()], ids=lambda each: each.name)
def test_every_service_is_sold_online_by_whom_and_where_the_file_says(service: Service) -> None:
    reading = Invented((service,), FIRST).read()
    names = {each.id: each.name for each in reading.practitioners} | {each.id: each.name for each in reading.locations}
    sold = sold_offers(reading, service)
    assert {names[offer.location] for offer in sold} == set(service.locations or ("Main Street",))
    if service.practitioners:
        assert {names[offer.practitioner] for offer in sold} == set(service.practitioners)
    assert {type_.name for type_ in reading.types} == set(service.appointment_types)


def test_the_same_seed_gives_the_same_months_and_another_others() -> None:
    def days(seed: int) -> list[tuple[datetime, Diaries]]:
        return list(islice(Invented(SERVICES, FIRST, seed).hours(50), 40, 50))

    assert days(1) == days(1)
    assert days(1) != days(2)


@pytest.mark.parametrize("clinic", ["harbour-physio", "northside-allied"])
@pytest.mark.sampled(2)
def test_in_some_months_a_service_is_slack_and_nearly_sold_out(clinic: str) -> None:
    """Else there would be nothing to try rules on."""
    services = tuple(shipped(clinic).services.values())
    shares: dict[str, list[float]] = {service.name: [] for service in services}
    for n, (at, reading) in enumerate(Invented(services, FIRST).hours(24 * 90)):
        if n % 24 == 12:
            seen = Observation.of(reading, at)
            for service in services:
                total = capacity(seen, service).sums[-1]
                shares[service.name].append(1 - total.open_low / total.sellable)
    assert all(min(found) < 0.6 and max(found) > 0.95 for found in shares.values())
