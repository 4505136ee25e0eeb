"""What a run costs of Google's quota: an account has 2,880 operations a day at first."""

from __future__ import annotations

from datetime import timedelta

from service.core.model import Platform
from tests.e2e.conftest import Standing
from tests.e2e.test_safety import sold_out

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


async def test_each_write_takes_one_search_more_and_is_read_back_from_its_answer(standing: Standing) -> None:
    await standing.run()
    standing.world.requests.clear()
    report = await sold_out(standing)
    written = [each for each in report.changes if each.change.platform is Platform.GOOGLE and each.ending == "applied"]
    assert len(written) == 1
    assert asked(standing) == (3 + 1, 1)
