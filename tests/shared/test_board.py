"""What one process was asked by an ad platform, all go by: by a real Redis, through the adapters' own memories."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from service.core.errors import TransientError
from service.google_ads.rests import PROJECT, Rests
from service.meta.allowance import PER_HOUR, Allowance
from service.meta.errors import RestrictedError
from service.meta.pauses import Pauses
from service.shared.board import RedisBoard
from service.shared.connection import connected
from tests.eventually import eventually
from tests.redis_server import RedisServer, redis_server

BOARD = "governor:0:board:*"
ACCOUNT, NODE = "act_1", ("123", "")
MINUTES = timedelta(minutes=20)


def now() -> datetime:
    return datetime.now(UTC)


async def until(raised: Callable[[], object], error: type[Exception], seconds: float = 20.0) -> Exception:
    """What is raised, once it is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            raised()
        except error as found:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError("nothing was heard")


async def test_a_rest_that_google_asked_one_process_for_is_kept_by_all(redis: Redis, other: Redis) -> None:
    here, there = RedisBoard(redis), RedisBoard(other)
    one, two, stranger = (
        Rests(time.monotonic, here),
        Rests(time.monotonic, there),
        Rests(time.monotonic, there, "another sign-in"),
    )
    async with here.running(), there.running():
        one.begin(PROJECT, MINUTES)
        found = await until(lambda: two.check("1234567890"), TransientError)
    assert isinstance(found, TransientError)
    assert found.retry_after is not None
    assert timedelta(minutes=19) < found.retry_after <= MINUTES
    stranger.check("1234567890")


async def test_google_asks_from_a_thread(redis: Redis, other: Redis) -> None:
    here, there = RedisBoard(redis), RedisBoard(other)
    one, two = Rests(time.monotonic, here), Rests(time.monotonic, there)
    async with here.running(), there.running():
        await asyncio.to_thread(one.begin, "1234567890", MINUTES)
        await until(lambda: two.check("1234567890"), TransientError)
        two.check("another account")


async def test_a_process_that_starts_later_learns_what_counts_still_also_where_it_asks_later(
    redis: Redis, other: Redis
) -> None:
    here, there = RedisBoard(redis), RedisBoard(other)
    async with here.running():
        Pauses(now, here, "app").note(ACCOUNT, NODE, TransientError("meta", "wait", code="17", retry_after=MINUTES))
        await eventually(lambda: redis.keys(BOARD))
    async with there.running():
        await asyncio.sleep(0.3)
        pauses = Pauses(now, there, "app")
        found = await until(lambda: pauses.check(ACCOUNT, "GET", NODE), TransientError, 5.0)
    assert "wait" in str(found)


async def test_a_restriction_is_one_in_every_process(redis: Redis, other: Redis) -> None:
    here, there = RedisBoard(redis), RedisBoard(other)
    one, two = Pauses(now, here, "app"), Pauses(now, there, "app")
    async with here.running(), there.running():
        one.note(ACCOUNT, NODE, RestrictedError("meta", "integrity", code="368"))
        found = await until(lambda: two.check(ACCOUNT, "POST", NODE), RestrictedError)
        assert "integrity" in str(found)
        two.check(ACCOUNT, "GET", NODE)  # reading is not restricted


async def test_four_changes_of_a_budget_an_hour_are_counted_over_all_processes(redis: Redis, other: Redis) -> None:
    here, there = RedisBoard(redis), RedisBoard(other)
    one, two = Allowance(now, here, ACCOUNT), Allowance(now, there, ACCOUNT)
    async with here.running(), there.running():
        for n in range(PER_HOUR):
            (one if n % 2 else two).note("ad set")
        for each in (one, two):
            await until(lambda each=each: each.check("ad set"), TransientError)  # type: ignore[misc] # bound now
            each.check("another")


async def test_what_was_said_while_redis_was_away_is_told_when_it_is_back(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        server = stack.enter_context(redis_server(tmp_path / "one"))
        boards = [RedisBoard(await stack.enter_async_context(connected(SecretStr(server.url)))) for _ in range(2)]
        one, two = (Rests(time.monotonic, board) for board in boards)
        for board in boards:
            await stack.enter_async_context(board.running())
        one.begin("before", MINUTES)
        await until(lambda: two.check("before"), TransientError)
        server.kill()
        one.begin("meanwhile", MINUTES)
        with pytest.raises(TransientError):
            two.check("before")  # what was heard is known without Redis
        server.start()
        await until(lambda: two.check("meanwhile"), TransientError)
        third = RedisBoard(await stack.enter_async_context(connected(SecretStr(server.url))))
        await stack.enter_async_context(third.running())
        latest = Rests(time.monotonic, third)
        await until(lambda: latest.check("before"), TransientError)  # Redis had lost it, who said it had not


async def test_what_nobody_understands_is_not_heard_and_stops_nothing(redis: Redis, other: Redis) -> None:
    here, there = RedisBoard(redis), RedisBoard(other)
    await redis.set("governor:0:board:x:y", "not JSON", px=60_000)
    one, two = Rests(time.monotonic, here), Rests(time.monotonic, there)
    async with here.running(), there.running():
        await asyncio.sleep(0.2)
        for odd in ('60000 {"by": 1}', "hello", "", "x {}", '60000 {"by": "x", "topic": "google", "whom": 1, "said": 2}'):
            await redis.publish("governor:0:board", odd)
        one.begin("somebody", MINUTES)
        await until(lambda: two.check("somebody"), TransientError)


async def test_what_another_version_says_keeps_nobody_from_listening(redis: Redis, other: Redis) -> None:
    here, there = RedisBoard(redis), RedisBoard(other)
    async with here.running(), there.running():
        here.post("meta app", "somebody", {"of another": "version"}, MINUTES)
        await eventually(lambda: redis.keys(BOARD))
        await asyncio.sleep(0.2)
        pauses = Pauses(now, there, "app")
        pauses.check(ACCOUNT, "GET", NODE)
        Pauses(now, here, "app").note(ACCOUNT, NODE, TransientError("meta", "wait", code="17", retry_after=MINUTES))
        await until(lambda: pauses.check(ACCOUNT, "GET", NODE), TransientError)


async def test_installations_that_share_a_redis_do_not_hear_each_other(redis: Redis, other: Redis, server: RedisServer) -> None:
    async with connected(SecretStr(server.url.replace("/0", "/5"))) as elsewhere:
        here, there, mine = RedisBoard(redis), RedisBoard(elsewhere), RedisBoard(other)
        one, stranger, two = (Rests(time.monotonic, board) for board in (here, there, mine))
        async with here.running(), there.running(), mine.running():
            one.begin("somebody", MINUTES)
            await until(lambda: two.check("somebody"), TransientError)
            await asyncio.sleep(0.2)
            stranger.check("somebody")


async def test_what_counts_no_more_is_forgotten(redis: Redis) -> None:
    board = RedisBoard(redis)
    async with board.running():
        for n in range(20):
            board.post("topic", f"{n}", {}, timedelta(seconds=0.1))
        await asyncio.sleep(0.5)
        board.post("topic", "last", {}, MINUTES)

        async def forgotten() -> bool:
            return set(board._mine) == {("topic", "last")}

        await eventually(forgotten)


async def test_what_counts_no_more_is_in_redis_no_more(redis: Redis) -> None:
    board = RedisBoard(redis)
    async with board.running():
        board.post("topic", "whom", {}, timedelta(seconds=0.3))
        await eventually(lambda: redis.keys(BOARD))
        await asyncio.sleep(0.4)
        assert await redis.keys(BOARD) == []
