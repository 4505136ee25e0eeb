"""One limit of requests per API key for several processes that serve, by a real Redis."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from redis.asyncio import Redis

from service.limits import TokenBuckets
from service.shared.buckets import PATIENCE, REST, SharedBuckets
from service.shared.connection import connected
from tests.redis_server import RedisServer, redis_server


@dataclass(slots=True)
class Seconds:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


async def test_what_one_process_answers_counts_in_the_other(redis: Redis, other: Redis) -> None:
    one, two = SharedBuckets(redis), SharedBuckets(other)
    for expected in (9, 8, 7):
        assert (await one.take("key", "k", 10)).left == expected
    for _ in range(7):
        allowed = await two.take("key", "k", 10)
    assert (allowed.left, allowed.wait) == (0, 0.0)
    refused = await one.take("key", "k", 10)
    assert 0 < refused.wait <= 6.0


async def test_a_bucket_fills_as_time_passes(redis: Redis) -> None:
    buckets = SharedBuckets(redis)
    for _ in range(600):
        await buckets.take("key", "k", 600)
    await asyncio.sleep(0.35)  # 10 a second
    assert 3 <= (await buckets.take("key", "k", 600, cost=0)).left <= 60


async def test_to_see_whether_there_is_room_costs_nothing(redis: Redis) -> None:
    buckets = SharedBuckets(redis)
    await buckets.take("address", "a", 1)
    before = await buckets.take("address", "a", 1, cost=0)
    assert before.wait > 0
    assert (await buckets.take("address", "a", 1, cost=0)).wait <= before.wait


async def test_it_answers_as_a_process_alone_does(redis: Redis) -> None:
    """The same requests at the same moment: the same allowances."""
    shared, alone = SharedBuckets(redis), TokenBuckets()
    for cost in (1, 0, 3, 1, 5, 1):
        by_redis, by_itself = await shared.take("key", "k", 8, cost), await alone.take("key", "k", 8, cost)
        assert (by_redis.left, by_redis.limit) == (by_itself.left, by_itself.limit)
        assert abs(by_redis.full - by_itself.full) < 5
        assert (by_redis.wait > 0) is (by_itself.wait > 0)


async def test_a_redis_that_hangs_makes_few_requests_wait_and_none_for_long(tmp_path: Path) -> None:
    with redis_server(tmp_path / "one") as server, server.hanging():
        async with connected(SecretStr(server.url)) as redis:
            clock = Seconds()
            buckets = SharedBuckets(redis, monotonic=clock)
            for _ in range(3):
                began = time.monotonic()
                await asyncio.gather(*(buckets.take("key", "k", 600) for _ in range(50)))
                assert time.monotonic() - began < 12 * PATIENCE
                clock.now += REST
            first = asyncio.create_task(buckets.take("key", "k", 600))
            await asyncio.sleep(0)
            await buckets.take("key", "k", 600)
            assert not first.done(), "while one finds out, nobody else waits"
            await first


async def test_without_redis_a_process_counts_for_itself_and_asks_redis_again_after_a_while(
    server: RedisServer, redis: Redis
) -> None:
    clock = Seconds()
    async with connected(SecretStr(server.url.replace(str(server.port), "1"))) as away:
        buckets = SharedBuckets(away, monotonic=clock)
        assert [(await buckets.take("key", "k", 2)).wait > 0 for _ in range(3)] == [False, False, True]
    buckets.redis = redis
    buckets.__post_init__()
    assert (await buckets.take("key", "k", 2)).wait > 0  # it is not asked yet
    clock.now += REST
    assert (await buckets.take("key", "k", 2)).wait == 0
