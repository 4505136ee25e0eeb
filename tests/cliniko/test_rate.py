from __future__ import annotations

import asyncio
from itertools import pairwise

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


async def test_nothing_slips_through_uncounted_where_a_minute_is_over_but_for_rounding() -> None:
    time = VirtualTime(now=3.3)
    budget = SlidingWindow(limit=1, timing=time.timing)
    await budget.take("a")
    time.now = 63.3  # 63.3 - 60 < 3.3, but 3.3 + 60 - 63.3 == 0
    for _ in range(3):
        await budget.take("a")
    assert time.now > 63.3 + 2 * 60


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


async def test_of_two_clinics_that_share_a_user_neither_waits_for_all_of_the_other() -> None:
    time = VirtualTime()
    budget = SlidingWindow(limit=1, timing=time.timing)
    sent: list[str] = []

    async def clinic(name: str, requests: int, at_a_time: int) -> None:
        waiting = iter(range(requests))

        async def worker() -> None:
            for _ in waiting:
                await budget.take("a")
                sent.append(name)

        await asyncio.gather(*(worker() for _ in range(at_a_time)))

    await asyncio.gather(clinic("large", 100, at_a_time=6), clinic("small", 10, at_a_time=2))
    turns = [n for n, name in enumerate(sent) if name == "small"]
    assert max(later - earlier for earlier, later in pairwise([-1, *turns])) <= 6 + 2
    assert len(sent) == 110


async def test_a_request_that_is_called_off_while_it_waits_gives_its_turn_away() -> None:
    budget = SlidingWindow(limit=1)
    await budget.take("a")
    called_off = asyncio.create_task(budget.take("a"))
    waiting = asyncio.create_task(budget.take("a"))
    await asyncio.sleep(0)
    called_off.cancel()
    budget.window = 0.001
    await asyncio.wait_for(waiting, 5)
    assert (called_off.cancelled(), waiting.done()) == (True, True)


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
