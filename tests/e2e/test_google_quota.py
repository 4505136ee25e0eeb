"""What a run costs of Google's quota: an account has 2,880 operations a day at first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.app import bootstrap
from service.core.model import Platform, Verdict
from service.governor import Report
from service.sandbox.scene import HARBOUR
from service.settings import Settings
from tests.e2e.conftest import Standing
from tests.e2e.test_safety import sold_out

HOUR = timedelta(hours=1)
ID = "9876543210"
SEARCH, MUTATE = "GoogleAdsService/SearchStream", "GoogleAdsService/Mutate"


def asked(standing: Standing) -> tuple[int, int]:
    paths = [request.path for request in standing.world.requests]
    return paths.count(SEARCH), paths.count(MUTATE)


async def test_a_run_that_changes_nothing_takes_one_search_of_the_account(standing: Standing) -> None:
    await standing.run()
    assert asked(standing)[0] == 2  # the first one also asks for the currency's unit
    standing.world.requests.clear()
    for _ in range(3):
        standing.world.advance(timedelta(hours=1))
        await standing.run()
    assert asked(standing) == (3, 0)


async def test_runs_of_other_processes_need_no_more(standing: Standing, settings: Settings) -> None:
    """As cron starts them: each run is a process of its own."""
    await standing.run()
    standing.world.requests.clear()
    for n in range(1, 3):
        standing.world.advance(HOUR)
        async with bootstrap(settings, standing.world.clock()) as app:
            await app.governor.run(HARBOUR)
        assert asked(standing) == (n, 0)


@pytest.mark.parametrize("removed", [True, False], ids=["removed", "nowhere"])
async def test_an_id_that_is_left_in_the_file_costs_a_search_more_once_a_day(
    standing: Standing, settings: Settings, removed: bool
) -> None:
    campaigns = standing.world.google["1234567890"].campaigns
    if removed:
        campaigns[ID].status = "REMOVED"
    else:
        del campaigns[ID]
    first = refused(await standing.run())
    assert asked(standing)[0] == 3
    standing.world.requests.clear()
    standing.world.advance(23 * HOUR)
    async with bootstrap(settings, standing.world.clock()) as app:
        assert refused(await app.governor.run(HARBOUR)) == first
    assert asked(standing) == (1, 0)
    standing.world.advance(HOUR)
    await standing.run()
    assert asked(standing) == (1 + 2, 0)


async def test_an_id_that_is_there_after_all_is_no_longer_looked_for(standing: Standing) -> None:
    campaigns = standing.world.google["1234567890"].campaigns
    one = campaigns.pop(ID)
    assert refused(await standing.run())
    campaigns[ID] = one
    standing.world.advance(HOUR)
    assert refused(await standing.run()) == ""


def refused(report: Report) -> str:
    """Why the campaign is not governed, if it is not."""
    decision = next(each for each in report.decisions if each.campaign == "physio-search")
    return decision.sentence if decision.verdict is Verdict.REFUSED else ""


async def test_each_write_takes_one_search_more_and_is_read_back_from_its_answer(standing: Standing) -> None:
    await standing.run()
    standing.world.requests.clear()
    report = await sold_out(standing)
    written = [each for each in report.changes if each.change.platform is Platform.GOOGLE and each.ending == "applied"]
    assert len(written) == 1
    assert asked(standing) == (3 + 1, 1)
