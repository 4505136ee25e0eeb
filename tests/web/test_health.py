from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
from litestar import Litestar

from service.core.model import Diaries
from service.core.rules.language import RuleSet
from service.jobs.hourly import QUIET, Hourly
from service.observe import Outside
from service.store.store import Store
from service.web.server import create_app, over
from tests.web.conftest import Api, client_of


async def health(litestar: Litestar) -> httpx.Response:
    async with client_of(litestar) as client:
        return await client.get("/healthz")


async def test_without_a_loop_the_process_is_well_as_long_as_it_answers(api: Api) -> None:
    assert await api.get("/healthz", None) == {"status": "ok", "heartbeat": None, "next_run": None}


async def test_the_loop_lives_as_long_as_the_application(api: Api) -> None:
    litestar = create_app(api.app)
    assert (await health(litestar)).status_code == 503
    async with litestar.lifespan():
        answer = await health(litestar)
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert (await health(litestar)).status_code == 503


async def test_a_loop_that_died_is_seen_although_the_api_goes_on_answering(api: Api) -> None:
    died = asyncio.Event()

    async def broken(_: float) -> None:
        died.set()
        raise MemoryError

    litestar = over(api.app, Hourly(api.app, sleep=broken))
    async with litestar.lifespan():
        await died.wait()
        await asyncio.sleep(0)
        answer = await health(litestar)
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:governor:problem:unavailable")
        assert "not running" in answer.json()["detail"]
        async with client_of(litestar) as client:
            headers = {"Authorization": f"Bearer {api.secrets['admin']}"}
            assert (await client.get("/v1/clinics", headers=headers)).status_code == 200


async def test_a_loop_that_has_not_been_heard_of_for_long_is_overdue(api: Api) -> None:
    asleep = asyncio.Event()

    async def forever(_: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    litestar = over(api.app, Hourly(api.app, sleep=forever))
    async with litestar.lifespan():
        await asleep.wait()
        assert (await health(litestar)).status_code == 200
        api.near.world.advance(QUIET + timedelta(seconds=1))
        answer = await health(litestar)
        assert (answer.status_code, "not been heard of" in answer.json()["detail"]) == (503, True)


@dataclass(frozen=True, slots=True)
class Stuck:
    """A Cliniko that takes the question and never answers, whatever the deadline."""

    asked: asyncio.Event

    async def read(self, _: object) -> Diaries:
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_loop_that_hangs_in_a_pass_is_overdue_though_it_has_not_died(api: Api) -> None:
    stuck = Stuck(asyncio.Event())

    def outside(rules: RuleSet) -> Outside:
        return replace(api.near(rules), diaries=stuck)

    app = replace(api.app, governor=replace(api.app.governor, outside=outside))
    litestar = over(app, Hourly(app, grace_seconds=0.01))
    async with litestar.lifespan():
        await stuck.asked.wait()
        assert (await health(litestar)).status_code == 200
        api.near.world.advance(QUIET + timedelta(seconds=1))
        answer = await health(litestar)
        assert (answer.status_code, "not been heard of" in answer.json()["detail"]) == (503, True)


async def test_a_clinic_says_when_it_is_evaluated_next(api: Api) -> None:
    asleep = asyncio.Event()

    async def forever(_: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    litestar = over(api.app, Hourly(api.app, sleep=forever))
    async with litestar.lifespan(), client_of(litestar) as client:
        await asleep.wait()
        headers = {"Authorization": f"Bearer {api.secrets['admin']}"}
        clinics = (await client.get("/v1/clinics", headers=headers)).json()["items"]
    assert {clinic["next_run"] for clinic in clinics} == {"2026-11-21T22:00:00Z"}


async def test_a_database_that_is_away_is_not_ready_but_alive_and_ready_once_it_is_back(api: Api, tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    assert await api.get("/readyz", None) == {"status": "ok"}
    away = replace(api.app, store=Store.open(f"sqlite+aiosqlite:///{folder}/governor.db"))
    folder.rmdir()
    async with client_of(create_app(away, hourly=False)) as client:
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["type"]) == (503, "urn:governor:problem:database")
        assert (await client.get("/healthz")).status_code == 200
        folder.mkdir()
        assert (await client.get("/readyz")).status_code == 200
    await away.store.aclose()
