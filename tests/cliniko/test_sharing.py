"""Which clinics share a request budget: as the settings name their keys and users, put together as the service does it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import pytest

from service.app import Adapters
from service.core.ports import DiarySource
from service.observe import Missing
from service.sandbox.cliniko.server import cliniko_app
from service.sandbox.scene import API_KEYS, HARBOUR, NORTHSIDE, scene
from service.sandbox.serving import serving
from service.settings import Settings
from tests.cliniko.stage import EMAIL
from tests.support import shipped

BARE = API_KEYS[HARBOUR].rpartition("-")[0]


@dataclass(slots=True)
class Unlimited:
    """A budget that only counts."""

    limit: int = 180
    taken: Counter[str] = field(default_factory=Counter)

    async def take(self, user: str) -> None:
        self.taken[user] += 1

    async def hold(self, user: str, seconds: float) -> None:
        raise AssertionError(f"{user} is held for {seconds} s")


@pytest.mark.parametrize(
    ("settings", "users"),
    [
        ({"one": {"cliniko_api_key": API_KEYS[HARBOUR]}, "two": {"cliniko_api_key": API_KEYS[NORTHSIDE]}}, 2),
        ({"one": {"cliniko_api_key": API_KEYS[HARBOUR]}, "two": {"cliniko_api_key": API_KEYS[HARBOUR]}}, 1),
        ({"one": {"cliniko_api_key": BARE}, "two": {"cliniko_api_key": API_KEYS[HARBOUR]}}, 1),
        (
            {
                "one": {"cliniko_api_key": API_KEYS[HARBOUR], "cliniko_user": "governor"},
                "two": {"cliniko_api_key": API_KEYS[NORTHSIDE], "cliniko_user": "governor"},
            },
            1,
        ),
    ],
    ids=["two keys", "one key", "one key with and without its shard", "two keys of one user"],
)
async def test_clinics_share_the_budget_of_a_user(settings: dict[str, dict[str, str]], users: int) -> None:
    world, budget = scene(), Unlimited()
    with serving(cliniko_app(world)) as address:
        reached = {"base_url": f"{address}/v1", "contact_email": EMAIL}
        adapters = Adapters(Settings(cliniko=reached, clinics=settings), world.clock(), budget)
        for clinic in settings:
            source: DiarySource | Missing = adapters.outside(replace(shipped(HARBOUR), clinic=clinic)).diaries
            assert not isinstance(source, Missing)
            await source.read(())
        await adapters.aclose()
    assert len(budget.taken) == users
    assert sum(budget.taken.values()) == len(world.requests)
