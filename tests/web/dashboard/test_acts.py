"""What people do on the pages does what the API's own addresses do, in the name of their key."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from service.sandbox.scene import HARBOUR
from service.web.dashboard import session
from tests.web.conftest import HOUR, Api, client_of
from tests.web.dashboard.conftest import Visit
from tests.web.test_plans import evaluate, recorded, rewrite
from tests.web.world import book_out

CLINIC = f"/clinics/{HARBOUR}"
HOLDS = f"{CLINIC}/holds"


@pytest.fixture
async def asking(api: Api) -> AsyncIterator[tuple[Visit, str]]:
    """Harbour in mode propose with two questions, its operator signed in, and the decision that asks about physio-search."""
    rewrite(api, "mode: enforce", "mode: propose")
    await evaluate(api, 0 * HOUR)
    book_out(api.near.world)
    await evaluate(api, 23 * HOUR)
    decisions = await evaluate(api)
    async with client_of(api.litestar) as client:
        visit = Visit(api, client)
        await visit.sign_in("harbour-operator")
        yield visit, decisions["physio-search"]["asks"]


async def test_a_yes_is_given_in_place_and_the_next_run_carries_it_out(asking: tuple[Visit, str]) -> None:
    visit, asks = asking
    assert "Waiting for a yes" in (await visit.page(CLINIC)).text
    after = await visit.send(await visit.form(CLINIC, f"/decisions/{asks}/approval"))
    assert "Approved. The next run carries it out" in after.text
    assert f"/decisions/{asks}/approval" not in [form.action for form in after.forms], "it is no longer asked"
    assert "Approved by harbour-operator" in after.text.split("Campaigns")[1], "and says whose word stands"
    assert "Approved." not in (await visit.page(CLINIC)).text, "it is said once"
    done = (await evaluate(visit.api))["physio-search"]
    assert (done["verdict"], done["approved_by"]) == ("apply", "harbour-operator")
    [text] = await recorded(visit.api, "approval")
    assert '"by":"harbour-operator"' in text


async def test_a_no_needs_its_reason_and_is_quoted(asking: tuple[Visit, str]) -> None:
    visit, asks = asking
    form = await visit.form(CLINIC, f"/decisions/{asks}/rejection")
    assert "Not done: give a reason" in (await visit.send(form, reason="  ")).text
    assert "Rejected." in (await visit.send(form, reason="open day")).text
    assert "open day" in (await evaluate(visit.api))["physio-search"]["sentence"]


async def test_what_was_answered_meanwhile_is_not_answered_again(asking: tuple[Visit, str]) -> None:
    visit, asks = asking
    form = await visit.form(CLINIC, f"/decisions/{asks}/approval")
    await visit.api.ask("POST", f"/v1/decisions/{asks}/rejection", json={"reason": "no"})
    assert "Not done: admin has rejected it already" in (await visit.send(form)).text
    assert await recorded(visit.api, "approval") == []


@pytest.mark.parametrize(("term", "hours"), [("4h", 4), ("1d", 24), ("28d", 672), ("", None), ("nonsense", None)])
async def test_a_campaign_is_held_for_as_long_as_is_asked(operator: Visit, term: str, hours: int | None) -> None:
    forms = [form for form in (await operator.page(CLINIC)).forms if form.fields.get("campaign") == "physio-search"]
    after = await operator.send(forms[0], reason="a sale is on", term=term)
    assert "Held: physio-search is left alone from now on." in after.text
    [held] = await operator.api.app.store.holds.holds(HARBOUR, operator.api.app.clock())
    assert (held.campaign, held.reason, held.by) == ("physio-search", "a sale is on", "harbour-operator")
    assert held.until == (None if hours is None else operator.api.app.clock() + hours * HOUR)
    assert (await evaluate(operator.api))["physio-search"]["reason"] == "held"


async def test_a_whole_clinic_is_held_and_the_hold_ended(operator: Visit) -> None:
    [form] = [each for each in (await operator.page(CLINIC)).forms if each.action == HOLDS and "campaign" not in each.fields]
    shown = await operator.send(form, reason="stocktaking", term="")
    [end] = [each for each in shown.forms if each.action.endswith("/end")]
    assert [each for each in shown.forms if each.action == HOLDS] == [], "more cannot be held"
    assert "The hold is ended." in (await operator.send(end)).text
    assert await operator.api.app.store.holds.holds(HARBOUR, operator.api.app.clock()) == ()
    assert "Not done: There is nothing here" in (await operator.send(end)).text


async def test_a_hold_without_a_reason_is_refused_and_says_so(operator: Visit) -> None:
    form = next(each for each in (await operator.page(CLINIC)).forms if each.action == HOLDS)
    assert "Not done: give a reason" in (await operator.send(form, reason=" ")).text
    assert await operator.api.app.store.holds.holds(HARBOUR, operator.api.app.clock()) == ()


async def test_a_campaign_that_somebody_changed_is_handed_back(operator: Visit) -> None:
    operator.api.near.world.edit_google("1234567890", "9876543211", "kim@example.com", status="PAUSED")
    await evaluate(operator.api)
    action = f"{CLINIC}/campaigns/podiatry-search/readopt"
    assert "Somebody changed it" in (await operator.page(CLINIC)).text
    after = await operator.send(await operator.form(CLINIC, action))
    assert "podiatry-search is the rules' again" in after.text
    assert action not in [form.action for form in after.forms]
    assert len(await recorded(operator.api, "readopt")) == 1


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example"])
async def test_whoever_has_done_something_stays_here(operator: Visit, back: str) -> None:
    form = next(each for each in (await operator.page(CLINIC)).forms if each.action == HOLDS)
    answer = await operator.client.post(HOLDS, data=form.fields | {"reason": "a sale", "back": back})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_a_viewer_who_sends_a_form_all_the_same_is_refused(visit: Visit) -> None:
    await visit.sign_in("harbour-viewer")
    [out] = (await visit.page(CLINIC)).forms
    token = await _token(visit)
    answer = await visit.client.post(HOLDS, data={"reason": "a sale", "token": token, **out.fields})
    assert answer.status_code == 403
    assert "role operator" in answer.text
    assert await visit.api.app.store.holds.holds(HARBOUR, visit.api.app.clock()) == ()


async def _token(visit: Visit) -> str:
    """The token of a viewer's session; no page of theirs shows it, because none of their forms needs it."""
    return session._token(visit.client.cookies[session.COOKIE])


async def test_nothing_of_a_foreign_clinic_can_be_answered_held_or_handed_back(asking: tuple[Visit, str]) -> None:
    visit, asks = asking
    async with client_of(visit.api.litestar) as client:
        other = Visit(visit.api, client)
        await other.sign_in("northside-operator")
        fields = {"token": await _token(other), "reason": "mine now"}
        for path in (HOLDS, f"{CLINIC}/campaigns/physio-search/readopt"):
            assert (await client.post(path, data=fields)).status_code == 404
        answer = await client.post(f"/decisions/{asks}/approval", data=fields, follow_redirects=True)
        assert "Not done: " in answer.text
        assert HARBOUR not in answer.text
    assert await recorded(visit.api, "approval") == []
