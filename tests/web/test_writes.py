"""What people ask for over the API: done, and recorded with their key's name."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from service.core.decide.model import Hold
from service.core.model import Reason, Verdict
from service.sandbox.scene import HARBOUR
from service.store.leases import TERM
from tests.support import RULES
from tests.web.conftest import HOUR, Api

HOLDS = f"/v1/clinics/{HARBOUR}/holds"
EVALUATIONS = f"/v1/clinics/{HARBOUR}/evaluations"
CHECK = "/v1/rules/check"


async def recorded(api: Api, kind: str) -> dict[str, Any]:
    """The newest record of a kind."""
    text = (await api.get("/v1/audit", kind=kind, limit=1))["items"][0]["text"]
    return json.loads(text)  # type: ignore[no-any-return] # an object


# --- evaluations --------------------------------------------------------------------------------------------------------


async def test_an_evaluation_decides_applies_and_is_recorded_with_who_asked(api: Api) -> None:
    answer = await api.ask("POST", EVALUATIONS, "harbour-operator", json={"dry_run": False})
    assert answer.status_code == 200
    run = answer.json()
    assert (run["status"], len(run["decisions"]), run["problems"]) == ("finished", 4, [])
    assert (await api.get(f"/v1/runs/{run['run']}"))["decisions"] == run["decisions"]
    started = await recorded(api, "run.started")
    assert (started["run"], started["by"]) == (run["run"], "harbour-operator")


async def test_a_dry_run_decides_and_leaves_no_trace(api: Api) -> None:
    run = (await api.ask("POST", EVALUATIONS, json={"dry_run": True})).json()
    assert (run["status"], len(run["decisions"]), run["changes"]) == ("dry_run", 4, [])
    assert (await api.ask("GET", f"/v1/runs/{run['run']}")).status_code == 404
    assert (await api.get("/v1/decisions"))["items"] == []


async def test_an_evaluation_says_what_could_not_be_read(governed: Api) -> None:
    governed.near.down.add(HARBOUR)
    governed.near.world.advance(HOUR)
    run = (await governed.ask("POST", EVALUATIONS, json={"dry_run": False})).json()
    assert run["status"] == "incomplete"
    assert run["problems"] == ["cliniko could not be read: 503 from a proxy"]
    assert {each["reason"] for each in run["decisions"]} == {"cliniko_unreadable"}
    freshness = (await governed.get(f"/v1/clinics/{HARBOUR}"))["freshness"]
    assert (freshness["stale"], freshness["cliniko_unreadable_since"]) == (True, "2026-11-22T22:00:00Z")


async def test_while_another_run_is_under_way_an_evaluation_is_refused(api: Api) -> None:
    await api.app.store.leases.acquire(HARBOUR, "another worker", TERM, api.app.clock())
    answer = await api.ask("POST", EVALUATIONS, json={"dry_run": False})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:governor:problem:busy")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"dry_run": "perhaps"}', b"{", b"\xff"])
async def test_whether_an_evaluation_is_dry_must_be_said(api: Api, body: bytes) -> None:
    answer = await api.ask("POST", EVALUATIONS, content=body)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:governor:problem:malformed-request")
    assert (await api.get("/v1/audit", clinic=HARBOUR))["items"] == []


# --- holds --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "held"),
    [
        ({}, {"physio-search", "physio-social", "podiatry-search", "podiatry-social"}),
        ({"service": "physio"}, {"physio-search", "physio-social"}),
        ({"campaign": "podiatry-social"}, {"podiatry-social"}),
    ],
    ids=["clinic", "service", "campaign"],
)
async def test_a_hold_keeps_what_it_covers_until_it_is_ended(governed: Api, scope: dict[str, str], held: set[str]) -> None:
    answer = await governed.ask("POST", HOLDS, "harbour-operator", json={"reason": " a sale is on ", **scope})
    assert answer.status_code == 201
    hold = answer.json()
    assert (hold["reason"], hold["by"], hold["until"]) == ("a sale is on", "harbour-operator", None)
    assert (await governed.get(HOLDS, "harbour-viewer"))["items"] == [hold]
    assert (await recorded(governed, "hold"))["hold"]["by"] == "harbour-operator"

    assert await _held(governed) == held
    ended = await governed.ask("DELETE", f"/v1/holds/{hold['id']}", "harbour-admin")
    assert (ended.status_code, ended.content) == (204, b"")
    assert (await recorded(governed, "unhold"))["by"] == "harbour-admin"
    assert await _held(governed) == set()
    assert (await governed.ask("DELETE", f"/v1/holds/{hold['id']}", "harbour-admin")).status_code == 404


async def _held(api: Api) -> set[str]:
    report = await api.app.governor.run(HARBOUR, dry_run=True)
    return {each.campaign for each in report.decisions if each.verdict is Verdict.KEEP and each.reason is Reason.HELD}


async def test_a_hold_ends_by_itself(governed: Api) -> None:
    until = governed.app.clock() + HOUR
    answer = await governed.ask("POST", HOLDS, json={"reason": "lunch", "until": f"{until:%Y-%m-%dT%H:%M:%S}+00:00"})
    assert answer.json()["until"] == f"{until:%Y-%m-%dT%H:%M:%SZ}"
    governed.near.world.advance(HOUR)
    assert (await governed.get(HOLDS))["items"] == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"reason": "  "}, "give a reason"),
        ({"reason": "x", "campaign": "physio-serach"}, "it has physio-search, physio-social"),
        ({"reason": "x", "service": "massage"}, "it has physio, podiatry"),
        ({"reason": "x", "campaign": ""}, "it has physio-search, physio-social"),
        ({"reason": "x", "service": ""}, "it has physio, podiatry"),
        ({"reason": "x", "service": "", "campaign": ""}, "not both"),
        ({"reason": "x", "service": "physio", "campaign": "physio-search"}, "not both"),
        ({"reason": "x", "until": "2026-11-01T00:00:00Z"}, "has passed"),
        ({"reason": "x", "until": "2026-12-24T18:00:00"}, "2026-12-24T18:00:00Z"),
        ({"reason": "x", "until": "0001-01-01T00:00:00+14:00"}, "years 1 to 9999"),
        ({"reason": "x", "until": "9999-12-31T23:59:59-14:00"}, "years 1 to 9999"),
    ],
    ids=[
        "no reason",
        "a typo",
        "no such service",
        "no campaign's",
        "no service's",
        "neither's",
        "both",
        "over already",
        "no offset",
        "too early",
        "too late",
    ],
)
async def test_a_hold_that_makes_no_sense_is_refused_with_advice(governed: Api, body: dict[str, str], says: str) -> None:
    answer = await governed.ask("POST", HOLDS, json=body)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:governor:problem:unusable-input")
    assert says in answer.json()["detail"]
    assert (await governed.get(HOLDS))["items"] == []


@pytest.mark.parametrize(
    ("path", "body", "at", "says"),
    [
        (HOLDS, {"reason": "x", "campain": "physio-search"}, "body", "unknown field `campain`"),
        (HOLDS, {"reason": ""}, "body.reason", "length >= 1"),
        (HOLDS, {"reason": "x" * 501}, "body.reason", "length <= 500"),
        (HOLDS, {"reason": "x", "campaign": "x" * 201}, "body.campaign", "length <= 200"),
        (HOLDS, {"reason": "x", "service": "x" * 201}, "body.service", "length <= 200"),
        (HOLDS, {}, "body", "missing required field `reason`"),
        (EVALUATIONS, {"dry_run": True, "wet_run": True}, "body", "unknown field `wet_run`"),
        (EVALUATIONS, [], "body", "got `array`"),
        (CHECK, {"text": "x", "clinics": "x"}, "body", "unknown field `clinics`"),
        (CHECK, {"text": "x", "clinic": "x" * 101}, "body.clinic", "length <= 100"),
    ],
)
async def test_a_body_that_is_not_as_described_is_refused_and_does_nothing(
    governed: Api, path: str, body: object, at: str, says: str
) -> None:
    before = await governed.get("/v1/audit")
    answer = await governed.ask("POST", path, json=body)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:governor:problem:malformed-request")
    assert [field["at"] for field in answer.json()["fields"]] == [at]
    assert says in answer.json()["detail"]
    assert await governed.get("/v1/audit") == before


@pytest.mark.parametrize(
    "body", [b'{"reason":"\xff"}', b"[" * 100_000, b'{"reason":' * 100_000], ids=["no UTF-8", "arrays", "objects"]
)
async def test_a_body_that_is_no_text_or_has_no_end_of_depth_is_refused(governed: Api, body: bytes) -> None:
    answer = await governed.ask("POST", HOLDS, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:governor:problem:malformed-request")
    assert (await governed.get(HOLDS))["items"] == []


@pytest.mark.parametrize("path", [HOLDS, EVALUATIONS, CHECK])
async def test_a_missing_body_is_said_to_be_missing(api: Api, path: str) -> None:
    answer = await api.ask("POST", path)
    assert answer.status_code == 400
    assert answer.json()["fields"] == [{"at": "body", "message": "a JSON body is needed"}]


async def test_a_reason_of_the_greatest_length_is_kept_whole(governed: Api) -> None:
    answer = await governed.ask("POST", HOLDS, json={"reason": "x" * 500})
    assert (answer.status_code, answer.json()["reason"]) == (201, "x" * 500)


async def test_a_hold_on_everything_is_seen_by_all_and_ended_by_the_installations_admins(governed: Api) -> None:
    app = governed.app
    await app.store.holds.hold(Hold("hold1", None, None, "stop", "on call", app.clock()))
    assert [(each["id"], each["clinic"]) for each in (await governed.get(HOLDS, "harbour-viewer"))["items"]] == [
        ("hold1", None)
    ]
    assert await _held(governed) == {"physio-search", "physio-social", "podiatry-search", "podiatry-social"}
    for key in ("harbour-operator", "harbour-admin"):
        assert (await governed.ask("DELETE", "/v1/holds/hold1", key)).status_code == 403
    assert (await governed.ask("DELETE", "/v1/holds/hold1", "admin")).status_code == 204


# --- readopt ------------------------------------------------------------------------------------------------------------


async def test_a_campaign_that_somebody_changed_is_handed_back_as_it_stands(governed: Api) -> None:
    world = governed.near.world
    world.edit_google("1234567890", "9876543210", "jo@agency.example", status="ENABLED")
    world.advance(HOUR)
    await governed.app.governor.run(HARBOUR)
    path = f"/v1/clinics/{HARBOUR}/campaigns"
    down = (await governed.get(path))["items"][0]["standing"]["stood_down"]
    assert (down["reason"], down["seen"]["running"]) == ("drift", True)

    answer = await governed.ask("POST", f"{path}/physio-search/readopt", "harbour-operator")
    assert answer.status_code == 200
    assert answer.json()["standing"]["stood_down"] is None
    assert (await governed.get(path))["items"][0]["standing"] == answer.json()["standing"]
    record = await recorded(governed, "readopt")
    assert (record["campaign"], record["by"], record["state"]["running"]) == ("physio-search", "harbour-operator", True)
    world.advance(timedelta(minutes=1))
    after = next(each for each in (await governed.app.governor.run(HARBOUR)).decisions if each.campaign == "physio-search")
    assert after.reason is not Reason.DRIFT


async def test_there_is_nothing_to_hand_back_of_a_campaign_that_is_not_in_the_file(governed: Api) -> None:
    answer = await governed.ask("POST", f"/v1/clinics/{HARBOUR}/campaigns/physio-serach/readopt")
    assert answer.status_code == 404


# --- rule files ---------------------------------------------------------------------------------------------------------


async def test_a_good_rule_file_is_summed_up_and_not_put_in_force(api: Api) -> None:
    text = (RULES / f"{HARBOUR}.yaml").read_text()
    answer = await api.ask("POST", "/v1/rules/check", "harbour-viewer", json={"text": text, "clinic": HARBOUR})
    assert answer.status_code == 200
    found = answer.json()
    assert (found["clinic"], found["mode"], found["campaigns"], found["services"]) == (HARBOUR, "enforce", 4, 2)
    assert await api.app.store.rules.rules_in_force(HARBOUR) is None


async def test_a_bad_rule_file_is_refused_with_every_problem_and_its_line(api: Api) -> None:
    text = (RULES / f"{HARBOUR}.yaml").read_text()
    line = text[: text.index("at_least: 95%")].count("\n") + 1
    broken = text.replace("utilisation: {at_least: 95%}", "utilization: {at_least: 95}", 1)
    answer = await api.ask("POST", "/v1/rules/check", json={"text": broken})
    body = answer.json()
    assert (answer.status_code, body["type"]) == (422, "urn:governor:problem:rule-file-refused")
    assert {(each["file"], each["line"]) for each in body["problems"]} == {("rules", line)}
    assert "utilisation" in json.dumps(body["problems"])


async def test_a_rule_file_for_another_clinic_is_refused(api: Api) -> None:
    text = (RULES / f"{HARBOUR}.yaml").read_text()
    answer = await api.ask("POST", "/v1/rules/check", json={"text": text, "clinic": "harbor-physio"})
    assert answer.status_code == 422


async def test_a_text_that_is_too_large_is_refused_unread(api: Api) -> None:
    answer = await api.ask("POST", "/v1/rules/check", json={"text": "#" * 3_000_000})
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:governor:problem:too-large")


@pytest.mark.parametrize("nearly", [0, 1, "false", "true", None, "no"])
async def test_what_is_nearly_a_boolean_is_none(governed: Api, nearly: object) -> None:
    """`0` is a likely way of saying "not dry" without meaning to."""
    answer = await governed.ask("POST", f"/v1/clinics/{HARBOUR}/evaluations", json={"dry_run": nearly})
    assert answer.status_code == 400
    assert [each["at"] for each in answer.json()["fields"]] == ["body.dry_run"]


async def test_a_number_is_no_instant(governed: Api) -> None:
    answer = await governed.ask("GET", "/v1/decisions?since=1700000000")
    assert (answer.status_code, answer.json()["fields"][0]["at"]) == (400, "query.since")
    assert "2026-11-24T09:00:00Z" in answer.json()["detail"]
