"""Every route below /v1, for every kind of key: what it may do, and what exists for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from litestar.routes import HTTPRoute

from service.core.decide.model import Hold
from service.keys import EVERY_CLINIC, new_key
from service.sandbox.scene import HARBOUR, NORTHSIDE
from service.store.keys import Role
from tests.web.conftest import Api, Told, story_in

HOLD = {"reason": "a sale is on", "campaign": "physio-search"}


@dataclass(frozen=True, slots=True)
class Route:
    """What a route takes. `about` says what its address names, and `query` what else it must; it belongs to Harbour."""

    method: str
    path: str
    role: Role
    about: str = ""
    body: Any = None
    query: dict[str, str] | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


ROUTES = [
    Route("GET", "/v1/clinics", Role.VIEWER),
    Route("GET", "/v1/clinics/{clinic}", Role.VIEWER, "clinic"),
    Route("GET", "/v1/clinics/{clinic}/forecast", Role.VIEWER, "clinic"),
    Route("GET", "/v1/clinics/{clinic}/campaigns", Role.VIEWER, "clinic"),
    Route("GET", "/v1/clinics/{clinic}/rules", Role.VIEWER, "clinic"),
    Route("GET", "/v1/clinics/{clinic}/holds", Role.VIEWER, "clinic"),
    Route("POST", "/v1/clinics/{clinic}/holds", Role.OPERATOR, "clinic", HOLD),
    Route("POST", "/v1/clinics/{clinic}/evaluations", Role.OPERATOR, "clinic", {"dry_run": True}),
    Route("POST", "/v1/clinics/{clinic}/campaigns/{campaign}/readopt", Role.OPERATOR, "clinic"),
    Route("GET", "/v1/runs/{run}", Role.VIEWER, "run"),
    Route("GET", "/v1/decisions", Role.VIEWER),
    Route("GET", "/v1/decisions/{decision_id}", Role.VIEWER, "decision_id"),
    Route("POST", "/v1/clinics/{clinic}/restore", Role.OPERATOR, "clinic", {}),
    Route("GET", "/v1/plans", Role.VIEWER),
    Route("GET", "/v1/plans/{run}", Role.VIEWER, "run"),
    Route("POST", "/v1/plans/{run}/approval", Role.OPERATOR, "run", {}),
    Route("POST", "/v1/plans/{run}/rejection", Role.OPERATOR, "run", {"reason": "no"}),
    Route("POST", "/v1/decisions/{decision_id}/approval", Role.OPERATOR, "decision_id", {}),
    Route("POST", "/v1/decisions/{decision_id}/rejection", Role.OPERATOR, "decision_id", {"reason": "no"}),
    Route("GET", "/v1/audit", Role.VIEWER),
    Route("GET", "/v1/audit/head", Role.VIEWER),
    Route("GET", "/v1/audit/verify", Role.VIEWER),
    Route("GET", "/v1/reports/money", Role.VIEWER, query={"clinic": HARBOUR}),
    Route("GET", "/v1/reports/structure", Role.VIEWER, query={"clinic": HARBOUR}),
    Route("DELETE", "/v1/holds/{hold_id}", Role.OPERATOR, "hold_id"),
    Route("POST", "/v1/rules/check", Role.VIEWER, body={"text": "version: 1\n"}),
]
UNUSABLE = {"/v1/rules/check", *(route.path for route in ROUTES if route.path.endswith(("/approval", "/rejection")))}
"""What the bodies above cannot be used for: the file is none, and the decisions ask nobody."""
STREAMED = "GET /v1/events"
"""It does not end, so it is asked over a socket: `test_events.py`."""

NAMED = [route for route in ROUTES if route.about]
LISTED = [route for route in ROUTES if not route.about and not route.query and route.method == "GET"]


@pytest.fixture(scope="module")
async def shared(told: Told, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """The end of the story, for whoever asks about a route: what one asker changes is nothing to the next."""
    async with story_in(told, tmp_path_factory.mktemp("shared")) as opened:
        yield opened


async def harbours(api: Api) -> dict[str, str]:
    """What the addresses name, all of it Harbour's."""
    decision = (await api.get("/v1/decisions", clinic=HARBOUR, limit=1))["items"][0]
    hold = Hold(api.app.governor.new_id(), HARBOUR, None, "a sale is on", "somebody", api.app.clock())
    await api.app.store.holds.hold(hold)
    return {
        "clinic": HARBOUR,
        "campaign": "physio-search",
        "run": decision["run"],
        "decision_id": decision["id"],
        "hold_id": hold.id,
    }


async def asked(api: Api, route: Route, key: str | None, names: dict[str, str], **rest: Any) -> httpx.Response:
    return await api.ask(route.method, route.path.format(**names), key, json=route.body, params=route.query, **rest)


def test_the_matrix_leaves_no_route_out(api: Api) -> None:
    served = {
        f"{method} {route.path_format}"
        for route in api.litestar.routes
        if isinstance(route, HTTPRoute) and route.path.startswith("/v1")
        for method in route.methods - {"OPTIONS"}
    }
    assert served == {*map(str, ROUTES), STREAMED}


@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_nobody_gets_in_without_a_good_key(shared: Api, route: Route) -> None:
    names = await harbours(shared)
    for authorization in (
        None,
        "Bearer",
        "Bearer ",
        "Basic Z292OmV4",
        "Bearer gov_made-up",
        f"Bearer {'x' * 5000}",
        "Bearer \xff",
    ):
        headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
        answer = await asked(shared, route, None, names, headers=headers)
        assert answer.status_code == 401, (authorization, answer.text)
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["type"] == "urn:governor:problem:unauthenticated"


@pytest.mark.parametrize("key", ["harbour-viewer", "harbour-operator", "harbour-admin", "admin", "auditor"])
@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_a_role_may_do_what_those_below_it_may_and_no_more(shared: Api, route: Route, key: str) -> None:
    viewer = key in {"harbour-viewer", "auditor"}
    answer = await asked(shared, route, key, await harbours(shared))
    if viewer and route.role is Role.OPERATOR:
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:governor:problem:forbidden")
    else:
        assert answer.status_code in {200, 201, 204, 422}, answer.text
        assert answer.status_code != 422 or route.path in UNUSABLE


@pytest.mark.parametrize("route", NAMED, ids=str)
async def test_what_is_foreign_is_answered_like_what_does_not_exist(shared: Api, route: Route) -> None:
    names = await harbours(shared)
    foreign = await asked(shared, route, "northside-operator", names)
    nowhere = names | {route.about: "no-such-thing"}
    unknown = await asked(shared, route, "northside-operator", nowhere)
    everywhere = await asked(shared, route, "admin", nowhere)
    assert foreign.status_code == unknown.status_code == everywhere.status_code == 404
    assert foreign.text.replace(names[route.about], "no-such-thing") == unknown.text == everywhere.text
    assert set(foreign.headers) == set(unknown.headers)


async def test_a_foreign_clinic_is_not_there_even_for_a_malformed_request(governed: Api) -> None:
    answer = await governed.ask("POST", f"/v1/clinics/{HARBOUR}/holds", "northside-operator", content=b"{")
    assert answer.status_code == 404


@pytest.mark.parametrize("route", LISTED, ids=str)
async def test_listings_show_nothing_foreign(shared: Api, route: Route) -> None:
    await harbours(shared)
    answer = await asked(shared, route, "northside-operator", {})
    assert answer.status_code == 200
    assert NORTHSIDE in answer.text
    assert HARBOUR not in answer.text
    assert "_system" not in answer.text


@pytest.mark.parametrize(
    "path", ["/v1/decisions", "/v1/audit", "/v1/audit/head", "/v1/audit/verify", "/v1/reports/money", "/v1/reports/structure"]
)
async def test_a_filter_by_a_foreign_clinic_is_answered_like_one_by_an_unknown_clinic(shared: Api, path: str) -> None:
    answers = [
        await shared.ask("GET", path, "northside-operator", params={"clinic": name}) for name in (HARBOUR, "nowhere", "_system")
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(404, answers[0].text)}


@pytest.mark.parametrize(("key", "sees"), [("admin", True), ("auditor", False), ("harbour-admin", False)])
async def test_the_chain_of_the_installation_is_for_its_admins(governed: Api, key: str, *, sees: bool) -> None:
    chains = {each["chain"] for each in (await governed.get("/v1/audit/head", key))["items"]}
    assert ("_system" in chains) is sees
    assert (await governed.ask("GET", "/v1/audit", key, params={"clinic": "_system"})).status_code == (200 if sees else 404)
    assert any("key.created" in each["kind"] for each in (await governed.get("/v1/audit", key, limit=500))["items"]) is sees


async def test_an_expired_and_a_revoked_key_open_nothing(api: Api) -> None:
    app = api.app
    expiring, _ = await new_key(
        app.store.keys, "soon", Role.ADMIN, [EVERY_CLINIC], app.clock(), app.clock() + timedelta(minutes=5)
    )
    revoked, key = await new_key(app.store.keys, "gone", Role.ADMIN, [EVERY_CLINIC], app.clock())
    api.secrets.update(expiring=expiring, revoked=revoked)
    for name in ("expiring", "revoked"):
        assert (await api.ask("GET", "/v1/clinics", name)).status_code == 200
    await app.store.keys.revoke_key(key.id, app.clock())
    api.near.world.advance(timedelta(minutes=5))
    for name in ("expiring", "revoked"):
        assert (await api.ask("GET", "/v1/clinics", name)).status_code == 401


async def test_use_is_noted_once_a_minute(api: Api) -> None:
    async def used() -> Any:
        return next(key.used_at for key in await api.app.store.keys.keys() if key.name == "auditor")

    assert await used() is None
    first = api.app.clock()
    for seconds, noted in ((0, 0), (59, 0), (1, 60)):
        api.near.world.advance(timedelta(seconds=seconds))
        await api.get("/v1/clinics", "auditor")
        assert await used() == first + timedelta(seconds=noted)


async def test_a_secret_is_kept_nowhere(governed: Api) -> None:
    for secret in governed.secrets.values():
        assert secret.startswith("gov_")
    await governed.app.store.aclose()
    directory = governed.app.settings.rules_dir.parent
    kept = b"".join(file.read_bytes() for file in directory.glob("governor.db*"))
    assert len(kept) > 10_000
    assert not any(secret.encode() in kept for secret in governed.secrets.values())
