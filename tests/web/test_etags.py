from __future__ import annotations

from datetime import timedelta

import pytest

from service.sandbox.scene import HARBOUR
from tests.web.conftest import Api

MINUTE = timedelta(minutes=1)
TAGGED = [
    "/v1/clinics",
    f"/v1/clinics/{HARBOUR}",
    "/v1/decisions",
    "/v1/plans",
    "/v1/audit",
    f"/v1/clinics/{HARBOUR}/forecast",
    f"/v1/clinics/{HARBOUR}/campaigns",
]


@pytest.mark.parametrize("path", TAGGED)
async def test_what_the_asker_has_already_is_not_sent_again(governed: Api, path: str) -> None:
    first = await governed.ask("GET", path)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache", "it may be kept, by whoever asked"
    governed.near.world.advance(MINUTE)
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = await governed.ask("GET", path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["vary"] == "Accept-Encoding"
    other = await governed.ask("GET", path, headers={"If-None-Match": 'W/"other"'})
    assert (other.status_code, other.content, other.headers["etag"]) == (200, first.content, tag)


async def test_a_tag_changes_with_what_it_is_of(governed: Api) -> None:
    path = f"/v1/clinics/{HARBOUR}/holds"
    before = (await governed.ask("GET", path)).headers["etag"]
    assert (await governed.ask("POST", path, json={"reason": "a sale is on"})).status_code == 201
    after = await governed.ask("GET", path, headers={"If-None-Match": before})
    assert (after.status_code, len(after.json()["items"])) == (200, 1)
    assert after.headers["etag"] != before


async def test_who_may_not_ask_learns_nothing_from_a_tag(governed: Api) -> None:
    tag = (await governed.ask("GET", f"/v1/clinics/{HARBOUR}/holds")).headers["etag"]
    foreign = await governed.ask("GET", f"/v1/clinics/{HARBOUR}/holds", "northside-operator", headers={"If-None-Match": tag})
    assert foreign.status_code == 404
    assert "etag" not in foreign.headers


async def test_a_problem_has_no_tag(governed: Api) -> None:
    assert "etag" not in (await governed.ask("GET", "/v1/decisions?limit=0")).headers
