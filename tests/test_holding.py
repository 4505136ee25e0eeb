"""A person's hold outlives an edit of the rule file: what it was on stays held, whatever it is called."""

from __future__ import annotations

import pytest

from service.core.decide.model import Hold
from service.core.model import Reason
from service.restoring import acts_again
from service.sandbox.scene import HARBOUR
from tests.clinic import BASE, Clinic, paused


async def test_a_campaign_stays_held_under_another_name(clinic: Clinic) -> None:
    clinic.rules(search="1", other="2")
    await clinic.run()
    await clinic.hold(campaign="search")
    clinic.rules("pause", google_search="1", other="2")
    report = await clinic.run()
    assert {each.campaign: each.reason for each in report.decisions}["google_search"] is Reason.HELD
    assert (clinic.ads.states["1"], clinic.ads.states["2"]) == (BASE, paused("60.00")), "the other one is not held"


@pytest.mark.parametrize("part", [{"campaign": "search"}, {"service": "physio"}], ids=["campaign", "service"])
async def test_a_hold_on_a_name_that_is_gone_holds_the_clinic_and_says_what_to_do(clinic: Clinic, part: dict[str, str]) -> None:
    await clinic.run()
    await clinic.hold(**part)
    clinic.rules("pause", service="physiotherapy", other="2")
    decision = await clinic.decided(campaign="other")
    assert decision.reason is Reason.HELD
    assert f"the rule file has no {next(iter(part))} “{next(iter(part.values()))}” any more" in decision.sentence
    assert "`governor unhold h1`" in decision.sentence
    assert clinic.ads.states["2"] == BASE
    assert not await acts_again(clinic.app.governor, HARBOUR)
    await clinic.app.store.holds.unhold("h1", "mia", clinic.world.now)
    await clinic.run()
    assert clinic.ads.states["2"] == paused("60.00")


async def test_a_hold_that_is_placed_while_a_renamed_campaign_is_being_changed_counts(clinic: Clinic) -> None:
    await clinic.run()
    clinic.rules("pause", google_search="1")
    now, clinic.ads.reads = clinic.world.now, 0

    async def held_before_the_write() -> None:
        if clinic.ads.reads == 2:
            await clinic.app.store.holds.hold(
                Hold("h1", HARBOUR, None, "open day", "mia", now, campaign="search", of="google/1")
            )

    clinic.ads.on_read = held_before_the_write
    report = await clinic.run()
    assert [(each.ending, "held by mia" in each.detail) for each in report.changes] == [("superseded", True)]
    assert clinic.ads.states["1"] == BASE


async def test_a_restore_respects_a_hold_that_was_placed_under_a_newer_name(clinic: Clinic) -> None:
    await clinic.run()
    clinic.rules("pause")
    await clinic.run()
    clinic.rules("pause", google_search="1", other="2")
    await clinic.hold(campaign="google_search")
    done = await clinic.restore()
    assert [(each.ending, "held by mia" in each.detail) for each in done.changes] == [("superseded", True)]
    assert clinic.ads.states["1"] == paused("60.00")
