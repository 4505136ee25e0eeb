"""What Meta's limits on an app mean for all clinics whose accounts it reaches."""

from __future__ import annotations

from datetime import timedelta

from service.core.model import Unreadable
from service.sandbox.scene import HARBOUR, NORTHSIDE
from service.sandbox.world import Fault
from tests.e2e.conftest import Standing

SOCIAL = {HARBOUR: "physio-social", NORTHSIDE: "northside-social"}


async def meta_calls(standing: Standing, clinic: str) -> tuple[int, str]:
    """How many calls a run makes of Meta, and what keeps it from reading there."""
    before = sum(request.system == "meta" for request in standing.world.requests)
    run = (await standing.run(clinic)).run
    seen = (await standing.app.store.runs.load_inputs(run)).snapshot.campaigns
    said = {each.message for each in seen.values() if isinstance(each, Unreadable) and each.system == "meta"}
    return sum(request.system == "meta" for request in standing.world.requests) - before, " ".join(said)


async def test_once_meta_wants_the_app_to_wait_no_clinic_asks_it_anything(standing: Standing) -> None:
    standing.world.fail(Fault("meta", "app_throttled", times=1))
    calls, said = await meta_calls(standing, HARBOUR)
    assert (calls, "asks for fewer calls" in said) == (1, True)
    calls, said = await meta_calls(standing, NORTHSIDE)
    assert (calls, "all ad accounts of this app are left alone until 21 Nov 21:01 UTC" in said) == (0, True), said
    standing.world.advance(timedelta(minutes=1))
    assert (await meta_calls(standing, NORTHSIDE))[0] > 1


async def test_what_one_account_has_used_up_is_no_matter_of_the_others(standing: Standing) -> None:
    standing.world.fail(Fault("meta", "throttled", times=1))
    assert (await meta_calls(standing, HARBOUR))[0] == 1
    calls, said = await meta_calls(standing, NORTHSIDE)
    assert (calls > 1, said) == (True, "")
