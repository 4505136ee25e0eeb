from __future__ import annotations

import httpx

from service.cliniko.progress import UNTOLD_SECONDS, Progress, Tally
from service.sandbox.world import World
from tests.cliniko.sizes import clinic_of, selling, world_of
from tests.cliniko.stage import VirtualTime, diaries_of


async def told(world: World, seconds_each: float) -> list[Progress]:
    """What is told of a reading whose every answer takes so long."""
    time, found = VirtualTime(), list[Progress]()

    def slow(_: httpx.Request) -> None:
        time.now += seconds_each

    async with diaries_of(world, time, intercept=slow, tell=found.append) as diaries:
        await diaries.read((selling(0),))
    return found


async def test_a_short_reading_is_not_worth_a_word() -> None:
    assert await told(world_of(clinic_of(3)), seconds_each=0.05) == []


async def test_a_long_reading_tells_how_far_it_is_until_it_is_done() -> None:
    found = await told(world_of(clinic_of(12)), seconds_each=1)
    done = [progress.done for progress in found]
    assert done == sorted(done)
    assert {progress.total for progress in found} == {12}
    assert done[0] < done[-1] == 12
    assert found[0].seconds_left > found[-1].seconds_left == 0


def test_the_time_left_is_that_of_the_requests_left_at_the_budget() -> None:
    found: list[Progress] = []
    tally = Tally(found.append, per_minute=180, began=0.0, sent_before=8)
    for diary in range(480):
        tally.expect(diary, 2)
    for diary in range(120):
        for _ in range(2):
            tally.answered(diary, now=UNTOLD_SECONDS + diary, sent=8 + 360)
    assert found[-1].done == 120
    assert found[-1].total == 480
    assert found[-1].seconds_left == 360  # 720 questions at one request and a half each
