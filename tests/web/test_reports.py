"""The reports as an agency gets them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.sandbox.scene import HARBOUR
from tests.web.conftest import Api

MONEY, STRUCTURE = f"/v1/reports/money?clinic={HARBOUR}", f"/v1/reports/structure?clinic={HARBOUR}"


@pytest.fixture(params=[MONEY, STRUCTURE], ids=["money", "structure"])
def report(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_report_is_json_and_csv_by_wish(governed: Api, report: str) -> None:
    assert (await governed.ask("GET", report)).headers["content-type"] == "application/json"
    for headers, more in (({"Accept": "text/csv"}, ""), ({}, "&format=csv")):
        answer = await governed.ask("GET", f"{report}{more}", headers=headers)
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.headers["content-disposition"].endswith('.csv"')
        assert answer.text.startswith("scope,name,")
        assert "Accept" in answer.headers["vary"]
        assert ",since,before" in answer.text.splitlines()[0]
        assert ("AUD" in answer.text) is (report == MONEY)
    assert (await governed.ask("GET", report, headers={"Accept": "image/png"})).status_code == 406


async def test_what_has_not_changed_is_not_sent_again(governed: Api, report: str) -> None:
    tag = (await governed.ask("GET", report)).headers["etag"]
    governed.near.world.advance(timedelta(minutes=1))
    assert (await governed.ask("GET", report, headers={"If-None-Match": tag})).status_code == 304


@pytest.mark.parametrize(
    ("since", "before", "status"),
    [
        pytest.param("2026-11-24T00:00:00Z", "2026-11-23T00:00:00Z", 422, id="ends before it begins"),
        pytest.param("2031-01-01T00:00:00Z", None, 422, id="begins in the future"),
        pytest.param("2020-01-01T00:00:00Z", None, 422, id="too long"),
        pytest.param("0001-01-01T00:00:00Z", None, 422, id="before the calendar"),
        pytest.param("2026-11-01T00:00:00", None, 422, id="no offset"),
        pytest.param("yesterday", None, 400, id="no instant"),
        pytest.param("2026-11-01T00:00:00Z", "2031-01-01T00:00:00Z", 200, id="ends in the future"),
        pytest.param("2026-11-01T00:00:00Z", "2026-11-08T00:00:00Z", 200, id="before anything was seen"),
    ],
)
async def test_a_period_is_checked(governed: Api, report: str, since: str, before: str | None, status: int) -> None:
    asked = {"clinic": HARBOUR, "since": since} | ({"before": before} if before else {})
    assert (await governed.ask("GET", report, params=asked)).status_code == status


async def test_a_clinic_must_be_named(governed: Api, report: str) -> None:
    assert (await governed.ask("GET", report.partition("?")[0])).status_code == 400


async def test_the_money_report_tells_every_campaign_of_the_file(governed: Api) -> None:
    found = await governed.get(MONEY, clinic=HARBOUR)
    listed = (await governed.get(f"/v1/clinics/{HARBOUR}/campaigns"))["items"]
    assert {each["campaign"] for each in found["campaigns"]} == {each["campaign"] for each in listed}
    assert found["currency"] == "AUD"
    for each in found["campaigns"]:
        assert each["figures"]["spent"]["reason"]  # the sandbox's ads told no cost
    assert found["gaps"], "the story's runs are a day apart"


async def test_the_structure_report_says_that_two_days_are_too_few(governed: Api) -> None:
    governed.near.world.advance(timedelta(days=2))
    found = await governed.get(STRUCTURE, clinic=HARBOUR)
    assert {each["booked"] for each in found["entries"]} == {"thin"}
    assert {each["kind"] for each in found["entries"]} == {"service", "practitioner", "location"}
    assert found["findings"] == []
