"""A bucket holds a minute's worth, fills as time passes, and is forgotten when it is full again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.limits import MINUTE, Allowance, TokenBuckets


class Seconds:
    """A clock that the test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


async def test_a_minutes_worth_may_be_asked_at_once_and_then_one_at_a_time(seconds: Seconds) -> None:
    buckets = TokenBuckets(seconds)
    taken = [await buckets.take("key", "a", 60) for _ in range(60)]
    assert [each.left for each in taken] == list(range(59, -1, -1))
    assert {each.wait for each in taken} == {0}
    refused = await buckets.take("key", "a", 60)
    assert refused == Allowance("key", 60, 0, 60.0, 1.0)
    seconds.now += 0.99
    assert (await buckets.take("key", "a", 60)).wait == pytest.approx(0.01)
    seconds.now += 0.02
    assert (await buckets.take("key", "a", 60)).wait == 0


async def test_each_has_a_bucket_of_its_own_under_each_policy(seconds: Seconds) -> None:
    buckets = TokenBuckets(seconds)
    for policy, whose in (("key", "a"), ("key", "b"), ("address", "a")):
        assert (await buckets.take(policy, whose, 1)).wait == 0
        assert (await buckets.take(policy, whose, 1)).wait == 60


async def test_what_is_refused_costs_nothing(seconds: Seconds) -> None:
    buckets = TokenBuckets(seconds)
    await buckets.take("key", "a", 1)
    for _ in range(100):
        await buckets.take("key", "a", 1)
    seconds.now += MINUTE
    assert (await buckets.take("key", "a", 1)).wait == 0


async def test_looking_costs_nothing_and_tells_whether_there_is_room(seconds: Seconds) -> None:
    buckets = TokenBuckets(seconds)
    for _ in range(5):
        assert (await buckets.take("address", "a", 1, cost=0)).wait == 0
    await buckets.take("address", "a", 1)
    assert (await buckets.take("address", "a", 1, cost=0)).wait == 60


async def test_a_clock_that_stands_still_or_goes_back_gives_nothing_away(seconds: Seconds) -> None:
    buckets = TokenBuckets(seconds)
    await buckets.take("key", "a", 1)
    seconds.now -= 30
    assert (await buckets.take("key", "a", 1)).wait >= 60


async def test_buckets_that_are_full_again_are_forgotten(seconds: Seconds) -> None:
    buckets = TokenBuckets(seconds)
    for n in range(1000):
        await buckets.take("address", f"10.0.{n // 256}.{n % 256}", 30)
    assert len(buckets._buckets) == 1000
    seconds.now += MINUTE
    for n in range(1000):
        await buckets.take("address", f"10.1.{n // 256}.{n % 256}", 30)
    assert len(buckets._buckets) == 1000
    seconds.now += MINUTE
    for _ in range(1000):
        await buckets.take("address", "10.2.0.1", 3000)
    assert len(buckets._buckets) == 1


async def test_no_more_buckets_are_kept_than_there_is_room_for(seconds: Seconds) -> None:
    buckets = TokenBuckets(seconds, most=100)
    for n in range(1000):
        await buckets.take("address", str(n), 30)
    assert len(buckets._buckets) == 100
    assert (await buckets.take("address", "999", 30)).left == 28  # the newest are remembered
    assert (await buckets.take("address", "0", 30)).left == 29


@given(steps=st.lists(st.tuples(st.floats(0, 30), st.integers(0, 20)), max_size=30), limit=st.integers(1, 50))
async def test_in_no_stretch_of_time_more_is_let_through_than_a_minutes_worth_and_what_came_in_meanwhile(
    steps: list[tuple[float, int]], limit: int
) -> None:
    seconds = Seconds()
    buckets, let_through = TokenBuckets(seconds), list[float]()
    for pause, asks in steps:
        seconds.now += pause
        taken = [await buckets.take("key", "a", limit) for _ in range(asks)]
        let_through += [seconds.now for each in taken if each.wait == 0]
    for n, first in enumerate(let_through):
        for m, last in enumerate(let_through[n:], start=1):
            assert m <= limit + (last - first) * limit / MINUTE + 1e-6


@pytest.mark.parametrize(
    ("allowance", "headers"),
    [
        (Allowance("key", 600, 599, 0.1, 0), {"RateLimit-Policy": '"key";q=600;w=60', "RateLimit": '"key";r=599;t=1'}),
        (
            Allowance("address", 30, 0, 60, 1.2),
            {"RateLimit-Policy": '"address";q=30;w=60', "RateLimit": '"address";r=0;t=60', "Retry-After": "2"},
        ),
    ],
)
def test_the_headers_say_the_policy_what_is_left_and_how_long_to_wait(allowance: Allowance, headers: dict[str, str]) -> None:
    assert dict(allowance.headers()) == headers
