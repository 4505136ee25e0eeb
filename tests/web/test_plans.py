"""Plans that ask, people who answer, and what the next run makes of it; and campaigns put back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.core.canonical import canonical
from service.core.engine import conclude
from service.sandbox.scene import HARBOUR
from tests.web.conftest import HOUR, Api
from tests.web.world import book_out

EVALUATIONS = f"/v1/clinics/{HARBOUR}/evaluations"
PHYSIO = {"physio-search", "physio-social"}


def rewrite(api: Api, before: str, after: str) -> None:
    """Edit Harbour's rule file."""
    path = Path(api.app.settings.rules_dir) / f"{HARBOUR}.yaml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


async def evaluate(api: Api, later: timedelta = HOUR) -> dict[str, dict[str, Any]]:
    """A run `later`, its decisions by campaign."""
    api.near.world.advance(later)
    run = (await api.ask("POST", EVALUATIONS, json={"dry_run": False})).json()
    return {each["campaign"]: each for each in run["decisions"]}


@dataclass(frozen=True, slots=True)
class Asked:
    """Harbour in mode propose, with its physiotherapy sold out: two pauses or cuts wait for an answer."""

    api: Api
    decisions: dict[str, dict[str, Any]]

    @property
    def run(self) -> str:
        return str(self.decisions["physio-search"]["run"])


@pytest.fixture
async def asked(api: Api) -> Asked:
    rewrite(api, "mode: enforce", "mode: propose")
    await evaluate(api, timedelta(0))
    book_out(api.near.world)
    await evaluate(api, 23 * HOUR)
    return Asked(api, await evaluate(api))


async def recorded(api: Api, kind: str) -> list[str]:
    return [each["text"] for each in (await api.get("/v1/audit", clinic=HARBOUR, kind=kind))["items"]]


async def test_a_plan_lists_what_it_asks_once_however_often_it_is_asked(asked: Asked) -> None:
    plan = await asked.api.get(f"/v1/plans/{asked.run}")
    waiting = [each for each in plan["decisions"] if each["verdict"] == "await_approval"]
    assert {each["campaign"] for each in waiting} == PHYSIO
    assert plan["plan"]["pending"] == 2
    assert {each["id"] for each in plan["questions"]} == {each["asks"] for each in waiting}
    again = await evaluate(asked.api)
    assert {again[name]["asks"] for name in PHYSIO} == {each["asks"] for each in waiting}
    listed = (await asked.api.get("/v1/plans", clinic=HARBOUR))["items"]
    assert [each["pending"] for each in listed[:2]] == [2, 2]
    assert (await asked.api.get("/v1/plans", key="northside-operator"))["items"] == []


async def test_a_run_that_asks_can_be_computed_again(asked: Asked) -> None:
    runs = asked.api.app.store.runs
    await asked.api.ask("POST", f"/v1/plans/{asked.run}/approval", json={})
    later = (await evaluate(asked.api))["physio-search"]["run"]
    for run in (asked.run, later):
        assert canonical(conclude(await runs.load_inputs(run))) == await runs.outcome_text(run)


async def test_what_is_approved_is_carried_out_by_the_next_run_and_says_by_whom(asked: Asked) -> None:
    decision = asked.decisions["physio-search"]
    answer = await asked.api.ask("POST", f"/v1/decisions/{decision['id']}/approval", "harbour-operator", json={"reason": "yes"})
    assert answer.status_code == 200
    assert (answer.json()["answer"], answer.json()["by"]) == ("approved", "harbour-operator")
    done = (await evaluate(asked.api))["physio-search"]
    assert (done["verdict"], done["approved_by"], done["after"]) == ("apply", "harbour-operator", decision["after"])
    assert "approved by harbour-operator" in done["sentence"]
    [text] = await recorded(asked.api, "approval")
    assert '"by":"harbour-operator"' in text
    assert (await evaluate(asked.api))["physio-social"]["verdict"] == "await_approval", "the other one still waits"


async def test_a_whole_plan_is_approved_at_once(asked: Asked) -> None:
    answer = await asked.api.ask("POST", f"/v1/plans/{asked.run}/approval", "harbour-operator", json={})
    assert ({each["campaign"] for each in answer.json()["questions"]}, answer.json()["refused"]) == (PHYSIO, [])
    done = await evaluate(asked.api)
    assert {done[name]["verdict"] for name in PHYSIO} == {"apply"}
    later = await asked.api.ask("POST", f"/v1/plans/{asked.run}/rejection", json={"reason": "too late"})
    assert (later.status_code, later.json()["type"]) == (409, "urn:governor:problem:answered")


async def test_what_is_rejected_stays_and_the_decision_says_why(asked: Asked) -> None:
    path = f"/v1/decisions/{asked.decisions['physio-search']['id']}/rejection"
    assert (await asked.api.ask("POST", path, json={})).status_code == 400, "a no needs its reason"
    blank = await asked.api.ask("POST", path, json={"reason": "   "})
    assert (blank.status_code, "give a reason" in blank.json()["detail"]) == (422, True)
    assert (await asked.api.ask("POST", path, json={"reason": "open day"})).status_code == 200
    assert (await asked.api.ask("POST", path, json={"reason": "open day"})).status_code == 200, "said twice is said once"
    kept = (await evaluate(asked.api))["physio-search"]
    assert (kept["verdict"], kept["reason"], kept["asks"]) == ("keep", "mode", None)
    assert "rejected it" in kept["sentence"]
    assert "open day" in kept["sentence"]
    assert len(await recorded(asked.api, "rejection")) == 1
    other = await asked.api.ask("POST", path.replace("rejection", "approval"), json={})
    assert (other.status_code, other.json()["type"]) == (409, "urn:governor:problem:answered")


async def test_a_question_that_nobody_answered_for_a_day_takes_no_answer(asked: Asked) -> None:
    asked.api.near.world.advance(25 * HOUR)
    path = f"/v1/decisions/{asked.decisions['physio-search']['id']}/approval"
    answer = await asked.api.ask("POST", path, json={})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:governor:problem:answered")
    assert "waited a day" in answer.json()["detail"]


async def test_an_approval_is_void_once_the_rules_for_the_campaign_change(asked: Asked) -> None:
    await asked.api.ask("POST", f"/v1/plans/{asked.run}/approval", json={})
    rewrite(asked.api, "floor: 10.00", "floor: 12.00")
    again = await evaluate(asked.api)
    assert {again[name]["verdict"] for name in PHYSIO} == {"await_approval"}
    assert {again[name]["asks"] for name in PHYSIO} == {again[name]["id"] for name in PHYSIO}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/decisions/nothing/approval", 404),
        ("/v1/plans/nothing/approval", 404),
        ("/v1/plans/nothing", 404),
    ],
)
async def test_what_does_not_exist_cannot_be_answered(api: Api, path: str, status: int) -> None:
    answer = await (api.ask("GET", path) if path.endswith("nothing") else api.ask("POST", path, json={}))
    assert answer.status_code == status


async def test_a_foreign_clinics_plan_does_not_exist_and_a_viewer_does_not_answer(asked: Asked) -> None:
    decision = asked.decisions["physio-search"]["id"]
    for path in (f"/v1/plans/{asked.run}/approval", f"/v1/decisions/{decision}/approval"):
        assert (await asked.api.ask("POST", path, "northside-operator", json={})).status_code == 404
        assert (await asked.api.ask("POST", path, "harbour-viewer", json={})).status_code == 403
    asks_nobody = asked.decisions["podiatry-search"]["id"]
    assert (await asked.api.ask("POST", f"/v1/decisions/{asks_nobody}/approval", json={})).status_code == 422


# --- restore ------------------------------------------------------------------------------------------------------------

RESTORE = f"/v1/clinics/{HARBOUR}/restore"


async def test_a_restore_puts_back_what_we_changed_and_nothing_else(governed: Api) -> None:
    await evaluate(governed)
    before = {each["campaign"] for each in (await governed.get(f"/v1/clinics/{HARBOUR}/campaigns"))["items"]}
    answer = (await governed.ask("POST", RESTORE, "harbour-operator", json={})).json()
    changed = {each["campaign"]: (each["status"], each["after"]) for each in answer["changes"]}
    assert set(changed) >= PHYSIO
    assert set(changed) <= before
    for status, after in changed.values():
        assert (status, after["running"]) == ("applied", True)
    assert answer["left_alone"] == []
    assert answer["acts_again"] is True
    [text] = await recorded(governed, "restore")
    assert '"by":"harbour-operator"' in text
    again = (await governed.ask("POST", RESTORE, json={})).json()
    assert (again["changes"], again["left_alone"]) == ([], [])


async def test_a_restore_leaves_alone_what_somebody_has_changed_since(governed: Api) -> None:
    await evaluate(governed)
    account = next(iter(governed.near.world.meta.values()))
    for item in account.campaigns.values():
        item.daily_budget = 4321
    answer = (await governed.ask("POST", RESTORE, json={})).json()
    assert {each["campaign"] for each in answer["left_alone"]} & PHYSIO == {"physio-social"}
    assert "43.21" in next(each["why"] for each in answer["left_alone"] if each["campaign"] == "physio-social")
    assert {each["campaign"] for each in answer["changes"]} & PHYSIO == {"physio-search"}


async def test_a_restore_respects_a_hold(governed: Api) -> None:
    await evaluate(governed)
    await governed.ask("POST", f"/v1/clinics/{HARBOUR}/holds", json={"reason": "leave it"})
    answer = (await governed.ask("POST", RESTORE, json={})).json()
    assert {each["status"] for each in answer["changes"]} == {"superseded"}
    assert all("held by admin: leave it" in each["detail"] for each in answer["changes"])
    assert answer["acts_again"] is False
