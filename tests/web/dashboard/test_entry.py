"""Who gets in, for how long, and what a browser is made to send that its user did not mean to."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from service.sandbox.scene import HARBOUR, NORTHSIDE
from service.web.dashboard.session import COOKIE
from service.web.server import create_app
from tests.web.conftest import HOUR, Told, client_of
from tests.web.dashboard.conftest import Visit
from tests.web.world import Near, app_over

PAGES = ["/", f"/clinics/{HARBOUR}", f"/clinics/{HARBOUR}/decisions", "/decisions/any"]
HOLDS = f"/clinics/{HARBOUR}/holds"


@pytest.mark.parametrize("path", PAGES)
async def test_whoever_is_not_signed_in_is_asked_to_and_comes_back_to_the_page(visit: Visit, path: str) -> None:
    answer = await visit.client.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
    form = (await visit.page(path)).forms[0]
    assert form.fields["back"] == path


async def test_whoever_only_listens_is_told_that_the_session_is_over(visit: Visit) -> None:
    assert (await visit.client.get("/events")).status_code == 401, "a browser stops asking"


async def test_what_was_sent_without_a_session_is_said_to_be_lost(operator: Visit) -> None:
    form = next(each for each in (await operator.page(f"/clinics/{HARBOUR}")).forms if each.action == HOLDS)
    operator.client.cookies.clear()
    answer = await operator.client.post(HOLDS, data=form.fields | {"reason": "a sale"}, follow_redirects=True)
    assert "what you sent was not done" in answer.text
    assert (await operator.api.get(f"/v1{HOLDS}"))["items"] == []


async def test_a_new_session_ends_the_one_before(operator: Visit) -> None:
    old = operator.client.cookies[COOKIE]
    await operator.sign_in("harbour-operator")
    operator.client.cookies.clear()
    operator.client.cookies.set(COOKIE, old)
    assert (await operator.client.get(f"/clinics/{HARBOUR}")).status_code == 303


async def test_a_good_key_opens_the_pages_of_its_clinics_and_no_others(visit: Visit) -> None:
    assert (await visit.client.get(f"/clinics/{HARBOUR}")).status_code == 303
    answer = await visit.sign_in("harbour-viewer", f"/clinics/{HARBOUR}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/clinics/{HARBOUR}")
    assert "Harbour Physio" in (await visit.page(f"/clinics/{HARBOUR}")).text
    foreign, nowhere = [await visit.client.get(f"/clinics/{name}") for name in (NORTHSIDE, "no-such-thing")]
    assert foreign.status_code == nowhere.status_code == 404
    assert foreign.text == nowhere.text.replace("no-such-thing", NORTHSIDE)


async def test_whoever_has_one_clinic_is_led_to_it_and_others_see_their_list(visit: Visit) -> None:
    await visit.sign_in("harbour-viewer")
    assert (await visit.client.get("/")).headers["location"] == f"/clinics/{HARBOUR}"
    await visit.sign_in("auditor")
    shown = await visit.page("/")
    assert {f"/clinics/{HARBOUR}", f"/clinics/{NORTHSIDE}"} <= set(shown.links)


@pytest.mark.parametrize("key", ["", "gov_made-up", "x" * 5000, "\ud800", "admin "])
async def test_a_bad_key_is_refused_and_says_so(visit: Visit, key: str) -> None:
    answer = await visit.client.post("/sign-in", content=f"key={key.encode('utf-8', 'replace').decode()}", headers=FORM)
    assert answer.status_code == 401
    assert COOKIE not in answer.cookies
    assert "API key" in answer.text


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    "back", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/x\r\ny"]
)
async def test_nobody_is_sent_to_another_site_after_signing_in(visit: Visit, back: str) -> None:
    assert (await visit.sign_in("admin", back)).headers["location"] == "/"


async def test_the_cookie_is_for_the_server_alone_and_the_database_does_not_hold_it(visit: Visit) -> None:
    answer = await visit.sign_in("admin")
    said = answer.headers["set-cookie"].lower()
    assert all(part in said for part in ("httponly", "samesite=lax", "path=/", "max-age=43200"))
    secret = answer.cookies[COOKIE]
    assert secret not in visit.api.secrets.values()
    database = (visit.api.app.settings.rules_dir.parent / "governor.db").read_bytes()
    assert secret.encode() not in database


async def test_over_tls_the_cookie_never_goes_another_way(visit: Visit) -> None:
    answer = await visit.client.post("https://governor/sign-in", data={"key": visit.api.secrets["admin"]})
    assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("end", ["sign out", "twelve hours", "revoked", "expired"])
async def test_a_session_ends(visit: Visit, end: str) -> None:
    await visit.sign_in("harbour-operator")
    path, cookie = f"/clinics/{HARBOUR}", visit.client.cookies[COOKIE]
    assert (await visit.client.get(path)).status_code == 200
    keys = visit.api.app.store.keys
    if end == "sign out":
        await visit.client.post("/sign-out")
    elif end == "revoked":
        [mine] = [each for each in await keys.keys() if each.name == "harbour-operator"]
        await keys.revoke_key(mine.id, visit.api.app.clock())
    else:
        visit.api.near.world.advance(12 * HOUR if end == "twelve hours" else timedelta(days=400))
    visit.client.cookies.set(COOKIE, cookie)
    assert (await visit.client.get(path)).status_code == 303


async def test_guessing_is_slowed_down(told: Told, tmp_path: Path) -> None:
    shutil.copytree(told.directory, tmp_path, dirs_exist_ok=True)
    async with app_over(Near(told.world), tmp_path, api={"requests_per_minute": 20}) as app:
        litestar = create_app(app, hourly=False)
        async with client_of(litestar) as client:
            statuses = [(await client.post("/sign-in", data={"key": f"gov_{n}"})).status_code for n in range(25)]
    assert statuses == [401] * 20 + [429] * 5


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://governor"}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({}, 303),
    ],
    ids=str,
)
async def test_what_another_sites_page_sends_does_nothing(operator: Visit, headers: dict[str, str], status: int) -> None:
    whole = next(f for f in (await operator.page(f"/clinics/{HARBOUR}")).forms if f.action == HOLDS)
    answer = await operator.client.post(HOLDS, data=whole.fields | {"reason": "a sale"}, headers=headers)
    assert answer.status_code == status
    held = (await operator.api.get(f"/v1{HOLDS}"))["items"]
    assert len(held) == (status == 303)


@pytest.mark.parametrize("token", [None, "", "0" * 64, "\u00e9"])
async def test_what_carries_no_token_of_this_session_does_nothing(operator: Visit, token: str | None) -> None:
    fields = {"reason": "a sale"} | ({} if token is None else {"token": token})
    answer = await operator.client.post(HOLDS, data=fields)
    assert answer.status_code == 403
    assert "load it again, and repeat it" in answer.text
    assert "a sale" in answer.text, "what was typed is not lost"
    assert (await operator.api.get(f"/v1{HOLDS}"))["items"] == []


async def test_an_api_key_is_no_session_and_a_session_no_api_key(operator: Visit) -> None:
    assert (await operator.client.get("/v1/clinics")).status_code == 401
    operator.client.cookies.clear()
    bearer = {"Authorization": f"Bearer {operator.api.secrets['admin']}"}
    assert (await operator.client.get(f"/clinics/{HARBOUR}", headers=bearer)).status_code == 303


async def test_every_page_tells_browsers_to_load_nothing_from_elsewhere_and_to_keep_nothing(operator: Visit) -> None:
    for path in (f"/clinics/{HARBOUR}", "/clinics/nowhere", "/decisions/none"):
        headers = (await operator.client.get(path)).headers
        policy = dict(each.split(" ", 1) for each in headers["content-security-policy"].split("; "))
        assert (policy["default-src"], policy["script-src"], policy["frame-ancestors"]) == ("'none'", "'self'", "'none'")
        assert policy["style-src"].startswith("'sha256-")
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"
