"""Many clinics and large ones within Cliniko's limit of 200 requests a minute, on virtual time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from service.cliniko.diaries import READ_SECONDS
from tests.cliniko.sizes import clinic_of, selling, world_of
from tests.cliniko.virtual import Server, run

SOLD = (selling(0, 1),)


@pytest.mark.parametrize("clinics", [12, pytest.param(120, marks=pytest.mark.soak)])
def test_the_hourly_readings_of_many_clinics_stay_within_every_keys_limit(clinics: int) -> None:
    """Every fourth clinic has the key of the one before it, without its shard."""
    accounts = [clinic_of(3 + 9 * (n % 3), slug=f"clinic-{n}", key=f"a2V5{n}-au1") for n in range(clinics)]
    keys = [accounts[n - 1].api_key[:-4] if n % 4 == 3 else accounts[n].api_key for n in range(clinics)]
    world = world_of(*accounts)
    server = Server(world)

    async def hours() -> None:
        sources = [server.diaries(key) for key in keys]
        for _ in range(2):
            found = await asyncio.gather(*(source.read(SOLD) for source in sources))
            assert all(probe.starts is not None for diaries in found for probe in diaries.probes)
            world.advance(timedelta(hours=1))
        for source in sources:
            await source.aclose()

    run(hours)
    assert set(server.statuses) == {200}
    assert 20 < max(server.most.values()) <= 200


@pytest.mark.soak
def test_a_clinic_of_500_practitioners_is_read_in_time() -> None:
    world = world_of(clinic_of(500))
    server = Server(world)

    async def once() -> float:
        began = asyncio.get_running_loop().time()
        async with server.diaries(world.clinics["harbour-physio"].api_key) as source:
            found = await source.read(SOLD)
        assert all(probe.starts is not None for probe in found.probes)
        return asyncio.get_running_loop().time() - began

    seconds = run(once)
    assert seconds < READ_SECONDS
    assert set(server.statuses) == {200}
