"""A worker that slept so long that another has its clinic: it changes nothing, whatever it was about to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from service.app import App
from service.core.errors import LeaseLostError
from service.core.model import Campaign, Platform, Unreadable
from service.core.rules.language import RuleSet
from service.observe import Outside
from service.sandbox.scene import HARBOUR, scene
from service.sandbox.world import World
from tests.web.world import Near, WorldAds, app_over, book_out

GOOGLE = "9876543210"


@dataclass
class Sleeping:
    """The outside of a worker that falls asleep between the second look at a campaign and its write."""

    near: Near
    app: App
    slept: list[str] = field(default_factory=list)

    def __call__(self, rules: RuleSet) -> Outside:
        outside = self.near(rules)
        asleep = _Asleep(self.near.world, rules, Platform.GOOGLE, self)
        return Outside(outside.diaries, {**outside.accounts, Platform.GOOGLE: asleep})


@dataclass(frozen=True, slots=True)
class _Asleep(WorldAds):
    worker: Sleeping

    async def read(self, ids: Sequence[str]) -> Mapping[str, Campaign | Unreadable]:
        found = await WorldAds.read(self, ids)
        if list(ids) == [GOOGLE] and not self.worker.slept:
            self.world.advance(timedelta(minutes=20))
            self.worker.slept.append((await self.worker.app.governor.run(HARBOUR)).run)
        return found


def status(world: World) -> str:
    (found,) = (each.campaigns[GOOGLE] for each in world.google.values() if GOOGLE in each.campaigns)
    return found.status


async def test_a_worker_that_wakes_up_late_writes_nothing(tmp_path: Path) -> None:
    near = Near(scene())
    async with app_over(near, tmp_path) as app:
        for _ in range(4):
            await app.governor.run(HARBOUR)
            near.world.advance(timedelta(hours=1))
        book_out(near.world)
        await app.governor.run(HARBOUR)
        near.world.advance(timedelta(hours=1))
        worker = Sleeping(near, app)
        with pytest.raises(LeaseLostError, match="another worker governs"):
            await replace(app.governor, outside=worker, holder="asleep").run(HARBOUR)
        standing = (await app.store.memory.standings(HARBOUR))["physio-search"]
        assert len(worker.slept) == 1
        assert await app.store.intents.open(HARBOUR) == ()
        assert (standing.stood_down, standing.paused_by_us, status(near.world)) == (None, True, "PAUSED")
        records = (await app.store.ledger.records(chains=[HARBOUR], limit=500)).items
        failed = [each.body["message"] for each in records if each.kind == "run.failed"]
        assert failed == ["interrupted"], "the run that was taken over is closed once"
