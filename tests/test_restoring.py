"""A restore puts back what is ours, touches nothing else, and lists every campaign that it leaves as it is."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from service.core.decide.left import left_changed
from service.core.errors import AmbiguousWriteError
from service.core.model import State, Verdict
from service.readopting import readopt
from service.revisions import in_force
from service.sandbox.scene import HARBOUR
from tests.clinic import BASE, DAY, MINUTE, Clinic, at, paused


async def paused_by_us(clinic: Clinic) -> None:
    await clinic.run()
    clinic.rules("pause")
    await clinic.run()
    assert clinic.ads.states["1"] == paused("60.00")


async def test_our_pause_is_ended_and_a_second_restore_has_nothing_to_do(clinic: Clinic) -> None:
    await paused_by_us(clinic)
    done = await clinic.restore()
    assert ([each.ending for each in done.changes], done.left_alone, clinic.ads.states["1"]) == (["applied"], {}, BASE)
    again = await clinic.restore()
    assert (again.changes, again.left_alone) == ((), {})


async def test_a_change_of_ours_that_does_not_show_yet_is_not_blamed_on_a_person(clinic: Clinic) -> None:
    await clinic.run()
    clinic.rules("pause")
    clinic.ads.lagging = True
    await clinic.run()
    done = await clinic.restore(5 * MINUTE)
    assert done.changes == ()
    assert "our own change does not show yet" in done.left_alone["search"]
    assert "again in 15 minutes" in done.left_alone["search"]
    clinic.ads.lagging, clinic.ads.shown = False, {}
    assert [each.ending for each in (await clinic.restore(15 * MINUTE)).changes] == ["applied"]
    assert clinic.ads.states["1"] == BASE


async def test_a_change_whose_outcome_is_unknown_is_listed(clinic: Clinic) -> None:
    await clinic.run()
    clinic.rules("pause")
    clinic.ads.lagging, clinic.ads.after_write = True, AmbiguousWriteError("google", "503")
    await clinic.run()
    done = await clinic.restore(5 * MINUTE)
    assert done.changes == ()
    assert "interrupted" in done.left_alone["search"]
    assert "may be on its way" in done.left_alone["search"]
    assert not clinic.ads.states["1"].running


@pytest.mark.parametrize("noticed", [True, False], ids=["noticed by a run", "not noticed yet"])
async def test_our_pause_of_a_campaign_whose_budget_somebody_edited_is_listed_and_left(
    clinic: Clinic, *, noticed: bool
) -> None:
    await paused_by_us(clinic)
    clinic.later()
    clinic.ads.person("1", budget=Decimal("70.00"))
    if noticed:
        await clinic.run()
    done = await clinic.restore()
    assert done.changes == ()
    assert "it is paused at 70.00 now, we had left it paused at 60.00" in done.left_alone["search"]
    assert ("mia changed it" in done.left_alone["search"]) is noticed
    assert clinic.ads.states["1"] == paused("70.00")


async def left(clinic: Clinic) -> list[tuple[str, State]]:
    """What is listed as left changed once `search` has left the file."""
    clinic.rules(other="2")
    await clinic.run()
    rules = (await in_force(clinic.app.store, clinic.app.directory, HARBOUR, clinic.world.now)).rules
    found = left_changed(await clinic.app.store.memory.standings(HARBOUR), rules)
    return [(each.campaign, each.state) for each in found]


@pytest.mark.parametrize(
    ("change", "listed"),
    [
        pytest.param({"budget": Decimal("70.00")}, [("search", paused("70.00"))], id="its budget edited: our pause is left"),
        pytest.param({"running": True}, [], id="resumed: nothing of ours is left"),
    ],
)
async def test_what_is_left_of_ours_after_somebodys_change_is_left_changed(
    clinic: Clinic, change: dict[str, object], listed: list[tuple[str, State]]
) -> None:
    await paused_by_us(clinic)
    clinic.later()
    clinic.ads.person("1", **change)
    await clinic.run()
    assert await left(clinic) == listed


async def test_a_budget_that_somebody_set_and_the_rules_took_on_is_theirs(clinic: Clinic) -> None:
    await clinic.run()
    clinic.rules("{budget: 70.00}")
    await clinic.run()
    clinic.later()
    clinic.ads.person("1", budget=Decimal("80.00"))
    clinic.rules("{budget: 80.00}")
    await clinic.run()
    await clinic.run(8 * DAY)
    assert (await clinic.standing()).stood_down is None
    done = await clinic.restore()
    assert done.changes == ()
    assert "somebody made it so before the rules took it on" in done.left_alone["search"]
    assert clinic.ads.states["1"] == at("80.00")
    assert await left(clinic) == []


async def test_a_pause_that_somebody_made_and_handed_back_is_theirs(clinic: Clinic) -> None:
    await clinic.run()
    clinic.rules("{budget: 70.00}")
    await clinic.run()
    clinic.ads.person("1", running=False)
    await clinic.run()
    clinic.rules("pause")
    await readopt(clinic.app.governor, HARBOUR, "search", "operator")
    await clinic.run()
    writes = len(clinic.ads.writes)
    done = await clinic.restore()
    assert (done.changes, len(clinic.ads.writes)) == ((), writes)
    assert "somebody made it so" in done.left_alone["search"]


async def test_what_we_changed_after_it_was_handed_back_is_ours_again(clinic: Clinic) -> None:
    await clinic.run()
    clinic.ads.person("1", budget=Decimal("80.00"))
    await clinic.run()
    await readopt(clinic.app.governor, HARBOUR, "search", "operator")
    clinic.rules("{budget: 30.00}")
    await clinic.run()
    assert [each.ending for each in (await clinic.restore(timedelta(hours=2))).changes] == ["applied"]
    assert clinic.ads.states["1"] == BASE


# --- shared budgets -----------------------------------------------------------------------------------------------------

ALLOW = ", shared_budget: allow"


async def test_pauses_on_a_shared_budget_are_ended_once_its_campaigns_have_left_the_file(clinic: Clinic) -> None:
    clinic.ads.purse = ("1", "2")
    clinic.rules("pause", more=ALLOW, a="1", b="2")
    await clinic.run()
    assert (clinic.ads.states["1"], clinic.ads.states["2"]) == (paused("60.00"), paused("60.00"))
    clinic.rules(c="3")
    await clinic.run()
    done = await clinic.restore()
    assert ({each.ending for each in done.changes}, len(done.changes), done.left_alone) == ({"applied"}, 2, {})
    assert (clinic.ads.states["1"], clinic.ads.states["2"]) == (BASE, BASE)


async def test_a_shared_amount_is_put_back_where_all_on_it_have_it_from_us(clinic: Clinic) -> None:
    clinic.ads.purse = ("1", "2")
    clinic.rules("{budget: 40.00}", more=ALLOW, a="1", b="2")
    await clinic.run()
    clinic.rules(c="3")
    await clinic.run()
    done = await clinic.restore()
    assert ({each.ending for each in done.changes}, done.left_alone) == ({"applied"}, {})
    assert (clinic.ads.states["1"], clinic.ads.states["2"]) == (BASE, BASE)
    again = await clinic.restore()
    assert (again.changes, again.left_alone) == ((), {})


async def test_a_shared_amount_stays_where_a_campaign_came_on_it_that_is_none_of_ours(clinic: Clinic) -> None:
    clinic.ads.purse = ("1", "2")
    clinic.rules("{budget: 40.00}", more=ALLOW, a="1", b="2")
    await clinic.run()
    clinic.rules("pause", more=ALLOW, a="1", b="2")
    await clinic.run()
    clinic.rules(c="3")
    await clinic.run()
    clinic.ads.purse, clinic.ads.states["9"] = ("1", "2", "9"), at("40.00")
    done = await clinic.restore()
    assert {each.ending for each in done.changes} == {"applied"}, "our pauses are ended all the same"
    assert set(done.left_alone) == {"a", "b"}
    assert "its budget stays at 40.00: its budget is shared with campaign 9" in done.left_alone["a"]
    assert {clinic.ads.states[id_] for id_ in "129"} == {at("40.00")}


# --- whole units --------------------------------------------------------------------------------------------------------


async def test_a_base_that_is_finer_than_the_platform_is_put_back_in_its_units(clinic: Clinic) -> None:
    clinic.ads.unit, clinic.ads.states["1"] = Decimal(1), at("60")
    clinic.rules("{budget: 40.00}", base="60.50")
    await clinic.run()
    done = await clinic.restore()
    assert ([(each.ending, each.detail) for each in done.changes], done.left_alone) == ([("applied", "applied")], {})
    assert clinic.ads.states["1"] == at("60")
    again = await clinic.restore()
    assert (again.changes, again.left_alone) == ((), {})
    clinic.rules(base="60.50", other="2")
    await clinic.run()
    assert await left(clinic) == []
    clinic.rules(base="60.50")
    assert (await clinic.decided()).verdict is Verdict.NONE
