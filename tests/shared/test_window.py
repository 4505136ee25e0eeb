"""One request budget for several processes, by a real Redis."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from service.core.errors import StoreError
from service.shared.connection import connected
from service.shared.window import SharedWindow
from tests.eventually import eventually
from tests.redis_server import RedisServer, redis_server

LIMIT, WINDOW = 20, 1.0


async def up_for(redis: Redis, seconds: float) -> None:
    """Wait until Redis has been up for so long."""

    async def up() -> bool:
        return bool((await redis.info("server"))["uptime_in_seconds"] >= seconds)

    await eventually(up)


def most_within(moments: list[float], window: float) -> int:
    """The most that lie in any stretch of time of this length."""
    most, recent = 0, deque[float]()
    for moment in sorted(moments):
        recent.append(moment)
        while recent[0] <= moment - window:
            recent.popleft()
        most = max(most, len(recent))
    return most


async def test_processes_together_stay_within_one_users_budget(redis: Redis, other: Redis) -> None:
    await up_for(redis, WINDOW)
    windows = [SharedWindow(each, LIMIT, WINDOW) for each in (redis, other)]
    sent: list[float] = []

    async def ask(window: SharedWindow) -> None:
        await window.take("somebody")
        sent.append(time.monotonic())

    await asyncio.gather(*(ask(window) for window in windows for _ in range(35)))
    # A moment is noted after it was claimed: two that were claimed just over a window apart may look nearer by that delay.
    assert most_within(sent, WINDOW * 0.9) <= LIMIT
    assert max(sent) - min(sent) >= 3 * WINDOW
    assert max(sent) - min(sent) < 6 * WINDOW  # nobody waits for much longer than there is need to


async def test_users_do_not_wait_for_each_other(redis: Redis) -> None:
    await up_for(redis, WINDOW)
    window = SharedWindow(redis, 1, WINDOW)
    began = time.monotonic()
    for user in range(20):
        await window.take(f"user {user}")
    assert time.monotonic() - began < WINDOW


async def test_a_hold_is_every_processes_hold_and_a_shorter_one_does_not_end_it(redis: Redis, other: Redis) -> None:
    await up_for(redis, WINDOW)
    one, two = SharedWindow(redis, LIMIT, WINDOW), SharedWindow(other, LIMIT, WINDOW)
    began = time.monotonic()
    await one.hold("somebody", 0.8)
    await one.hold("somebody", 0.1)
    await two.take("somebody")
    assert time.monotonic() - began >= 0.8


async def test_a_redis_that_was_just_started_is_not_believed_to_know_who_has_sent_what(tmp_path: Path) -> None:
    with redis_server(tmp_path / "new") as new:
        began = time.monotonic()
        async with connected(SecretStr(new.url)) as redis:
            await SharedWindow(redis, LIMIT, window=2.0).take("somebody")
    assert time.monotonic() - began >= 1.0  # its uptime is whole seconds


async def test_one_waits_for_a_redis_that_is_away_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    with redis_server(tmp_path / "one", durable=True) as server:
        async with connected(SecretStr(server.url)) as redis:
            await up_for(redis, WINDOW)
            window = SharedWindow(redis, LIMIT, WINDOW)
            await window.take("somebody")
            server.kill()
            taking = asyncio.create_task(window.take("somebody"))
            await asyncio.sleep(0.2)
            assert not taking.done()
            server.start()
            await asyncio.wait_for(taking, 20)


async def test_after_a_while_nothing_is_sent_and_the_run_is_given_up(server: RedisServer) -> None:
    away = SecretStr(server.url.replace(str(server.port), "1"))
    async with connected(away) as redis:
        window = SharedWindow(redis, LIMIT, WINDOW, patience=0.1)
        with pytest.raises(StoreError, match=r"Redis.*nothing was sent"):
            await window.take("somebody")


async def test_keys_are_gone_when_they_count_no_more(redis: Redis) -> None:
    await up_for(redis, WINDOW)
    window = SharedWindow(redis, LIMIT, 0.2)
    await window.take("somebody")
    await window.hold("somebody", 0.1)
    await asyncio.sleep(1.5)
    assert await redis.keys("*") == []
