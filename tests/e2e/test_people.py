"""Whose hand it was, as the platforms tell, and campaigns handed or put back: over real wire protocols."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from service.answering import answer_plan
from service.core.decide.model import Answer
from service.core.model import Reason, Verdict
from service.restoring import restore
from service.sandbox.scene import HARBOUR, types_named
from service.sandbox.world import Fault
from tests.e2e.conftest import Standing
from tests.e2e.test_safety import edits, held, sold_out

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SEARCH, SOCIAL = "9876543210", "23850000000000001"
HANDS = {"physio-search": "mia@clinic.example", "physio-social": "Mia Chen"}


def person(standing: Standing, campaign: str, *, running: bool) -> None:
    """Somebody at the clinic resumes or pauses a campaign on its platform's own pages."""
    world = standing.world
    if campaign == "physio-search":
        world.edit_google("1234567890", SEARCH, user=HANDS[campaign], status="ENABLED" if running else "PAUSED")
    else:
        world.edit_meta("act_1029384756", SOCIAL, actor=HANDS[campaign], status="ACTIVE" if running else "PAUSED")


async def opened_again(standing: Standing) -> dict[str, Any]:
    """Physiotherapy has openings again, long enough for the rules to want it back; the last decisions by campaign."""
    standing.world.cancel(HARBOUR, types_named(standing.world.clinics[HARBOUR], "Initial physio"), 60)
    for _ in range(10):
        standing.world.advance(3 * HOUR)  # as far apart as runs may be without a wish counting as given up
        report = await standing.run()
        found = {each.campaign: each for each in report.decisions}
        if any(each.reason is Reason.BLAST_RADIUS for each in found.values()):
            await answer_plan(standing.app, report.run, Answer.APPROVED, "operator")  # podiatry is raised at the same time
        elif any(found[name].verdict in {Verdict.APPLY, Verdict.AWAIT_APPROVAL} for name in HANDS):
            return found
    raise AssertionError("the rules never wanted it back")


@pytest.mark.parametrize("campaign", [*HANDS])
@pytest.mark.sampled(2)
async def test_a_drift_has_a_name(standing: Standing, campaign: str) -> None:
    await sold_out(standing)
    standing.world.advance(HOUR)
    person(standing, campaign, running=True)
    standing.world.advance(20 * MINUTE)
    report = await standing.run()
    decision = next(each for each in report.decisions if each.campaign == campaign)
    assert (decision.verdict, decision.reason) == (Verdict.KEEP, Reason.DRIFT)
    assert f"{HANDS[campaign]} changed it" in decision.sentence, decision.sentence
    memory = (await standing.app.store.memory.standings(HARBOUR))[campaign].stood_down
    assert memory is not None
    assert (memory.by, memory.status) == (HANDS[campaign], True)


@pytest.mark.parametrize("campaign", [pytest.param("physio-search", marks=pytest.mark.soak), "physio-social"])
async def test_a_pause_that_somebody_made_theirs_between_two_runs_is_not_ended(standing: Standing, campaign: str) -> None:
    await sold_out(standing)
    standing.world.advance(20 * MINUTE)
    person(standing, campaign, running=True)
    standing.world.advance(10 * MINUTE)
    person(standing, campaign, running=False)
    before = {row[0]: row for row in held(standing)}
    standing.world.advance(20 * MINUTE)
    quiet = await standing.run()
    assert {each.campaign: each.verdict for each in quiet.decisions}[campaign] is Verdict.NONE, "nothing shows"
    found = await opened_again(standing)
    other = next(name for name in HANDS if name != campaign)
    assert (found[campaign].verdict, found[campaign].reason) == (Verdict.KEEP, Reason.DRIFT)
    assert HANDS[campaign] in found[campaign].sentence
    assert "paused or resumed meanwhile" in found[campaign].sentence
    assert (found[other].verdict, found[other].after.running) == (Verdict.APPLY, True)
    id_ = SEARCH if campaign == "physio-search" else SOCIAL
    assert {row[0]: row for row in held(standing)}[id_] == before[id_]


async def test_a_pause_is_not_ended_while_the_history_cannot_be_read(standing: Standing) -> None:
    await sold_out(standing)
    standing.world.fail(Fault("google", "permission_denied", match="change_event"))
    found = await opened_again(standing)
    search = found["physio-search"]
    assert (search.verdict, search.reason) == (Verdict.AWAIT_APPROVAL, Reason.PLATFORM_UNREADABLE), search.sentence
    assert {row[0]: row[1] for row in held(standing)}[SEARCH] == "PAUSED"


async def test_our_own_pause_is_ended_with_one_question_to_the_history(standing: Standing) -> None:
    await sold_out(standing)
    before = edits(standing)
    found = await opened_again(standing)
    for name in HANDS:
        assert (found[name].verdict, found[name].after.running) == (Verdict.APPLY, True), found[name].sentence
    assert {row[0]: row[1] for row in held(standing)}[SEARCH] == "ENABLED"
    assert edits(standing)[SEARCH] > before[SEARCH]
    assert (await standing.app.store.ledger.verify(HARBOUR)).ok


async def test_a_restore_ends_our_pauses_and_leaves_the_one_that_somebody_made_theirs(standing: Standing) -> None:
    await sold_out(standing)
    standing.world.advance(HOUR)
    person(standing, "physio-social", running=True)
    standing.world.advance(HOUR)
    person(standing, "physio-social", running=False)
    standing.world.advance(HOUR)
    done = await restore(standing.app.governor, HARBOUR, "operator")
    assert [(each.change.campaign, each.ending) for each in done.changes if each.change.campaign in HANDS] == [
        ("physio-search", "applied")
    ]
    assert HANDS["physio-social"] in done.left_alone["physio-social"]
    statuses = {row[0]: row[1] for row in held(standing)}
    assert (statuses[SEARCH], statuses[SOCIAL]) == ("ENABLED", "PAUSED")
    assert (await standing.app.store.ledger.verify(HARBOUR)).ok
