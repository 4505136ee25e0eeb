"""Earlier readings of the ad accounts."""

from __future__ import annotations

from service.store.store import Store
from tests.store.samples import CLINIC, HOUR, NOW, inputs, outcome, snapshot


async def test_the_campaigns_of_a_stretch_are_read_newest_first_also_where_cliniko_was_not_readable(
    store: Store, fence: int
) -> None:
    taken = [snapshot(NOW + n * HOUR, readable=n % 2 == 0) for n in range(5)]
    for n, each in enumerate(taken):
        await store.runs.begin(f"run-{n}", CLINIC, each.taken_at)
        made = inputs(f"run-{n}", now=each.taken_at, snapshot=each, baselines=())
        await store.runs.record(made, outcome(f"run-{n}", decisions=()), fence)

    found = await store.snapshots.campaigns(CLINIC, taken[1].taken_at, taken[4].taken_at)

    assert found == tuple(each.campaigns for each in (taken[3], taken[2], taken[1]))
    assert await store.snapshots.campaigns("another-clinic", NOW, NOW + 9 * HOUR) == ()
