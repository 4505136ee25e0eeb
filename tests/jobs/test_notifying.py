"""The loop that tells people: it goes on whatever happens, it dies visibly, and it stops without repeating anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from service.jobs.hourly import Sleep
from service.jobs.notifying import QUIET, Notifying
from service.web.server import create_app, over
from tests.jobs.heard import Heard
from tests.jobs.test_notices_survive import Office, office_in
from tests.watching import Lines
from tests.web.conftest import client_of


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with office_in(tmp_path) as opened:
        yield opened


class EndOfTimeError(Exception):
    """The story is over."""


def naps(office: Office, number: int) -> Sleep:
    """So many naps, which take no time of ours."""
    left = iter(range(number))

    async def sleep(seconds: float) -> None:
        office.near.world.advance(timedelta(seconds=seconds))
        if next(left, None) is None:
            raise EndOfTimeError

    return sleep


async def loop(office: Office, number: int) -> Notifying:
    notifying = Notifying(office.app, sleep=naps(office, number))
    with pytest.raises(EndOfTimeError):
        await notifying.forever()
    return notifying


async def test_what_was_recorded_is_told_within_a_minute_and_a_half(office: Office) -> None:
    await office.record()
    await loop(office, 3)
    assert office.heard.messages == []
    await loop(office, 3)
    assert office.heard.count(office.recorded[0]) == 1


async def test_a_round_that_fails_does_not_end_the_loop(office: Office, lines: Lines) -> None:
    await office.record()
    async with office.app.store._database.writing() as conn:
        await conn.execute(text("ALTER TABLE notice RENAME TO away"))
    await loop(office, 2)
    assert "notifying_failed" in {each["event"] for each in lines()}
    async with office.app.store._database.writing() as conn:
        await conn.execute(text("ALTER TABLE away RENAME TO notice"))
    notifying = await loop(office, 8)
    assert office.heard.count(office.recorded[0]) == 1
    assert office.near.world.now - notifying.heartbeat < QUIET


async def test_a_channel_without_an_address_is_complained_of_once(office: Office, lines: Lines) -> None:
    office.app = Heard().by(office.app, "another")
    await office.record()
    await loop(office, 10)
    said = [(each["channel"], each["setting"]) for each in lines() if each["event"] == "channel_without_address"]
    assert said == [("marketing", "GOVERNOR_NOTIFY__MARKETING")]


async def test_a_message_under_way_may_go_out_when_the_service_stops(office: Office) -> None:
    under_way, may_end = asyncio.Event(), asyncio.Event()

    async def slow(channel: str, address: SecretStr, subject: str, said: str) -> None:
        under_way.set()
        await may_end.wait()
        await office.heard(channel, address, subject, said)

    await office.record()
    await loop(office, 5)
    office.heard.messages.clear()
    await office.record()
    await loop(office, 3)
    office.near.world.advance(timedelta(minutes=1))
    async with asyncio.timeout(20), Notifying(replace(office.app, send=slow)).running():
        await under_way.wait()
        asyncio.get_running_loop().call_later(0.05, may_end.set)
    await office.rest()
    assert office.heard.count(office.recorded[1]) == 1
    assert not office.heard.messages[0].marked


async def test_the_loop_lives_as_long_as_the_application_and_its_death_is_seen(office: Office) -> None:
    died = asyncio.Event()

    async def broken(_: float) -> None:
        died.set()
        raise MemoryError

    litestar = over(office.app, None, Notifying(office.app, sleep=broken))
    async with litestar.lifespan(), client_of(litestar) as client:
        await died.wait()
        await asyncio.sleep(0)
        answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()["detail"]) == (503, "the loop that sends notices is not running")


async def test_a_loop_that_has_not_been_heard_of_for_long_is_overdue(office: Office) -> None:
    async def forever(_: float) -> None:
        await asyncio.Event().wait()

    notifying = Notifying(office.app, sleep=forever)
    async with notifying.running():
        await asyncio.sleep(0)
        assert notifying.trouble() == ""
        office.near.world.advance(QUIET + timedelta(seconds=1))
        assert "has not been heard of since 2026-11-2" in notifying.trouble()


async def test_the_service_runs_it_beside_the_hourly_loop(office: Office) -> None:
    litestar = create_app(office.app)
    async with litestar.lifespan(), client_of(litestar) as client:
        assert (await client.get("/healthz")).status_code == 200
    async with client_of(litestar) as client:
        assert (await client.get("/healthz")).status_code == 503
