"""How often a key may ask, and how seldom somebody without one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from litestar import Litestar

from service.keys import EVERY_CLINIC, new_key
from service.limits import TokenBuckets
from service.sandbox.scene import scene
from service.settings import ApiSettings
from service.store.keys import Role
from service.web.limits import FAILURES_PER_MINUTE
from service.web.server import create_app
from tests.web.conftest import Api, api_over
from tests.web.world import Near

LIMIT = 40


@dataclass(slots=True)
class Limited:
    """An API with a limit, and the time it goes by."""

    api: Api
    litestar: Litestar
    seconds: float = 0.0

    async def ask(
        self, key: str | None = "admin", path: str = "/v1/clinics", client: str = "192.0.2.1", **headers: str
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.litestar, client=(client, 1))  # type: ignore[arg-type] # as in `client_of`
        sent = {"Authorization": f"Bearer {self.api.secrets[key]}"} if key else {}
        async with httpx.AsyncClient(transport=transport, base_url="http://governor") as http:
            return await http.get(path, headers=sent | headers)

    async def post(self, word: str, key: str | None = "admin", **headers: str) -> httpx.Response:
        """A rule file to be checked, sent with a word under which it may be sent again."""
        transport = httpx.ASGITransport(self.litestar, client=("192.0.2.1", 1))  # type: ignore[arg-type] # as in `client_of`
        sent = {"Authorization": f"Bearer {self.api.secrets[key]}"} if key else {}
        async with httpx.AsyncClient(transport=transport, base_url="http://governor") as http:
            body = {"text": "version: 1\n"}
            return await http.post("/v1/rules/check", json=body, headers=sent | headers | {"Idempotency-Key": word})

    async def statuses(self, times: int, key: str | None = "admin", **rest: str) -> list[int]:
        return [(await self.ask(key, **rest)).status_code for _ in range(times)]

    async def guess(self, times: int, **rest: str) -> list[int]:
        return [(await self.ask(None, Authorization=f"Bearer gov_guess-{n}", **rest)).status_code for n in range(times)]


@pytest.fixture
async def limited(tmp_path: Path) -> AsyncIterator[Limited]:
    async with api_over(Near(scene()), tmp_path) as api:
        api.secrets["nobody"] = "gov_made-up"
        yield served(api, LIMIT)


def served(api: Api, per_minute: int) -> Limited:
    settings = api.app.settings.model_copy(update={"api": ApiSettings(requests_per_minute=per_minute)})
    limited = Limited(api, api.litestar)
    app = replace(api.app, settings=settings, shared=replace(api.app.shared, limiter=TokenBuckets(lambda: limited.seconds)))
    limited.litestar = create_app(app, hourly=False)
    return limited


async def test_a_key_that_asks_too_often_is_told_how_long_to_wait(limited: Limited) -> None:
    assert await limited.statuses(LIMIT) == [200] * LIMIT
    answer = await limited.ask()
    assert (answer.status_code, answer.headers["content-type"]) == (429, "application/problem+json")
    body = answer.json()
    assert (body["type"], body["status"], body["instance"]) == ("urn:governor:problem:rate-limited", 429, "/v1/clinics")
    assert answer.headers["retry-after"] == "2"
    limited.seconds += 2
    assert (await limited.ask()).status_code == 200


async def test_every_answer_says_what_is_left(limited: Limited) -> None:
    first, second = await limited.ask(), await limited.ask()
    assert first.headers["ratelimit-policy"] == f'"key";q={LIMIT};w=60'
    assert [each.headers["ratelimit"] for each in (first, second)] == [f'"key";r={LIMIT - 1};t=2', f'"key";r={LIMIT - 2};t=3']
    assert (await limited.ask(None)).headers["ratelimit-policy"] == f'"address";q={FAILURES_PER_MINUTE};w=60'
    assert "ratelimit" in (await limited.ask(path="/v1/clinics/nowhere")).headers


async def test_one_key_does_not_use_up_what_another_may_ask(limited: Limited) -> None:
    await limited.statuses(LIMIT + 1)
    assert await limited.statuses(1, "harbour-viewer") == [200]


async def test_a_key_has_one_limit_wherever_it_asks_from(limited: Limited) -> None:
    await limited.statuses(LIMIT, client="192.0.2.1")
    assert await limited.statuses(1, client="192.0.2.2") == [429]


async def test_whoever_guesses_keys_is_stopped_sooner(limited: Limited) -> None:
    assert await limited.guess(FAILURES_PER_MINUTE + 2) == [401] * FAILURES_PER_MINUTE + [429] * 2
    assert await limited.guess(1, client="192.0.2.2") == [401]
    limited.seconds += 60 / FAILURES_PER_MINUTE
    assert await limited.guess(2) == [401, 429]


@pytest.mark.parametrize("authorization", ["", "Basic Z292OmV4", f"Bearer {'x' * 5000}"])
async def test_asking_without_a_key_counts_as_guessing(limited: Limited, authorization: str) -> None:
    answers = [(await limited.ask(None, Authorization=authorization)).status_code for _ in range(FAILURES_PER_MINUTE + 1)]
    assert answers == [401] * FAILURES_PER_MINUTE + [429]


async def test_a_right_guess_is_not_told_from_a_wrong_one_once_there_were_too_many(limited: Limited) -> None:
    await limited.guess(FAILURES_PER_MINUTE)
    assert await limited.statuses(1, "northside-operator") == [429]
    assert await limited.statuses(1, "northside-operator", client="192.0.2.2") == [200]


async def test_a_key_that_was_good_goes_on_although_its_neighbour_guesses(limited: Limited) -> None:
    assert await limited.statuses(1) == [200]
    await limited.guess(FAILURES_PER_MINUTE + 1)
    assert await limited.statuses(2) == [200, 200]


async def test_a_key_that_was_good_and_is_revoked_counts_as_a_guess_again(limited: Limited) -> None:
    app = limited.api.app
    secret, key = await new_key(app.store.keys, "soon gone", Role.VIEWER, [EVERY_CLINIC], app.clock())
    limited.api.secrets["gone"] = secret
    assert await limited.statuses(1, "gone") == [200]
    await app.store.keys.revoke_key(key.id, app.clock())
    answers = await limited.statuses(FAILURES_PER_MINUTE + 1, "gone")
    assert answers == [401] * FAILURES_PER_MINUTE + [429]


async def test_a_request_that_may_be_sent_twice_counts_once_each_time_it_is_sent(limited: Limited) -> None:
    left = [(await limited.post(word)).headers["ratelimit"].split(";")[1] for word in ("a", "a", "b")]
    assert left == [f"r={LIMIT - n}" for n in (1, 2, 3)]


async def test_guessing_in_requests_that_may_be_sent_twice_counts_once_too(limited: Limited) -> None:
    guessed = [await limited.post("a", None, Authorization=f"Bearer gov_guess-{n}") for n in range(FAILURES_PER_MINUTE + 1)]
    assert [answer.status_code for answer in guessed] == [401] * FAILURES_PER_MINUTE + [429]


async def test_the_addresses_of_one_ipv6_network_are_one_client(limited: Limited) -> None:
    await limited.guess(FAILURES_PER_MINUTE, client="2001:db8:1:2::1")
    assert await limited.guess(1, client="2001:db8:1:2:ffff::9") == [429]
    assert await limited.guess(1, client="2001:db8:1:3::1") == [401]


async def test_whoever_may_ask_less_may_fail_less(limited: Limited) -> None:
    strict = served(limited.api, 5)
    assert await strict.guess(6) == [401] * 5 + [429]


async def test_probes_metrics_and_the_description_are_not_limited(limited: Limited) -> None:
    await limited.guess(FAILURES_PER_MINUTE + 1)
    for path in ("/healthz", "/readyz", "/metrics", "/schema/openapi.json"):
        for _ in range(LIMIT + 1):
            answer = await limited.ask(None, path)
            assert answer.status_code == 200
        assert "ratelimit" not in answer.headers


async def test_without_a_limit_nothing_is_counted(limited: Limited) -> None:
    free = served(limited.api, 0)
    assert set(await free.guess(FAILURES_PER_MINUTE + 2)) == {401}
    assert set(await free.statuses(LIMIT + 2)) == {200}
    assert "ratelimit" not in (await free.ask()).headers
