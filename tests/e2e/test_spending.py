"""What Google's day has cost, from run to run over the account's midnight."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from service.core.model import Campaign
from service.sandbox.scene import HARBOUR
from tests.e2e.conftest import Standing
from tests.support import local

NAME, ID, CUSTOMER = "physio-search", "9876543210", "1234567890"


async def spent_today(standing: Standing) -> Decimal | None:
    run = (await standing.run(HARBOUR)).run
    seen = (await standing.app.store.runs.load_inputs(run)).snapshot.campaigns[NAME]
    assert isinstance(seen, Campaign)
    return seen.spent_today


async def test_todays_cost_is_kept_with_the_snapshot_once_a_reading_from_before_midnight_is_there(standing: Standing) -> None:
    world, campaign = standing.world, standing.world.google[CUSTOMER].campaigns[ID]
    world.advance(local(world, f"{world.now + timedelta(days=1):%Y-%m}-25 23:30"))
    campaign.cost_micros_today, campaign.cost_micros_before = 40_000_000, 500_000_000
    assert await spent_today(standing) is None

    world.advance(timedelta(hours=1))
    campaign.cost_micros_today, campaign.cost_micros_before = 1_500_000, 542_000_000  # 2.00 of yesterday came late
    assert await spent_today(standing) == Decimal("3.50")

    world.advance(timedelta(hours=8))
    campaign.cost_micros_today = 11_500_000
    assert await spent_today(standing) == Decimal("13.50")
