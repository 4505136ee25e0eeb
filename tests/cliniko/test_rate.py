from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from service.cliniko.rate import HEADROOM, LIMIT, SlidingWindow
from tests.cliniko.stage import VirtualTime


async def test_a_minute_holds_the_limit_less_the_headroom() -> None:
    time = VirtualTime()
    budget = SlidingWindow(timing=time.timing)
    for _ in range(LIMIT - HEADROOM):
        await budget.take("a")
    assert not time.slept
    await budget.take("a")
    assert sum(time.slept) >= 60


async def test_users_do_not_share_a_budget() -> None:
    time = VirtualTime()
    budget = SlidingWindow(limit=1, timing=time.timing)
    await budget.take("a")
    await budget.take("b")
    assert not time.slept


async def test_a_hold_keeps_everybody_of_that_user_waiting_and_a_shorter_one_does_not_end_it() -> None:
    time = VirtualTime()
    budget = SlidingWindow(timing=time.timing)
    await budget.hold("a", 30)
    await budget.hold("a", 5)
    await budget.take("b")
    assert not time.slept
    await budget.take("a")
    assert sum(time.slept) >= 30


@given(st.lists(st.floats(min_value=0, max_value=20), max_size=60), st.integers(min_value=1, max_value=5))
def test_no_window_ever_holds_more_than_the_limit(pauses: list[float], limit: int) -> None:
    time = VirtualTime()
    budget = SlidingWindow(limit=limit, timing=time.timing)

    async def sent() -> list[float]:
        found = []
        for pause in pauses:
            time.now += pause
            await budget.take("a")
            found.append(time.now)
        return found

    times = asyncio.run(sent())
    assert all(later - earlier >= 60 - 1e-6 for earlier, later in zip(times, times[limit:], strict=False))
